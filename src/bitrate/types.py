"""The words that every room shares. Imports nothing of ours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """One figure with its interval, or the reason why there is none.

    ``value`` is ``None`` exactly when ``reason`` is set; then ``low`` and ``high`` are ``None`` too.
    An exact figure (a count, an alphabet's capacity) has ``low == value == high``.

    Args:
        name: what is measured, in the field's words, e.g. ``"outcome bits per rollout"``.
        value: the figure in ``unit``, or None.
        low: lower end of the interval, in ``unit``.
        high: upper end of the interval, in ``unit``.
        unit: e.g. ``"bits/rollout"``, ``"share"``, ``"rollouts"``.
        level: nominal coverage of the interval in (0, 1); 1.0 for an exact figure.
        n: how many independent units (prompts, groups ...) the figure rests on.
        method: how it was computed and what it assumes.
        reason: why there is no figure.

    Raises:
        ValueError: a value without an interval, a value with a reason, a non-finite value,
            or an interval that does not hold its value.

    Reference: DESIGN.md section 3; "absence is never a number".

    >>> Estimate.exact("rollouts", 64, "rollouts", n=64).value
    64.0
    >>> Estimate.missing("outcome bits", "bits/rollout", "one rollout a group").value is None
    True
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    level: float
    n: int
    method: str
    reason: str | None = None

    def __post_init__(self) -> None:
        figures = (self.value, self.low, self.high)
        if self.reason is not None:
            if any(x is not None for x in figures):
                raise ValueError(
                    f"{self.name}: has the reason {self.reason!r} and figures {figures}; want one or the other"
                )
            return
        value, low, high = figures
        if value is None or low is None or high is None:
            raise ValueError(f"{self.name}: value, low, high = {figures} without a reason; want all three, or a reason")
        if not all(map(math.isfinite, (value, low, high))):
            raise ValueError(f"{self.name}: value, low, high = {figures}; want finite numbers, or a reason")
        if not low <= value <= high:
            raise ValueError(f"{self.name}: {value} lies outside its interval [{low}, {high}]")

    @classmethod
    def exact(cls, name: str, value: float, unit: str, n: int = 0, method: str = "count") -> Estimate:
        """A figure known without sampling error."""
        return cls(name, float(value), float(value), float(value), unit, 1.0, int(n), method)

    @classmethod
    def missing(cls, name: str, unit: str, reason: str, n: int = 0) -> Estimate:
        """No figure, and why."""
        return cls(name, None, None, None, unit, 0.0, int(n), "none", reason)

    def scaled(self, factor: float, name: str, unit: str, method: str = "") -> Estimate:
        """The same figure times a known positive factor, e.g. rollouts per kilotoken.

        >>> Estimate.exact("bits", 2, "bits").scaled(0.5, "half", "bits").value
        1.0
        """
        if not (math.isfinite(factor) and factor > 0):
            raise ValueError(f"factor = {factor}; want a positive finite number")
        if self.value is None or self.low is None or self.high is None:
            return Estimate.missing(name, unit, self.reason or "", self.n)
        how = f"{self.method}; {method}" if method else self.method
        return Estimate(name, self.value * factor, self.low * factor, self.high * factor, unit, self.level, self.n, how)

    def to_dict(self) -> dict[str, object]:
        """The fields as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, object]) -> Estimate:
        """The inverse of :meth:`to_dict`."""
        return cls(**fields)  # type: ignore[arg-type]
