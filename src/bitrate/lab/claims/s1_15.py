"""What the baseline keeps: group-normalised advantages add no bits to the feedback, and lose some."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s1_2 import uniform
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.signals.pairs import Signal
from bitrate.lab.worlds.learners import Baseline, collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import group_information, update_information
from bitrate.types import Prediction

WORLDS = 60_000
UPDATE = Information(of="update")


def feedback(case: Case) -> float:
    """Bits of the group's answers and rewards."""
    even = uniform(case.settings["answers"])
    return float(group_information(even, even, case.settings["k"]))


def of_feedback(case: Case) -> Prediction:
    """The feedback itself."""
    return _exactly(feedback(case))


def of_update(case: Case) -> Prediction:
    """Every group and target enumerated, equal updates merged."""
    s = case.settings
    even = uniform(s["answers"])
    return _exactly(update_information(even, even, s["k"], s["method"], given_rollouts="seen" in s))


def _exactly(bits: float) -> Prediction:
    return Prediction(
        bits, "exact", "bits/prompt", "docs/theory.md#updates, S1.15", ("one right answer", "tabular softmax policy")
    )


def stated(case: Case) -> Prediction:
    """At most the bits of the feedback."""
    return Prediction(feedback(case), "upper", "bits/prompt", "jeff, does GRPO/RLOO add information?")


def keeps_all(case: Case) -> Prediction:
    """The rival: all of the feedback reaches the update."""
    return Prediction(feedback(case), "exact", "bits/prompt", "the update keeps all of the feedback")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One group in each of many worlds, with the advantages that its update would use."""
    s = case.settings
    task = SingleAnswer.uniform(s["answers"])
    collect(task, folder, rng=rng, worlds=WORLDS, k=s["k"], method=s["method"])


def case(name: str, answers: int, k: int, method: Baseline, signal: Signal = UPDATE, **more: bool) -> Case:
    """V, K, the baseline, and how the update is measured."""
    settings = {"answers": answers, "k": k, "method": method, **more}
    x = k if answers == 8 else None
    return Case(f"V={answers}, K={k}, {name}", settings, x, signal=signal, predict=of_update, rival=keeps_all)


EVEN = np.full(8, 1 / 8)
CLAIM = Claim(
    id="S1.15",
    statement="GRPO and RLOO add no bits: their updates carry at most what the group's rewards do.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, does GRPO/RLOO add information?",
    cases=(
        Case(
            "V=8, K=4, the feedback itself", {"answers": 8, "k": 4, "method": "grpo"}, 4,
            signal=Information(of="feedback"), predict=of_feedback,
        ),
        case("GRPO", 8, 4, "grpo"),
        # Beside the rollouts a thousandth of a bit is lost: too little to tell it from nothing lost.
        replace(
            case("GRPO, rollouts in view", 8, 4, "grpo", Unresolved(of="update", given="answers"), seen=True),
            rival=None,
        ),
        case("RLOO", 8, 4, "rloo"),
        case("baseline .3", 8, 4, 0.3),
        *[case(f"baseline {b:g}", 16, 1, b) for b in (0.3, 0.0, 1.0)],
    ),
    stated=stated,
    simulate=simulate,
    rival_name="all of the feedback reaches the update",
    tolerance=0.03,
    budget=4 * WORLDS,
    remark="They lose some. A group in which all rewards agree has no advantage: its update is zero, whether all were "
    "right or all wrong, and whichever answers were tried. A baseline strictly between 0 and 1 tells right from wrong "
    "for every rollout and loses nothing; baseline 0 is silent about failures, baseline 1 about successes. To one who "
    "sees the rollouts beside the update, GRPO loses little (B6).",
    against=("B6",),
    axis="rollouts K",
    grid=range(1, 6),
    curves={
        "feedback": lambda k: group_information(EVEN, EVEN, k),
        "GRPO": lambda k: update_information(EVEN, EVEN, k, "grpo"),
        "baseline 0": lambda k: update_information(EVEN, EVEN, k, 0.0),
    },
)  # fmt: skip
