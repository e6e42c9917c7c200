"""The judge: what an interval leaves room for, and how cases add up to a verdict."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitrate.errors import InputError
from bitrate.lab.claim import Case, Claim, Outcome
from bitrate.lab.judge import compare, judge
from bitrate.lab.runner import record, standing
from bitrate.lab.signals import Unresolved
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import binary_entropy
from bitrate.types import Estimate, Prediction

FIGURE = Estimate("x", 1.0, 0.9, 1.1, "bits", 0.95, 100, "")


@pytest.mark.parametrize(
    ("value", "kind", "outcome"),
    [
        (1.0, "exact", "holds"),
        (0.89, "exact", "refuted"),
        (1.11, "exact", "refuted"),
        (1.11, "upper", "holds"),
        (1.1, "upper", "holds"),
        (0.95, "upper", "not refuted"),
        (1.05, "lower", "not refuted"),
        (0.9, "lower", "holds"),
        (0.89, "upper", "refuted"),
        (0.89, "lower", "holds"),
        (1.11, "lower", "refuted"),
        (float("inf"), "upper", "holds"),
        (float("inf"), "exact", "refuted"),
        (1.1, "within", "holds"),
        (1.05, "within", "not refuted"),
        (0.89, "within", "refuted"),
    ],
)
def test_a_formula_outside_the_interval_is_refuted(value: float, kind: str, outcome: Outcome) -> None:
    assert compare(FIGURE, Prediction(value, kind, "bits", ""), 0.101) == outcome  # type: ignore[arg-type]


def test_what_vanishes_lies_in_its_margin_on_both_sides() -> None:
    margin = Prediction(0.1, "within", "bits", "")
    for low, high, outcome in ((-0.09, 0.1, "holds"), (-0.3, 0.05, "not refuted"), (-0.3, -0.11, "refuted")):
        assert compare(Estimate("x", (low + high) / 2, low, high, "bits", 0.95, 9, ""), margin, 0.2) == outcome
    with pytest.raises(ValueError, match="margin of 0"):
        Prediction(0.0, "within", "bits", "")


def test_a_wide_interval_or_none_decides_nothing() -> None:
    near = Prediction(1.0, "exact", "bits", "")
    assert compare(FIGURE, near, 0.09) == "inconclusive"
    assert compare(Estimate.missing("x", "bits", "too few"), near, 0.101) == "inconclusive"


def test_a_bound_that_a_wide_interval_reaches_across_is_undecided() -> None:
    assert compare(FIGURE, Prediction(0.95, "upper", "bits", ""), 0.09) == "inconclusive"


def bits(value: float) -> Prediction:
    """An exact prediction."""
    return Prediction(value, "exact", "bits", "")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One rollout about one of V answers."""
    collect(SingleAnswer.uniform(case.settings["v"]), folder, rng=rng, worlds=5_000, method=0.0)


CLAIM = Claim(
    id="X1",
    statement="One rollout carries one bit.",
    source="a test",
    cases=(Case("V=2", {"v": 2}), Case("V=8", {"v": 8}, assumed=False)),
    predict=lambda c: bits(float(binary_entropy(1 / c.settings["v"]))),
    stated=lambda c: bits(1.0),
    simulate=simulate,
    signal=Unresolved(of="scores", given="answers"),
    rival=lambda c: bits(1 / c.settings["v"]),
    rival_name="the pass rate",
    tolerance=0.06,
    budget=5_000,
)


def test_a_statement_that_fails_outside_its_assumptions_holds_if() -> None:
    found = judge(CLAIM)
    assert found.summary() == {"outcome": "holds if", "theory": "holds", "rival": "refuted"}
    everywhere = dataclasses.replace(CLAIM, cases=tuple(dataclasses.replace(c, assumed=True) for c in CLAIM.cases))
    assert judge(everywhere).outcome == "refuted"
    wrong = dataclasses.replace(CLAIM, predict=lambda c: bits(1.0), stated=None)
    assert judge(wrong).theory_outcome == judge(wrong).outcome == "refuted"


def with_figure(low: float, high: float, **changes: Any) -> Claim:
    """The claim with a signal that always says the same."""
    figure = Estimate("x", (low + high) / 2, low, high, "bits", 0.9999, 9, "")
    return dataclasses.replace(CLAIM, cases=CLAIM.cases[:1], stated=None, signal=lambda folder: figure, **changes)


