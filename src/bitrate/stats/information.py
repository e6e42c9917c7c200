"""Entropy and mutual information of codes that were counted: the fallback where nothing can be enumerated."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from bitrate.errors import InputError
from bitrate.stats.clusters import biased_quantile, check_level, unseen_clusters
from bitrate.types import Estimate, Floats, Ints

#: Above this share of samples whose code was seen once, a table of counts says too little.
MOST_SINGLETONS = 0.1
#: The least number of samples from which anything is said.
LEAST_SAMPLES = 1000
#: Cells with so few samples, or fewer, are rare: there may be as many more of their kind that nobody saw.
FEW = 2
#: What the bias allows for each of them, in nats of one sample.
RARE = 2.0


def mutual_information(
    x: ArrayLike, y: ArrayLike, count: ArrayLike, *, name: str = "mutual information", unit: str = "bits",
    level: float = 0.95,
) -> Estimate:  # fmt: skip
    """``I(X;Y) = H(X) + H(Y) - H(X,Y)`` from a table of counts, each entropy with the jackknife's correction.

    The standard error is the jackknife's, with three allowances added: for chi-square noise where the first order
    vanishes, for codes that chance kept out, and, as a bias, for what the jackknife and Miller-Madow disagree about and
    for cells so rare that others like them were not seen.

    Args:
        x: code of the first variable in each cell of the table, shape [cells], whole numbers.
        y: code of the second variable in each cell, shape [cells]; no (x, y) twice.
        count: independent samples in each cell, shape [cells], at least 1.
        name: what is measured.
        unit: its unit.
        level: nominal coverage, in (0, 1).

    Returns:
        Estimate, n the number of samples. Without a value where there are fewer than 1,000 samples or more than a tenth
        of them have a code seen once.

    Raises:
        InputError: shapes that differ, counts that are not whole and positive, a cell twice.

    Reference: docs/estimators.md#counted; Zahl (1977), Jackknifing an index of diversity; Miller (1955).

    >>> made = mutual_information([0, 1], [0, 1], [5000, 5000])
    >>> made.low <= 1.0 <= made.high
    True
    """
    first, second, cells = _table(x, y, count)
    parts = [(first, 1.0), (second, 1.0), (np.arange(cells.size), -1.0)]
    rows, columns = (np.unique(v).size for v in (first, second))
    return _combined(parts, cells, cells.size - rows - columns + 1, name, unit, level)


def conditional_entropy(
    x: ArrayLike, y: ArrayLike, count: ArrayLike, *, name: str = "conditional entropy", unit: str = "bits",
    level: float = 0.95,
) -> Estimate:  # fmt: skip
    """``H(Y|X) = H(X,Y) - H(X)`` from a table of counts; corrections and interval as in :func:`mutual_information`.

    Args:
        x: code of what is known in each cell of the table, shape [cells], whole numbers.
        y: code of what is not, shape [cells]; no (x, y) twice.
        count: independent samples in each cell, shape [cells], at least 1.
        name: what is measured.
        unit: its unit.
        level: nominal coverage, in (0, 1).

    Returns:
        Estimate, n the number of samples; without a value as in :func:`mutual_information`.

    Raises:
        InputError: as in :func:`mutual_information`.

    Reference: docs/estimators.md#counted; Cover and Thomas, eq. 2.10.

    >>> made = conditional_entropy([0, 0, 1, 1], [0, 1, 0, 1], [2500, 2500, 2500, 2500])
    >>> made.low <= 1.0 <= made.high
    True
    """
    first, _, cells = _table(x, y, count)
    parts = [(np.arange(cells.size), 1.0), (first, -1.0)]
    degrees = cells.size - np.unique(first).size
    return _combined(parts, cells, degrees, name, unit, level)


def _table(x: ArrayLike, y: ArrayLike, count: ArrayLike) -> tuple[Ints, Ints, Ints]:
    first, second, cells = (np.asarray(v, dtype=np.int64) for v in (x, y, count))
    if not first.shape == second.shape == cells.shape or cells.ndim != 1:
        raise InputError(f"x, y, count have shapes {first.shape}, {second.shape}, {cells.shape}; want the same [cells]")
    if (cells < 1).any():
        raise InputError(f"count = {cells.min()}; want at least 1 sample in every cell of the table")
    if np.unique(np.stack([first, second]), axis=1).shape[1] != cells.size:
        raise InputError("a cell of the table is given twice; want each (x, y) once")
    return first, second, cells


def _left_out(group: Ints, cells: Ints) -> tuple[float, Floats, float]:
    """Plug-in entropy in nats of the counts by group, the same without one sample of each cell, and the group count."""
    _, index = np.unique(group, return_inverse=True)
    n = np.bincount(index, weights=cells.astype(float))
    total = n.sum()
    terms = n * np.log(n)
    less = np.where(n > 1, (n - 1) * np.log(np.maximum(n - 1, 1)), 0.0)
    whole = math.log(total) - terms.sum() / total
    without = math.log(total - 1) - (terms.sum() - terms + less) / (total - 1)
    return float(whole), without[index], float(n.size)


def _combined(
    parts: Sequence[tuple[Ints, float]], cells: Ints, degrees: int, name: str, unit: str, level: float
) -> Estimate:
    """A signed sum of entropies with its interval."""
    check_level(level)
    total = int(cells.sum())
    if total < LEAST_SAMPLES:
        return Estimate.missing(name, unit, f"{total} samples; want at least {LEAST_SAMPLES}", total)
    alone = float((cells == 1).sum() / total)
    if alone > MOST_SINGLETONS:
        reason = f"{alone:.0%} of the {total} samples have a code that no other has: counts say too little of it"
        return Estimate.missing(name, unit, reason, total)
    plug_in, without, corrections = 0.0, np.zeros(cells.size), 0.0
    for group, sign in parts:
        whole, less, size = _left_out(group, cells)
        plug_in, without = plug_in + sign * whole, without + sign * less
        corrections += sign * (size - 1) / (2 * total)
    mean_without = float(cells @ without / total)
    jackknife = total * plug_in - (total - 1) * mean_without
    first_order = (total - 1) / total * float(cells @ (without - mean_without) ** 2)
    chi_square = math.sqrt(max(degrees, 1) / 2) / total
    unseen = unseen_clusters(level) / total
    missed = unseen * math.log(1 / unseen) if unseen < 1 / math.e else 1.0
    se = math.sqrt(first_order + chi_square**2 + missed**2 / 9)
    rare = RARE * float((cells <= FEW).sum()) / total
    bias = abs(jackknife - plug_in - corrections) + rare
    half = biased_quantile(bias / se, float(total - 1), level) * se
    value, se, bias, half = (v / math.log(2) for v in (jackknife, se, bias, half))
    how = f"counted codes, jackknife; {cells.size} cells, standard error {se:.2g}, bias allowed for {bias:.2g}"
    centre = max(value, 0.0)
    if centre != value:
        how += f"; estimate {value:.3g} moved to 0, the edge of the possible range"
    return Estimate(name, centre, max(centre - half, 0.0), centre + half, unit, level, total, how)
