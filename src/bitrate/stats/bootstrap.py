"""Bootstrap over clusters: an interval for any function of per-cluster sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from bitrate.errors import InputError
from bitrate.stats.clusters import check_level
from bitrate.types import Estimate, Floats
from bitrate.wording import number_of

DRAWS_AT_ONCE = 4_000_000


def _resampled(sums: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    """Mean of the sums over clusters drawn with replacement, shape [resamples, columns]."""
    clusters = sums.shape[0]
    at_once = max(1, DRAWS_AT_ONCE // clusters)
    means = []
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        drawn = rng.integers(0, clusters, size=(rows, clusters), dtype=np.int32)
        drawn += (np.arange(rows, dtype=np.int32) * clusters)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * clusters).reshape(rows, clusters)
        means.append(times @ sums / clusters)
    return np.concatenate(means)


def _bca_levels(value: float, draws: Floats, leave_one_out: Floats, level: float) -> tuple[float, float] | None:
    """Quantile levels corrected for median bias and acceleration; None where all draws are on one side."""
    below = float((draws < value).mean() + (draws == value).mean() / 2)
    if not 0 < below < 1:
        return None
    shift = float(ndtri(below))
    change = leave_one_out.mean() - leave_one_out
    squares = float(change @ change)
    acceleration = float((change**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
    tail = float(ndtri((1 - level) / 2))
    low, high = (float(ndtr(shift + (shift + z) / (1 - acceleration * (shift + z)))) for z in (tail, -tail))
    return low, high


def cluster_bootstrap(
    sums: ArrayLike,
    statistic: Callable[[Floats], Floats],
    *,
    name: str,
    unit: str,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 2000,
    interval: Literal["bca", "percentile"] = "bca",
) -> Estimate:
    """A statistic of the mean of per-cluster sums, with a bootstrap interval over clusters.

    With few clusters and skewed sums it covers less than its level (figures in docs/coverage.md); for a ratio of two
    sums :func:`bitrate.stats.cluster_ratio` does better there.

    Args:
        sums: sums of each cluster (prompt), shape [clusters, columns].
        statistic: maps means of the sums, shape [draws, columns], to values, shape [draws], in ``unit``; a ratio of
            two columns is the ratio of two totals.
        name: what is measured.
        unit: its unit.
        rng: source of the resamples.
        level: nominal coverage, in (0, 1).
        resamples: how many times the clusters are drawn anew, at least 100.
        interval: "bca" (bias-corrected and accelerated) or "percentile". The interval is widened to hold the value.

    Returns:
        Estimate in ``unit``, n the number of clusters. Without a value for fewer than two clusters, for clusters that
        are all alike, or for a statistic that is not finite.

    Raises:
        InputError: sums that are not a finite table, too few resamples, or a statistic of another shape.

    Reference: Efron (1987), Better bootstrap confidence intervals, JASA 82.

    >>> sums = np.array([[0.0, 1.0], [1.0, 1.0]] * 50)
    >>> half = cluster_bootstrap(
    ...     sums, lambda m: m[:, 0] / m[:, 1], name="x", unit="share", rng=np.random.default_rng(0)
    ... )
    >>> half.value, 0.38 < half.low < 0.42 and 0.58 < half.high < 0.62
    (0.5, True)
    """
    check_level(level)
    table = np.asarray(sums, float)
    if table.ndim != 2 or not np.isfinite(table).all():
        raise InputError(f"sums has shape {table.shape}; want a finite table [clusters, columns]")
    if resamples < 100:
        raise InputError(f"resamples = {resamples}; want at least 100")
    clusters = table.shape[0]
    if clusters < 2:
        reason = f"{number_of(clusters, 'independent cluster')}; an interval needs 2"
        return Estimate.missing(name, unit, reason, clusters)
    if (table == table[0]).all():
        return Estimate.missing(name, unit, f"all {clusters} clusters are alike; a bootstrap needs variation", clusters)
    # A zero denominator in a resample is refused below, with a reason; it needs no warning.
    with np.errstate(divide="ignore", invalid="ignore"):
        value = statistic(table.mean(axis=0, keepdims=True))
        draws = statistic(_resampled(table, resamples, rng))
        left_out = statistic((table.sum(axis=0) - table) / (clusters - 1)) if interval == "bca" else draws
    if value.shape != (1,) or draws.shape != (resamples,):
        raise InputError(f"statistic returned shape {draws.shape}; want one value per draw, ({resamples},)")
    if not (np.isfinite(value).all() and np.isfinite(draws).all() and np.isfinite(left_out).all()):
        return Estimate.missing(name, unit, "not finite on some resamples of the clusters", clusters)
    point, plain = float(value[0]), ((1 - level) / 2, (1 + level) / 2)
    levels = _bca_levels(point, draws, left_out, level) if interval == "bca" else plain
    low, high = (float(x) for x in np.quantile(draws, levels or plain))
    how = f"{interval if levels else 'percentile'} bootstrap, {resamples} resamples of {clusters} clusters"
    return Estimate(name, point, min(low, point), max(high, point), unit, level, clusters, how)
