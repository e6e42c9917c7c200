"""Absorbed bits where right answers were forgotten: rates below the floor never raise what is surely held."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import bitrate

sys.path.insert(0, str(Path(__file__).parent))
from simulate import write_counts


@pytest.mark.parametrize("k", [2, 8, 16])
@pytest.mark.parametrize(("start", "kept", "lost"), [(0.4, 0.8, 0.3), (0.05, 0.2, 0.5)])
def test_the_floor_never_raises_what_is_surely_absorbed(
    tmp_path: Path, rng: np.random.Generator, start: float, kept: float, lost: float, k: int
) -> None:
    """Where right answers were forgotten, no decoder of the key gets as much as rates read as the floor suggest."""
    n = 2000
    last = np.where(rng.random(n) < lost, 1e-6, kept)
    right = np.concatenate([rng.binomial(k, np.full(n, start)), rng.binomial(k, last)])
    ids = np.tile(np.arange(n), 2).astype(str)
    path = write_counts(tmp_path / "a.parquet", np.repeat([0, 1], n), ids, np.full(2 * n, k), right)
    absorbed = bitrate.audit(path)["absorbed_bits"]
    best = minimize_scalar(
        lambda x: -np.log2((1 - x) * last / start + x).mean(), bounds=(1e-9, 1 - 1e-9), method="bounded"
    )
    assert absorbed.low <= -best.fun
    floor = 1 / (2 * k)
    read = float(np.log2(np.maximum(last, floor) / max(start, floor)).mean())
    assert absorbed.low <= absorbed.value <= absorbed.high
    assert absorbed.low <= read - 0.5  # h(.3) = .88, less noise


def test_where_nothing_is_forgotten_the_floor_costs_little(tmp_path: Path, rng: np.random.Generator) -> None:
    right = np.concatenate([rng.binomial(16, np.full(2000, 0.3)), rng.binomial(16, np.full(2000, 0.8))])
    ids = np.tile(np.arange(2000), 2).astype(str)
    path = write_counts(tmp_path / "a.parquet", np.repeat([0, 1], 2000), ids, np.full(4000, 16), right)
    absorbed = bitrate.audit(path)["absorbed_bits"]
    assert absorbed.value - absorbed.low < 1.3 * (absorbed.high - absorbed.value) + 0.05
