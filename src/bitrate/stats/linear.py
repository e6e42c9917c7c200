"""The minimax linear estimator of a population mean of f(p) from counts: one fixed score per (n, k).

The scores are chosen before any count is seen, so the mean score is within a known bias of the truth
on every population, and its interval needs no model of the pass rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import lapack
from scipy.special import betaln, xlog1py, xlogy

from bitrate.errors import InputError
from bitrate.stats.clusters import cluster_ratio
from bitrate.stats.counts import check_counts, cluster_index, cluster_sums
from bitrate.stats.functionals import Functional, OutcomeEntropy, log_choose
from bitrate.theory.checks import Floats
from bitrate.types import Estimate

LARGEST_SOLVED = 256  # a larger group is scored as the mean over its subsets of this size
ROUNDS = 60
NEAR_ENOUGH = 1.005  # stop when the worst-case squared error is within this factor of the least possible


def binomial_pmf(n: int, p: Floats) -> Floats:
    """Chance of k right of n at each pass rate, safe for large n.

    Args:
        n: rollouts.
        p: pass rates, shape [m], in [0, 1].

    Returns:
        Probabilities, shape [m, n + 1].

    >>> binomial_pmf(2, np.array([0.5])).round(12).tolist()
    [[0.25, 0.5, 0.25]]
    """
    k = np.arange(n + 1.0)
    rate = p[:, None]
    return np.asarray(np.exp(log_choose(float(n), k) + xlogy(k, rate) + xlog1py(n - k, -rate)))


def rate_grid(m: int) -> Floats:
    """``m`` pass rates from 0 to 1, dense at both ends where counts tell rates apart best.

    >>> rate_grid(3).round(12).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.asarray(np.sin(np.linspace(0, np.pi / 2, m)) ** 2)


def _reference_counts(n: int) -> Floats:
    """Chance of k = 0..n under p ~ Beta(1/2, 1/2), shape [n + 1]."""
    k = np.arange(n + 1.0)
    return np.asarray(np.exp(log_choose(float(n), k) + betaln(k + 0.5, n - k + 0.5) - betaln(0.5, 0.5)))


def _minimax(functional: Functional, n: int, n_units: int) -> Floats:
    """Lawson's reweighting, with the sampling variance as a ridge.

    Weights on the rates grow where the bias is largest; their current value bounds the optimum from below.
    """
    rates = np.union1d(rate_grid(4 * n + 200), functional.kinks)
    pmf, target, chance = binomial_pmf(n, rates), functional(rates), _reference_counts(n)
    ridge = (np.diag(chance) - np.outer(chance, chance)) / n_units
    weight = np.full(rates.size, 1 / rates.size)
    best, least = np.zeros(n + 1), np.inf
    for _ in range(ROUNDS):
        weighted = pmf.T * weight
        _, score, failed = lapack.dposv(weighted @ pmf + ridge, weighted @ target)
        if failed:
            break
        error = np.abs(pmf @ score - target)
        worst, variance = float(error.max()), float(score @ ridge @ score)
        if worst**2 + variance < least:
            best, least = score, worst**2 + variance
        if worst == 0 or least <= NEAR_ENOUGH * (float(weight @ error**2) + variance):
            break
        weight = weight * error / (weight @ error)
    return best


def _lift(score: Floats, n: int) -> Floats:
    """Scores for n rollouts: the mean score of a random subset. Same mean at every p, less variance."""
    small = score.size - 1
    right, part = np.arange(n + 1.0)[:, None], np.arange(small + 1.0)
    chance = np.exp(log_choose(right, part) + log_choose(n - right, small - part) - log_choose(float(n), float(small)))
    return np.asarray(chance @ score)


@lru_cache(maxsize=4096)
def _solved(functional: Functional, n: int, n_units: int) -> tuple[Floats, float, float]:
    exact = functional.unbiased(n)
    size = min(n, LARGEST_SOLVED)
    small = _minimax(functional, size, n_units) if exact is None else exact
    bias = 0.0
    if exact is None:
        fine = np.union1d(rate_grid(16 * size + 1000), functional.kinks)
        bias = float(np.abs(binomial_pmf(size, fine) @ small - functional(fine)).max())
    score = small if small.size == n + 1 else _lift(small, n)
    # What all-right or all-wrong data may have missed: prompts of any other rate, or one odd rollout in a group.
    spread = max(functional.high - functional.low, abs(float(score[1] - score[0])), abs(float(score[-1] - score[-2])))
    score.setflags(write=False)
    return score, bias, spread


