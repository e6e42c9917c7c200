"""Differences: of two measurements of the same prompts, and of two independent figures."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from bitrate.errors import InputError
from bitrate.stats.clusters import cluster_ratio
from bitrate.types import Estimate
from bitrate.wording import number_of


def mean_difference(
    a: ArrayLike, b: ArrayLike, *, name: str, unit: str, level: float = 0.95, spread: float | None = None
) -> Estimate:
    """Mean of ``b - a`` over prompts measured twice, e.g. in two runs or at two times.

    Args:
        a: first measurement of each prompt, shape [prompts].
        b: second measurement of the same prompts in the same order, shape [prompts].
        name: what is measured.
        unit: unit of ``a`` and ``b``.
        level: nominal coverage, in (0, 1).
        spread: size of a difference that is possible though perhaps not seen, above 0 in ``unit``; None: the root
            mean square of the values in ``a`` and ``b`` about their common mean.

    Returns:
        Estimate in ``unit``, interval as in :func:`bitrate.stats.cluster_ratio`. Without a value for fewer than two
        prompts, or when no two values differ and no ``spread`` is given.

    Raises:
        InputError: shapes that differ, or values that are not finite: leave prompts without both measurements out.

    Reference: docs/estimators.md#differences and docs/estimators.md#clusters.

    >>> mean_difference([0.0, 0.5], [0.5, 1.0], name="gain", unit="share").value
    0.5
    """
    first, second = np.asarray(a, float), np.asarray(b, float)
    if first.ndim != 1 or first.shape != second.shape:
        raise InputError(f"a has shape {first.shape} and b {second.shape}; want both measurements of each prompt")
    for label, array in (("a", first), ("b", second)):
        if not np.isfinite(array).all():
            raise InputError(f"{label} = {array[~np.isfinite(array)][0]}; want finite numbers, prompts with both only")
    if first.size < 2:
        return Estimate.missing(
            name, unit, f"{number_of(first.size, 'prompt')} with both measurements; want 2", first.size
        )
    typical = float(np.concatenate([first, second]).std()) if spread is None else spread
    if spread is None and typical == 0:
        return Estimate.missing(
            name, unit, "no two values differ, so the data cannot say how far off it is", first.size
        )
    method = "mean of paired differences"
    return cluster_ratio(
        np.ones(first.size), second - first, 0.0, typical, name=name, unit=unit, level=level, method=method
    )


def difference(a: Estimate, b: Estimate, *, name: str) -> Estimate:
    """``b - a`` of two independent figures, from their intervals alone.

    ``low = d - sqrt((b - b.low)^2 + (a.high - a)^2)``, ``high`` likewise: exact for normal errors, and it keeps
    intervals that are not symmetric. Of a half-width, the part that allows for a bias is added as it is: two biases of
    unknown sign do not cancel as noise does.

    Args:
        a: the figure to subtract.
        b: the figure to subtract it from; same unit and level, except that an exact figure fits any level.
        name: what the difference is called.

    Returns:
        Estimate in the common unit, n the smaller of the two; without a value if either has none.

    Raises:
        InputError: another unit or level.

    Reference: Zou and Donner (2008), Statistics in Medicine 27, MOVER.

    >>> one, four = (Estimate("x", v, v - w, v + w, "bits", 0.95, 9, "") for v, w in ((1.0, 0.3), (4.0, 0.4)))
    >>> difference(one, four, name="gain").low
    2.5
    """
    if a.unit != b.unit:
        raise InputError(f"units {a.unit!r} and {b.unit!r}; want two figures in the same unit")
    n = min(a.n, b.n)
    for figure in (a, b):
        if figure.value is None:
            return Estimate.missing(name, a.unit, figure.reason or "", n)
    levels = {x.level for x in (a, b) if x.low != x.high} or {1.0}
    if len(levels) > 1:
        raise InputError(f"levels {sorted(levels)}; want two intervals of the same level")
    assert a.value is not None and a.low is not None and a.high is not None
    assert b.value is not None and b.low is not None and b.high is not None
    gap = b.value - a.value
    low = gap - _together((b.value - b.low, b.bias), (a.high - a.value, a.bias))
    high = gap + _together((b.high - b.value, b.bias), (a.value - a.low, a.bias))
    method = "difference of independent figures (MOVER)"
    return Estimate(name, gap, low, high, a.unit, levels.pop(), n, method, bias=a.bias + b.bias)


def _together(*parts: tuple[float, float]) -> float:
    """A half-width from half-widths and the biases in them: noise in quadrature, biases as they are."""
    biases = [min(half, bias) for half, bias in parts]
    return sum(biases) + math.hypot(*(half - bias for (half, _), bias in zip(parts, biases, strict=True)))
