"""A group of K rollouts of a prompt whose pass rate is not known: outcomes teach the pass rate too."""

from __future__ import annotations

import math

import numpy as np

from bitrate.errors import InputError
from bitrate.theory.checks import group_size, one, positive
from bitrate.theory.divergence import digamma_rise, excess_digamma
from bitrate.theory.entropy import beta_mean_entropy
from bitrate.types import Floats

#: Information below so many bits a rollout is added up rollout by rollout, of groups up to so many rollouts.
CLEAR, ONE_BY_ONE = 1e-3, 1024
#: More rollouts than this are not priced.
MOST = 10_000_000


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
    x, y, size = _checked(a, b, k)
    i, total, rare, zero = np.arange(size), x + y, min(x, y), np.zeros(1)
    # The chance of one order of n likelier and K - n rarer outcomes, step by step: log-gammas of a large a or b cancel.
    likelier = np.append(zero, _running(np.log1p(-rare / (total + i))))
    if total > 1 and rare > 1e-290:
        rarer, later = np.log((rare + i) / total), np.log1p(i / total)
    else:  # the quotients could overflow, or underflow
        rarer, later = np.log(rare + i) - np.log(total), np.log(total + i) - np.log(total)
    log_order = likelier + np.append(zero, _running(rarer))[::-1] - np.append(_running(later[::-1])[::-1], zero)
    # The chance of n from ratios outwards from the likeliest: an error that grows with K would multiply log_order.
    below = rare + (size - 1 - i)
    log_ratio = np.log((size - i) / np.maximum(below, 1) * ((max(x, y) + i) / (i + 1))) - np.log(np.minimum(below, 1))
    mode = int(np.argmax(np.append(zero, _running(log_ratio))))
    chance = np.exp(np.concatenate([-_running(log_ratio[:mode][::-1])[::-1], zero, _running(log_ratio[mode:])]))
    chance /= chance.sum()
    bits = -(chance @ log_order) / np.log(2)
    return float(min(bits, size))  # at most K but for rounding


def pass_rate_information(a: float, b: float, k: int) -> float:
    """Bits that K outcomes carry about their own pass rate: ``I(r; p) = H(r_1..r_K) - K E h(p)``.

    About ``log2(K) / 2`` where pass rates spread out. It is not only about how hard the prompt is: with a greedy policy
    it is all that is learnt of the answer.

    Args:
        a: first shape parameter of ``p ~ Beta(a, b)``, above 0.
        b: second shape parameter, above 0.
        k: rollouts, a whole number from 1.

    Returns:
        Bits per group, within 1e-12 of their size up to 1024 rollouts; beyond, within about ``1e-14 k``.

    Raises:
        InputError: a parameter that is not one finite positive number, or ``k`` not a whole number from 1.

    Reference: docs/theory.md#pass-rates.

    >>> round(pass_rate_information(1, 1, 1), 4)  # 1 - 1 / (2 ln 2)
    0.2787
    """
    x, y, size = _checked(a, b, k)
    bits = group_entropy(x, y, k) - float(size * beta_mean_entropy(x, y))
    if bits > CLEAR * size or size > ONE_BY_ONE:
        return max(0.0, bits)  # far from 0 but for huge a, b and k, where it is as near to it as rounding
    # Rollout by rollout, each given those before it: no term is negative, where entropies would cancel.
    bits, chance = 0.0, np.ones(1)
    for seen in range(int(size)):
        passed = np.arange(seen + 1, dtype=np.float64)
        right, wrong = np.asarray(x + passed, np.float64), np.asarray(y + (seen - passed), np.float64)
        bits += float(chance @ _one_outcome(right, wrong))
        both = x + y + seen
        chance = np.append(chance * (wrong / both), 0.0) + np.insert(chance * (right / both), 0, 0.0)
    return bits


def _running(terms: Floats) -> Floats:
    """Running sums, added up in blocks so that rounding hardly grows with their number."""
    width = max(1, math.isqrt(terms.size - 1) + 1) if terms.size else 1
    blocks = np.zeros((width, width))
    blocks.flat[: terms.size] = terms
    inside = np.cumsum(blocks, axis=1)
    before = np.append(np.zeros(1), np.cumsum(inside[:-1, -1]))
    return np.asarray((inside + before[:, np.newaxis]).ravel()[: terms.size])


def _one_outcome(a: Floats, b: Floats) -> Floats:
    """Bits that one outcome carries about ``p ~ Beta(a, b)``: ``h(a/(a+b)) - E h(p)``."""
    rare, often = np.minimum(a, b), np.maximum(a, b)
    share = rare / (a + b)
    # Of the rarer outcome e(rare) - e(a+b), of the other e(often) - e(a+b), with e(x) = psi(x+1) - ln x.
    # Small rises and small excesses each want the form in which they are not the difference of larger numbers.
    rise = np.log1p(rare / often) - digamma_rise(often + 1, rare)
    common = np.where(rare > 1, excess_digamma(often) - excess_digamma(a + b), rise)
    bits = share * (excess_digamma(rare) - excess_digamma(a + b)) + (1 - share) * common
    return np.asarray(bits / np.log(2))


def _checked(a: float, b: float, k: int) -> tuple[float, float, float]:
    x, y, size = one("a", positive("a", a)), one("b", positive("b", b)), one("k", group_size("k", k))
    if size > MOST:
        raise InputError(f"k = {size:g}; want {MOST:g} rollouts or fewer")
    # Where the sum of both overflows, or is next to nothing, only their ratio counts.
    scale = 0.25 if not math.isfinite(x + y + size) else 1e250 if x + y < 1e-290 else 1.0
    return x * scale, y * scale, size
