"""Comparison of two runs whose difference is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import bitrate
from bitrate.theory import binary_entropy

sys.path.insert(0, str(Path(__file__).parent))
from simulate import write_counts


def run(path: Path, rng: np.random.Generator, p: np.ndarray, k: int = 8, first: int = 0) -> Path:
    """One group a prompt."""
    ids = np.arange(first, first + p.size).astype(str)
    return write_counts(path, np.zeros(p.size, int), ids, np.full(p.size, k), rng.binomial(k, p))


def test_a_run_against_itself_does_not_differ(tmp_path: Path, rng: np.random.Generator) -> None:
    a = run(tmp_path / "a.parquet", rng, rng.uniform(0, 1, 100))
    found = bitrate.compare(a, a)
    for key in ("pass_rate", "outcome_bits", "update_bits", "mixed"):
        assert found["differences"][key]["value"] == pytest.approx(0, abs=1e-12)
    assert found["shared_prompts"]["value"] == 100


def test_shared_prompts_are_paired_and_the_interval_is_tighter(tmp_path: Path, rng: np.random.Generator) -> None:
    p = rng.beta(0.4, 0.4, 400)
    better = np.clip(p + 0.05, 0, 1)
    a, b = run(tmp_path / "a.parquet", rng, p), run(tmp_path / "b.parquet", rng, better)
    other = run(tmp_path / "c.parquet", rng, better, first=10_000)
    paired, apart = bitrate.compare(a, b), bitrate.compare(a, other)
    gap = paired["differences"]["pass_rate"]
    assert paired["paired"]
    assert not apart["paired"]
    assert gap["low"] <= float((better - p).mean()) <= gap["high"]
    width = [d["differences"]["pass_rate"]["high"] - d["differences"]["pass_rate"]["low"] for d in (paired, apart)]
    assert width[0] < 0.6 * width[1]
    assert "share 0 prompts" in " ".join(apart["caveats"])
    assert paired["noise"]["pass_rate"]["value"] == pytest.approx(width[0] / 2)


def test_differences_hold_the_truth_as_often_as_they_say(tmp_path: Path) -> None:
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        p, q = rng.beta(0.5, 0.5, 150), rng.beta(1.0, 1.0, 150)
        truth = float(binary_entropy(q).mean() - binary_entropy(p).mean())
        gap = bitrate.compare(run(tmp_path / "a.parquet", rng, p), run(tmp_path / "b.parquet", rng, q))["differences"][
            "outcome_bits"
        ]
        held += gap["low"] <= truth <= gap["high"]
    assert held >= 54


def test_a_figure_that_one_run_lacks_has_a_reason(tmp_path: Path, rng: np.random.Generator) -> None:
    a = run(tmp_path / "a.parquet", rng, rng.uniform(0, 1, 50))
    found = bitrate.compare(a, a)
    assert found["differences"]["bits_per_kilotoken"]["value"] is None
    assert "no token counts" in found["differences"]["bits_per_kilotoken"]["reason"]
