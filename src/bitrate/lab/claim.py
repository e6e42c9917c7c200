"""What a claim is: its cases, the three formulas that speak of them, and the verdict of the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bitrate.costs import Cost
from bitrate.types import Estimate, Kind, Prediction, plain

if TYPE_CHECKING:
    import numpy as np
    from _typeshed import DataclassInstance

Outcome = Literal["holds", "holds if", "refuted", "not refuted", "inconclusive", "not measured"]
#: What is drawn: name -> (x values, y values).
Curves = Mapping[str, tuple[list[float], list[float]]]
#: Formulas to draw over a grid, each a function of x that is None where it is not drawn, or the same everywhere; or
#: a function that draws by itself.
Drawn = Mapping[str, Callable[[Any], Any] | float] | Callable[[], Curves]


@dataclass(frozen=True)
class Panel:
    """One more chart of a claim: formulas over another axis, and the cases that name it.

    Args:
        name: what it shows, in a few words.
        axis: title of the x axis.
        curves: name -> formula to draw.
        grid: x values at which formulas are drawn.
        log_axis: whether the axis is logarithmic.
        unit: of the y axis, where it is not the claim's.
    """

    name: str
    axis: str
    curves: Drawn = field(default_factory=dict)
    grid: Iterable[float] = ()
    log_axis: bool = False
    unit: str = ""

    def drawn(self) -> Curves:
        """The formulas, evaluated point by point.

        >>> Panel("", "K", {"K - 1": lambda k: k - 1 if k > 1 else None, "one": 1.0}, grid=(1, 2)).drawn()
        {'K - 1': ([2.0], [1.0]), 'one': ([1.0, 2.0], [1.0, 1.0])}
        """
        if callable(self.curves):
            return self.curves()
        points = {name: [(x, f(x) if callable(f) else f) for x in self.grid] for name, f in self.curves.items()}
        return {
            name: ([float(x) for x, y in found if y is not None], [float(y) for _, y in found if y is not None])
            for name, found in points.items()
        }


@dataclass(frozen=True)
class Arm:
    """One way to train; each repetition has randomness of its own and writes the files of a trainer.

    Arms of several claims that agree in all of this are one: they are trained once.

    Args:
        name: a folder is called after it, e.g. ``"t2-grpo"``.
        train: (settings, folder, generator) -> what it cost; a function of a module, which writes rollouts into the
            folder. What it does depends on its arguments alone.
        settings: a frozen dataclass of plain values, that ``train`` takes.
        smoke: repetitions of a quick look.
        full: repetitions of the published verdict.

    Raises:
        ValueError: settings that are no dataclass, no repetition, or fewer in full than in a quick look.
    """

    name: str
    train: Callable[[Any, Path, np.random.Generator], Cost]
    settings: DataclassInstance
    smoke: int = 1
    full: int = 1

    def __post_init__(self) -> None:
        if not is_dataclass(self.settings) or isinstance(self.settings, type):
            raise ValueError(f"{self.name}: settings = {self.settings!r}; want a frozen dataclass")
        if not 1 <= self.smoke <= self.full:
            raise ValueError(f"{self.name}: smoke = {self.smoke}, full = {self.full}; want 1 <= smoke <= full")


@dataclass(frozen=True)
class Case:
    """One setting in which a claim is put to the test.

    Args:
        name: the setting in a few words, e.g. ``"V=50, K=8"``.
        settings: what ``predict``, ``simulate`` and ``rival`` need to know.
        x: where it stands on the figure's axis; None where it has no place there.
        assumed: whether the assumptions of the source's statement are met; a statement that fails only where
            they are not "holds if".
        signal: how this case is measured, where not as the rest of the claim.
        predict: what the theory says of it, a prediction or a function of the case, where not as the rest of the claim.
        rival: likewise what the rival says.
        stated: likewise what the source says.
        panel: name of the chart it is a point of, where not of the claim's first.
        full: whether it takes too long for a quick look, and is measured with ``--full`` only.
    """

    name: str
    settings: Mapping[str, Any]
    x: float | None = None
    assumed: bool = True
    signal: Callable[[Path], Estimate] | None = None
    panel: str = ""
    full: bool = False
    predict: Formula | None = None
    rival: Formula | None = None
    stated: Formula | None = None


#: What is said of a case: a prediction, or a function that makes it.
Formula = Prediction | Callable[[Case], Prediction | None]


#: What is registered of a figure, or said by its rival: value, kind and why.
Line = tuple[float, Kind, str]


def registered(
    name: str, signal: Callable[[Path], Estimate], arms: Sequence[Arm], unit: str, line: Line, rival: Line,
    *needs: str, full: bool = False,
) -> Case:  # fmt: skip
    """A figure of some arms, with what was written down of it before the first run, and what its rival says."""
    (value, kind, why), (other, other_kind, other_why) = line, rival
    said, denied = Prediction(value, kind, unit, why, needs), Prediction(other, other_kind, unit, other_why)
    return Case(name, {"arms": arms}, signal=signal, full=full, predict=said, rival=denied)


def own_arms(case: Case) -> Sequence[Arm]:
    """The training runs that a case names in its settings."""
    arms: Sequence[Arm] = case.settings["arms"]
    return arms


@dataclass(frozen=True)
class Claim:
    """A statement that can be computed, simulated, measured and refuted. One file of ``bitrate.lab.claims`` holds one.

    Truth and measurement have no author in common: ``predict`` asks the theory, ``simulate`` writes the files of a
    trainer, and ``signal`` is given the path to these files and nothing else.

    Args:
        id: the source's number and the claim's, e.g. ``"S1.8"``.
        statement: what the source says, in one sentence.
        source: who says it, and where.
        cases: settings to test; empty only where ``pending`` says why nothing is measured.
        predict: case -> what the exact theory says.
        simulate: (case, folder, generator) -> None; writes rollout files into the folder.
        arms: case -> the training runs it compares, in place of ``simulate``; the signal finds each in the folder of
            the arm's name.
        signal: folder of files -> estimate.
        rival: case -> what a tempting other formula says, or None where it says nothing. The data must refute it.
        rival_name: the rival formula in words.
        tolerance: an interval whose half-width is above this decides nothing, in the unit of the figure; nor does one
            that is wider than half the way from the theory to the rival.
        budget: rollouts of a case, about.
        stated: case -> what the source's own formula says, where it is not ``predict``'s; None for no say in a case.
        condition: what the statement needs to be true, where the verdict is "holds if".
        remark: what a reader should take home, in a few sentences.
        against: ids of claims that seem to contradict this one.
        pending: why nothing is measured yet.
        needs: extra of the package without which it cannot be measured here, e.g. ``"train"``.
        axis: title of the figure's x axis.
        log_axis: whether that axis is logarithmic.
        curves: formulas to draw, by name.
        grid: x values at which they are drawn.
        panels: further charts.
    """

    id: str
    statement: str
    source: str
    cases: tuple[Case, ...] = ()
    predict: Callable[[Case], Prediction] | None = None
    simulate: Callable[[Case, Path, np.random.Generator], None] | None = None
    arms: Callable[[Case], Sequence[Arm]] | None = None
    signal: Callable[[Path], Estimate] | None = None
    rival: Callable[[Case], Prediction | None] | None = None
    rival_name: str = ""
    tolerance: float = 0.0
    budget: int = 0
    stated: Callable[[Case], Prediction | None] | None = None
    condition: str = ""
    remark: str = ""
    against: tuple[str, ...] = ()
    pending: str = ""
    needs: str = ""
    axis: str = ""
    log_axis: bool = False
    curves: Drawn = field(default_factory=dict)
    grid: Iterable[float] = ()
    panels: tuple[Panel, ...] = ()

    def __post_init__(self) -> None:
        predicted = self.predict or all(c.predict for c in self.cases)
        needed = (predicted, self.simulate or self.arms, self.rival or any(c.rival for c in self.cases))
        if bool(self.pending) == bool(self.cases):
            raise ValueError(f"{self.id}: want cases to measure, or the reason why there are none")
        if self.cases and (not all(needed) or not self.rival_name or self.tolerance <= 0 or self.budget <= 0):
            raise ValueError(f"{self.id}: want predict, simulate or arms, rival, rival_name, tolerance and budget")
        silent = [c.name for c in self.cases if c.signal is None and self.signal is None]
        if silent:
            raise ValueError(f"{self.id}: no signal measures the case {silent[0]!r}")
        lost = {c.panel for c in self.cases} - {"", *(p.name for p in self.panels)}
        if lost:
            raise ValueError(f"{self.id}: no panel is called {min(lost)!r}")

    @property
    def charts(self) -> tuple[Panel, ...]:
        """All that is drawn: the claim's own chart, which has no name, and the panels."""
        return Panel("", self.axis, self.curves, self.grid, self.log_axis), *self.panels

    def formulas(self, case: Case) -> tuple[Prediction, Prediction | None, Prediction | None]:
        """What the theory, the source and the rival say of a case; the source's is None where it is the theory's."""
        prediction = _said(case.predict or self.predict, case)
        assert prediction
        return prediction, _said(case.stated or self.stated, case), _said(case.rival or self.rival, case)


