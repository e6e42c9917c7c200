"""The ratio over clusters: against explicit leave-one-out, Student's interval, and simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bitrate.errors import InputError
from bitrate.stats import cluster_ratio, second_way, worst_clusters
from bitrate.stats.clusters import biased_quantile, unseen_clusters

NAMED = {"name": "x", "unit": "u"}


def test_equal_weights_without_skew_give_students_interval():
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    made = cluster_ratio(np.ones(5), values, 0.0, 1e-9, **NAMED)
    low, high = stats.t.interval(0.95, 4, loc=3, scale=stats.sem(values))
    assert (made.value, made.low, made.high) == pytest.approx((3, low, high))


def test_the_standard_error_is_the_jackknife_plus_the_unseen_clusters():
    rng = np.random.default_rng(0)
    weight, score = rng.integers(1, 9, 12).astype(float), rng.normal(size=12)
    left_out = np.array([np.delete(score, i).sum() / np.delete(weight, i).sum() for i in range(12)])
    ratio = score.sum() / weight.sum()
    effective = weight.sum() ** 2 / (weight**2).sum()
    se = math.sqrt(11 / 12 * ((left_out - ratio) ** 2).sum() + (unseen_clusters(0.95) * 0.3 / effective) ** 2)
    assert f"standard error {se:.3g}" in cluster_ratio(weight, score, 0.0, 0.3, **NAMED).method


@given(st.floats(0, 30), st.floats(1, 1e6), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_biased_quantile_solves_its_equation(shift, dof, level):
    c = biased_quantile(shift, dof, level)
    assert stats.t.cdf(c - shift, dof) - stats.t.cdf(-c - shift, dof) == pytest.approx(level, abs=1e-9)


def test_the_biased_quantile_covers_a_normal_figure_off_by_the_bias():
    draws = np.random.default_rng(0).normal(size=200_000)
    for shift in (0.0, 0.5, 2.0):
        c = biased_quantile(shift, 1e9, 0.95)
        assert np.mean(np.abs(draws + shift) <= c) == pytest.approx(0.95, abs=0.003)


@given(st.floats(0, 2), st.floats(0, 2))
def test_more_bias_widens_by_no_more_than_itself(bias, more):
    def width(b):
        made = cluster_ratio([1, 1, 1, 2], [0.1, 0.4, 0.2, 1.0], b, 0.1, **NAMED)
        return made.high - made.low

    assert -1e-9 <= width(bias + more) - width(bias) <= 2 * more + 1e-9


@given(st.floats(0.5, 0.999))
def test_a_higher_level_never_narrows(level):
    def width(at):
        made = cluster_ratio([1, 1, 1, 2], [0.1, 0.4, 0.2, 1.0], 0.1, 0.1, level=at, **NAMED)
        return made.high - made.low

    assert width((1 + level) / 2) > width(level)


def test_a_rare_event_stretches_the_side_it_came_from():
    made = cluster_ratio(np.ones(50), np.r_[np.zeros(48), 1.0, 1.0], 0.0, 0.1, **NAMED)
    assert made.high - made.value > 1.2 * (made.value - made.low)


def test_an_estimate_out_of_range_is_moved_and_says_so():
    made = cluster_ratio([1, 1, 1], [-0.3, -0.2, 0.1], 0.0, 0.1, within=(0, 1), **NAMED)
    free = cluster_ratio([1, 1, 1], [-0.3, -0.2, 0.1], 0.0, 0.1, **NAMED)
    assert (made.value, made.low) == (0, 0)
    assert "moved to 0" in made.method
    assert made.high >= free.high


def test_clusters_without_weight_are_not_units():
    assert cluster_ratio([1, 1, 0], [0.0, 1.0, 0.0], 0.0, 0.5, **NAMED).n == 2
    assert cluster_ratio([1, 0], [0.5, 0.0], 0.0, 0.5, **NAMED).value is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"weight": [1, -1]}, "weight = -1"),
        ({"weight": [1]}, "shape"),
        ({"score": [0, np.nan]}, "score = nan"),
        ({"bias": -1}, "bias = -1"),
        ({"spread": 0}, "spread = 0"),
        ({"level": 95}, "level = 95"),
        ({"each": (1.0, 0.0)}, "each = "),
    ],
)
def test_impossible_input_is_refused(changed, message):
    given_ = {"weight": [1, 1], "score": [0, 1], "bias": 0.0, "spread": 1.0} | NAMED
    with pytest.raises(InputError, match=message):
        cluster_ratio(**(given_ | changed))


@given(
    st.lists(st.lists(st.integers(0, 8), min_size=1, max_size=3), min_size=2, max_size=3).filter(
        lambda c: len(c[0]) > 1
    )
)
def test_no_other_clustering_spreads_sums_more(cells):
    """Every way to put the units of cells into clusters, at most one of each cell in a cluster."""
    home = np.repeat(np.arange(len(cells)), [len(c) for c in cells])
    score = np.array([x / 8 for c in cells for x in c])
    residual, most = score - score.mean(), max(map(len, cells))

    def spread(label):
        return float((np.bincount(label, residual) ** 2).sum())

    ways = itertools.product(*(itertools.permutations(range(most), len(c)) for c in cells))
    worst = worst_clusters(home, np.ones(home.size), score)
    assert spread(worst) == pytest.approx(max(spread(np.array([x for w in way for x in w])) for way in ways))
    assert all(np.unique(worst[home == c]).size == (home == c).sum() for c in range(len(cells)))


def test_runs_beside_prompts_give_the_two_way_standard_error():
    rng = np.random.default_rng(0)
    prompts, runs = 200, 30
    score = rng.normal(size=(prompts, 1)) + rng.normal(size=runs) + 0.1 * rng.normal(size=(prompts, runs))
    run = np.tile(np.arange(runs), prompts)
    extra, dof = second_way(run, np.ones(run.size), score.ravel(), 0.0, 0.95)
    made = cluster_ratio(np.full(prompts, runs), score.sum(1), 0.0, 1e-9, also=(extra, dof), **NAMED)
    of_runs, of_prompts = score.mean(0).std(ddof=1) / math.sqrt(runs), score.mean(1).std(ddof=1) / math.sqrt(prompts)
    unseen = unseen_clusters(0.95) * score.mean(0).std() / runs
    assert f"standard error {math.sqrt(of_runs**2 + of_prompts**2 + unseen**2):.2g}" in made.method
    assert dof == pytest.approx(runs - 1)
