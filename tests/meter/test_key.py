"""Key bits: the interval holds what counts leave open of p0, and what prompts that stayed wrong may have been."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import bitrate

sys.path.insert(0, str(Path(__file__).parent))
from simulate import write_counts

K = 8
FLOOR = 1 / (2 * K)


def visited(path: Path, p: np.ndarray, visits: int, rng: np.random.Generator) -> Path:
    """So many visits to each prompt at its pass rate."""
    step, prompt = (a.ravel() for a in np.indices((visits, p.size)))
    return write_counts(path, step, prompt.astype(str), np.full(step.size, K), rng.binomial(K, p[prompt]))


def bits(p: np.ndarray, visits: int) -> float:
    """Mean of log2(1/p0) where a rollout of all visits is right."""
    return float((-np.log2(np.maximum(p, FLOOR)) * (1 - (1 - p) ** (K * visits))).mean())


@pytest.mark.coverage_study
@pytest.mark.parametrize("visits", [1, 4])
@pytest.mark.parametrize("level", [0.95, 0.9999])
@pytest.mark.parametrize("rates", [(0.02, 0.3), (0.05, 0.05), (0.0, 0.1), (0.25, 0.25)])
def test_key_bits_hold_the_truth(tmp_path: Path, rates: tuple[float, float], level: float, visits: int) -> None:
    truth, held = bits(np.array(rates), visits), 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        key = bitrate.audit(visited(tmp_path / "a.parquet", rng.choice(rates, 150), visits, rng), level=level)[
            "key_bits"
        ]
        held += key.low <= truth <= key.high
    assert held >= (9 if level < 0.99 else 10)


def test_what_p0_was_where_prompts_stayed_wrong_is_open(tmp_path: Path, rng: np.random.Generator) -> None:
    """Half of the prompts are never right; those that are right later may have been the easier ones from the start."""
    p = np.repeat([0.0, 0.06], 200)
    key = bitrate.audit(visited(tmp_path / "a.parquet", p, 4, rng))["key_bits"]
    assert key.low <= bits(p, 4) <= key.high
    assert "any population of p0" in key.method


def test_with_many_prompts_alike_p0_is_known(tmp_path: Path, rng: np.random.Generator) -> None:
    p = np.full(4000, 0.25)
    key = bitrate.audit(visited(tmp_path / "a.parquet", p, 1, rng))["key_bits"]
    assert key.low <= bits(p, 1) <= key.high
    assert key.high - key.low < 0.2
