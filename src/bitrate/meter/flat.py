"""Prompts that never learn: which keep one pass rate while the others of the run move.

Each prompt's visits are cut in two halves. Either both halves share one pass rate, or the logit rises between them by a pace of
the prompt's own times the run's drift. The share of the first kind is fitted by maximum likelihood, its interval is where the
profile likelihood is not far below its best. Where the run does not move, the two kinds look alike and the interval says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, expit, logit, xlog1py, xlogy

from bitrate.types import Estimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRIFTS = np.concatenate([-np.geomspace(4, 0.1, 9), np.geomspace(0.1, 6, 12)])
PACES = np.array([0.4, 0.7, 1.0, 1.3, 1.9])
SHARES = np.linspace(0, 1, 201)
RATE_POINTS = 60
MOST_PROMPTS = 3000


@dataclass(frozen=True)
class Flat:
    """The share of prompts that never learn, and for each prompt the chance that it is one of them."""

    share: Estimate
    chance: Floats


def _likelihoods(k1: Ints, n1: Ints, k2: Ints, n2: Ints) -> tuple[Floats, Floats]:
    """Likelihood of both halves with one pass rate, shape [prompts], and with each drift, shape [prompts, drifts]."""
    cuts = np.linspace(0, 1, RATE_POINTS + 1)
    rate = np.sin(np.pi / 2 * (cuts[1:] + cuts[:-1]) / 2) ** 2  # equal shares of Beta(1/2, 1/2)
    step = DRIFTS[:, None] * PACES
    later = expit(logit(rate) + step[..., None]).reshape(-1, RATE_POINTS)
    early = _binomial(k1, n1, rate)
    same = (early * _binomial(k2, n2, rate)).mean(axis=1)
    moved = np.stack([(early * _binomial(k2, n2, row)).mean(axis=1) for row in later], axis=1)
    return same, moved.reshape(k1.size, DRIFTS.size, PACES.size).mean(axis=2)


def _binomial(right: Ints, size: Ints, rate: Floats) -> Floats:
    """Binomial likelihood up to a factor of the counts alone, shape [prompts, rates]."""
    k, n = right[:, None], size[:, None]
    log = xlogy(k, rate) + xlog1py(n - k, -rate)
    best = xlogy(k, k / np.maximum(n, 1)) + xlog1py(n - k, -(k / np.maximum(n, 1)))
    return np.asarray(np.exp(log - best))


def never_learn(k1: Ints, n1: Ints, k2: Ints, n2: Ints, *, name: str, level: float) -> Flat:
    """The share of prompts whose two halves of visits have one pass rate, and each prompt's own chance of it.

    Args:
        k1: right rollouts in the first half of each prompt's visits, shape [prompts].
        n1: rollouts in the first half.
        k2: right rollouts in the second half.
        n2: rollouts in the second half.
        name: name of the estimate.
        level: coverage of the interval.

    Returns:
        The fit; on more than 3,000 prompts the share is fitted on an even sample of them.
    """
    unit = "share of prompts"
    if k1.size < 10:
        return Flat(Estimate.missing(name, unit, f"{k1.size} prompts to judge; want 10", k1.size), np.zeros(k1.size))
    same, moved = _likelihoods(k1, n1, k2, n2)
    sample = np.unique(np.linspace(0, k1.size - 1, min(k1.size, MOST_PROMPTS)).astype(int))
    one, other = same[sample], moved[sample].T
    likelihood = np.array([np.log(share * one + (1 - share) * other).sum(axis=1) for share in SHARES])
    profile = likelihood.max(axis=1)
    best = int(profile.argmax())
    drift = int(likelihood[best].argmax())
    inside = SHARES[profile >= profile[best] - float(chdtri(1, 1 - level)) / 2]
    value = float(SHARES[best])
    method = f"maximum likelihood of one pass rate against a drift of {DRIFTS[drift]:+.2g} logits between halves of the visits, at paces from {PACES[0]:g} to {PACES[-1]:g} of it"
    share = Estimate(name, value, float(inside.min()), float(inside.max()), unit, level, int(sample.size), method)
    chance = value * same / (value * same + (1 - value) * moved[:, drift])
    return Flat(share, np.asarray(chance))
