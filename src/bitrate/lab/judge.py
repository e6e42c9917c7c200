"""Simulate, measure, compare: a claim becomes a verdict. Knows nothing of how anything is trained."""

from __future__ import annotations

import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.errors import InputError
from bitrate.lab.claim import Case, Claim, Outcome, Panel, Point, TrainingRuns, Verdict
from bitrate.types import Estimate, Prediction

#: Rounding of sums of a hundred thousand terms, in the figure's unit: no formula is refuted by it.
ROUNDING = 1e-9


def judge(claim: Claim, seed: int = 0, *, full: bool = False, runs: TrainingRuns | None = None) -> Verdict:
    """Put a claim to the test: predict, simulate a run's files or train, measure, compare.

    Args:
        claim: what to test.
        seed: all randomness comes from it and the claim's id, so that claims can run in any order.
        full: train all that the published verdict rests on; a quick look is the same code with fewer seeds.
        runs: where a claim with arms has its training runs from.

    Returns:
        The verdict; "not measured" for a claim that is pending.

    Raises:
        InputError: a claim with arms and no ``runs``.
    """
    began = time.monotonic()
    if claim.pending:
        return Verdict.missing(claim, seed, claim.pending)
    if claim.arms and runs is None:
        raise InputError(f"{claim.id} is trained, and no runs are given", hint="bitrate.lab.runner.check trains them")
    points = []
    for number, case in enumerate(claim.cases):
        rng = np.random.default_rng([seed, zlib.crc32(claim.id.encode()), number])

        def write(folder: Path, case: Case = case, rng: np.random.Generator = rng) -> None:
            if claim.arms and runs:
                runs.gather(claim.arms(case), folder, full)
            elif claim.simulate:
                claim.simulate(case, folder, rng)

        points.append(_point(claim, case, write if full or not case.full else None))
    seconds = time.monotonic() - began
    panels = tuple(_panel(p) for p in claim.charts)
    theory = _together(p.outcome for p in points)
    stated = _statement(points) if any(p.stated for p in points) else theory
    rival = _together(p.rival_outcome for p in points if p.rival_outcome)
    cost = runs.total_cost(claim, full) if claim.arms and runs else None
    size = ("full" if full else "smoke") if claim.arms else ""
    return Verdict(claim.id, stated, theory, rival, tuple(points), seed, seconds, "", panels, cost, size)


def _panel(panel: Panel) -> dict[str, Any]:
    """A chart's formulas, evaluated."""
    said = {"name": panel.name, "axis": panel.axis, "log_axis": panel.log_axis, "unit": panel.unit}
    return {**said, "curves": dict(panel.drawn())}


def _point(claim: Claim, case: Case, write: Callable[[Path], None] | None) -> Point:
    """One case: the prediction is made before there are data, and the signal sees their folder alone.

    Without a way to write the data, because they take too long for a quick look, the estimate says so.
    """
    prediction, stated, rival = claim.formulas(case)
    signal = case.signal or claim.signal
    assert signal
    if write is None:
        estimate = Estimate.missing(case.name, prediction.unit, "trained with --full only")
    else:
        with tempfile.TemporaryDirectory(prefix="bitrate-lab-") as folder:
            write(Path(folder))
            estimate = signal(Path(folder))
    return Point(
        case.name,
        case.x,
        case.panel,
        case.assumed,
        prediction,
        stated,
        rival,
        estimate,
        compare(estimate, prediction, claim.tolerance),
        compare(estimate, stated, claim.tolerance) if stated else None,
        compare(estimate, rival, claim.tolerance) if rival else None,
    )


def compare(estimate: Estimate, prediction: Prediction, tolerance: float) -> Outcome:
    """Whether an interval leaves room for a formula: holds, refuted, or inconclusive where it is too wide to say.

    An interval wider than the tolerance decides nothing of a formula inside it; a bound that lies outside of it, on the
    side that leaves the interval room, holds at any width.

    >>> figure = Estimate("x", 1.0, 0.9, 1.1, "bits", 0.95, 100, "")
    >>> compare(figure, Prediction(1.05, "exact", "bits", ""), tolerance=0.2)
    'holds'
    >>> compare(figure, Prediction(0.8, "upper", "bits", ""), tolerance=0.2)
    'refuted'
    >>> compare(figure, Prediction(1.2, "upper", "bits", ""), tolerance=0.01)
    'holds'
    """
    if estimate.known is None:
        return "inconclusive"
    low, _, high = estimate.known
    above = prediction.value > high + ROUNDING
    below = prediction.value < low - ROUNDING
    if (above and prediction.kind != "upper") or (below and prediction.kind != "lower"):
        return "refuted"
    # A bound that leaves all of the interval on its side is met, however wide the interval is.
    met = (above and prediction.kind == "upper") or (below and prediction.kind == "lower")
    return "holds" if met or (high - low) / 2 <= tolerance else "inconclusive"


def _together(outcomes: Iterable[Outcome]) -> Outcome:
    """A formula is refuted by one case, and holds when it holds in all."""
    found = set(outcomes)
    if "refuted" in found:
        return "refuted"
    return "holds" if found == {"holds"} else "inconclusive"


def _statement(points: Iterable[Point]) -> Outcome:
    """A statement that fails only where its assumptions are not met holds if they are."""
    points = list(points)
    inside = _together(p.stated_outcome for p in points if p.assumed and p.stated_outcome)
    outside = _together(p.stated_outcome for p in points if not p.assumed and p.stated_outcome)
    return "holds if" if inside == "holds" and outside == "refuted" else inside
