"""Groups of K rollouts of one prompt: how often they are dead, and what a group-normalised advantage keeps."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, xlog1py

from bitrate.theory.checks import group_size, probability
from bitrate.theory.entropy import binary_entropy
from bitrate.types import Floats


def dead_group_probability(p: ArrayLike, k: ArrayLike) -> Floats:
    """How often all K rollouts agree, so that a group-normalised advantage is zero: ``p^K + (1-p)^K``.

    Args:
        p: pass rates, each in [0, 1].
        k: rollouts per group, whole numbers from 1; broadcasts with ``p``.

    Returns:
        Probability, the broadcast shape.

    Raises:
        InputError: ``p`` outside [0, 1], or ``k`` not a whole number from 1.

    Reference: docs/theory.md#updates.

    >>> float(dead_group_probability(0.5, 4))
    0.125
    """
    x, size = probability("p", p), group_size("k", k)
    least = np.minimum(x, 1 - x)
    # 1 - x rounds, and the power of a large group would multiply the error. K=1 can exceed 1 by rounding.
    return np.asarray(np.minimum(least**size + np.exp(xlog1py(size, -least)), 1.0))


def group_normalised_information(p: ArrayLike, k: ArrayLike) -> Floats:
    """Bits per rollout left after a group-normalised advantage merges the all-right with the all-wrong pattern.

    ``h(p) - P_dead h(P_right / P_dead) / K``, with ``P_right = p^K`` and ``P_dead = p^K + (1-p)^K``.

    Args:
        p: pass rates, each in [0, 1].
        k: rollouts per group, whole numbers from 1; broadcasts with ``p``.

    Returns:
        Bits per rollout, the broadcast shape; 0 at K=1, where every group is dead.

    Raises:
        InputError: ``p`` outside [0, 1], or ``k`` not a whole number from 1.

    Reference: docs/theory.md#updates.

    >>> float(group_normalised_information(0.5, 2))  # patterns 00 and 11 merge: (3/2 bits) / 2
    0.75
    >>> float(group_normalised_information(0.3, 1))
    0.0
    """
    x, size = probability("p", p), group_size("k", k)
    rarer_given_dead = expit(-size * np.abs(logit(x)))  # of p^K and (1-p)^K, safe when both powers underflow
    merged = dead_group_probability(x, size) * binary_entropy(rarer_given_dead) / size
    # The two terms are equal at K=1; rounding must not leave a negative information.
    return np.asarray(np.where(size == 1, 0.0, binary_entropy(x) - merged))
