"""Groups whose size depended on their outcomes: sampled until one was right, or until right and wrong were both there.

Counts of such groups are not binomial: k/n leans away from the pass rate, and they do not show what is left to chance.
"""

from __future__ import annotations

import numpy as np

from bitrate.stats import distinct, fit
from bitrate.types import Bools, Ints

UNTIL_RIGHT, UNTIL_MIXED = "until one was right", "until some were right and some wrong"
#: So many groups must have stopped early, and chance must explain what they show with no more than this probability.
LEAST, BY_CHANCE = 20, 1e-6


def stopping(right: Ints, n: Ints) -> str | None:
    """How the size of groups followed from their outcomes, or None where it need not have.

    A group that ends before the largest size has what was waited for, always. Where groups of the largest size lack
    it, or groups grew one by one, and chance alone would hardly have it so, that is what they were waiting for. Groups
    whose size was chosen by prompt, or that lost rollouts without a score, lack it now and then at every size.

    Args:
        right: right rollouts of each group, shape [groups].
        n: rollouts of each group, shape [groups].

    >>> n = np.repeat([1, 2, 3, 4], [30, 20, 15, 10])
    >>> stopping(np.where(n == 4, 0, 1), n)
    'until one was right'
    >>> stopping(np.tile([0, 1, 2], 25), np.tile([2, 3, 4], 25)) is None
    True
    """
    if not n.size:
        return None
    early = n < n.max()
    if early.sum() < LEAST:
        return None
    constant = (right == 0) | (right == n)
    one = np.where(n > 1, np.minimum(right, n - right), 0) == 1
    for plan, lacking, grown in (
        (UNTIL_MIXED, constant, bool(one[early].all()) and int(n.min()) == 2),
        (UNTIL_RIGHT, right == 0, bool((right[early] == 1).all()) and int(n.min()) == 1),
    ):
        waited = bool(lacking[~early].any()) or grown
        if waited and not lacking[early].any() and _by_chance(right[early], n[early], plan) < BY_CHANCE:
            return plan
    return None


def _by_chance(right: Ints, n: Ints, plan: str) -> float:
    """Probability that no group lacks what is asked, for groups of these sizes and the pass rates that they show."""
    k, size, index = distinct(right, n)
    population = fit(k, size, np.bincount(index))
    p, weight = population.grid, population.weight

    def lacks(m: int) -> float:
        missing = (1 - p) ** m + (p**m if plan == UNTIL_MIXED else 0.0)
        return float(weight @ np.minimum(missing, 1.0))

    sizes, groups = np.unique(n, return_counts=True)
    return float(np.exp(sum(g * np.log1p(-min(lacks(int(m)), 1 - 1e-12)) for m, g in zip(sizes, groups, strict=True))))


def first_right(right: Ints, n: Ints) -> Bools:
    """Whether the first rollout was right, of groups sampled until one was."""
    return np.asarray((n == 1) & (right == 1))
