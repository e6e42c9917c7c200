"""Bounds on the share of prompts at or beyond a pass rate: valid at every rate, and in simulation."""

import numpy as np
import pytest
from scipy.stats import binom

from bitrate.errors import InputError
from bitrate.stats import cluster_ratio, share_bounds

RATES = np.linspace(0, 1, 2001)


@pytest.mark.parametrize("rate", [0.95, 0.5, 1 / 16])
@pytest.mark.parametrize("n", [1, 2, 4, 8, 16, 64, 300])
def test_the_mean_score_lies_beyond_the_step_at_every_rate(n, rate):
    lower, upper = share_bounds(rate, np.arange(n + 1), n)
    chance = binom.pmf(np.arange(n + 1), n, RATES[:, None])
    step = np.where(rate <= RATES, 1.0, 0.0)
    for bound in upper:
        assert (chance @ bound.score - step).min() >= -1e-9
        assert bound.spread >= np.ptp(bound.score) - 1e-12
    for bound in lower:
        assert (chance @ bound.score - step).max() <= 1e-9
        assert bound.spread >= np.ptp(bound.score) - 1e-12


def test_all_right_and_all_wrong_prompts_are_told_from_the_others():
    """With 64 rollouts each, half of the prompts at 1 and half at 1/2."""
    count = np.repeat([64, 32], 500)
    lower, upper = (
        [cluster_ratio(np.ones(1000), b.score, 0.0, b.spread, name="x", unit="u").value for b in bounds]
        for bounds in share_bounds(0.95, count, 64)
    )
    assert max(lower) == min(upper) == 0.5


def test_millions_of_rollouts_are_scored():
    lower, upper = share_bounds(0.95, [950_000, 960_000, 10], [1_000_000, 1_000_000, 10])
    assert np.isfinite([b.score for b in (*lower, *upper)]).all()
    assert max(b.spread for b in (*lower, *upper)) < 30


def test_impossible_thresholds_are_refused():
    with pytest.raises(InputError, match="rate = 1"):
        share_bounds(1.0, [1], 2)
