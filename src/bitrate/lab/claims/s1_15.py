"""What the baseline keeps: group-normalised advantages add no bits to the feedback, and lose some."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.worlds.learners import Baseline, collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import group_information, update_information
from bitrate.types import Estimate, Prediction

WORLDS = 60_000
NONE, UPDATE, SEEN = "feedback", "update", "update, rollouts in view"
SIGNALS: dict[str, Callable[[Path], Estimate]] = {
    NONE: Information(of="feedback"),
    UPDATE: Information(of="update"),
    SEEN: Unresolved(of="update", given="answers"),
}


def uniform(case: Case) -> tuple[float, ...]:
    """All answers alike, to the target and to the policy."""
    answers: int = case.settings["answers"]
    return (1 / answers,) * answers


def feedback(case: Case) -> float:
    """Bits of the group's answers and rewards."""
    return float(group_information(uniform(case), uniform(case), case.settings["k"]))


def predict(case: Case) -> Prediction:
    """Every group and target enumerated, equal updates merged."""
    s, bits = case.settings, feedback(case)
    if s["what"] != NONE:
        seen = s["what"] == SEEN
        bits = update_information(uniform(case), uniform(case), s["k"], s["method"], given_rollouts=seen)
    return Prediction(
        bits, "exact", "bits/prompt", "docs/theory.md#updates, S1.15", ("one right answer", "tabular softmax policy")
    )


def stated(case: Case) -> Prediction:
    """At most the bits of the feedback."""
    return Prediction(feedback(case), "upper", "bits/prompt", "jeff, does GRPO/RLOO add information?")


def rival(case: Case) -> Prediction | None:
    """All of the feedback reaches the update."""
    if case.settings["what"] == NONE:
        return None
    return Prediction(feedback(case), "exact", "bits/prompt", "the update keeps all of the feedback")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One group in each of many worlds, with the advantages that its update would use."""
    s = case.settings
    task = SingleAnswer.uniform(s["answers"])
    collect(task, folder, rng=rng, worlds=WORLDS, k=s["k"], method=s["method"])


def case(name: str, answers: int, k: int, method: Baseline, what: str = UPDATE) -> Case:
    """V, K, the baseline, and which part of the run is priced."""
    settings = {"answers": answers, "k": k, "method": method, "what": what}
    return Case(f"V={answers}, K={k}, {name}", settings, x=k if answers == 8 else None, signal=SIGNALS[what])


EVEN = np.full(8, 1 / 8)
CLAIM = Claim(
    id="S1.15",
    statement="GRPO and RLOO add no bits: their updates carry at most what the group's rewards do.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, does GRPO/RLOO add information?",
    cases=(
        case("the feedback itself", 8, 4, "grpo", NONE),
        case("GRPO", 8, 4, "grpo"),
        case("GRPO, rollouts in view", 8, 4, "grpo", SEEN),
        case("RLOO", 8, 4, "rloo"),
        case("baseline .3", 8, 4, 0.3),
        *[case(f"baseline {b:g}", 16, 1, b) for b in (0.3, 0.0, 1.0)],
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
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
)
