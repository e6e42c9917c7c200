"""Bounds on the share of prompts whose pass rate is at least so high: scores of counts that hold for every population.

Counts of K hardly tell a rate of .95 from one of .94, so the share beyond a threshold has no estimate without a model.
It has bounds: scores whose mean at each rate lies above, or below, the step from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from bitrate.errors import InputError
from bitrate.stats.counts import check_counts, distinct
from bitrate.types import Floats, Ints

#: Tails at the threshold rate of the candidates for the upper and for the lower bound; fixed, whatever was counted.
ABOVE, BELOW = (0.45, 0.08), (0.9, 0.5, 0.1)


@dataclass(frozen=True)
class Bound:
    """The score of each prompt, shape [prompts], and how far an unseen prompt may lie from their mean."""

    score: Floats
    spread: float


def share_bounds(rate: float, n_correct: ArrayLike, n: ArrayLike) -> tuple[list[Bound], list[Bound]]:
    """Scores whose means bound the share of prompts with ``p >= rate``, from below and from above.

    A count above d scores 1, one from c + 1 to d scores ``P(X <= d) / P(c < X <= d)`` for the upper bound and
    ``-P(X > d) / P(c < X <= d)`` for the lower, X binomial at ``rate``. The mean score is then 1 and 0 at ``rate``
    itself; since those ratios fall and rise with p, it is at least 1 for every higher rate, and at most 0 for every
    lower one. Which d is best depends on the population, so there are several: each is valid.

    Args:
        rate: the threshold, in (0, 1).
        n_correct: right rollouts, shape [prompts].
        n: rollouts, shape [prompts] or one number.

    Returns:
        Candidates for the lower bound, and for the upper.

    Raises:
        InputError: a rate that is not inside (0, 1), or impossible counts.

    Reference: docs/estimators.md#tails.

    >>> lower, upper = share_bounds(0.5, [0, 1], 1)
    >>> [bound.score.tolist() for bound in upper]
    [[1.0, 1.0], [1.0, 1.0]]
    >>> lower, upper = share_bounds(0.5, [0, 1, 2], 2)
    >>> lower[1].score.tolist(), upper[0].score.tolist()
    ([0.0, -0.5, 1.0], [1.0, 1.0, 1.0])
    """
    if not 0 < rate < 1:
        raise InputError(f"rate = {rate}; want a pass rate in (0, 1)")
    right, size = check_counts(n_correct, n)
    k, m, home = distinct(right, size)

    def scored(d: Ints, *, upper: bool) -> Bound:
        at_most = bdtr(d, m, rate)
        # The block takes about half of what lies at or below d, and d itself.
        c = np.minimum(_largest(m, rate, at_most / 2), d - 1)
        block = at_most - np.where(c < 0, 0.0, bdtr(np.maximum(c, 0), m, rate))
        weight = at_most / block if upper else (at_most - 1) / block
        score = np.where(k > d, 1.0, np.where(k > c, weight, 0.0))
        reach = np.maximum(weight, 1.0) if upper else 1 - weight
        return Bound(score[home], float(reach[home].mean()))

    above = [scored(np.maximum(_largest(m, rate, tail), 0), upper=True) for tail in ABOVE]
    below = [scored(np.minimum(_largest(m, rate, 1 - tail) + 1, m), upper=False) for tail in BELOW]
    return below, above


def _largest(n: Ints, rate: float, chance: Floats | float) -> Ints:
    """The largest d with P(X <= d) at most ``chance``, X binomial; -1 where there is none."""
    low, high = np.full(n.size, -1), n.astype(np.int64)
    while (low < high).any():
        middle = (low + high + 1) // 2
        fits = bdtr(middle, n, rate) <= chance
        low, high = np.where(fits, middle, low), np.where(fits, high, middle - 1)
    return np.asarray(low, np.int64)