def coefficients(functional: Functional, n: int, n_units: int) -> tuple[Floats, float]:
    """Scores a[k] for k right of n whose mean estimates the population mean of f(p), and their greatest bias.

    Minimises ``sup_p |sum_k a_k B_{k,n}(p) - f(p)|^2 + Var(a)/N``, the variance taken under p ~ Beta(1/2, 1/2).
    Where scores without any bias exist (polynomial f of degree at most n) those are returned.

    Args:
        functional: f, one of the objects of :mod:`bitrate.stats.functionals`.
        n: rollouts per group, at least 1.
        n_units: N, how many groups the mean will be taken over, at least 1; sets the trade of bias for variance.

    Returns:
        Scores in the unit of f, shape [n + 1], read-only, and the largest absolute bias over all pass rates.

    Raises:
        InputError: ``n`` or ``n_units`` below 1.

    Reference: ESTIMATORS.md section 2; the linear programs of Tian, Kong and Valiant (2017) solve the case N = inf.

    >>> from bitrate.stats.functionals import LearningValue
    >>> scores, bias = coefficients(LearningValue(), 2, 100)
    >>> scores.tolist(), bias
    ([0.0, 0.5, 0.0], 0.0)
    """
    for name, value in (("n", n), ("n_units", n_units)):
        if not (value == int(value) and value >= 1):
            raise InputError(f"{name} = {value}; want a whole number, 1 or more")
    score, bias, _ = _solved(functional, int(n), int(n_units))
    return score, bias


@dataclass(frozen=True)
class ScoreTable:
    """One row for each (n, k): the score, and for its n the greatest bias and how far an unseen prompt may lie.

    Fields are flat arrays, sorted by n then k, ready to be joined to counts in SQL. Bias and spread of a pooled
    figure are the weighted means over its groups.
    """

    functional: Functional
    n_units: int
    n: NDArray[np.int64]
    k: NDArray[np.int64]
    score: Floats
    bias: Floats
    spread: Floats

    def rows(self, n_correct: NDArray[np.int64], n: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row of each group in the table; InputError if a group size is not in it."""
        first = np.searchsorted(self.n, n)
        if first.size and (first.max() >= self.n.size or (self.n[first] != n).any()):
            missing = sorted(set(n.tolist()) - set(self.n.tolist()))
            raise InputError(
                f"n = {missing[0]}; want one of the group sizes {sorted(set(self.n.tolist()))} of the table"
            )
        return first + n_correct


def score_table(functional: Functional, ns: Sequence[int], n_units: int) -> ScoreTable:
    """The minimax linear scores of several group sizes as one flat table.

    Args:
        functional: f.
        ns: the group sizes that occur; duplicates are ignored.
        n_units: number of groups in all; rounded to a power of two, so that runs of like size share tables.

    Returns:
        A :class:`ScoreTable`, scores in the unit of f.

    Raises:
        InputError: a size or ``n_units`` below 1, or no sizes.

    Reference: ESTIMATORS.md section 2, "mixed K: per-K tables combined by weight".

    >>> from bitrate.stats.functionals import PassRate
    >>> score_table(PassRate(), [1, 2], 10).score.tolist()
    [0.0, 1.0, 0.0, 0.5, 1.0]
    """
    sizes = sorted({int(n) for n in ns})
    if not sizes:
        raise InputError("ns = []; want at least one group size")
    if n_units < 1:
        raise InputError(f"n_units = {n_units}; want a whole number, 1 or more")
    units = 2 ** round(np.log2(n_units))
    for size in sizes:
        coefficients(functional, size, units)
    solved = [_solved(functional, size, units) for size in sizes]
    return ScoreTable(
        functional,
        units,
        n=np.concatenate([np.full(size + 1, size) for size in sizes]),
        k=np.concatenate([np.arange(size + 1) for size in sizes]),
        score=np.concatenate([score for score, _, _ in solved]),
        bias=np.concatenate([np.full(score.size, bias) for score, bias, _ in solved]),
        spread=np.concatenate([np.full(score.size, spread) for score, _, spread in solved]),
    )


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

    Reference: ESTIMATORS.md section 2.

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
    table = score_table(functional, np.unique(size).tolist(), right.size)
    row = table.rows(right, size)
    index = cluster_index(clusters, right.size)
    total = share.sum()
    return cluster_ratio(
        cluster_sums(index, share),
        cluster_sums(index, share * table.score[row]),
        float(share @ table.bias[row] / total),
        float(share @ table.spread[row] / total),
        name=functional.name,
        unit=functional.unit,
        level=level,
        method="minimax linear",
        within=(functional.low, functional.high),
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

    Reference: ESTIMATORS.md section 2.

    >>> bits = mean_outcome_entropy([4] * 100, [8] * 100)  # all prompts at p = 1/2 carry one bit
    >>> bits.low <= 1.0 <= bits.high
    True
    >>> mean_outcome_entropy([0, 1], [1, 1]).value is None
    True
    """
    return mean_functional(OutcomeEntropy(), n_correct, n, level=level, clusters=clusters)
