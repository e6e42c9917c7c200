"""Entropies, divergences and other differences without the digits that subtracting would cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, xlog1py, xlogy

from bitrate.types import Floats

_ODD = 1 / np.arange(3.0, 41.0, 2.0)  # of the series of atanh, less its first term
#: Bernoulli numbers B_2k over 2k: the asymptotic series of the digamma function, good from 10 up.
_TAIL = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)


def complement(p: Floats) -> Floats:
    """``1 - p`` of a distribution along the last axis; of its largest element the sum of the others.

    >>> complement(np.array([1.0, 1e-20])).tolist()
    [1e-20, 1.0]
    """
    top = np.argmax(p, axis=-1, keepdims=True)
    others = p.copy()
    np.put_along_axis(others, top, 0.0, axis=-1)
    rest = 1 - p
    np.put_along_axis(rest, top, np.minimum(others.sum(axis=-1, keepdims=True), 1.0), axis=-1)
    return np.asarray(rest)


def shannon(p: Floats) -> Floats:
    """Entropy of a distribution along the last axis, in bits.

    >>> float(shannon(np.array([0.5, 0.25, 0.25])))
    1.5
    """
    rest = complement(p)
    terms = np.where(p > 0.5, -xlog1py(1 - rest, -rest), entr(p)).sum(axis=-1) / np.log(2)
    # Rounding of the sum can exceed the cap by a few units in the last place.
    return np.asarray(np.minimum(terms, np.log2(np.maximum(np.count_nonzero(p, axis=-1), 1))))


def divergence_term(b: ArrayLike, delta: ArrayLike) -> Floats:
    """``a ln(a/b) - a + b`` with ``a = b + delta``: one term of a divergence in nats, which is never negative.

    The difference is an argument since whoever knows it without rounding keeps every digit.

    >>> bool(np.isclose(divergence_term(0.5, 1e-9), 1e-18))  # delta^2 / (2 b)
    True
    """
    y, d = np.broadcast_arrays(np.asarray(b, dtype=np.float64), np.asarray(delta, dtype=np.float64))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        u = np.where(d == 0, 0.0, np.maximum(d / y, -1.0))
        # (1+u) ln(1+u) - u by ln(1+u) = 2 atanh(w), w = u / (2+u): u w + 2 (1+u) w (w^2/3 + w^4/5 + ...).
        near = np.where(np.abs(u) < 0.5, u, 0.0)
        w = near / (2 + near)
        square, series = w * w, np.zeros_like(w)
        for coefficient in _ODD[::-1]:
            series = (series + coefficient) * square
        small = y * near * w + 2 * y * (1 + near) * w * series
        # d / y overflows where y is tiny; the logarithms of both do not.
        large = np.where(u < 1e300, y * (xlogy(1 + u, 1 + u) - u), d * (np.log(d) - np.log(y)) - d)
        return np.asarray(np.where(d == 0, 0.0, np.where(np.abs(u) < 0.5, small, large)))


def divergence(p: Floats, q: Floats) -> Floats:
    """``KL(p || q)`` over the last axis, in bits; inf where q is 0 and p is not.

    >>> float(divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5])))
    1.0
    """
    # Exact distributions have the same sum, so the terms -a + b add to nothing.
    return np.asarray(divergence_term(q, p - q).sum(axis=-1) / np.log(2))


def digamma_rise(x: ArrayLike, rise: ArrayLike) -> Floats:
    """``psi(x + rise) - psi(x)`` for x at least 1 and a rise above 0, relative to 1e-14.

    >>> bool(np.isclose(digamma_rise(1.0, 1.0), 1.0))
    True
    """
    y, d = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(rise, dtype=np.float64))
    with np.errstate(over="ignore"):
        total = np.zeros(y.shape)
        for _ in range(10):  # psi(x+1) - psi(x) = 1/x
            total = total + d / (y + d) / y
            y = y + 1
        step = np.log1p(d / y)
        total = total + step - np.expm1(-step) / (2 * y)
        for i, coefficient in enumerate(_TAIL, start=1):
            total = total - coefficient * np.expm1(-2 * i * step) / y ** (2 * i)
    return np.asarray(total)


def excess_digamma(x: ArrayLike) -> Floats:
    """``psi(x + 1) - ln x`` for x above 0, relative to 1e-14: about ``1/(2x)``, and never negative.

    >>> bool(np.isclose(excess_digamma(1e9), 5e-10))
    True
    """
    start = y = np.asarray(x, dtype=np.float64)
    total = np.zeros(y.shape)
    for _ in range(10):
        y = y + 1
        total = total - 1 / y
    with np.errstate(over="ignore"):
        tail = 1 / (2 * y) - sum(c / y ** (2 * i) for i, c in enumerate(_TAIL, start=1))
        # psi(y + 1) = ln y + 1/(2y) - ...; far out the ten steps of 1/y and ln(y/x) would cancel.
        far = np.maximum(start, 10.0)
        direct = 1 / (2 * far) - sum(c / far ** (2 * i) for i, c in enumerate(_TAIL, start=1))
        near = total + tail + np.log(start + 10) - np.log(start)
    return np.asarray(np.where(start >= 10, direct, near))


def log_choose(n: ArrayLike, k: ArrayLike) -> Floats:
    """``ln C(n, k)``, relative to 1e-13 also where log-factorials would cancel.

    >>> bool(np.isclose(log_choose(10, 3), np.log(120)))
    True
    """
    total, some = np.broadcast_arrays(np.asarray(n, dtype=np.float64), np.asarray(k, dtype=np.float64))
    few = np.minimum(some, total - some)
    many = total - few
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = few / total
        stirling = (
            few * np.log(total / few) - many * np.log1p(-share) - np.log(2 * np.pi * few * (1 - share)) / 2
            + _stirling(total) - _stirling(few) - _stirling(many)
        )  # fmt: skip
    result = np.where(few >= 16, stirling, 0.0)
    for i in range(1, 16):
        result = result + np.where((few < 16) & (i <= few), np.log((many + i) / i), 0.0)
    return np.asarray(result)


def _stirling(n: Floats) -> Floats:
    """``ln n!`` less ``n ln n - n + ln(2 pi n) / 2``, n at least 16."""
    square = 1 / n / n
    return np.asarray((1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / n)
