"""The joke model: n jokes, an unknown set of them is good, and a rollout or an example tells about that set.

Each joke is good with probability alpha, independently (the random set), or the set is uniform among those of one size
(the fixed set). The solution p* is uniform over the good set, so it says neither more nor less than the set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, entr, expm1, log1p, logit, xlog1py

from bitrate.errors import InputError
from bitrate.theory.checks import probability, whole
from bitrate.theory.divergence import divergence_term
from bitrate.theory.entropy import binary_entropy
from bitrate.types import Floats

#: The largest variance of a binomial number whose values are summed: they take 24 deviations.
WIDEST = 1e11


def _possible(alpha: ArrayLike) -> Floats:
    chance = probability("alpha", alpha)
    if (chance == 0).any():
        raise InputError("alpha = 0; want above 0, or no joke can be good")
    return chance


def _set_sizes(n: ArrayLike, size: ArrayLike) -> tuple[Floats, Floats]:
    total, good = np.broadcast_arrays(whole("n", n), whole("size", size))
    if (good > total).any():
        raise InputError(f"size = {good[good > total].flat[0]:g}; want at most n, {total[good > total].flat[0]:g}")
    return total, good


def _log_ratio(total: ArrayLike, some: ArrayLike) -> Floats:
    """``log2(total / some)``, which keeps its digits where nearly all are taken."""
    whole_set, part = np.asarray(total, dtype=np.float64), np.asarray(some, dtype=np.float64)
    return np.asarray(
        np.where(part > whole_set / 2, -log1p((part - whole_set) / whole_set) / np.log(2), np.log2(whole_set / part))
    )


def _size_of_set(n: float, alpha: float, least: float) -> tuple[Floats, Floats]:
    """Sizes K ~ Binomial(n, alpha) given K >= least, and their probabilities; sizes that underflow are left out."""
    middle, variance = np.clip(np.floor((n + 1) * alpha), least, n), n * alpha * (1 - alpha)
    if variance > WIDEST:
        raise InputError(f"n = {n:g} at a rate of {alpha:g} has a variance of {variance:g}; want {WIDEST:g} or less")
    # Further out than this, Bernstein's inequality leaves less than 1e-30.
    reach = np.ceil(12 * np.sqrt(variance)) + 200
    least = max(least, middle - reach)
    size = np.arange(least, min(n, middle + reach) + 1)
    log_ratio = np.log((n - size[:-1]) / size[1:]) + logit(alpha)  # of P(K+1) to P(K)
    # Summed outwards from the mode: from one end, or from log-factorials, rounding costs 1e-9 at n = 1e6.
    mode = int(middle - least)
    below, above = -np.cumsum(log_ratio[:mode][::-1])[::-1], np.cumsum(log_ratio[mode:])
    weight = np.exp(np.concatenate([below, [0.0], above]))
    return size[weight > 0], weight[weight > 0] / weight.sum()


def good_set_first_step(n: ArrayLike, alpha: ArrayLike, nonempty: bool = False) -> Floats:
    """Bits about the random set in one rollout and its 0/1 reward: ``h(alpha)``, for any policy.

    Given that some joke is good, a joke is good with probability ``p = alpha / (1 - (1-alpha)^n)`` and the bits are
    ``h(p)``, which can be above ``h(alpha)``. An update keeps all of them when its advantage tells right from wrong.

    Args:
        n: jokes, whole numbers from 1.
        alpha: probability that a joke is good, in [0, 1]; broadcasts with ``n``.
        nonempty: the learner knows that at least one joke is good.

    Returns:
        Bits per rollout, the broadcast shape.

    Raises:
        InputError: ``n`` not a whole number from 1, ``alpha`` outside [0, 1], or 0 with ``nonempty``.

    Reference: docs/theory.md#good-sets, claim S0.3.

    >>> float(good_set_first_step(10, 0.5))
    1.0
    >>> float(good_set_first_step(1, 0.2, nonempty=True))  # the only joke must be the good one
    0.0
    """
    total, chance = np.broadcast_arrays(whole("n", n), probability("alpha", alpha))
    if not nonempty:
        return binary_entropy(chance)
    none = expm1(xlog1py(total, -chance))  # less 1; both chances by themselves, since either can be small
    good, bad = -_possible(chance) / none, (1 - chance) * expm1(xlog1py(total - 1, -chance)) / none
    return binary_entropy(np.minimum(good, bad))


def good_set_update_no_baseline(n: ArrayLike, alpha: ArrayLike) -> Floats:
    """Bits about the random set in the first update ``reward * score``: ``h(alpha) + E[x log2 x]``, ``x = 1 - K/n``.

    K ~ Binomial(n, alpha) is the size of the set and the rollout is uniform. Every failure gives the same zero update,
    so the rejected joke is forgotten; about ``alpha log2(1/alpha)`` is left. Someone who also sees the rollout
    gets all of ``h(alpha)``.

    Args:
        n: jokes, whole numbers from 1.
        alpha: probability that a joke is good, in [0, 1]; broadcasts with ``n``.

    Returns:
        Bits per rollout, the broadcast shape.

    Raises:
        InputError: ``n`` not a whole number from 1, or ``alpha`` outside [0, 1].

    Reference: docs/theory.md#updates, claim S0.3.

    >>> float(good_set_update_no_baseline(1, 0.5))  # one joke: the update is its reward
    1.0
    >>> round(float(good_set_update_no_baseline(10, 0.5)), 4)
    0.5383
    """

    def bits(total: float, chance: float) -> float:
        size, weight = _size_of_set(total, chance, least=0)
        # What is left of the set more than its mean, from whichever of alpha and 1 - alpha is small.
        more = total * chance - size if chance < 0.5 else (total - size) - total * (1 - chance)
        # h(alpha) + E[x log x], with the Jensen gap E[x log x] - E[x] log E[x] as a sum of terms that are not negative.
        gap = (weight * divergence_term(1 - chance, more / total)).sum()
        return float((entr(chance) + gap) / np.log(2))

    return np.asarray(np.vectorize(bits, otypes=[np.float64])(whole("n", n), probability("alpha", alpha)))


def good_set_positive_example(n: ArrayLike, alpha: ArrayLike) -> Floats:
    """Bits about the random set in one good joke drawn from it: ``log2 n - E[log2 K | K >= 1]``.

    K ~ Binomial(n, alpha) is the size of the set.

    Args:
        n: jokes, whole numbers from 1.
        alpha: probability that a joke is good, above 0 and at most 1; broadcasts with ``n``.

    Returns:
        Bits per example, the broadcast shape; it can be above ``log2(1/alpha)``.

    Raises:
        InputError: ``n`` not a whole number from 1, or ``alpha`` outside (0, 1].

    Reference: docs/theory.md#good-sets, claim S0.5.

    >>> bool(np.isclose(good_set_positive_example(2, 0.5), 2 / 3))  # one good joke, 1 bit, in 2 of 3 sets
    True
    >>> f"{good_set_positive_example(4, 0.5):.4f}"
    '1.0440'
    """

    def bits(total: float, chance: float) -> float:
        size, weight = _size_of_set(total, chance, least=1)
        return float((weight * _log_ratio(total, size)).sum())

    return np.asarray(np.vectorize(bits, otypes=[np.float64])(whole("n", n), _possible(alpha)))


def good_set_distinct_rollouts(m: ArrayLike, alpha: ArrayLike) -> Floats:
    """Bits about the random set in the rewards of M distinct jokes: ``M h(alpha)``.

    Args:
        m: distinct jokes rolled out, whole numbers from 1.
        alpha: probability that a joke is good, in [0, 1]; broadcasts with ``m``.

    Returns:
        Bits per group, the broadcast shape.

    Raises:
        InputError: ``m`` not a whole number from 1, or ``alpha`` outside [0, 1].

    Reference: docs/theory.md#good-sets, claim S0.9; docs/theory.md#groups, claim S1.9.

    >>> float(good_set_distinct_rollouts(4, 0.5))
    4.0
    """
    return np.asarray(whole("m", m) * binary_entropy(probability("alpha", alpha)))


def fixed_set_rollout(n: ArrayLike, size: ArrayLike) -> Floats:
    """Bits about the fixed set in the first rollout and its 0/1 reward: ``h(size/n)``, for any policy.

    Args:
        n: jokes, whole numbers from 1.
        size: good jokes, whole numbers from 1 to ``n``; broadcasts with ``n``.

    Returns:
        Bits per rollout, the broadcast shape.

    Raises:
        InputError: a number that is not whole, below 1, or ``size`` above ``n``.

    Reference: docs/theory.md#good-sets, claim S0.6; docs/theory.md#labels, claim S3.4.

    >>> float(fixed_set_rollout(8, 4))
    1.0
    """
    total, good = _set_sizes(n, size)
    return binary_entropy(np.minimum(good, total - good) / total)


def fixed_set_positive_example(n: ArrayLike, size: ArrayLike) -> Floats:
    """Bits about the fixed set in one good joke drawn from it: ``log2(n/size)``.

    A good joke has ``log2 n`` bits of surprisal in all. The other ``log2 size`` say which good joke it is, not which
    jokes are good.

    Args:
        n: jokes, whole numbers from 1.
        size: good jokes, whole numbers from 1 to ``n``; broadcasts with ``n``.

    Returns:
        Bits per example, the broadcast shape.

    Raises:
        InputError: a number that is not whole, below 1, or ``size`` above ``n``.

    Reference: docs/theory.md#good-sets, claims S0.5, S0.8 and S1.12.

    >>> float(fixed_set_positive_example(8, 2))
    2.0
    """
    total, good = _set_sizes(n, size)
    return _log_ratio(total, good)


def rejection_sampling_information(alpha: ArrayLike, keep_failures: bool = False) -> Floats:
    """Bits about the fixed set per uniform rollout when only good ones are trained on: ``alpha log2(1/alpha)``.

    Args:
        alpha: share of good jokes, ``size/n``, each in [0, 1].
        keep_failures: the rejected rollouts are used as well; then ``h(alpha)``.

    Returns:
        Bits per rollout, shape of ``alpha``; at most ``log2(e)/e``, or 1 with the failures.

    Raises:
        InputError: an element of ``alpha`` outside [0, 1], or NaN.

    Reference: docs/theory.md#good-sets, claim S0.12.

    >>> rejection_sampling_information([0.25, 0.5]).tolist()
    [0.5, 0.5]
    >>> float(rejection_sampling_information(0.5, keep_failures=True))
    1.0
    """
    chance = probability("alpha", alpha)
    return binary_entropy(chance) if keep_failures else np.asarray(entr(chance) / np.log(2))


def expected_rollouts(mass: ArrayLike) -> Floats:
    """Mean number of rollouts until one falls on a wanted joke: ``1 / mass``.

    A uniform policy has ``mass = wanted/n``; a guide that puts more mass on the wanted jokes needs fewer rollouts.

    Args:
        mass: what the policy puts on the wanted jokes, each in [0, 1].

    Returns:
        Rollouts, shape of ``mass``; ``inf`` where the policy never tries a wanted joke.

    Raises:
        InputError: an element of ``mass`` outside [0, 1], or NaN.

    Reference: docs/theory.md#good-sets, claim S0.7; docs/theory.md#search, claim S0.10.

    >>> expected_rollouts([0.25, 0]).tolist()
    [4.0, inf]
    """
    share = probability("mass", mass)
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(1 / share)


def coupon_collector(n: ArrayLike) -> Floats:
    """Mean number of uniform draws until each of n jokes was drawn: ``n (1 + 1/2 + ... + 1/n)``.

    With one bad joke among N, positive examples name it after ``coupon_collector(N - 1)`` of them.

    Args:
        n: jokes, whole numbers from 1.

    Returns:
        Draws, shape of ``n``.

    Raises:
        InputError: ``n`` not a whole number from 1.

    Reference: docs/theory.md#good-sets, claim S0.7.

    >>> bool(np.isclose(coupon_collector(3), 5.5))
    True
    """
    total = whole("n", n)
    with np.errstate(over="ignore"):  # inf says that no number holds it
        return np.asarray(total * (digamma(total + 1) + np.euler_gamma))
