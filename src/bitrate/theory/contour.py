"""The entropy of what a group leaves open, by generating function and contour integral: any prior, any policy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from bitrate.types import Floats

Complexes = NDArray[np.complex128]

#: Terms below this share of the largest are left out.
NEGLIGIBLE = 1e-17
#: An answer that a group gives with less than this chance counts as never given.
HARDLY = 1e-14
#: Step and range of the integral over t, u = exp(t - exp(-t)).
STEP, FIRST, LAST = 0.35, -3.85, 32.0
#: More symbols than this are merged, in bins of this many nats, ...
MOST_SYMBOLS, BIN = 4096, 0.3
#: ... but for so many of the heaviest, and bins of no more symbols than the points that stand for a bin.
HEAVY, POINTS = 512, 4
#: Symbols that are summed at a time.
BLOCK = 1 << 14


def unseen_entropy(prior: Floats, policy: Floats, k: int) -> float:
    """``E[-R log2 R]``, R the prior mass of the answers that none of K rollouts gave.

    Args:
        prior: probability of each answer to be right, shape [V].
        policy: probability of each answer to be sampled, shape [V].
        k: rollouts.

    Returns:
        Bits.

    Reference: docs/estimators.md#contour.
    """
    given = k * policy > HARDLY
    never = float(prior[~given].sum())
    live = given & (prior > 0)
    symbols, count = np.stack([prior[live], policy[live]]), np.ones(int(live.sum()))
    if count.size > MOST_SYMBOLS:
        symbols, count = _merged(symbols)
    return _integral(symbols, count, never, k)


def _merged(symbols: Floats) -> tuple[Floats, Floats]:
    """The light symbols of a bin as four points with the bin's mean and covariance; the heaviest as they are.

    The integrand is smooth in a symbol's prior and policy: what is lost is of the third order in the width of a bin.
    """
    order = np.argsort(symbols.sum(axis=0), kind="stable")
    light, heavy = symbols[:, order[:-HEAVY]], symbols[:, order[-HEAVY:]]
    place = np.floor(np.log(light) / BIN).astype(np.int64)
    place -= place.min(axis=1, keepdims=True)
    key = place[0] * (place[1].max() + 1) + place[1]
    _, index, number = np.unique(key, return_inverse=True, return_counts=True)
    mean = np.stack([np.bincount(index, side) / number for side in light])
    a, b = light - mean[:, index]
    aa, ab, bb = (np.bincount(index, x) / number for x in (a * a, a * b, b * b))
    # Cholesky factor of the covariance, stretched by sqrt(2): four points at plus and minus its columns.
    first = np.sqrt(aa)
    slope = np.divide(ab, first, out=np.zeros_like(first), where=first > 0)
    rest = np.sqrt(np.maximum(bb - slope**2, 0.0))  # a covariance of rank one leaves rounding of either sign
    many = number > POINTS
    one, two = (math.sqrt(2) * np.stack(v)[:, many] for v in ((first, slope), (np.zeros_like(rest), rest)))
    centre = mean[:, many]
    alone = light[:, ~many[index]]
    points = np.hstack([heavy, alone, centre + one, centre - one, centre + two, centre - two])
    return points, np.concatenate([np.ones(HEAVY + alone.shape[1]), np.tile(number[many] / POINTS, POINTS)])


def _integral(symbols: Floats, count: Floats, never: float, k: int) -> float:
    """``-E[R ln R] = int (E[R exp(-uR)] - E[R] exp(-u)) du / u`` over the symbols, in bits.

    ``E[R exp(-uR)] = K! [z^K] prod D sum q exp(-uq) / D``, ``D = exp(z pi) - 1 + exp(-uq)``, each over ``exp(z pi)``.
    """
    q, pi = symbols
    z, weight = _contour(k)
    t = np.arange(FIRST, LAST, STEP)
    u = np.exp(t - np.exp(-t))
    product, share = np.zeros((t.size, z.size), complex), np.zeros((t.size, z.size), complex)
    for start in range(0, q.size, BLOCK):
        part = slice(start, start + BLOCK)
        decay = np.exp(-z[:, None] * pi[part])
        for i, x in enumerate(u):
            lost = np.expm1(-x * q[part]) * decay
            product[i] += np.log1p(lost) @ count[part]
            share[i] += (decay / (1 + lost)) @ (count[part] * q[part] * np.exp(-x * q[part]))
    tilted = ((np.exp(product - u[:, None] * never) * (share + never)) @ weight).real
    mean = never + float(count @ (q * np.maximum(1 - pi, 0.0) ** k))
    return float((STEP * (1 + np.exp(-t))) @ (tilted - mean * np.exp(-u)) / math.log(2))


def _contour(k: int) -> tuple[Complexes, Complexes]:
    """Nodes z on half of the circle ``|z| = K``, and the weights w of ``K! [z^K] F = sum Re(w exp(-z) F(z))``."""
    away = np.arange(2, 20 * math.isqrt(k) + 60, 2)
    # What the sum mistakes for the K-th coefficient are those M further on: a Poisson weight of mean K.
    alias = away * math.log(k) + gammaln(k + 1) - gammaln(k + away + 1)
    nodes = int(away[alias < math.log(NEGLIGIBLE)][0])
    angle = np.pi * (2 * np.arange(nodes // 2) + 1) / nodes
    z = k * np.exp(1j * angle)
    log_weight = z + gammaln(k + 1) - k * math.log(k) - 1j * k * angle
    # F is nearly exp(z), but never much smaller than 1: of a policy that gives one answer it is exp(z) - 1 + exp(-uq).
    used = np.maximum(z.real, 0.0) > k + math.log(NEGLIGIBLE)
    weight = np.exp(log_weight[used])
    return z[used], weight / weight.real.sum()  # exact for F = exp(z), which log-factorials of a large K are not
