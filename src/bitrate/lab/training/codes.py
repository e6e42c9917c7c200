"""Answer keys that depend on one another, and whose joint entropy is known."""

from __future__ import annotations

import numpy as np

from bitrate.types import Ints


def linear_code(seeds: int, side: int, answers: int, rng: np.random.Generator) -> Ints:
    """Square tables of answers ``(u_a + v_b) mod V``, with u and v drawn uniformly.

    The ``side^2`` answers of a table have a joint entropy of ``(2 side - 1) log2 V`` bits: a row and a column that
    cross are independent, and all others follow from them. Each by itself is uniform, and so is every pair.

    Args:
        seeds: how many tables.
        side: rows, and columns.
        answers: V.
        rng: draws u and v.

    Returns:
        Shape [seeds, side, side].

    >>> table = linear_code(1, 3, 10, np.random.default_rng(0))[0]
    >>> bool((table[1, 1] - table[0, 1] - table[1, 0] + table[0, 0]) % 10)
    False
    """
    rows, columns = rng.integers(answers, size=(2, seeds, side))
    return np.asarray((rows[:, :, None] + columns[:, None, :]) % answers)
