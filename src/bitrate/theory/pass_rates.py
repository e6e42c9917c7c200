"""A group of K rollouts of a prompt whose pass rate is not known: outcomes teach the pass rate too."""

from __future__ import annotations

import numpy as np
from scipy.special import betaln

from bitrate.errors import InputError
from bitrate.theory.checks import group_size, positive
from bitrate.theory.entropy import beta_mean_entropy
from bitrate.types import Floats


def group_entropy(a: float, b: float, k: int) -> float:
    """Entropy of the K outcomes of a prompt with ``p ~ Beta(a, b)``: ``H(r_1..r_K) = K E h(p) + I(r; p)``.

    All orders of the same count are equally likely, so this is the mean of ``log2 C(K, n) - log2 P(n)`` over the
    beta-binomial count n.

    Args:
        a: first shape parameter, above 0.
        b: second shape parameter, above 0.
        k: rollouts, a whole number from 1.

    Returns:
        Bits per group; at most K.

    Raises:
        InputError: a parameter that is not one finite positive number, or ``k`` not a whole number from 1.

    Reference: docs/theory.md#pass-rates.

    >>> round(group_entropy(1, 1, 1), 12), round(group_entropy(1, 1, 2), 12)  # 1/3, 1/6, 1/6, 1/3
    (1.0, 1.918295834054)
    """
    x, y, size = _one("a", positive("a", a)), _one("b", positive("b", b)), _one("k", group_size("k", k))
    n = np.arange(size + 1)
    log_order = betaln(x + n, y + size - n) - betaln(x, y)  # of one order of n passes
    log_count = log_order - np.log1p(size) - betaln(size - n + 1, n + 1)
    return float(-(np.exp(log_count) @ log_order) / np.log(2))


def pass_rate_information(a: float, b: float, k: int) -> float:
    """Bits that K outcomes carry about their own pass rate: ``I(r; p) = H(r_1..r_K) - K E h(p)``.

    About ``log2(K) / 2`` where pass rates spread out. It is not only about how hard the prompt is: with a greedy policy
    it is all that is learnt of the answer.

    Args:
        a: first shape parameter of ``p ~ Beta(a, b)``, above 0.
        b: second shape parameter, above 0.
        k: rollouts, a whole number from 1.

    Returns:
        Bits per group, within about ``1e-14 k``.

    Raises:
        InputError: a parameter that is not one finite positive number, or ``k`` not a whole number from 1.

    Reference: docs/theory.md#pass-rates.

    >>> round(pass_rate_information(1, 1, 1), 4)  # 1 - 1 / (2 ln 2)
    0.2787
    """
    return group_entropy(a, b, k) - float(k * beta_mean_entropy(a, b))


def _one(name: str, value: Floats) -> float:
    if value.ndim:
        raise InputError(f"{name} has shape {value.shape}; want one number")
    return float(value)
