"""Preference pairs, and what a pass tells about a skill: an outcome whose log-odds are not known."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr, ndtri

from bitrate.theory.checks import not_negative, probability
from bitrate.theory.divergence import divergence_term
from bitrate.theory.entropy import binary_entropy
from bitrate.types import Floats

# The trapezoid rule converges faster than any power on these grids: every integrand is analytic in a strip about the
# real axis and dies at both ends, the Gaussian at 9 deviations, the logistic where its density is no longer a double.
_STEP = 0.25
_LOGITS = np.arange(-750.0, 750.25, _STEP)
#: From this spread on the grid is one of log-odds; the entropies are then far enough apart to be subtracted.
_WIDE = 20.0
#: Up to this spread the centre is known in closed form: the next term is of the fourth order.
_NARROW = 1e-4
#: From this spread on no outcome is in doubt, to the last digit.
_DECIDED = 1e30


def preference_information(std: ArrayLike) -> Floats:
    """Bits in one Bradley-Terry comparison: ``h(E sigma(D)) - E h(sigma(D))``, reward difference ``D ~ N(0, std^2)``.

    Args:
        std: standard deviation of the reward difference in nats of log-odds, 0 or more.

    Returns:
        Bits per pair, shape of ``std``, within 1e-12 of their size; 0 at 0, 1 in the limit.

    Raises:
        InputError: ``std`` negative or not finite.

    Reference: docs/theory.md#preferences.

    >>> preference_information([0, 1, 2]).round(3).tolist()
    [0.0, 0.135, 0.333]
    """
    return skill_information(0.5, std)


def skill_information(pass_rate: ArrayLike, std: ArrayLike = 1.0) -> Floats:
    """Bits in one outcome about a skill: ``h(E sigma(L)) - E h(sigma(L))``, log-odds ``L ~ N(c, std^2)``.

    ``c`` is the number that makes the mean pass rate ``E sigma(L)`` what it is said to be.

    Args:
        pass_rate: mean pass rate, in [0, 1].
        std: standard deviation of the skill in nats of log-odds, 0 or more; broadcasts.

    Returns:
        Bits per rollout, the broadcast shape, within 1e-11 of their size; at most ``h(pass_rate)``.

    Raises:
        InputError: ``pass_rate`` outside [0, 1], ``std`` negative or not finite.

    Reference: docs/theory.md#preferences, claim S3.10.

    >>> skill_information([0.5, 0.97]).round(3).tolist()
    [0.135, 0.02]
    """
    p, spread = probability("pass_rate", pass_rate), not_negative("std", std)
    return np.asarray(np.vectorize(_information, otypes=[np.float64])(p, spread))


def _information(p: float, std: float) -> float:
    if std == 0 or p in (0, 1):
        return 0.0
    least = min(p, 1 - p)  # the same by symmetry, and small numbers keep their digits
    if std > _DECIDED:
        return float(binary_entropy(least))
    odds = float(logit(least))
    if least == 0.5:
        centre = 0.0
    elif std < _NARROW:
        centre = odds - std**2 * (0.5 - least)
    else:
        centre = _centre(least, std)
    if std > _WIDE:
        weight = _normal((_LOGITS - centre) / std) * _STEP / std
        return float(binary_entropy(least) - weight @ binary_entropy(expit(-np.abs(_LOGITS))))
    # The mean divergence of the chances from their mean, terms that are not negative: entropies would cancel.
    weight, deviation = _grid(std)
    further = centre - odds + std * deviation
    pass_chance, fail_chance = expit(odds + further), expit(-odds - further)
    # The chance less its mean. Each form keeps its digits on its own side of the mean.
    rise = np.where(
        further < 0, np.expm1(further) * least * fail_chance, -np.expm1(-further) * pass_chance * (1 - least)
    )
    return float(weight @ (divergence_term(least, rise) + divergence_term(1 - least, -rise)) / np.log(2))


def _centre(p: float, std: float) -> float:
    """The mean of the log-odds at which the mean pass rate is p, below 1/2."""
    from scipy.optimize import brentq  # a tenth of a second that other channels need not wait for

    # Both ends are below the root: E sigma(L) is at most exp(c + std^2 / 2), and, with t = ln(p/2), at most
    # P(L > t) + exp(t). The upper end is above it since p < 1/2.
    lower = max(np.log(p) - std * std / 2, np.log(p) - np.log(2) + std * float(ndtri(p / 2)))
    return float(brentq(lambda c: _mean(c, std) / p - 1, lower - 1e-9 * abs(lower), 1.0, xtol=1e-13, maxiter=1000))


def _mean(centre: float, std: float) -> float:
    """``E sigma(L)``; for wide L as the chance that L exceeds a logistic number, so that the grid need not be wide."""
    if std <= _WIDE:
        weight, deviation = _grid(std)
        return float(weight @ expit(centre + std * deviation))
    logistic = _STEP * expit(_LOGITS) * expit(-_LOGITS)
    return float(logistic @ ndtr((centre + _LOGITS) / std))


def _grid(std: float) -> tuple[Floats, Floats]:
    """Gaussian weights and deviations; a small chance lies among log-odds up to ``std`` deviations higher."""
    step = _STEP / max(std, 1.0)
    deviation = np.arange(np.floor(-9 / step), np.ceil((9 + std) / step) + 1) * step
    return _normal(deviation) * step, deviation


def _normal(x: Floats) -> Floats:
    """Density of the standard normal distribution."""
    return np.asarray(np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))
