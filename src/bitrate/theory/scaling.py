"""What a decade of pass rate costs: under a power law, by sampling, and by exact policy gradient."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit

from bitrate.errors import InputError
from bitrate.theory.checks import positive, probability
from bitrate.types import Floats


def power_law_cost(pass_rate: ArrayLike, exponent: ArrayLike, scale: ArrayLike = 1.0) -> Floats:
    """Compute that reaches a pass rate when ``-ln p`` falls as ``A C^-x``: ``C = (A / -ln p)^(1/x)``.

    Args:
        pass_rate: p, strictly between 0 and 1.
        exponent: x, above 0.
        scale: A, nats of loss at a compute of 1, above 0; all broadcast.

    Returns:
        Compute, in the unit in which ``scale`` is stated, the broadcast shape.

    Raises:
        InputError: ``pass_rate`` not strictly between 0 and 1, or another argument not finite and positive.

    Reference: docs/theory.md#cost, claim S3.6.

    >>> power_law_cost(np.exp([-10.0, -1.0]), exponent=0.5, scale=10.0).round(9).tolist()
    [1.0, 100.0]
    """
    x, power, a = _inside("pass_rate", pass_rate), positive("exponent", exponent), positive("scale", scale)
    with np.errstate(over="ignore"):  # inf says that no number holds the cost
        return np.asarray(np.exp((np.log(a) - np.log(-np.log(x))) / power))


def decade_cost(pass_rate: ArrayLike, exponent: ArrayLike, scale: ArrayLike = 1.0) -> Floats:
    """Compute from pass rate p to 10 p under the power law: ``C(10 p) - C(p)``. It grows with p; it is no constant.

    Args:
        pass_rate: p, strictly between 0 and 0.1.
        exponent: x, above 0.
        scale: A, nats of loss at a compute of 1, above 0; all broadcast.

    Returns:
        Compute, in the unit in which ``scale`` is stated, the broadcast shape.

    Raises:
        InputError: ``pass_rate`` not strictly between 0 and 0.1, or another argument not finite and positive.

    Reference: docs/theory.md#cost, claim S3.6.

    >>> float(decade_cost(0.01, 1.0, np.log(10)).round(9))  # -ln p halves from 0.01 to 0.1: compute 1/2 to 1
    0.5
    """
    x = _inside("pass_rate", pass_rate)
    if (x >= 0.1).any():
        raise InputError(f"pass_rate = {x[x >= 0.1].flat[0]:g}; want less than 0.1, a decade below 1")
    # C(p) as a share of C(10 p): two large costs neither cancel nor make inf - inf.
    with np.errstate(over="ignore"):
        share = np.log(np.log(10 * x) / np.log(x)) / positive("exponent", exponent)
        return np.asarray(power_law_cost(10 * x, exponent, scale) * -np.expm1(share))


def policy_gradient_time(start: ArrayLike, end: ArrayLike) -> Floats:
    """Time of exact policy gradient on a log-odds from one pass rate to another: ``F(end) - F(start)``.

    ``dp/dt = p^2 (1-p)^2`` gives ``F(p) = 1/(1-p) - 1/p + 2 ln(p / (1-p))``: a decade at low p costs about ``0.9 / p``.

    Args:
        start: first pass rate, strictly between 0 and 1.
        end: last pass rate, strictly between 0 and 1; broadcasts.

    Returns:
        Time in units of rollouts times learning rate, the broadcast shape; negative where ``end`` is below ``start``.

    Raises:
        InputError: a pass rate not strictly between 0 and 1.

    Reference: docs/theory.md#cost, claim S3.6.

    >>> float(policy_gradient_time(0.25, 0.75).round(4))  # 16/3 + 4 ln 3
    9.7278
    """
    x, y = _inside("start", start), _inside("end", end)
    low, high = np.minimum(x, y), np.maximum(x, y)
    rise = high - low
    with np.errstate(over="ignore"):  # inf says that no number holds the time
        odds = rise / low / (1 - high)  # how much larger the odds became, less 1
        logs = np.where(odds < 1, np.log1p(odds), logit(high) - logit(low))
        time = rise / (1 - low) / (1 - high) + rise / high / low + 2 * logs  # of terms that are not negative
    return np.asarray(np.sign(y - x) * time)


def _inside(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64, every element strictly between 0 and 1; shape kept."""
    x = positive(name, probability(name, value))
    positive(f"1 - {name}", 1 - x)
    return x
