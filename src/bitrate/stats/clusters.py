"""A ratio of sums over independent clusters, with an interval that allows for bias, few clusters and rare events."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtr, stdtrit

from bitrate.errors import InputError
from bitrate.stats.few import bounds, part_of_bounds
from bitrate.types import Estimate, Floats, Ints
from bitrate.wording import number_of

#: Degrees of freedom at which Student's t is normal.
NORMAL = 1e9


def check_level(level: float) -> float:
    """``level`` if it is a coverage in (0, 1), else InputError."""
    if not 0 < level < 1:
        raise InputError(f"level = {level}; want a coverage in (0, 1)")
    return float(level)


def biased_quantile(shift: float, dof: float, level: float) -> float:
    """The c with ``P(|T + shift| <= c) = level`` for T of Student's t: half-width, in standard errors, under bias.

    Args:
        shift: greatest bias in standard errors, not negative.
        dof: degrees of freedom of T, above 0.
        level: coverage, in (0, 1).

    Returns:
        c, in standard errors.

    Reference: docs/estimators.md#intervals; Armstrong and Kolesar (2018), Econometrica 86.

    >>> round(biased_quantile(0.0, 1e9, 0.95), 3)
    1.96
    """

    def excess(c: float) -> float:
        return float(stdtr(dof, c - shift) - stdtr(dof, -c - shift)) - level

    if not shift:
        return float(stdtrit(dof, (1 + level) / 2))
    # Bisection, for its own sake trivial, keeps scipy.optimize and a fifth of a second out of the start of every audit.
    low, high = 0.0, shift + float(stdtrit(dof, (1 + level) / 2)) + 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if excess(middle) > 0 else (middle, high)
    return (low + high) / 2


def one_end(shift: float, level: float) -> float:
    """The chance with which either end may miss a figure that is off by at most ``shift`` standard errors.

    Without bias each has half of what the level allows. With it only one end at a time is in danger, and has nearly
    all of it.

    >>> round(one_end(0.0, 0.95), 4), round(one_end(1.0, 0.95), 4)
    (0.025, 0.0499)
    """
    return float(stdtr(NORMAL, shift - biased_quantile(shift, NORMAL, level)))


def unseen_clusters(level: float) -> float:
    """How many clusters of another kind chance may have kept out, over the normal quantile that turns it into an error.

    The rule of three: a kind with share ``-ln(1 - level) / C`` stays out of C clusters with probability 1 - level.

    >>> round(unseen_clusters(0.95) * 1.6449, 2)
    3.0
    """
    at_least = max(level, 0.8)  # the normal quantile vanishes at 1/2
    return -math.log1p(-at_least) / float(ndtri(at_least))


def _checked_sums(weight: ArrayLike, score: ArrayLike) -> tuple[Floats, Floats]:
    w, s = np.asarray(weight, float), np.asarray(score, float)
    if w.ndim != 1 or w.shape != s.shape:
        raise InputError(f"weight has shape {w.shape} and score {s.shape}; want one of each per cluster")
    for name, array in (("weight", w), ("score", s)):
        if not np.isfinite(array).all():
            raise InputError(f"{name} = {array[~np.isfinite(array)][0]}; want finite numbers")
    if w.size and w.min() < 0:
        raise InputError(f"weight = {w.min():g}; want numbers that are not negative")
    return w[w > 0], s[w > 0]


def _homes(label: ArrayLike) -> Ints:
    """Labels numbered from 0."""
    return np.asarray(np.unique(np.asarray(label), return_inverse=True)[1].reshape(-1), np.int64)


def worst_clusters(cell: ArrayLike, weight: ArrayLike, score: ArrayLike) -> Ints:
    """The clustering under which a ratio is least certain, where a cluster has at most one unit of each cell.

    The k-th largest residual ``score - ratio weight`` of every cell go together. Such an arrangement, the units that a
    cell lacks counting 0, has the greatest sum of squares of the clusters' sums, and so the greatest standard error.

    Args:
        cell: what parts the units that cannot belong together, whole numbers, shape [units]: a step of a run.
        weight: of each unit, not negative, with a sum above 0.
        score: weight times score of each unit.

    Returns:
        Number of each unit's cluster, shape [units]; there are as many clusters as the largest cell has units.

    Reference: Hardy, Littlewood and Polya, Inequalities, ch. 10; docs/estimators.md#clusters.

    >>> worst_clusters([0, 0, 1, 1], [1, 1, 1, 1], [0.0, 1.0, 1.0, 0.0]).tolist()
    [1, 0, 0, 1]
    """
    home, w, s = _homes(cell), np.asarray(weight, float), np.asarray(score, float)
    residual = s - s.sum() / w.sum() * w
    order = np.lexsort((-residual, home))
    size = np.bincount(home)
    rank = np.empty(home.size, np.int64)
    rank[order] = np.arange(home.size) - (np.cumsum(size) - size)[home[order]]
    # Below the units that a small cell lacks come those with a negative residual.
    return np.where(residual < 0, size.max() - size[home] + rank, rank)


def second_way(
    label: ArrayLike, weight: ArrayLike, score: ArrayLike, spread: float, level: float
) -> tuple[float, float]:
    """What a second way in which units hang together, such as runs beside prompts, adds to the error of a ratio.

    ``V(by label) - V(by unit)`` by jackknife, the two-way rule, and what labels that chance kept out may do: one may
    differ as those seen do among each other, or by one unit's ``spread``.

    Args:
        label: of each unit, whole numbers, two different ones at least.
        weight: of each unit, not negative, with a sum above 0.
        score: weight times score of each unit.
        spread: how far one unseen unit may lie from the ratio.
        level: coverage of the interval.

    Returns:
        Standard error to be added in quadrature, and its degrees of freedom: ``also`` of :func:`cluster_ratio`.

    Reference: Cameron, Gelbach and Miller (2011), Journal of Business and Economic Statistics 29.

    >>> error, dof = second_way([0, 0, 1, 1], [1, 1, 1, 1], [0.0, 1.0, 1.0, 0.0], 0.5, 0.95)
    >>> round(error, 2), dof
    (0.23, 1.0)
    """
    home, w, s = _homes(label), np.asarray(weight, float), np.asarray(score, float)
    total, ratio = w.sum(), s.sum() / w.sum()

    def jackknife(w: Floats, s: Floats) -> float:
        change = (s - ratio * w) / (total - w)
        return (w.size - 1) / w.size * float(change @ change)

    together, summed = (np.asarray(np.bincount(home, values), float) for values in (w, s))
    effective = float(total**2 / (together @ together))
    typical = max(float((summed / together).std()), spread / (w.size / together.size))
    unseen = unseen_clusters(level) * typical / effective
    return math.sqrt(max(jackknife(together, summed) - jackknife(w, s), 0.0) + unseen**2), max(1.0, effective - 1)


def cluster_ratio(
    weight: ArrayLike,
    score: ArrayLike,
    bias: float,
    spread: float,
    *,
    name: str,
    unit: str,
    level: float = 0.95,
    method: str = "ratio of sums",
    within: tuple[float, float] = (-math.inf, math.inf),
    also: tuple[float, float] = (0.0, math.inf),
    each: tuple[float, float] | None = None,
) -> Estimate:
    """``sum(score) / sum(weight)`` over independent clusters, with an interval.

    ``u_c = (score_c - ratio weight_c) / (W - weight_c)`` is what leaving cluster c out changes;
    ``se^2 = (C-1)/C sum u_c^2 + (unseen spread / C_eff)^2``, ``C_eff = W^2 / sum weight_c^2``.
    The first term is the jackknife. The second, the rule of three, allows for clusters of another kind that chance kept
    out, so that data without any variation still get an honest interval. The half-width is c*se with
    ``P(|T + bias/se| <= c) = level``, T of Student's t with C_eff - 1 degrees of freedom, and the side to which the
    clusters are skewed gets ``|skewness| (2 z^2 + 1) / 6`` more.

    Where the range of a cluster's score is known, up to 20 clusters have the ends of Gaffke's bound instead, which is
    shorter and holds for any scores in the range. From 21 to 30 clusters they pass evenly into the above. The bound
    knows nothing of an error that clusters do not show: where there is one, the above stays.

    Args:
        weight: sum of the groups' weights in each cluster, shape [clusters], not negative.
        score: sum of weight times score in each cluster, shape [clusters].
        bias: greatest absolute bias of the ratio, in its unit; the weighted mean of the table's ``bias``.
        spread: how far an unseen cluster may lie from the ratio, above 0; the weighted mean of the table's ``spread``.
        name: what is measured.
        unit: its unit.
        level: nominal coverage, in (0, 1).
        method: how the scores were made; figures of the interval are appended.
        within: range that the true value is known to lie in. The interval is intersected with it, which keeps its
            coverage. An estimate outside is moved to the edge, its interval with it, and ``method`` says so.
        also: standard error that clusters do not show, to be added in quadrature, and its degrees of freedom: what
            :func:`second_way` says of runs whose prompts are the clusters.
        each: least and greatest score over weight that a cluster may have; None: not known.

    Returns:
        Estimate in ``unit``, n the number of clusters. Without a value for fewer than two clusters of positive weight.

    Raises:
        InputError: shapes that differ, numbers that are not finite, a negative weight or bias, a spread not above 0.

    Reference: Efron and Stein (1981), the jackknife; Hall (1992), The Bootstrap and Edgeworth Expansion, ch. 2;
    docs/estimators.md#few.

    >>> made = cluster_ratio([1, 1, 2], [0.0, 1.0, 1.0], 0.0, 0.5, name="x", unit="share")
    >>> made.value, made.n
    (0.5, 3)
    """
    check_level(level)
    if not (bias >= 0 and math.isfinite(bias)):
        raise InputError(f"bias = {bias}; want a finite number that is not negative")
    if not (spread > 0 and math.isfinite(spread)):
        raise InputError(f"spread = {spread}; want a finite number above 0")
    if each and not each[0] < each[1]:
        raise InputError(f"each = {each}; want the least and the greatest that a score may be")
    w, s = _checked_sums(weight, score)
    if w.size < 2:
        return Estimate.missing(name, unit, f"{number_of(w.size, 'independent cluster')}; an interval needs 2", w.size)
    total = w.sum()
    ratio = float(s.sum() / total)
    change = (s - ratio * w) / (total - w)
    effective = float(total**2 / (w @ w))
    unseen = unseen_clusters(level) * spread / effective
    se = math.sqrt((w.size - 1) / w.size * float(change @ change) + unseen**2 + also[0] ** 2)
    dof = max(1.0, min(effective - 1, also[1]))
    half = biased_quantile(bias / se, dof, level) * se
    z = float(stdtrit(dof, (1 + level) / 2))
    tail = float((change * change) @ change) / se**3 * (2 * z * z + 1) / 6 * se
    how = f"{method}; {w.size} clusters, standard error {se:.3g}, greatest bias {bias:.3g}"
    centre = min(max(ratio, within[0]), within[1])
    if centre != ratio:
        how += f"; estimate {ratio:.3g} moved to {centre:g}, the edge of the possible range"
    low, high = centre - half + min(tail, 0.0), centre + half + max(tail, 0.0)
    part = part_of_bounds(w.size) if each and not also[0] else 0.0
    if each and part:
        least, most = bounds(w, s, each, one_end(bias / se, level))
        low = min(centre, part * (least - bias) + (1 - part) * low)
        high = max(centre, part * (most + bias) + (1 - part) * high)
        how += "; Gaffke's bounds" if part == 1 else f"; {part:.0%} of the way to Gaffke's bounds"
    return Estimate(name, centre, max(low, within[0]), min(high, within[1]), unit, level, w.size, how, bias=bias)
