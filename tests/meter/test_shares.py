"""Shares of prompts mastered and hopeless hold the truth on any population."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bitrate
from bitrate.meter.prompts import HOPELESS, MASTERED

sys.path.insert(0, str(Path(__file__).parent))
from simulate import write_counts

Draw = Callable[[np.random.Generator, int], np.ndarray]
POPULATIONS: dict[str, Draw] = {
    "Beta(.3, .5)": lambda rng, n: rng.beta(0.3, 0.5, n),
    "Beta(5, 2)": lambda rng, n: rng.beta(5, 2, n),
    "Beta(20, 1)": lambda rng, n: rng.beta(20, 1, n),
    "half .1, half .9": lambda rng, n: rng.choice([0.1, 0.9], n),
    "half .94, half .96": lambda rng, n: rng.choice([0.94, 0.96], n),
    "40% 0, 30% 1, rest uniform": lambda rng, n: np.clip(rng.uniform(-4 / 3, 2, n), 0, 1),
    "half 0, half 1": lambda rng, n: rng.choice([0.0, 1.0], n),
}


def one_visit(path: Path, p: np.ndarray, k: int, rng: np.random.Generator) -> bitrate.Audit:
    """The audit of one group for each prompt."""
    ids = np.arange(p.size).astype(str)
    return bitrate.audit(write_counts(path, np.zeros(p.size), ids, np.full(p.size, k), rng.binomial(k, p)))


@pytest.mark.coverage_study
@pytest.mark.parametrize("k", [4, 8, 16])
@pytest.mark.parametrize("population", list(POPULATIONS))
def test_shares_hold_the_truth(tmp_path: Path, population: str, k: int) -> None:
    """Of the population that prompts are drawn from, at 50 and at 500 prompts."""
    draw = POPULATIONS[population]
    many = draw(np.random.default_rng(1), 10**6)
    truth = {"mastered": float((many >= MASTERED).mean()), "hopeless": float((many <= HOPELESS).mean())}
    for prompts in (50, 500):
        held = dict.fromkeys(truth, 0)
        for seed in range(10):
            rng = np.random.default_rng(seed)
            found = one_visit(tmp_path / "a.parquet", draw(rng, prompts), k, rng).prompts
            for name, share in truth.items():
                held[name] += found[name].low <= share <= found[name].high
        assert min(held.values()) >= 9, prompts


def test_shares_of_prompts_at_the_ends_are_known(tmp_path: Path, rng: np.random.Generator) -> None:
    found = one_visit(tmp_path / "a.parquet", POPULATIONS["half 0, half 1"](rng, 1000), 8, rng).prompts
    for figure in (found["mastered"], found["hopeless"]):
        assert figure.low <= 0.5 <= figure.high
        assert figure.high - figure.low < 0.2


def test_four_rollouts_do_not_tell_a_rate_of_96_percent_from_94(tmp_path: Path, rng: np.random.Generator) -> None:
    found = one_visit(tmp_path / "a.parquet", POPULATIONS["half .94, half .96"](rng, 500), 4, rng).prompts["mastered"]
    assert found.low < 0.05
    assert found.high > 0.95
