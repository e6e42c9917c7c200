"""Feedback on tokens and steps: one reward for each, one for the whole, or the place of the first error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from bitrate.errors import InputError
from bitrate.theory.checks import probability, whole
from bitrate.theory.entropy import binary_entropy
from bitrate.types import Floats


def token_information(alphabet: ArrayLike, length: ArrayLike) -> Floats:
    """Bits in right-or-wrong rewards for every token, uniform independent targets: ``T h(1/V)``.

    Any policy gets the same: a token is right with probability 1/V whatever was emitted.

    Args:
        alphabet: V, tokens to choose from, whole numbers from 1.
        length: T, tokens of the rollout, whole numbers from 1; broadcasts.

    Returns:
        Bits per rollout, the broadcast shape; T for fair binary tokens.

    Raises:
        InputError: an argument that is not a whole number from 1.

    Reference: docs/theory.md#tokens, claim S1.13.

    >>> float(token_information(2, 12))
    12.0
    """
    v, t = whole("alphabet", alphabet), whole("length", length)
    with np.errstate(over="ignore"):  # inf says that no number holds it
        return np.asarray(t * binary_entropy(1 / v))


def token_capacity(alphabet_sizes: ArrayLike) -> Floats:
    """The most that a reward for every token can carry: ``sum_t log2 A_t``.

    Args:
        alphabet_sizes: A_t, values that the reward of token t can take, last axis the tokens, whole numbers from 1.

    Returns:
        Bits per rollout, the shape less the last axis.

    Raises:
        InputError: a size that is not a whole number from 1, or no axis of tokens.

    Reference: docs/theory.md#tokens, claim S1.13.

    >>> float(token_capacity([2, 2, 4]))
    4.0
    """
    sizes = whole("alphabet_sizes", alphabet_sizes)
    if sizes.ndim == 0:
        raise InputError(f"alphabet_sizes = {sizes:g}; want one size for each token")
    return np.asarray(np.log2(sizes).sum(-1))


def terminal_information(alphabet: ArrayLike, length: ArrayLike) -> Floats:
    """Bits in one reward for the whole sequence, right where every token is: ``h(V^-T)``, uniform targets.

    Args:
        alphabet: V, tokens to choose from, whole numbers from 1.
        length: T, tokens of the rollout, whole numbers from 1; broadcasts.

    Returns:
        Bits per rollout, the broadcast shape; at most `token_information` of the same task.

    Raises:
        InputError: an argument that is not a whole number from 1.

    Reference: docs/theory.md#tokens, claim S1.13.

    >>> float(terminal_information(2, 1))
    1.0
    """
    v, t = whole("alphabet", alphabet), whole("length", length)
    return binary_entropy(v**-t)


def first_error_information(accuracy: ArrayLike, steps: ArrayLike) -> Floats:
    """Bits in the place of the first error, or its absence: entropy ``h(c) (1 - c^T) / (1 - c)``.

    Each step up to the first error is one toss of ``h(c)`` bits, and ``(1 - c^T) / (1 - c)`` tosses are expected.

    Args:
        accuracy: c, probability that a step is right, in [0, 1], independent steps.
        steps: T, whole numbers from 1; broadcasts.

    Returns:
        Bits per rollout, the broadcast shape; at most ``log2(T + 1)``.

    Raises:
        InputError: ``accuracy`` outside [0, 1], or ``steps`` not a whole number from 1.

    Reference: docs/theory.md#tokens, claim S3.12.

    >>> round(float(first_error_information(0.9, 8)), 4)
    2.6711
    """
    c, t = probability("accuracy", accuracy), whole("steps", steps)
    error = np.where(c == 1, 1.0, 1 - c)  # h(1) = 0, whatever the number of tosses
    # Rounding can exceed the cap by a unit in the last place.
    return np.asarray(np.minimum(binary_entropy(c) * -np.expm1(xlogy(t, c)) / error, np.log2(t + 1)))
