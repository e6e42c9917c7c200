"""Figures and arrays that every room shares. Imports nothing of ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


#: Of a field that is not in JSON.
UNWRITTEN: Mapping[str, bool] = MappingProxyType({"json": False})


def plain(value: Any) -> Any:
    """Dataclasses as dicts and tuples as lists, all the way down, as they are written to JSON.

    >>> plain((Estimate.exact("x", 1.0, "bits", 3),))[0]["value"]
    1.0
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value) if f.metadata.get("json", True)}
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


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
        bias: greatest bias that the interval allows for, in ``unit``, where it is known apart from the noise. It is not
            written to JSON.

    Raises:
        ValueError: a value without an interval, a value with a reason, a non-finite value,
            or an interval that does not hold its value.

    Reference: docs/estimators.md.

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
    bias: float = field(default=0.0, compare=False, repr=False, metadata=UNWRITTEN)

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

    @property
    def known(self) -> tuple[float, float, float] | None:
        """``(low, value, high)``, or None where there is no figure.

        >>> Estimate.exact("bits", 2, "bits").known
        (2.0, 2.0, 2.0)
        """
        if self.low is None or self.value is None or self.high is None:
            return None
        return self.low, self.value, self.high

    def renamed(self, name: str, unit: str | None = None, method: str | None = None) -> Estimate:
        """The same figure, or the same reason for none, under another name.

        >>> Estimate.missing("share", "share", "one step").renamed("pace", "steps").reason
        'one step'
        """
        how = self.method if method is None or self.known is None else method
        return replace(self, name=name, unit=self.unit if unit is None else unit, method=how)

    def map(self, by: Callable[[float], float], name: str, unit: str, method: str = "") -> Estimate:
        """A monotone function of the figure; its interval reaches from end to end of this one's.

        Args:
            by: rising or falling on the whole interval.
            name: what the result measures.
            unit: its unit.
            method: what was done, in addition to how this figure was computed.

        Raises:
            ValueError: the function is not monotone on low, value, high.

        >>> Estimate("p", 0.5, 0.25, 1, "share", 0.95, 9, "m").map(lambda p: 1 / p, "tries", "rollouts").high
        4.0
        """
        how = "; ".join(filter(None, (self.method, method)))
        if self.known is None:
            return self.renamed(name, unit)
        low, value, high = self.known
        ends = [by(x) for x in self.known]
        bias = max(abs(by(x) - ends[1]) for x in (max(low, value - self.bias), min(high, value + self.bias)))
        least, most = min(ends[0], ends[2]), max(ends[0], ends[2])
        return replace(self, name=name, value=ends[1], low=least, high=most, unit=unit, method=how, bias=bias)

    def scaled(self, factor: float, name: str, unit: str, method: str = "") -> Estimate:
        """The same figure times a known positive factor, e.g. rollouts per kilotoken.

        >>> Estimate.exact("bits", 2, "bits").scaled(0.5, "half", "bits").value
        1.0
        """
        if not (math.isfinite(factor) and factor > 0):
            raise ValueError(f"factor = {factor}; want a positive finite number")
        return self.map(lambda x: x * factor, name, unit, method)

    def capped(self, bound: Estimate, why: str) -> Estimate:
        """The figure, of which it is known that it lies below another; none where the other is not known.

        An estimate above the bound's is moved there, and its method says so and why.

        >>> most = Estimate("most", 0.4, 0.3, 0.5, "bits", 0.95, 9, "m")
        >>> Estimate("bits", 0.6, 0.2, 0.9, "bits", 0.95, 9, "m").capped(most, "at most what came in").method
        'm; estimate 0.6000 moved to 0.4000, at most what came in'
        """
        if self.known is None:
            return self
        if bound.known is None:
            return Estimate.missing(self.name, self.unit, bound.reason or "", self.n)
        low, value, high = self.known
        least, most, highest = bound.known
        method = self.method
        if value > most:
            method += f"; estimate {value:.4f} moved to {most:.4f}, {why}"
            value, low = most, min(low, least)
        return replace(self, value=value, low=low, high=max(min(high, highest), value), method=method)

    def to_dict(self) -> dict[str, object]:
        """The fields as plain JSON values, but for ``bias``."""
        found: dict[str, object] = plain(self)
        return found

    @classmethod
    def from_dict(cls, fields: Mapping[str, object]) -> Estimate:
        """The inverse of :meth:`to_dict`."""
        return cls(**fields)  # type: ignore[arg-type]


Kind = Literal["exact", "upper", "lower", "within"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a formula says a figure is, before anything is measured.

    Args:
        value: the figure in ``unit``; may be infinite where a formula diverges, never NaN.
        kind: whether the figure is met exactly, bounds what is measured from above or below, or is a margin of
            equivalence: what is measured lies within it, above 0 or below.
        unit: e.g. ``"bits/rollout"``.
        reference: where the formula comes from.
        assumptions: what it needs, in sentences.

    Raises:
        ValueError: NaN, or a kind that is none of the four, or a margin that is not above 0.

    >>> Prediction(1.0, "upper", "bits", "S1.6").kind
    'upper'
    """

    value: float
    kind: Kind
    unit: str
    reference: str
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if math.isnan(self.value):
            raise ValueError("the prediction is NaN; want a number, or no prediction")
        if self.kind not in {"exact", "upper", "lower", "within"}:
            raise ValueError(f"kind = {self.kind!r}; want exact, upper, lower or within")
        if self.kind == "within" and self.value <= 0:
            raise ValueError(f"a margin of {self.value:g}; want one above 0, or kind exact")
