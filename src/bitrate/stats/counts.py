"""Counts of right rollouts: checks, and sums over clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bitrate.errors import InputError
from bitrate.types import Floats, Ints


def _whole(name: str, value: ArrayLike, least: int) -> Ints:
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        floats = np.asarray(value, dtype=np.float64)
        bad = ~(np.isfinite(floats) & (floats == np.floor(floats)))
        if bad.any():
            raise InputError(f"{name} = {floats[bad].flat[0]:g}; want whole numbers", hint="leave ungraded groups out")
        array = floats
    if array.size and array.min() < least:
        raise InputError(f"{name} = {array.min():g}; want whole numbers, {least} or more")
    return array.astype(np.int64)


def check_counts(n_correct: ArrayLike, n: ArrayLike) -> tuple[Ints, Ints]:
    """Right rollouts and rollouts of each group as integers of one shape [groups]; ``n`` may be a single number.

    Raises:
        InputError: not whole, negative, more right than rollouts, or shapes that do not match.

    >>> check_counts([0, 2], 2)[1].tolist()
    [2, 2]
    """
    right, size = _whole("n_correct", n_correct, 0), _whole("n", n, 1)
    if right.ndim != 1 or size.shape not in ((), right.shape):
        raise InputError(f"n_correct has shape {right.shape} and n {size.shape}; want one of each per group")
    size = np.broadcast_to(size, right.shape)
    if (right > size).any():
        worst = int(np.argmax(right - size))
        raise InputError(f"n_correct = {right[worst]} with n = {size[worst]}; want at most n right")
    return right, size


def distinct(right: Ints, size: Ints) -> tuple[Ints, Ints, Ints]:
    """The counts that occur, by size and then by right rollouts, and which of them each group has.

    >>> [x.tolist() for x in distinct(np.array([1, 0, 1]), np.array([2, 2, 2]))]
    [[0, 1], [2, 2], [1, 0, 1]]
    """
    sizes, home = np.unique(size, return_inverse=True)
    span = int(right.max(initial=0)) + 1
    # One number a count: sorting pairs takes ten times as long.
    codes, index = np.unique(home.reshape(-1) * span + right, return_inverse=True)
    return codes % span, sizes[codes // span], index.reshape(-1)


def cluster_index(clusters: ArrayLike | None, groups: int) -> Ints:
    """Number of the cluster of each group, from any labels; without labels each group is a cluster.

    >>> cluster_index(["b", "a", "b"], 3).tolist()
    [1, 0, 1]
    """
    if clusters is None:
        return np.arange(groups)
    labels = np.asarray(clusters)
    if labels.shape != (groups,):
        raise InputError(f"clusters has shape {labels.shape}; want one label per group, ({groups},)")
    return np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)


def cluster_sums(index: Ints, value: Floats) -> Floats:
    """Sum of ``value`` over each cluster, shape [clusters].

    >>> cluster_sums(np.array([1, 0, 1]), np.array([1.0, 2.0, 3.0])).tolist()
    [2.0, 4.0]
    """
    return np.asarray(np.bincount(index, weights=value))
