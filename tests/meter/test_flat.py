"""Prompts that never learn: the share is found where it can be, and left open where it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from bitrate.meter.flat import never_learn


def halves(rng: np.random.Generator, prompts: int, flat: float, drift: float, n: int = 32) -> tuple[np.ndarray, ...]:
    """Counts of both halves of visits, a share of the prompts keeping its pass rate."""
    logit = rng.normal(0, 0.8, prompts)
    pace = rng.gamma(8, 1 / 8, prompts) * drift * (np.arange(prompts) >= flat * prompts)
    size = np.full(prompts, n)
    return rng.binomial(n, expit(logit)), size, rng.binomial(n, expit(logit + pace)), size


@pytest.mark.parametrize("flat", [0.0, 0.4, 0.8])
def test_the_interval_holds_the_share(flat: float) -> None:
    held = 0
    for seed in range(30):
        share = never_learn(*halves(np.random.default_rng(seed), 300, flat, 1.5), name="x", level=0.95).share
        assert share.low is not None and share.high is not None
        held += share.low <= flat <= share.high
        assert share.high - share.low < 0.5
    assert held >= 24


def test_flat_prompts_are_picked_out(rng: np.random.Generator) -> None:
    counts = halves(rng, 400, 0.5, 2.0)
    chance = never_learn(*counts, name="x", level=0.95).chance(*counts)
    assert chance[:200].mean() > 0.7
    assert chance[200:].mean() < 0.3


def test_a_run_that_does_not_move_leaves_the_share_open(rng: np.random.Generator) -> None:
    share = never_learn(*halves(rng, 300, 0.0, 0.05), name="x", level=0.95).share
    assert share.low is not None and share.high is not None
    assert share.high - share.low > 0.8


def test_few_prompts_are_not_enough(rng: np.random.Generator) -> None:
    assert never_learn(*halves(rng, 9, 0.0, 1.0), name="x", level=0.95).share.value is None


def test_thousands_of_rollouts_a_prompt_do_not_break_the_fit() -> None:
    share = never_learn(*halves(np.random.default_rng(3), 200, 0.4, 1.0, n=5000), name="x", level=0.95).share
    assert share.low is not None and share.high is not None
    assert share.low <= 0.4 <= share.high
    one = np.array([5000] * 20)
    gone = never_learn(one - 4900, one, one - 100, one, name="x", level=0.95)
    assert np.isfinite(gone.chance(one - 5000, one, one, one)).all()
