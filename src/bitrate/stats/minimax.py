"""The solver behind the minimax linear estimator: the best fixed score for each count, and its greatest bias."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.linalg import lapack
from scipy.special import betaln, xlog1py, xlogy

from bitrate.errors import InputError
from bitrate.stats.functionals import Functional, log_choose
from bitrate.theory.checks import Floats

LARGEST_SOLVED = 256
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


@lru_cache(maxsize=4096)
def _minimax(functional: Functional, n: int, n_units: int) -> tuple[Floats, float]:
    """Scores and their greatest bias: Lawson's reweighting, with the sampling variance as a ridge.

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
    fine = np.union1d(rate_grid(16 * n + 1000), functional.kinks)
    return best, float(np.abs(binomial_pmf(n, fine) @ best - functional(fine)).max())


def _lift(score: Floats, n: int) -> Floats:
    """Scores for n rollouts: the mean score of a random subset. Same mean at every p, less variance."""
    small = score.size - 1
    right, part = np.arange(n + 1.0)[:, None], np.arange(small + 1.0)
    chance = np.exp(log_choose(right, part) + log_choose(n - right, small - part) - log_choose(float(n), float(small)))
    return np.asarray(chance @ score)


@lru_cache(maxsize=4096)
def solved(functional: Functional, n: int, n_units: int) -> tuple[Floats, float, float]:
    """Scores, their greatest bias, and how far from the mean a prompt may lie that the data have not shown."""
    exact = functional.unbiased(n)
    small, bias = _minimax(functional, _solved_size(n), n_units) if exact is None else (exact, 0.0)
    score = small.copy() if small.size == n + 1 else _lift(small, n)
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

    Reference: ESTIMATORS.md section 2; Lawson (1961) for the reweighting.

    >>> from bitrate.stats.functionals import LearningValue
    >>> scores, bias = coefficients(LearningValue(), 2, 100)
    >>> scores.tolist(), bias
    ([0.0, 0.5, 0.0], 0.0)
    """
    for name, value in (("n", n), ("n_units", n_units)):
        if not (value == int(value) and value >= 1):
            raise InputError(f"{name} = {value}; want a whole number, 1 or more")
    score, bias, _ = solved(functional, int(n), int(n_units))
    return score, bias
