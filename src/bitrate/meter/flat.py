"""Prompts that never learn: which keep one pass rate while the others of the run move.

Each prompt's visits are cut in two halves. Either both halves share one pass rate, or the logit rises between them by
a pace of the prompt's own times the run's drift. The share of the first kind is fitted by maximum likelihood, its
interval is where the profile likelihood is not far below its best. Where the run does not move, the two kinds look
alike and the interval says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, log_expit, xlog1py, xlogy

from bitrate.types import Estimate, Floats, Ints
from bitrate.wording import number_of

#: Logits are cut into steps, so that a rise of a logit is a shift along the grid; finer where there are many rollouts.
STEP, FINEST, REACH = 0.1, 8, 9.0
DRIFTS = np.concatenate([-np.geomspace(4, 0.1, 9), np.geomspace(0.1, 6, 12)])
#: How the prompts' own paces may spread about the drift: hardly, somewhat, widely. The data choose.
PACES = ((0.85, 0.95, 1.0, 1.05, 1.15), (0.5, 0.75, 1.0, 1.25, 1.6), (0.25, 0.6, 1.0, 1.4, 2.1))
#: Rollouts whose logit is as uncertain as the finest step is wide; more of them weigh as so many.
MOST_RESOLVED = (2 * FINEST / STEP) ** 2
SHARES = np.linspace(0, 1, 201)
MOST_PROMPTS = 2000
#: One prompt in a million does something else altogether; without it one such prompt would decide for all.
OTHERWISE = 1e-6


@dataclass(frozen=True)
class Flat:
    """The share of prompts that never learn, and the drift of the others; ``chance`` tells it of single prompts."""

    share: Estimate
    drift: int

    def chance(self, k1: Ints, n1: Ints, k2: Ints, n2: Ints) -> Floats:
        """Chance that each of these prompts is one that never learns, shape [prompts]; 0 where nothing was fitted."""
        if self.share.value is None:
            return np.zeros(k1.size)
        same, moved = _likelihoods(k1, n1, k2, n2)
        flat = self.share.value * same
        return np.asarray(flat / (flat + (1 - self.share.value) * moved[:, self.drift] + OTHERWISE))


def _likelihoods(k1: Ints, n1: Ints, k2: Ints, n2: Ints) -> tuple[Floats, Floats]:
    """Likelihood of both halves with one pass rate, shape [prompts], and with each drift, shape [prompts, drifts].

    The rate of the first half has a Beta(1/2, 1/2) prior: on the logit the density 1 / (2 pi cosh(logit / 2)).
    """
    fine = _fineness(n1, n2)
    step = STEP / fine
    shifts = np.array([np.rint(drift * np.array(paces) / step) for drift in DRIFTS for paces in PACES], dtype=int)
    most, half = int(np.abs(shifts).max()), round(REACH / step)
    logits = step * np.arange(-half, half + 1, dtype=np.float64)
    prior = 1 / np.cosh(logits / 2)
    early = _binomial(k1, n1, logits) * (prior / prior.sum())
    later = _binomial(k2, n2, step * np.arange(-half - most, half + most + 1, dtype=np.float64))
    found = {s: np.einsum("pr,pr->p", early, later[:, most + s : most + s + logits.size]) for s in {0, *shifts.flat}}
    moved = np.stack([np.mean([found[s] for s in row], axis=0) for row in shifts], axis=1)
    return found[0], moved


def _fineness(n1: Ints, n2: Ints) -> int:
    """How many parts to cut a step into: a logit's standard deviation is about 2 / sqrt n in the middle."""
    most = max(int(n1.max(initial=1)), int(n2.max(initial=1)))
    return int(np.clip(np.ceil(STEP * np.sqrt(most) / 2), 1, FINEST))


def _binomial(right: Ints, size: Ints, logits: Floats) -> Floats:
    """Binomial likelihood over its own maximum, shape [prompts, logits]."""
    known = np.minimum(1.0, MOST_RESOLVED / np.maximum(size, 1))[:, None]
    k, n = right[:, None] * known, size[:, None] * known
    log = k * log_expit(logits) + (n - k) * log_expit(-logits)
    rate = k / np.maximum(n, 1)
    return np.asarray(np.exp(log - xlogy(k, rate) - xlog1py(n - k, -rate)))


def never_learn(k1: Ints, n1: Ints, k2: Ints, n2: Ints, *, name: str, level: float) -> Flat:
    """The share of prompts whose two halves of visits have one pass rate.

    Args:
        k1: right rollouts in the first half of each prompt's visits, shape [prompts].
        n1: rollouts in the first half.
        k2: right rollouts in the second half.
        n2: rollouts in the second half.
        name: name of the estimate.
        level: coverage of the interval.

    Returns:
        The fit; on more than 2,000 prompts, fewer where each has thousands of rollouts, an even sample is fitted.
    """
    unit = "share of prompts"
    if k1.size < 10:
        return Flat(Estimate.missing(name, unit, f"{number_of(k1.size, 'prompt')} to judge; want 10", k1.size), 0)
    most = MOST_PROMPTS // _fineness(n1, n2) ** 2
    sample = np.unique(np.linspace(0, k1.size - 1, min(k1.size, most)).astype(int))
    same, moved = _likelihoods(k1[sample], n1[sample], k2[sample], n2[sample])
    likelihood = np.array([np.log(share * same + (1 - share) * moved.T + OTHERWISE).sum(axis=1) for share in SHARES])
    profile = likelihood.max(axis=1)
    best = int(profile.argmax())
    drift = int(likelihood[best].argmax())
    inside = SHARES[profile >= profile[best] - float(chdtri(1, 1 - level)) / 2]
    value = float(SHARES[best])
    risen, paces = DRIFTS[drift // len(PACES)], PACES[drift % len(PACES)]
    method = (
        f"maximum likelihood of one pass rate against a drift of {risen:+.2g} logits between halves of the visits, "
        f"at paces from {paces[0]:g} to {paces[-1]:g} of it"
    )
    share = Estimate(name, value, float(inside.min()), float(inside.max()), unit, level, int(sample.size), method)
    return Flat(share, drift)
