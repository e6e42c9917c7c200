"""Entropy of 0/1 outcomes, seen directly, through a noisy verifier, or averaged over a Beta population."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, xlog1py

from bitrate.theory.checks import positive, probability
from bitrate.theory.divergence import digamma_rise, divergence_term
from bitrate.types import Floats


def binary_entropy(p: ArrayLike) -> Floats:
    """Entropy of a 0/1 outcome: ``h(p) = -p log2 p - (1-p) log2(1-p)``.

    Args:
        p: pass rates, any shape, each in [0, 1].

    Returns:
        Bits per rollout, shape of ``p``; 0 at 0 and 1.

    Raises:
        InputError: an element of ``p`` outside [0, 1], or NaN.

    Reference: Cover and Thomas, Elements of Information Theory, eq. 2.5.

    >>> float(binary_entropy(0.5))
    1.0
    >>> binary_entropy([0, 1]).tolist()
    [0.0, 0.0]
    """
    x = probability("p", p)
    least = np.minimum(x, 1 - x)  # exact, and xlog1py keeps what 1 - x would round away
    # At most 1 but for rounding, which can add a unit in the last place near 1/2.
    return np.asarray(np.minimum((entr(least) - xlog1py(1 - least, -least)) / np.log(2), 1.0))


def noisy_outcome_information(p: ArrayLike, flip: ArrayLike) -> Floats:
    """Bits about the outcome that pass a verifier which flips it at a rate: ``h(p(1-flip) + (1-p)flip) - h(flip)``.

    Args:
        p: true pass rates, each in [0, 1].
        flip: probability that the verifier reports the opposite, in [0, 1]; broadcasts with ``p``.

    Returns:
        Bits per rollout, the broadcast shape; 0 for a verifier that flips half of the time.

    Raises:
        InputError: an element outside [0, 1], or NaN.

    Reference: docs/theory.md#outcome, claim S1.6; the binary symmetric channel, Cover and Thomas, section 7.1.4.

    >>> round(float(noisy_outcome_information(0.5, 0.05)), 4)
    0.7136
    >>> float(noisy_outcome_information(0.3, 0.5))
    0.0
    """
    x, f = probability("p", p), probability("flip", flip)
    right, wrong = x * (1 - f) + (1 - x) * f, x * f + (1 - x) * (1 - f)
    # As the mean divergence of the verdict from its average: terms that are not negative, where entropies would cancel.
    up, down = (1 - x) * (1 - 2 * f), x * (1 - 2 * f)
    up, down = np.where(x == 0, 0.0, up), np.where(x == 1, 0.0, down)  # what cannot happen diverges without bound
    passed = divergence_term(right, up) + divergence_term(wrong, -up)
    failed = divergence_term(right, -down) + divergence_term(wrong, down)
    # Rounding can exceed the outcome's own entropy by a few units in the last place.
    return np.asarray(np.minimum((x * passed + (1 - x) * failed) / np.log(2), binary_entropy(x)))


def beta_mean_entropy(a: ArrayLike, b: ArrayLike) -> Floats:
    """Mean outcome entropy of a Beta population: ``[psi(a+b+1) - a/(a+b) psi(a+1) - b/(a+b) psi(b+1)] / ln 2``.

    Args:
        a: first shape parameter, above 0.
        b: second shape parameter, above 0; broadcasts with ``a``.

    Returns:
        E h(p) for p ~ Beta(a, b), bits per rollout, the broadcast shape.

    Raises:
        InputError: a parameter that is not finite and positive.

    Reference: docs/estimators.md#pooled.

    >>> bool(np.isclose(beta_mean_entropy(1, 1), 1 / (2 * np.log(2))))
    True
    """
    x, y = positive("a", a), positive("b", b)
    with np.errstate(over="ignore"):  # a share of 0 is what the quotient rounds to
        right, wrong = 1 / (1 + y / x), 1 / (1 + x / y)
    bits = (right * digamma_rise(x + 1, y) + wrong * digamma_rise(y + 1, x)) / np.log(2)
    return np.asarray(
        np.minimum(bits, binary_entropy(np.minimum(right, wrong)))
    )  # equal but for rounding at large a, b