def test_an_interval_must_be_narrower_than_half_the_way_to_the_rival() -> None:
    """The theory says 1 and the rival 0.5: with a tolerance of 0.4, an interval of +-0.26 still decides nothing."""
    assert judge(with_figure(0.70, 1.22, tolerance=0.4)).theory_outcome == "inconclusive"
    assert judge(with_figure(0.76, 1.24, tolerance=0.4)).theory_outcome == "holds"


def test_a_claim_whose_rival_says_the_same_everywhere_is_refused() -> None:
    with pytest.raises(ValueError, match="say the same in every case"):
        judge(with_figure(0.9, 1.1, rival=lambda c: bits(1.0)))


def test_a_bound_that_no_case_shows_is_not_refuted_and_not_more() -> None:
    most = Prediction(1.0, "upper", "bits", "")
    rival = Prediction(2.0, "lower", "bits", "")
    said = {"predict": lambda c: most, "rival": lambda c: rival, "tolerance": 0.2}
    assert judge(with_figure(0.9, 1.1, **said)).summary()["outcome"] == "not refuted"
    assert judge(with_figure(0.8, 0.99, **said)).summary()["outcome"] == "holds"
    both = dataclasses.replace(with_figure(0.9, 1.1, **said), cases=CLAIM.cases)
    figures = iter(
        [Estimate("x", 0.9, 0.8, 0.99, "bits", 0.9999, 9, ""), Estimate("x", 1, 0.9, 1.1, "bits", 0.9999, 9, "")]
    )
    assert judge(dataclasses.replace(both, signal=lambda folder: next(figures))).outcome == "holds"


def test_a_verdict_is_the_same_to_the_last_digit() -> None:
    once, again, other = (judge(CLAIM, seed).to_dict() for seed in (3, 3, 4))
    assert once == again
    assert once["points"] != other["points"]


def test_a_pending_claim_says_why() -> None:
    pending = Claim("X2", "It generalises.", "a test", pending="needs a trained network")
    found = judge(pending)
    assert found.outcome == "not measured" and found.reason == "needs a trained network"
    assert record(pending, found)["standing"] == "not published"


def test_a_claim_must_say_all_that_a_verdict_needs() -> None:
    with pytest.raises(ValueError, match="rival"):
        dataclasses.replace(CLAIM, rival=None)
    with pytest.raises(ValueError, match="reason why there are none"):
        dataclasses.replace(CLAIM, cases=())
    with pytest.raises(ValueError, match="no signal"):
        dataclasses.replace(CLAIM, signal=None)


def test_standing() -> None:
    known = {"outcome": "holds", "theory": "holds", "rival": "refuted"}
    assert standing(known, known) == "as published"
    assert standing({**known, "rival": "inconclusive"}, known) == "inconclusive"
    assert standing({**known, "outcome": "refuted"}, known) == "differs"
    assert standing(known, None) == "not published"


def test_the_judge_of_a_trained_claim_is_given_its_runs() -> None:
    trained = dataclasses.replace(CLAIM, simulate=None, arms=lambda case: [])
    with pytest.raises(InputError, match="is trained, and no runs are given"):
        judge(trained)


def test_the_judge_loads_no_code_that_trains() -> None:
    code = "import sys, bitrate.lab.judge; print([m for m in sys.modules if m.startswith('bitrate.lab.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "['bitrate.lab.claim', 'bitrate.lab.judge']"


def test_a_case_may_hold_formulas_of_its_own() -> None:
    """A prediction, or a function of the case; the rest of the claim's stand where the case has none."""
    [case] = CLAIM.cases[:1]
    own = dataclasses.replace(
        case, predict=Prediction(7.0, "exact", "bits", ""), stated=lambda c: Prediction(c.x or 0.5, "exact", "bits", "")
    )
    prediction, stated, rival = CLAIM.formulas(own)
    assert prediction.value == 7.0 and stated and stated.value == (own.x or 0.5)
    assert CLAIM.rival and rival == CLAIM.rival(own)
    alone = dataclasses.replace(own, rival=Prediction(1.0, "exact", "bits", ""))
    without = dataclasses.replace(CLAIM, cases=(alone,), predict=None, rival=None, stated=None)
    assert without.formulas(alone)[2] == alone.rival
    with pytest.raises(ValueError, match="want predict"):
        dataclasses.replace(without, cases=(alone, case))
