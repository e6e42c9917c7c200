"""Rewards that are more than right or wrong: with Gaussian noise, as unit tests, quantised."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, ndtr, ndtri, xlogy

from bitrate.errors import InputError
from bitrate.theory.checks import distribution, not_negative, one, probability, whole
from bitrate.theory.divergence import divergence_term, shannon
from bitrate.theory.entropy import binary_entropy
from bitrate.theory.good_sets import _size_of_set
from bitrate.types import Floats

#: The finest quantiser that is integrated, in bits, and the highest signal to noise ratio.
FINEST_BITS, HIGHEST_SNR = 12, 1e8


class UnitTestInformation(NamedTuple):
    """Bits per rollout of the three ways to report m unit tests."""

    all_pass: Floats
    passes: Floats
    vector: Floats


def entropy(p: ArrayLike) -> Floats:
    """Entropy of a finite distribution: ``-sum p log2 p``. The bits of a noiseless graded reward, given the rollout.

    Args:
        p: probabilities, last axis the values.

    Returns:
        Bits, the shape less the last axis.

    Raises:
        InputError: a row that is no distribution.

    Reference: Cover and Thomas, Elements of Information Theory, eq. 2.1; docs/theory.md#graded.

    >>> float(entropy([0.5, 0.25, 0.25, 0.0]))
    1.5
    """
    return shannon(distribution("p", p))


def gaussian_reward_information(snr: ArrayLike) -> Floats:
    """Bits in a Gaussian reward seen with Gaussian noise: ``log2(1 + SNR) / 2``.

    Args:
        snr: variance of the reward over variance of the noise, 0 or more.

    Returns:
        Bits per rollout, shape of ``snr``; the most at this SNR, whatever the reward's distribution.

    Raises:
        InputError: a ratio that is negative or not finite.

    Reference: docs/theory.md#graded; Cover and Thomas, eq. 9.16.

    >>> float(gaussian_reward_information(3))
    1.0
    """
    return np.asarray(np.log1p(not_negative("snr", snr)) / np.log(4))


def unit_test_information(m: ArrayLike, u: ArrayLike) -> UnitTestInformation:
    """Bits in m independent unit tests of pass rate u: ``h(u^m)``, ``H(Binomial(m, u))``, ``m h(u)``.

    Args:
        m: unit tests, a whole number from 1.
        u: pass rate of each test, in [0, 1], any shape.

    Returns:
        Bits per rollout, shapes of ``u``: ``all_pass``, whether all did; ``passes``, how many did; ``vector``,
        which did. Each is at most the next.

    Raises:
        InputError: ``m`` not one whole number from 1, or ``u`` outside [0, 1].

    Reference: docs/theory.md#graded.

    >>> tuple(round(float(bits), 3) for bits in unit_test_information(10, 0.5))
    (0.011, 2.706, 10.0)
    """
    n, x = one("m", whole("m", m)), probability("u", u)

    def count(rate: float) -> float:
        return float(shannon(_size_of_set(n, rate, least=0)[1]))

    # Whichever of "all did" and "one did not" is rarer keeps its digits.
    vector = np.asarray(n * binary_entropy(x))
    all_pass = binary_entropy(np.minimum(x**n, -np.expm1(xlogy(n, x))))
    passes = np.asarray(np.vectorize(count, otypes=[np.float64])(x))
    # One test reported three ways is the same bits, but for rounding.
    passes = np.minimum(passes, vector)
    return UnitTestInformation(np.minimum(all_pass, passes), passes, vector)


def quantised_reward_bound(levels: ArrayLike) -> Floats:
    """The most that a reward of so many levels can carry: ``log2 levels``.

    Args:
        levels: values the reward can take, whole numbers from 1.

    Returns:
        Bits per rollout, shape of ``levels``.

    Raises:
        InputError: not a whole number from 1.

    Reference: docs/theory.md#graded, claim S1.7.

    >>> float(quantised_reward_bound(16))
    4.0
    """
    return np.asarray(np.log2(whole("levels", levels)))


def quantised_gaussian_information(snr: float, bits: int) -> float:
    """Bits in a noisy Gaussian reward after a b-bit quantiser: ``b - E H(level | reward)``.

    The reward is N(0, SNR), the noise N(0, 1), and the quantiser cuts their sum into 2^b levels of equal probability.

    Args:
        snr: variance of the reward over variance of the noise, in [0, 1e8].
        bits: b, a whole number from 1 to 12.

    Returns:
        Bits per rollout, within about 1e-12 of their size; at most b, and at most `gaussian_reward_information`.

    Raises:
        InputError: an argument outside its range.

    Reference: docs/theory.md#graded, claim S1.7.

    >>> round(quantised_gaussian_information(1.0, 1), 4), round(quantised_gaussian_information(1.0, 8), 4)
    (0.2787, 0.4995)
    """
    ratio, b = one("snr", not_negative("snr", snr)), int(one("bits", whole("bits", bits)))
    if b > FINEST_BITS or ratio > HIGHEST_SNR:
        raise InputError(f"snr = {ratio:g}, bits = {b}; want at most {HIGHEST_SNR:g} and {FINEST_BITS}")
    if ratio == 0:
        return 0.0
    if ratio < 1:
        return _weak_quantised(ratio, b)
    spread = np.sqrt(ratio)
    cuts = ndtri(np.arange(2**b + 1) / 2**b) * np.sqrt(1 + ratio)
    # The trapezoid rule converges faster than any power here: the integrand is analytic and dies like a Gaussian.
    step = 0.25
    reward = np.arange(-np.ceil(9 * spread / step), np.ceil(9 * spread / step) + 1) * step
    weight = np.exp(-((reward / spread) ** 2) / 2) * step / (spread * np.sqrt(2 * np.pi))
    doubt = 0.0
    for low, high in pairwise(cuts):
        # Rewards ten noise deviations away from a level leave no doubt about it.
        near = slice(*np.searchsorted(reward, (low - 10, high + 10)))
        # Not negative but for rounding: the normal distribution may fall by one unit in its last place.
        chance = np.abs(ndtr(high - reward[near]) - ndtr(low - reward[near]))
        doubt += float(weight[near] @ entr(chance))
    return float(b - doubt / np.log(2))


def _weak_quantised(ratio: float, b: int) -> float:
    """The same for a weak signal: the mean divergence of the level's chances from even ones, which does not cancel."""
    deviation = np.arange(-36.0, 37.0) / 4
    weight = np.exp(-(deviation**2) / 2) / 4 / np.sqrt(2 * np.pi)
    edge = ndtri(np.arange(1, 2**b) / 2**b)
    # What the chance to be below an edge is more than its mean: the density times the mean over the way between.
    shift = edge * np.expm1(np.log1p(ratio) / 2) - np.sqrt(ratio) * deviation[:, np.newaxis]
    node, share = np.polynomial.legendre.leggauss(40)
    between = np.zeros_like(shift)
    for place, part in zip((node + 1) / 2, share / 2, strict=True):
        between += part * np.exp(-((edge + place * shift) ** 2) / 2)
    rise = np.diff(shift * between / np.sqrt(2 * np.pi), axis=1, prepend=0.0, append=0.0)
    return float(weight @ divergence_term(2.0**-b, rise).sum(axis=1) / np.log(2))
