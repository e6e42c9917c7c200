"""The solver behind the minimax linear estimator: the best fixed score for each count, and its greatest bias."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import lapack
from scipy.special import betaln, gammaln, xlog1py, xlogy

from bitrate.errors import InputError
from bitrate.stats.functionals import Functional, log_choose
from bitrate.types import Floats

#: Above this size scores are lifted. The bias of outcome bits, 0.0006 over 1,000 groups, is far below sampling error.
LARGEST_SOLVED = 256
#: Up to this size log-factorials may be looked up.
LARGEST_TABLE = 1 << 21
#: Counts lifted at a time.
BLOCK = 2048
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


def _solved_size(n: int) -> int:
    """The size whose scores are solved for; a larger group is scored as the mean over its subsets of that size.

    Above 64 four sizes an octave are solved, so that logs with hundreds of group sizes stay quick.
    """
    return n if n <= 64 else min(n - n % 2 ** (n.bit_length() - 3), LARGEST_SOLVED)


@lru_cache(maxsize=4)
def _chances(n: int, points: int, kinks: tuple[float, ...], symmetric: bool) -> tuple[Floats, Floats]:
    """Pass rates, and the chance of each count at each; rates up to 1/2, and k with n - k, where that will do."""
    rates = np.union1d(rate_grid(points), kinks)
    if not symmetric:
        return rates, binomial_pmf(n, rates)
    rates = rates[rates <= 0.5]
    return rates, _folded(binomial_pmf(n, rates))


def _folded(chance: Floats) -> Floats:
    """Chances of k and of n - k together, on the last axis, for k up to n / 2."""
    size = chance.shape[-1]
    folded = chance[..., : (size + 1) // 2].copy()
    folded[..., : size // 2] += chance[..., : (size - 1) // 2 : -1]
    return folded


@lru_cache(maxsize=4096)
def _minimax(functional: Functional, n: int, n_units: int) -> tuple[Floats, float]:
    """Scores and their greatest bias: Lawson's reweighting, with the sampling variance as a ridge.

    Weights on the rates grow where the bias is largest; their current value bounds the optimum from below. Where
    f(p) = f(1-p) the best score of k is that of n - k, and half of the rates and of the scores tell all.
    """
    rates, pmf = _chances(n, 4 * n + 200, functional.kinks, functional.symmetric)
    target, chance = functional(rates), _reference_counts(n)
    chance = _folded(chance) if functional.symmetric else chance
    ridge = (np.diag(chance) - np.outer(chance, chance)) / n_units
    weight = np.full(rates.size, 1 / rates.size)
    best, least = np.zeros(chance.size), np.inf
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
    fine, pmf = _chances(n, 16 * n + 1000, functional.kinks, functional.symmetric)
    bias = float(np.abs(pmf @ best - functional(fine)).max())
    best = np.concatenate([best, best[: (n + 1) // 2][::-1]]) if functional.symmetric else best
    best.setflags(write=False)
    return best, bias


def _log_factorials(most: int, asked: int) -> Callable[[Floats], Floats]:
    """Natural logs of the factorials of whole numbers up to ``most``, infinite below 0; looked up if many are asked."""
    table = gammaln(np.arange(most + 1.0) + 1) if most <= min(asked, LARGEST_TABLE) else None

    def logs(x: Floats) -> Floats:
        whole = np.maximum(x, 0.0)
        return np.where(x < 0, np.inf, gammaln(whole + 1) if table is None else table[whole.astype(np.int64)])

    return logs


def _lift(small: Floats, right: Floats, n: Floats) -> Floats:
    """Scores of ``right`` of ``n``: the mean score of a random subset. Same mean at every p, less variance.

    Args:
        small: scores of a smaller size for several functionals, shape [size + 1, functionals].
        right: right rollouts, shape [counts].
        n: rollouts, shape [counts].

    Returns:
        Scores, shape [counts, functionals].
    """
    size, part = small.shape[0] - 1, np.arange(float(small.shape[0]))
    log = _log_factorials(int(n.max(initial=size)), right.size * size)
    found = np.empty((right.size, small.shape[1]))
    for start in range(0, right.size, BLOCK):
        rows = slice(start, start + BLOCK)
        k, wrong = right[rows, None], (n[rows] - right[rows])[:, None]
        chance = np.exp(
            (log(k) + log(wrong) - log(k + wrong) + log(np.array(float(size))) + log(k + wrong - size))
            - (log(part) + log(k - part) + log(size - part) + log(wrong - size + part))
        )
        # In millions the logs are good to a billionth only: the chances are made to add up to 1 again.
        found[rows] = (chance / chance.sum(axis=1, keepdims=True)) @ small
    return found


@dataclass(frozen=True)
class Scores:
    """For each (n, k): its score; for its n the greatest bias, how far off the mean a prompt may lie, and the range."""

    score: Floats
    bias: Floats
    spread: Floats
    low: Floats
    high: Floats


def scores(functionals: Sequence[Functional], n_correct: ArrayLike, n: ArrayLike, n_units: int) -> list[Scores]:
    """The scores of some counts, for several functionals at once: time and memory grow with the counts, not with n.

    Args:
        functionals: what is wanted.
        n_correct: right rollouts of each count, shape [counts].
        n: rollouts of each count, at least 1, shape [counts].
        n_units: N, as in :func:`coefficients`.

    Returns:
        One :class:`Scores` a functional, arrays of shape [counts].
    """
    right, size = np.asarray(n_correct, float), np.asarray(n, float)
    made = [Scores(f.unbiased_at(right, size), np.zeros(right.size), *_reach(f, size)) for f in functionals]
    sizes, home = np.unique(size, return_inverse=True)
    solved = np.array([_solved_size(int(x)) for x in sizes])[home.reshape(-1)] if sizes.size else sizes
    for small in np.unique(solved).astype(int).tolist():
        rows = np.flatnonzero(solved == small)
        wanted = [(f.at(small), m) for f, m in zip(functionals, made, strict=True) if np.isnan(m.score[rows]).any()]
        if not wanted:
            continue
        tables = [_minimax(f, small, n_units) for f, _ in wanted]
        stacked = np.stack([table for table, _ in tables], axis=1)
        same = size[rows] == small
        found = np.empty((rows.size, len(wanted)))
        found[same] = stacked[right[rows[same]].astype(np.int64)]
        found[~same] = _lift(stacked, right[rows[~same]], size[rows[~same]])
        for column, ((f, m), (table, bias)) in enumerate(zip(wanted, tables, strict=True)):
            here = np.isnan(m.score[rows])
            m.score[rows[here]], m.bias[rows[here]] = found[here, column], bias
            # One right of n is in a subset of that size with chance size / n.
            ends = max(abs(float(table[1] - table[0])), abs(float(table[-1] - table[-2])))
            m.spread[rows[here]] = np.maximum(f.high - f.low, ends * small / size[rows[here]])
            m.low[rows[here]], m.high[rows[here]] = table.min(), table.max()
    return made


def _reach(functional: Functional, n: Floats) -> tuple[Floats, Floats, Floats]:
    """What all-right or all-wrong data may have missed: prompts of any other rate, or one odd rollout in a group.

    And the least and the greatest of the scores without bias, which lie at the ends or in the middle.
    """
    at = [functional.unbiased_at(k, n) for k in (0 * n, np.minimum(n, 1), np.floor(n / 2), n - 1, n)]
    odd = np.fmax(np.abs(at[1] - at[0]), np.abs(at[-1] - at[-2]))
    return np.fmax(functional.high - functional.low, odd), np.min(at, axis=0), np.max(at, axis=0)


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

    Reference: docs/estimators.md#pooled; Lawson (1961) for the reweighting.

    >>> from bitrate.stats.functionals import LearningValue
    >>> scores, bias = coefficients(LearningValue(), 2, 100)
    >>> scores.tolist(), bias
    ([0.0, 0.5, 0.0], 0.0)
    """
    for name, value in (("n", n), ("n_units", n_units)):
        if not (value == int(value) and value >= 1):
            raise InputError(f"{name} = {value}; want a whole number, 1 or more")
    size = int(n)
    [found] = scores([functional], np.arange(size + 1), np.full(size + 1, size), int(n_units))
    found.score.setflags(write=False)
    return found.score, float(found.bias[0])
