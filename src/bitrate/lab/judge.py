"""Simulate, measure, compare: a claim becomes a verdict. Knows nothing of how anything is trained."""

from __future__ import annotations

import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.errors import InputError
from bitrate.lab.claim import Case, Claim, Outcome, Panel, Point, TrainingRuns, Verdict, allowed, gap
from bitrate.types import Estimate, Prediction

#: Rounding of sums of a hundred thousand terms, in the figure's unit: no formula is refuted by it.
ROUNDING = 1e-9
#: An interval's half-width must be below this share of the way from the theory to the rival.
CLOSER = 0.499


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
    cost = runs.total_cost(claim, full) if claim.arms and runs else None
    size = ("full" if full else "smoke") if claim.arms else ""
    return Verdict(claim.id, *outcomes(claim, points), tuple(points), seed, seconds, "", panels, cost, size)


def outcomes(claim: Claim, points: Sequence[Point]) -> tuple[Outcome, Outcome, Outcome]:
    """How the statement, the theory and the rival fared over all cases.

    Raises:
        ValueError: theory and rival say the same in every case, so that no data could decide between them.
    """
    deciding = [p.rival_outcome for p in points if p.rival_outcome]
    if not deciding:
        raise ValueError(f"{claim.id}: theory and rival say the same in every case")
    theory = _together(p.outcome for p in points)
    stated = _statement(points) if any(p.stated for p in points) else theory
    return stated, theory, _together(deciding)


def _panel(panel: Panel) -> dict[str, Any]:
    """A chart's formulas, evaluated."""
    said = {"name": panel.name, "axis": panel.axis, "log_axis": panel.log_axis, "unit": panel.unit}
    return {**said, "curves": dict(panel.drawn())}


def _point(claim: Claim, case: Case, write: Callable[[Path], None] | None) -> Point:
    """One case: the signal sees the folder of its data alone.

    Without a way to write the data, because they take too long for a quick look, the estimate says so.
    """
    signal = case.signal or claim.signal
    assert signal
    if write is None:
        unit = claim.formulas(case)[0].unit
        return judged(claim, case, Estimate.missing(case.name, unit, "trained with --full only"))
    with tempfile.TemporaryDirectory(prefix="bitrate-lab-") as folder:
        write(Path(folder))
        return judged(claim, case, signal(Path(folder)))


def judged(claim: Claim, case: Case, estimate: Estimate) -> Point:
    """How the three formulas fared in a case.

    What a wide interval cannot tell is not told: it must be narrower than the claim's tolerance, and than the way from
    the theory to the rival. Where these two say the same, the case decides nothing of the rival.
    """
    prediction, stated, rival = claim.formulas(case)
    apart = gap(prediction, rival) if rival else 0.0
    tolerance = min(claim.tolerance, CLOSER * apart) if apart > ROUNDING else claim.tolerance
    return Point(
        case.name,
        case.x,
        case.panel,
        case.assumed,
        prediction,
        stated,
        rival,
        estimate,
        compare(estimate, prediction, tolerance),
        compare(estimate, stated, tolerance) if stated else None,
        compare(estimate, rival, tolerance) if rival and apart > ROUNDING else None,
    )


def compare(estimate: Estimate, prediction: Prediction, tolerance: float) -> Outcome:
    """Whether an interval leaves room for a formula: holds, not refuted, refuted, or inconclusive where it is too wide.

    A figure holds that lies in an interval no wider than the tolerance. A bound, or a margin of equivalence, holds if
    the whole interval is inside it, however wide; one that the interval reaches across is not refuted, which is less.

    >>> figure = Estimate("x", 1.0, 0.9, 1.1, "bits", 0.95, 100, "")
    >>> compare(figure, Prediction(1.05, "exact", "bits", ""), tolerance=0.2)
    'holds'
    >>> compare(figure, Prediction(0.8, "upper", "bits", ""), tolerance=0.2)
    'refuted'
    >>> compare(figure, Prediction(1.2, "upper", "bits", ""), tolerance=0.01)
    'holds'
    >>> compare(figure, Prediction(1.0, "within", "bits", ""), tolerance=0.2)
    'not refuted'
    """
    if estimate.known is None:
        return "inconclusive"
    low, _, high = estimate.known
    least, most = allowed(prediction)
    if least > high + ROUNDING or most < low - ROUNDING:
        return "refuted"
    if least <= low + ROUNDING and most >= high - ROUNDING:
        return "holds"
    if (high - low) / 2 > tolerance:
        return "inconclusive"
    return "holds" if prediction.kind == "exact" else "not refuted"


def _together(outcomes: Iterable[Outcome]) -> Outcome:
    """A formula is refuted by one case; it holds when no case is undecided and one at least shows that it does."""
    found = set(outcomes)
    if "refuted" in found:
        return "refuted"
    if not found or "inconclusive" in found:
        return "inconclusive"
    return "holds" if "holds" in found else "not refuted"


def _statement(points: Iterable[Point]) -> Outcome:
    """A statement that fails only where its assumptions are not met holds if they are."""
    points = list(points)
    inside = _together(p.stated_outcome for p in points if p.assumed and p.stated_outcome)
    outside = _together(p.stated_outcome for p in points if not p.assumed and p.stated_outcome)
    return "holds if" if inside in {"holds", "not refuted"} and outside == "refuted" else inside
