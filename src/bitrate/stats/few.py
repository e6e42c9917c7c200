"""The ends of an interval from few clusters whose scores have a known range: Gaffke's bound."""

from __future__ import annotations

from bitrate.types import Floats

#: Up to so many clusters the ends are Gaffke's; from there to FEW they pass into those of the normal theory.
FEWEST, FEW = 20, 30
ROUNDS = 60
#: What a bound gives way for rounding, of the range of a score: the least score may lie on the very truth.
SLACK = 1e-9


def part_of_bounds(clusters: int) -> float:
    """How far an interval goes from the ends of the normal theory to Gaffke's: all the way for few clusters.

    >>> [round(part_of_bounds(n), 2) for n in (2, 20, 25, 30, 31)]
    [1.0, 1.0, 0.55, 0.09, 0.0]
    """
    return min(1.0, max(0.0, (FEW + 1 - clusters) / (FEW + 1 - FEWEST)))


def bounds(weight: Floats, score: Floats, each: tuple[float, float], miss: float) -> tuple[float, float]:
    """Lower and upper bound of ``E score / E weight``, each of which misses with a chance of at most ``miss``.

    >>> import numpy as np
    >>> [round(x, 3) for x in bounds(np.ones(8), np.array([0.0] * 4 + [1.0] * 4), (0.0, 1.0), 0.025)]
    [0.157, 0.843]
    """
    slack = SLACK * (each[1] - each[0])
    return lower_end(weight, score, each[0], miss) - slack, slack - lower_end(weight, -score, -each[1], miss)


def chance_not_above(values: list[float]) -> float:
    """Chance that ``sum v_i E_i <= 0``, the E_i independent exponentials of mean 1.

    Exact: a positive and a negative term race each other. The greater wins with chance ``a / (a + b)``; what it is
    ahead by is exponential again, so it is as good as new and the other is gone.

    Args:
        values: the v_i.

    Returns:
        The chance; 1 where no value is positive.

    >>> chance_not_above([1.0, -3.0])
    0.75
    """
    rises, falls = [v for v in values if v > 0], [-v for v in values if v < 0]
    left = [1.0] + [0.0] * len(rises)  # chance by the number of rises still in the race, without any fall
    for b in falls:
        before = 1.0
        for i, a in enumerate(rises, start=1):
            before = left[i] = (a * left[i] + b * before) / (a + b)
    return left[-1]


def lower_end(weight: Floats, score: Floats, least: float, miss: float) -> float:
    """A bound that lies above ``E score / E weight`` with a chance of at most ``miss``.

    One more cluster is thought of, as heavy as the heaviest seen and with the least score that there can be. The bound
    is the quantile ``miss`` of the ratio where every cluster is weighed anew by an exponential.
    Of clusters of one weight with scores of two values it is the bound of Clopper and Pearson.

    Args:
        weight: of each cluster, shape [clusters], above 0.
        score: of each cluster, shape [clusters].
        least: least score over weight that a cluster can have.
        miss: chance, in (0, 1).

    Returns:
        The bound, in the unit of score over weight.

    Reference: docs/estimators.md#few; Gaffke (2005), Three test statistics for a nonparametric one-sided hypothesis.

    >>> import numpy as np
    >>> round(lower_end(np.ones(8), np.ones(8), 0.0, 0.05), 3), round(0.05 ** (1 / 8), 3)
    (0.688, 0.688)
    """
    heaviest = float(weight.max())
    low, high = min(least, float((score / weight).min())), float((score / weight).max())

    power = 1 / weight.size  # of this power chances are close to straight in ``at``: among equal scores just that
    wanted = float(miss**power)

    def excess(at: float) -> float:
        chance = chance_not_above([*(score - at * weight).tolist(), heaviest * (least - at)])
        return float(chance**power - wanted)

    if low == high:
        return low
    below, above, kept = -wanted, 1 - wanted, 0
    for _ in range(ROUNDS):  # regula falsi, where the value at an end that stays twice is halved (the Illinois rule)
        middle = high - above * (high - low) / (above - below)
        found = excess(middle)
        if abs(found) < 1e-10 or not low < middle < high:
            return middle
        if found > 0:
            high, above, below, kept = middle, found, below / (2 if kept < 0 else 1), -1
        else:
            low, below, above, kept = middle, found, above / (2 if kept > 0 else 1), 1
    return low
