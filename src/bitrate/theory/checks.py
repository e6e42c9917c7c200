"""Input checks shared by the theory: the parameter, the value received, the rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bitrate.errors import InputError
from bitrate.types import Floats


def probability(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64, every element in [0, 1]; shape kept.

    >>> float(probability("p", 0.5))
    0.5
    """
    array = np.asarray(value, dtype=np.float64)
    bad = ~((array >= 0) & (array <= 1))
    if bad.any():
        raise InputError(f"{name} = {array[bad].flat[0]:g}; want probabilities in [0, 1]")
    return array


def positive(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64, every element finite and above 0; shape kept."""
    array = np.asarray(value, dtype=np.float64)
    bad = ~(np.isfinite(array) & (array > 0))
    if bad.any():
        raise InputError(f"{name} = {array[bad].flat[0]:g}; want finite numbers above 0")
    return array


def group_size(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64, every element a whole number of rollouts, at least 1; shape kept."""
    array = np.asarray(value, dtype=np.float64)
    bad = ~(np.isfinite(array) & (array >= 1) & (array == np.floor(array)))
    if bad.any():
        raise InputError(f"{name} = {array[bad].flat[0]:g}; want whole numbers of rollouts, 1 or more")
    return array


def whole(name: str, value: ArrayLike, least: int = 1) -> Floats:
    """``value`` as float64, every element a whole number, at least ``least``; shape kept."""
    array = np.asarray(value, dtype=np.float64)
    bad = ~(np.isfinite(array) & (array >= least) & (array == np.floor(array)))
    if bad.any():
        raise InputError(f"{name} = {array[bad].flat[0]:g}; want whole numbers, {least} or more")
    return array


def distribution(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64, not negative and summing to 1 within 1e-9 along the last axis; shape kept.

    >>> distribution("prior", [0.5, 0.5]).tolist()
    [0.5, 0.5]
    """
    array = np.asarray(value, dtype=np.float64)
    bad = ~(array >= 0)
    if bad.any():
        raise InputError(f"{name} = {array[bad].flat[0]:g}; want probabilities, not negative")
    if array.ndim == 0 or array.shape[-1] == 0:
        raise InputError(f"{name} has shape {array.shape}; want probabilities along the last axis")
    total = array.sum(axis=-1)
    off = np.abs(total - 1) > 1e-9
    if off.any():
        raise InputError(f"{name} sums to {total[off].flat[0]:.12g}; want 1 within 1e-9")
    return array
