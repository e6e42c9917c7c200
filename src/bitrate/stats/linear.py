"""The minimax linear estimator of a population mean of f(p) from counts: one fixed score per (n, k).

The scores are chosen before any count is seen, so the mean score is within a known bias of the truth
on every population, and its interval needs no model of the pass rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitrate.errors import InputError
from bitrate.stats.clusters import cluster_ratio
from bitrate.stats.counts import check_counts, cluster_index, cluster_sums, distinct
from bitrate.stats.functionals import Functional, OutcomeEntropy
from bitrate.stats.minimax import scores
from bitrate.types import Estimate, Floats


@dataclass(frozen=True)
class ScoreTable:
    """One row for each (n, k): the score; for its n the greatest bias, how far an unseen prompt may lie, and the range.

    Fields are flat arrays of the counts asked for, by n then k. All but the score of a pooled figure are the
    weighted means over its groups.
    """

    functional: Functional
    n_units: int
    n: NDArray[np.int64]
    k: NDArray[np.int64]
    score: Floats
    bias: Floats
    spread: Floats
    low: Floats
    high: Floats

    def rows(self, n_correct: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row of each group in the table; InputError if its counts are not in it."""
        span = int(max(self.n.max(), n.max(initial=0))) + 1
        own, wanted = self.n * span + self.k, n * span + n_correct
        row = np.minimum(np.searchsorted(own, wanted), own.size - 1)
        if (off := own[row] != wanted).any():
            if missing := sorted(set(n[off].tolist()) - set(self.n.tolist())):
                raise InputError(
                    f"n = {missing[0]}; want one of the group sizes {sorted(set(self.n.tolist()))} of the table"
                )
            raise InputError(f"{n_correct[off][0]} right of {n[off][0]}; want counts of the table")
        return np.asarray(row, dtype=np.int64)


def score_table(functional: Functional, ns: ArrayLike, n_units: int, n_correct: ArrayLike | None = None) -> ScoreTable:
    """The minimax linear scores of several group sizes as one flat table.

    Args:
        functional: f.
        ns: the group sizes that occur; duplicates are ignored.
        n_units: number of groups in all; rounded to a power of two, so that runs of like size share tables.
        n_correct: right rollouts beside each of ``ns``, where scores of these counts only are wanted: large groups show
            few of the counts that they might. None: all counts from 0 to n.

    Returns:
        A :class:`ScoreTable`, scores in the unit of f.

    Raises:
        InputError: a size or ``n_units`` below 1, no sizes, or impossible counts.

    Reference: docs/estimators.md#mixed-sizes.

    >>> from bitrate.stats.functionals import PassRate
    >>> score_table(PassRate(), [1, 2], 10).score.tolist()
    [0.0, 1.0, 0.0, 0.5, 1.0]
    >>> score_table(PassRate(), [4, 10**6], 10, n_correct=[1, 250_000]).score.tolist()
    [0.25, 0.25]
    """
    [table] = score_tables([functional], ns, n_units, n_correct)
    return table


def score_tables(
    functionals: Sequence[Functional], ns: ArrayLike, n_units: int, n_correct: ArrayLike | None = None
) -> list[ScoreTable]:
    """As :func:`score_table` for several functionals, which takes hardly longer than for one.

    >>> from bitrate.stats.functionals import LearningValue, PassRate
    >>> [table.score.tolist() for table in score_tables([PassRate(), LearningValue()], [2], 10)]
    [[0.0, 0.5, 1.0], [0.0, 0.5, 0.0]]
    """
    size = np.asarray(ns)
    if not size.size:
        raise InputError("ns = []; want at least one group size")
    if n_units < 1:
        raise InputError(f"n_units = {n_units}; want a whole number, 1 or more")
    right, size = check_counts(np.zeros(size.size) if n_correct is None else n_correct, size)
    if n_correct is None:
        sizes = np.unique(size)
        right, size = np.concatenate([np.arange(x + 1) for x in sizes]), np.repeat(sizes, sizes + 1)
    else:
        right, size, _ = distinct(right, size)
    units = 2 ** round(np.log2(n_units))
    made = scores(functionals, right, size, units)
    return [
        ScoreTable(f, units, size, right, m.score, m.bias, m.spread, m.low, m.high)
        for f, m in zip(functionals, made, strict=True)
    ]