def gap(one: Prediction, other: Prediction) -> float:
    """How far two predictions are from agreeing on any figure; 0 or less where some figure suits both.

    >>> gap(Prediction(1.0, "exact", "bits", ""), Prediction(0.75, "upper", "bits", ""))
    0.25
    >>> gap(Prediction(0.5, "within", "bits", ""), Prediction(-0.75, "upper", "bits", ""))
    0.25
    """
    (low, high), (least, most) = allowed(one), allowed(other)
    return max(low - most, least - high)


def allowed(said: Prediction) -> tuple[float, float]:
    """The figures that a prediction allows, from end to end.

    >>> allowed(Prediction(0.1, "within", "bits", ""))
    (-0.1, 0.1)
    """
    low = {"upper": -math.inf, "within": -said.value}.get(said.kind, said.value)
    return low, math.inf if said.kind == "lower" else said.value


def _said(formula: Formula | None, case: Case) -> Prediction | None:
    return formula(case) if callable(formula) else formula


class TrainingRuns(Protocol):
    """Where the training runs of arms are found, or made."""

    def gather(self, arms: Sequence[Arm], into: Path, full: bool) -> None:
        """Lay out the repetitions of each arm for a signal, ``into/<arm>/<number>``."""

    def total_cost(self, claim: Claim, full: bool) -> Cost:
        """What the claim's runs cost when they were trained."""


