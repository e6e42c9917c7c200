"""Input checks shared by the theory: the parameter, the value received, the rule."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitrate.errors import InputError
from bitrate.types import Floats

#: How far the sum of probabilities may be from 1: what rounding leaves, and no more.
SUM = 1e-12


def numbers(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64; shape kept. True and False, text, dates, complex and missing values are no numbers.

    >>> numbers("std", [1, 2.5]).tolist()
    [1.0, 2.5]
    """
    if np.ma.isMaskedArray(value) and np.ma.is_masked(value):
        raise InputError(f"{name} has masked elements; want numbers")
    try:
        found = np.asarray(value)
    except ValueError:  # rows of different lengths
        raise InputError(f"{name} = {_short(value)}; want numbers in an array of one shape") from None
    # A list that mixes True or text with numbers makes an array of one type, so look at its elements.
    if isinstance(value, list | tuple) or found.dtype == object:
        for element in np.array(value, dtype=object).flat:
            _number(name, element)
    elif found.dtype.kind not in "iuf":
        raise InputError(f"{name} = {_short(value)}; want numbers")
    try:
        return np.asarray(found.astype(np.float64) + 0.0)  # -0 is 0, and 1/x of it is not -inf
    except OverflowError:
        raise InputError(f"{name} = {_short(value)}; want numbers that a float64 can hold") from None


def _number(name: str, element: object) -> None:
    if isinstance(element, np.ndarray):
        numbers(name, element)
    elif isinstance(element, bool | np.bool_) or not isinstance(element, Real | Decimal):
        raise InputError(f"{name} = {_short(element)}; want numbers")


def _short(value: object) -> str:
    text = str(value) if isinstance(value, np.ndarray | np.generic) else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _kept(name: str, array: Floats, good: NDArray[np.bool_] | np.bool_, rule: str) -> Floats:
    if not good.all():
        raise InputError(f"{name} = {array[~good].flat[0]:g}; want {rule}")
    return array


def probability(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64, every element in [0, 1]; shape kept.

    >>> float(probability("p", 0.5))
    0.5
    """
    array = numbers(name, value)
    return _kept(name, array, (array >= 0) & (array <= 1), "probabilities in [0, 1]")


def finite(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64, every element finite; shape kept."""
    array = numbers(name, value)
    return _kept(name, array, np.isfinite(array), "finite numbers")


def positive(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64, every element finite and above 0; shape kept."""
    array = numbers(name, value)
    return _kept(name, array, np.isfinite(array) & (array > 0), "finite numbers above 0")


def not_negative(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64, every element finite and at least 0; shape kept."""
    array = numbers(name, value)
    return _kept(name, array, np.isfinite(array) & (array >= 0), "finite numbers, 0 or more")


def group_size(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64, every element a whole number of rollouts, at least 1; shape kept."""
    return _whole(name, value, 1, "whole numbers of rollouts, 1 or more")


def whole(name: str, value: ArrayLike, least: int = 1) -> Floats:
    """``value`` as float64, every element a whole number, at least ``least``; shape kept."""
    return _whole(name, value, least, f"whole numbers, {least} or more")


def _whole(name: str, value: ArrayLike, least: int, rule: str) -> Floats:
    array = numbers(name, value)
    return _kept(name, array, np.isfinite(array) & (array >= least) & (array == np.floor(array)), rule)


def one(name: str, array: Floats) -> float:
    """The number in an array without axes.

    >>> one("k", whole("k", 3))
    3.0
    """
    if array.ndim:
        raise InputError(f"{name} has shape {array.shape}; want one number")
    return float(array)


def place(name: str, value: object, size: int) -> int:
    """One whole number from 0 to ``size - 1``: an element of an array."""
    array = numbers(name, value)  # type: ignore[arg-type]
    if array.ndim or not (0 <= array < size and array == np.floor(array)):
        raise InputError(f"{name} = {_short(value)}; want a whole number from 0 to {size - 1}")
    return int(array)


def verdict(name: str, value: object) -> bool:
    """What a verifier said: True or False, or 1 or 0.

    >>> verdict("correct", np.True_), verdict("correct", 0)
    (True, False)
    """
    if not isinstance(value, bool | np.bool_) and one(name, numbers(name, value)) not in {0.0, 1.0}:  # type: ignore[arg-type]
        raise InputError(f"{name} = {_short(value)}; want True or False")
    return bool(value)


def distribution(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64, not negative and summing to 1 along the last axis; shape kept.

    A sum that differs from 1 by more than 1e-12 is refused. What is left below that is rounding, and divided out.

    >>> distribution("prior", [0.5, 0.5]).tolist()
    [0.5, 0.5]
    """
    array = numbers(name, value)
    _kept(name, array, array >= 0, "probabilities, not negative")
    if array.ndim == 0 or array.shape[-1] == 0:
        raise InputError(f"{name} has shape {array.shape}; want probabilities along the last axis")
    total = np.asarray(array.sum(axis=-1))
    off = ~(np.abs(total - 1) <= SUM)
    if off.any():
        raise InputError(f"{name} sums to {total[off].flat[0]:.15g}; want 1 within {SUM:g}")
    return array if (total == 1).all() else np.asarray(array / total[..., np.newaxis])
