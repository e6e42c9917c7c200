"""The cluster bootstrap: against theory and scipy, the unit of resampling, and its refusals."""

import numpy as np
import pytest
from scipy import stats

from bitrate.errors import InputError
from bitrate.stats import cluster_bootstrap


def ratio(means):
    return means[:, 0] / means[:, 1]


def bootstrap(sums, statistic=ratio, seed=0, **options):
    return cluster_bootstrap(
        sums, statistic, name="x", unit="u", rng=np.random.default_rng(seed), **({"resamples": 4000} | options)
    )


def exponential(clusters, seed=1):
    return np.stack([np.random.default_rng(seed).exponential(size=clusters), np.ones(clusters)], axis=1)


@pytest.mark.parametrize("interval", ["bca", "percentile"])
def test_the_interval_is_that_of_scipy(interval):
    sums = exponential(80)
    ours = bootstrap(sums, interval=interval)
    theirs = stats.bootstrap(
        (sums[:, 0],),
        np.mean,
        method={"bca": "BCa"}.get(interval, interval),
        n_resamples=4000,
        random_state=np.random.default_rng(7),
    )
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert ours.value == pytest.approx(sums[:, 0].mean())
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.05 * width)


def test_rows_of_one_cluster_are_not_new_evidence():
    sums = exponential(400)
    alone = bootstrap(sums)
    merged = bootstrap(np.repeat(sums, 4, axis=0).reshape(400, 4, 2).sum(axis=1))
    copied = bootstrap(np.repeat(sums, 4, axis=0))
    assert merged.high - merged.low == pytest.approx(alone.high - alone.low)
    assert copied.high - copied.low == pytest.approx((alone.high - alone.low) / 2, rel=0.1)


def test_the_same_generator_gives_the_same_interval():
    assert bootstrap(exponential(50)) == bootstrap(exponential(50))
    assert bootstrap(exponential(50)) != bootstrap(exponential(50), seed=3)


def test_more_draws_than_fit_in_memory_at_once_are_still_one_bootstrap(monkeypatch):
    whole = bootstrap(exponential(60))
    monkeypatch.setattr("bitrate.stats.bootstrap.DRAWS_AT_ONCE", 1000)
    parts = bootstrap(exponential(60))
    assert parts.low == pytest.approx(whole.low, abs=0.02)


@pytest.mark.parametrize(
    ("sums", "reason"),
    [
        ([[1.0, 1.0]], "1 independent cluster;"),
        ([[1.0, 1.0]] * 9, "all 9 clusters are alike"),
        ([[1.0, 0.0]] * 5 + [[1.0, 1.0]], "not finite on some resamples"),
    ],
)
def test_too_little_data_gives_a_reason_and_no_number(sums, reason):
    made = bootstrap(sums)
    assert made.value is None
    assert made.reason.startswith(reason)


@pytest.mark.parametrize(
    ("sums", "options", "message"),
    [
        ([1.0, 2.0], {}, "sums has shape"),
        ([[np.nan, 1.0], [1.0, 1.0]], {}, "finite"),
        ([[0.0, 1.0], [1.0, 1.0]], {"resamples": 10}, "resamples = 10"),
        ([[0.0, 1.0], [1.0, 1.0]], {"statistic": np.mean}, "statistic returned shape"),
    ],
)
def test_impossible_input_is_refused(sums, options, message):
    with pytest.raises(InputError, match=message):
        bootstrap(sums, **options)
