"""Gaffke's bound: against closed forms, Clopper and Pearson, and where it passes into the normal theory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bitrate.stats import PassRate, cluster_ratio, mean_functional, mean_outcome_entropy
from bitrate.stats.few import FEW, bounds, chance_not_above, lower_end

NAMED = {"name": "x", "unit": "u"}
distinct = st.lists(st.integers(-20, 20).filter(bool), min_size=1, max_size=7, unique=True)
scores = st.lists(st.floats(0, 1), min_size=2, max_size=FEW)
misses = st.sampled_from([0.00005, 0.025, 0.05, 0.3])


def width(made):
    return made.high - made.low


@given(distinct)
def test_the_race_gives_the_chance_of_a_sum_of_exponentials(values):
    """Partial fractions, for values that differ."""
    above = sum(np.prod([v / (v - x) for x in values if x != v]) for v in values if v > 0)
    assert chance_not_above(list(map(float, values))) == pytest.approx(1 - above, abs=1e-6)


def test_the_race_does_not_mind_equal_values():
    # Of equal size, every race is a toss. 5 rises are gone before 3 falls if at most 2 of the first 7 tosses fell so.
    assert chance_not_above([1.0] * 5 + [-1.0] * 3) == pytest.approx(stats.binom.cdf(2, 7, 0.5))


@given(st.integers(1, FEW), st.data(), misses)
def test_two_valued_scores_have_the_ends_of_clopper_and_pearson(n, data, miss):
    right = data.draw(st.integers(0, n))
    low, high = bounds(np.ones(n), np.r_[np.ones(right), np.zeros(n - right)], (0.0, 1.0), miss)
    assert low == pytest.approx(stats.beta.ppf(miss, right, n - right + 1) if right else 0, abs=1e-7)
    assert high == pytest.approx(stats.beta.ppf(1 - miss, right + 1, n - right) if right < n else 1, abs=1e-7)


@given(scores, misses)
def test_the_bound_is_the_quantile_of_reweighted_means(values, miss):
    """Dirichlet weights on the scores and one at the least possible, drawn by chance."""
    bound = lower_end(np.ones(len(values)), np.array(values), 0.0, miss)
    weights = np.random.default_rng(0).dirichlet(np.ones(len(values) + 1), 4000)
    below = np.mean(weights @ np.r_[0.0, values] <= bound + 1e-9)
    assert below == pytest.approx(miss, abs=4.5 * np.sqrt(miss * (1 - miss) / 4000) + 1e-3) or max(values) < 1e-6


@given(scores, misses, st.floats(0.1, 10), st.floats(-5, 5))
def test_the_bound_moves_with_the_unit(values, miss, scale, shift):
    weight, x = np.ones(len(values)), np.array(values)
    moved = lower_end(weight, scale * x + shift, shift, miss)
    assert moved == pytest.approx(scale * lower_end(weight, x, 0.0, miss) + shift, abs=1e-6 * (scale + abs(shift)))


def test_an_unseen_cluster_may_be_as_heavy_as_the_heaviest():
    """One of ten times the weight: with few others, what it would have said decides."""
    light, heavy = np.ones(8), np.r_[np.ones(7), 10.0]
    assert lower_end(heavy, heavy, 0.0, 0.025) < lower_end(light, light, 0.0, 0.025) - 0.2


@pytest.mark.parametrize(
    ("prompts", "normal", "most"), [(5, 1.0, 0.56), (8, 0.568, 0.39), (12, 0.345, 0.28), (20, 0.203, 0.18)]
)
def test_the_gap_is_closed(prompts, normal, most, monkeypatch):
    """All prompts at 32 of 64, and all wrong. Ends that miss 2.5% of the time each can do 1 - .025^(1/N)."""
    assert width(mean_outcome_entropy([32] * prompts, 64)) <= most
    assert width(mean_functional(PassRate(), [0] * prompts, 64)) == pytest.approx(1 - 0.025 ** (1 / prompts), abs=1e-8)
    monkeypatch.setattr("bitrate.stats.clusters.part_of_bounds", lambda clusters: 0.0)
    assert width(mean_outcome_entropy([32] * prompts, 64)) == pytest.approx(normal, abs=1e-3)


@pytest.mark.parametrize("power", [0, 1, 8, 64])
@pytest.mark.parametrize("level", [0.95, 0.9999])
def test_one_cluster_more_never_jumps(power, level):
    """Scores from 0 to 1, all alike, evenly spread, or most of them near 0."""

    def at(n, each):
        values = ((np.arange(n) + 0.5) / n) ** power
        made = cluster_ratio(np.ones(n), values, 0.0, 1.0, level=level, each=each, **NAMED)
        return np.array([made.low, made.high])

    known = (0.0, 1.0)
    widths = np.diff([at(n, known) for n in range(19, 36)])[:, 0]
    assert np.abs(np.diff(np.log(widths))).max() < np.log(1.15)
    assert at(31, known) == pytest.approx(at(31, None), abs=0)
    assert np.abs(at(30, known) - at(30, None)).max() > 1e-4


@given(scores, st.floats(0, 0.3), st.floats(0, 0.3))
def test_more_bias_widens_by_no_more_than_itself(values, bias, more):
    def at(b):
        ones = np.ones(len(values))
        return width(cluster_ratio(ones, values, b, 1.0, each=(0.0, 1.0), **NAMED))

    assert -1e-9 <= at(bias + more) - at(bias) <= 2 * more + 1e-9


@given(scores, st.sampled_from([0.05, 0.5, 0.95]))
def test_the_estimate_lies_in_its_interval(values, level):
    made = cluster_ratio(np.ones(len(values)), values, 0.0, 1.0, level=level, each=(0.0, 1.0), **NAMED)
    assert made.low <= made.value <= made.high