@dataclass(frozen=True)
class Point:
    """One case of a claim after the measurement: three formulas, one estimate, and how each formula fared."""

    case: str
    x: float | None
    panel: str
    assumed: bool
    prediction: Prediction
    stated: Prediction | None
    rival: Prediction | None
    estimate: Estimate
    outcome: Outcome
    stated_outcome: Outcome | None
    rival_outcome: Outcome | None


@dataclass(frozen=True)
class Verdict:
    """What the data say of a claim.

    Args:
        claim: the claim's id.
        outcome: how the source's statement fared.
        theory_outcome: how the exact theory fared on the same data; anything but "holds" is a defect of ours.
        rival_outcome: how the rival formula fared; it should be "refuted".
        points: each case.
        seed: what the randomness came from.
        seconds: how long it took; not written to JSON, which is the same to the last digit for the same seed.
        reason: why nothing was measured.
        cost: what the training took, where there was any.
        size: ``"smoke"`` or ``"full"`` where it was trained, else "".
        panels: the charts, each with name, axis, log_axis and curves; the first has no name.
    """

    claim: str
    outcome: Outcome
    theory_outcome: Outcome
    rival_outcome: Outcome
    points: tuple[Point, ...]
    seed: int
    seconds: float
    reason: str = ""
    panels: tuple[dict[str, Any], ...] = field(default=())
    cost: Cost | None = None
    size: str = ""

    @classmethod
    def missing(cls, claim: Claim, seed: int, reason: str) -> Verdict:
        """Nothing was measured, and why."""
        none: Outcome = "not measured"
        return cls(claim.id, none, none, none, (), seed, 0.0, reason)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values, without the seconds; an infinite prediction is the text "inf"."""
        found: dict[str, Any] = _finite(plain(self))
        found.pop("seconds")
        return found

    def summary(self) -> dict[str, str]:
        """The three outcomes, as they are published."""
        return {"outcome": self.outcome, "theory": self.theory_outcome, "rival": self.rival_outcome}


def _finite(value: Any) -> Any:
    """JSON has no infinity."""
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return value
