"""The population of pass rates without a model, by maximum likelihood, and posterior means of single prompts.

For pooled figures use :mod:`bitrate.stats.linear`, whose intervals hold for every population. This one answers
"what is this prompt's pass rate, given its counts and the other prompts'?"
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import lapack
from scipy.special import chdtri, xlog1py, xlogy

from bitrate.errors import InputError
from bitrate.stats.counts import check_counts, distinct
from bitrate.stats.minimax import rate_grid
from bitrate.types import Floats

GRID = 129
ROUNDS = 200
#: Rollouts of one count that a grid of 129 rates resolves: the standard error of its angle is two thirds of a step.
MOST_WEIGHT = 4096.0
#: Fits of more distinct counts take counts of like size and like share together.
MOST_COUNTS = 4096
#: Counts whose posteriors are held at one time.
BLOCK = 4096
BISECTIONS = 8
GAP = 1e-8  # how far the mean log-likelihood (nats per group) may be from its maximum


def count_likelihood(right: ArrayLike, size: ArrayLike, rates: Floats) -> Floats:
    """Chance of each count at each rate, shape [cells, rates], every row scaled to a maximum near 1.

    A count of more rollouts than the grid of rates resolves weighs as so many: finer it would fall between two rates.
    """
    k, n = np.asarray(right, float)[:, None], np.asarray(size, float)[:, None]
    known = np.minimum(1.0, MOST_WEIGHT / np.maximum(n, 1.0))
    k, n = k * known, n * known
    log = xlogy(k, rates) + xlog1py(n - k, -rates)
    peak = log.max(axis=1, keepdims=True)
    return np.asarray(np.exp(log - np.where(np.isfinite(peak), peak, 0.0)))


@dataclass(frozen=True)
class PassRates:
    """A population of pass rates: ``weight[j]`` of the prompts at rate ``grid[j]``; both of shape [grid]."""

    grid: Floats
    weight: Floats

    def posterior(self, n_correct: ArrayLike, n: ArrayLike) -> Floats:
        """Chance of each rate given each count, ``weight[j] P(k | n, grid[j]) / sum``.

        Args:
            n_correct: right rollouts, shape [prompts].
            n: rollouts, shape [prompts] or one number.

        Returns:
            Probabilities, shape [prompts, grid]; rows sum to 1.

        Raises:
            InputError: impossible counts, or a count that no rate of this population can give.

        >>> PassRates(np.array([0.0, 0.5]), np.array([0.5, 0.5])).posterior([0], [1]).round(3).tolist()
        [[0.667, 0.333]]
        """
        right, size = check_counts(n_correct, n)
        joint = count_likelihood(right, size, self.grid) * self.weight
        total = joint.sum(axis=1, keepdims=True)
        if not (total > 0).all():
            worst = int(np.argmin(total))
            raise InputError(f"{right[worst]} right of {size[worst]} cannot come from this population of pass rates")
        return np.asarray(joint / total)

    def posterior_mean(self, f: Callable[[Floats], Floats], n_correct: ArrayLike, n: ArrayLike) -> Floats:
        """E[f(p) | k of n] for each prompt, shape [prompts], in the unit of ``f``; f maps rates to rates' values.

        For more than 4,096 rollouts it is f(k/n): such a share is known better than a grid of rates resolves.

        >>> PassRates(np.array([0.0, 0.5]), np.array([0.5, 0.5])).posterior_mean(lambda p: p, [1], [1]).tolist()
        [0.5]
        """
        right, size = check_counts(n_correct, n)
        found = self._expected(f(self.grid)[:, None], right, size)[:, 0]
        known = size > MOST_WEIGHT
        found[known] = f(right[known] / size[known])
        return found

    def posterior_share(self, low: float, high: float, n_correct: ArrayLike, n: ArrayLike) -> Floats:
        """Chance that each prompt's rate lies from ``low`` to ``high``, both included; shape [prompts].

        >>> PassRates(np.array([0.0, 0.5]), np.array([0.5, 0.5])).posterior_share(0.4, 0.6, [1], [1]).tolist()
        [1.0]
        """
        inside = (self.grid >= low) & (self.grid <= high)
        return self._expected(inside[:, None].astype(float), n_correct, n)[:, 0]

    def _expected(self, columns: Floats, n_correct: ArrayLike, n: ArrayLike) -> Floats:
        """Posterior means of functions of the rate, shape [grid, functions]: one row a prompt, each count once."""
        right, size, index = distinct(*check_counts(n_correct, n))
        found = np.empty((right.size, columns.shape[1]))
        for start in range(0, right.size, BLOCK):
            rows = slice(start, start + BLOCK)
            found[rows] = self.posterior(right[rows], size[rows]) @ columns
        return found[index]

    def mean(self, f: Callable[[Floats], Floats]) -> float:
        """E f(p) over the population, in the unit of ``f``: a point value without an interval.

        >>> PassRates(np.array([0.0, 0.5]), np.array([0.5, 0.5])).mean(lambda p: p)
        0.25
        """
        return float(self.weight @ f(self.grid))

    def share(self, low: float, high: float) -> float:
        """Share of prompts with a pass rate from ``low`` to ``high``, both included.

        >>> PassRates(np.array([0.0, 0.5]), np.array([0.25, 0.75])).share(0.4, 0.6)
        0.75
        """
        return float(self.weight[(self.grid >= low) & (self.grid <= high)].sum())

    def smoothed(self, n: float) -> PassRates:
        """The same population blurred to half of what ``n`` rollouts resolve: for a picture, not for figures.

        The maximum-likelihood population is a few atoms whatever the truth; on the angle ``arcsin sqrt p``, where
        k/n has the standard deviation ``1 / (2 sqrt n)`` at every p, it is blurred by half of that, reflected at both
        ends.

        Args:
            n: rollouts per count, above 0.

        Returns:
            A population on the same grid, weights summing to 1.

        Raises:
            InputError: ``n`` not above 0.

        >>> blurred = fit([4], [8]).smoothed(8)
        >>> round(blurred.mean(lambda p: p), 3), bool(blurred.weight.max() < 0.2)
        (0.5, True)
        """
        if not n > 0:
            raise InputError(f"n = {n}; want a number of rollouts above 0")
        angle = np.arcsin(np.sqrt(self.grid))
        gap = angle[:, None] - np.stack([angle, -angle, np.pi - angle])[:, None, :]
        kernel = np.exp(-0.5 * (gap / (0.25 / np.sqrt(n))) ** 2).sum(axis=0)
        return PassRates(self.grid, np.asarray(kernel / kernel.sum(axis=0) @ self.weight))

    def bin_probability(self, edges: ArrayLike, n_correct: ArrayLike, n: ArrayLike) -> Floats:
        """Chance that each prompt's rate lies in each bin, for a histogram that does not pretend k/n is p.

        Args:
            edges: bin edges, increasing, from 0 to 1; a bin holds its left edge, the last one also its right.
            n_correct: right rollouts, shape [prompts].
            n: rollouts, shape [prompts] or one number.

        Returns:
            Probabilities, shape [prompts, bins]; rows sum to 1.

        Raises:
            InputError: edges that do not run from 0 to 1, or counts as in :meth:`posterior`.

        >>> PassRates(np.array([0.0, 0.5]), np.array([0.5, 0.5])).bin_probability([0, 0.1, 1], [1], [1]).tolist()
        [[0.0, 1.0]]
        """
        cuts = np.asarray(edges, float)
        if cuts.ndim != 1 or cuts.size < 2 or cuts[0] != 0 or cuts[-1] != 1 or (np.diff(cuts) <= 0).any():
            raise InputError(f"edges = {cuts.tolist()}; want an increasing list from 0 to 1")
        home = np.minimum(np.searchsorted(cuts, self.grid, side="right") - 1, cuts.size - 2)
        inside = (home[:, None] == np.arange(cuts.size - 1)).astype(float)
        return self._expected(inside, n_correct, n)


def fit(n_correct: ArrayLike, n: ArrayLike, count: ArrayLike | None = None) -> PassRates:
    """The population of pass rates under which the counts are likeliest.

    Maximises ``sum_i count_i log sum_j w_j P(k_i | n_i, p_j)`` over weights w that are not negative and sum to 1.

    A primal-dual interior-point method on a fixed grid of rates, dense near 0 and 1 and holding both. Deterministic.
    A count of more than 4,096 rollouts weighs as one of 4,096, which is what the grid resolves; of more than 4,096
    distinct counts, those within half a standard error of each other are taken together.

    Args:
        n_correct: right rollouts of each cell, shape [cells].
        n: rollouts of each cell, shape [cells] or one number.
        count: how many groups have these counts, shape [cells]; None: one each.

    Returns:
        :class:`PassRates`, weights summing to 1.

    Raises:
        InputError: impossible counts, no group at all, or a fit that does not converge.

    Reference: Kiefer and Wolfowitz (1956); Koenker and Mizera (2014), JASA 109, for the convex programme.

    >>> rates = fit([0, 4], [4, 4], [30, 70])
    >>> round(rates.share(0, 0), 3), round(rates.share(1, 1), 3)
    (0.3, 0.7)
    """
    right, size = check_counts(n_correct, n)
    times = np.ones(right.size) if count is None else np.asarray(count, float)
    if times.shape != right.shape or not (np.isfinite(times) & (times >= 0)).all():
        raise InputError(f"count has shape {times.shape}; want one number, not negative, per cell {right.shape}")
    if not times.sum() > 0:
        raise InputError("count sums to 0; want at least one group")
    k, m, home = distinct(right, size)
    share = np.bincount(home, weights=times) / times.sum()
    cells = (k.astype(float), m.astype(float), share)
    grid = rate_grid(GRID)
    alike = _taken_together(*cells) if share.size > MOST_COUNTS else cells
    weight = _interior_point(count_likelihood(alike[0], alike[1], grid), alike[2])
    return PassRates(grid, weight / weight.sum())


def _taken_together(right: Floats, size: Floats, share: Floats) -> tuple[Floats, Floats, Floats]:
    """Counts in fewer rows: of sizes within a factor of 1.4, and angles arcsin sqrt(k/n) within half a standard error.

    Counts that are all right or all wrong stay apart from the others: a rate of 0 or 1 gives these, and no other.
    """
    known = np.minimum(size, MOST_WEIGHT)
    level = np.rint(2 * np.log2(known))
    angle = np.floor(np.arcsin(np.sqrt(right / size)) * 4 * np.exp2(level / 4))
    edge = np.where(right == 0, -1.0, np.where(right == size, -2.0, angle))
    _, home = np.unique(np.stack([level, edge]), axis=1, return_inverse=True)
    total = np.bincount(home.reshape(-1), weights=share)
    middle = np.bincount(home.reshape(-1), weights=share * known) / total
    rate = np.bincount(home.reshape(-1), weights=share * (right / size)) / total
    return middle * rate, middle, np.asarray(total, dtype=np.float64)


def mean_range(
    likelihood: ArrayLike, count: ArrayLike, value: ArrayLike, *, level: float, units: float | None = None
) -> tuple[float, float, float]:
    """A mean over a population of kinds of prompts: where it can lie, and at the population that is likeliest.

    The range over all populations whose log-likelihood is within half a chi-square quantile, one degree of freedom, of
    the greatest. Where counts do not tell populations apart it is as wide as that leaves it.

    Args:
        likelihood: chance of each cell of counts for each kind, up to a factor a cell, shape [cells, kinds].
        count: how many prompts have these counts, shape [cells].
        value: what is averaged, of each kind, shape [kinds].
        level: coverage, in (0, 1).
        units: independent prompts, where they are fewer than ``count`` sums to.

    Returns:
        Least, likeliest and greatest mean, in the unit of ``value``.

    Raises:
        InputError: a fit that does not converge.

    Reference: docs/estimators.md#prompts; Owen (2001), Empirical Likelihood, ch. 2, for the threshold.

    >>> low, best, high = mean_range([[1.0, 0.0], [0.0, 1.0]], [30, 70], [0.0, 1.0], level=0.95)
    >>> round(low, 2), round(best, 2), round(high, 2)
    (0.6, 0.7, 0.78)
    """
    chance, times, held = (np.asarray(x, float) for x in (likelihood, count, value))
    share = times / times.sum()
    allowed = float(chdtri(1, 1 - level)) / (2 * (times.sum() if units is None else units))

    def solved(cost: Floats) -> tuple[float, float]:
        weight = _interior_point(chance, share, cost)
        weight = weight / weight.sum()
        return float(share @ np.log(chance @ weight)), float(weight @ held)

    most, best = solved(np.ones(held.size))
    ends = []
    for sign in (-1, 1):
        gain, end = sign * (held - best), best
        # The pull on the mean, as a part of the greatest that leaves every cost above 0; bisected on a log scale.
        low, high = 1e-4, 1.0
        if gain.max() > 0:
            for _ in range(BISECTIONS):
                pull = math.sqrt(low * high)
                likely, _ = solved(1 - pull * gain / gain.max())
                low, high = (pull, high) if most - likely <= allowed else (low, pull)
            end = solved(1 - min(high, 1 - 1e-6) * gain / gain.max())[1]
        ends.append(end)
    return min(ends[0], best), best, max(ends[1], best)


def _interior_point(likelihood: Floats, share: Floats, cost: Floats | float = 1.0) -> Floats:
    """Minimise ``-sum share log(likelihood @ w) + cost @ w`` over w >= 0; at costs of 1 the optimal w sums to 1."""
    m = likelihood.shape[1]
    weight, slack = np.full(m, 1 / m), np.ones(m)
    for _ in range(ROUNDS):
        mixed = likelihood @ weight
        gradient = cost - (share / mixed) @ likelihood
        if -gradient.min() + gradient @ weight < GAP:
            return weight
        centre = 0.1 * float(weight @ slack) / m
        scaled = likelihood * (np.sqrt(share) / mixed)[:, None]
        hessian = scaled.T @ scaled + np.diag(slack / weight)
        _, step, failed = lapack.dposv(hessian, centre / weight - gradient)
        if failed:
            break
        slack_step = (centre - slack * step) / weight - slack
        weight = weight + _stride(weight, step) * step
        slack = slack + _stride(slack, slack_step) * slack_step
    raise InputError(f"the fit of {share.size} distinct counts did not converge in {ROUNDS} rounds")


def _stride(value: Floats, step: Floats) -> float:
    """The longest stride, at most 1, that keeps ``value`` positive with a little to spare."""
    shrinking = step < 0
    return min(1.0, 0.95 * float(np.min(-value[shrinking] / step[shrinking], initial=np.inf)))
