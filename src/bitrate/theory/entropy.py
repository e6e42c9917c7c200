"""Entropy of 0/1 outcomes, seen directly, through a noisy verifier, or averaged over a Beta population."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, entr

from bitrate.theory.checks import positive, probability
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
    return np.asarray((entr(x) + entr(1 - x)) / np.log(2))


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
    # x + f - 2xf can leave [0, 1] by one rounding error; this form cannot.
    seen = x * (1 - f) + (1 - x) * f
    return np.asarray(binary_entropy(np.minimum(seen, 1.0)) - binary_entropy(f))


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
    mean = x / (x + y)
    return np.asarray((digamma(x + y + 1) - mean * digamma(x + 1) - (1 - mean) * digamma(y + 1)) / np.log(2))
