"""Preference pairs, and what a pass tells about a skill: an outcome whose log-odds are not known."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, ndtr

from bitrate.errors import InputError
from bitrate.theory.checks import probability
from bitrate.theory.entropy import binary_entropy
from bitrate.types import Floats

# The trapezoid rule converges faster than any power on these grids: every integrand is analytic in a strip about the
# real axis and dies at both ends, the Gaussian at 9 deviations, the logistic where its density is no longer a double.
_DEVIATIONS = np.arange(-9.0, 9.25, 0.25)
_LOGITS = np.arange(-750.0, 750.25, 0.25)


def preference_information(std: ArrayLike) -> Floats:
    """Bits in one Bradley-Terry comparison: ``h(E sigma(D)) - E h(sigma(D))``, reward difference ``D ~ N(0, std^2)``.

    Args:
        std: standard deviation of the reward difference in nats of log-odds, 0 or more.

    Returns:
        Bits per pair, shape of ``std``; 0 at 0, 1 in the limit.

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
        Bits per rollout, the broadcast shape, within 1e-10; at most ``h(pass_rate)``.

    Raises:
        InputError: ``pass_rate`` outside [0, 1], ``std`` negative or not finite.

    Reference: docs/theory.md#preferences, claim S3.10.

    >>> skill_information([0.5, 0.97]).round(3).tolist()
    [0.135, 0.02]
    """
    p, spread = probability("pass_rate", pass_rate), np.asarray(std, dtype=np.float64)
    bad = ~(np.isfinite(spread) & (spread >= 0))
    if bad.any():
        raise InputError(f"std = {spread[bad].flat[0]:g}; want finite numbers, 0 or more")
    return np.asarray(np.vectorize(_information, otypes=[np.float64])(p, spread))


def _information(p: float, std: float) -> float:
    if std == 0 or p in (0, 1):
        return 0.0
    least = min(p, 1 - p)  # the same by symmetry, and small numbers keep their digits
    centre = 0.0 if least == 0.5 else _centre(least, std)
    if std < 1:
        weight, logits = _normal(_DEVIATIONS, 1.0), centre + std * _DEVIATIONS
    else:
        weight, logits = _normal(_LOGITS - centre, std), _LOGITS
    return float(binary_entropy(p) - weight @ binary_entropy(expit(logits)))


def _centre(p: float, std: float) -> float:
    """The mean of the log-odds at which the mean pass rate is p, below 1/2."""
    from scipy.optimize import brentq  # a tenth of a second that other channels need not wait for

    # E sigma(L) <= exp(c + std^2 / 2) puts the root above the lower end, and p < 1/2 puts it below the upper.
    return float(brentq(lambda c: _mean(c, std) / p - 1, np.log(p) - std**2 / 2, 1.0, xtol=1e-13))


def _mean(centre: float, std: float) -> float:
    """``E sigma(L)``; for wide L as the chance that L exceeds a logistic number, so that the grid need not be wide."""
    if std < 1:
        return float(_normal(_DEVIATIONS, 1.0) @ expit(centre + std * _DEVIATIONS))
    logistic = 0.25 * expit(_LOGITS) * expit(-_LOGITS)
    return float(logistic @ ndtr((centre + _LOGITS) / std))


def _normal(x: Floats, std: float) -> Floats:
    """Weights of a Gaussian on a grid of step 0.25."""
    return np.asarray(np.exp(-((x / std) ** 2) / 2) * 0.25 / (std * np.sqrt(2 * np.pi)))