def mean_functional(
    functional: Functional,
    n_correct: ArrayLike,
    n: ArrayLike,
    *,
    level: float = 0.95,
    clusters: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> Estimate:
    """Mean of f(p) over groups, with an interval that holds for every population of pass rates.

    ``sum_g w_g a[n_g, k_g] / sum_g w_g``, scores as in :func:`coefficients`, interval as in
    :func:`bitrate.stats.cluster_ratio`, intersected with the range of f.

    Args:
        functional: f.
        n_correct: right rollouts of each group, shape [groups].
        n: rollouts of each group, shape [groups] or a single number for all, at least 1.
        level: nominal coverage, in (0, 1).
        clusters: label of the independent unit (prompt) of each group, shape [groups]; None: each group its own.
        weight: weight of each group, shape [groups], not negative; None: its rollouts.

    Returns:
        Estimate in the unit of f. Without a value if there are fewer than two clusters, or if no group is
        large enough to say anything about f.

    Raises:
        InputError: counts that are not whole, 0 <= n_correct <= n violated, a negative weight, or shapes that differ.

    Reference: docs/estimators.md#pooled.

    >>> from bitrate.stats.functionals import PassRate
    >>> mean_functional(PassRate(), [0, 1, 2, 1], [2, 2, 2, 2]).value
    0.5
    """
    right, size = check_counts(n_correct, n)
    share = size.astype(float) if weight is None else np.asarray(weight, float)
    if share.shape != right.shape or not (np.isfinite(share) & (share >= 0)).all():
        raise InputError(f"weight has shape {share.shape}; want one number, not negative, per group {right.shape}")
    if not share.any():
        return Estimate.missing(functional.name, functional.unit, "no groups")
    if size[share > 0].max() < functional.min_rollouts:
        reason = f"no group has {functional.min_rollouts} rollouts, so the spread of pass rates cannot be seen"
        return Estimate.missing(functional.name, functional.unit, reason, right.size)
    table = score_table(functional, size.tolist(), right.size, right)
    row = table.rows(right, size)
    index = cluster_index(clusters, right.size)
    bias, spread, least, most = (
        float(share @ of_size[row] / share.sum()) for of_size in (table.bias, table.spread, table.low, table.high)
    )
    return cluster_ratio(
        cluster_sums(index, share),
        cluster_sums(index, share * table.score[row]),
        bias,
        spread,
        name=functional.name,
        unit=functional.unit,
        level=level,
        method="minimax linear",
        within=(functional.low, functional.high),
        each=(least, most),
    )


def mean_outcome_entropy(
    n_correct: ArrayLike, n: ArrayLike, level: float = 0.95, *, clusters: ArrayLike | None = None
) -> Estimate:
    """Outcome bits per rollout, E h(p), from the counts of right rollouts alone.

    Args:
        n_correct: right rollouts of each group, shape [groups].
        n: rollouts of each group, shape [groups] or a single number for all; groups may differ in size.
        level: nominal coverage, in (0, 1).
        clusters: label of the prompt of each group, shape [groups]; None: each group is its own prompt.

    Returns:
        Estimate in bits/rollout, every rollout weighted alike. Without a value for fewer than two clusters, or
        when every group is a single rollout.

    Raises:
        InputError: counts that are not whole, 0 <= n_correct <= n violated, or shapes that differ.

    Reference: docs/estimators.md#pooled.

    >>> bits = mean_outcome_entropy([4] * 100, [8] * 100)  # all prompts at p = 1/2 carry one bit
    >>> bits.low <= 1.0 <= bits.high
    True
    >>> mean_outcome_entropy([0, 1], [1, 1]).value is None
    True
    """
    return mean_functional(OutcomeEntropy(), n_correct, n, level=level, clusters=clusters)
