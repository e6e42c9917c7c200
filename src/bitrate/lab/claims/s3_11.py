"""Curricula for RL and for supervised learning: which of the two they help more, and by how much."""

from __future__ import annotations

from bitrate.lab.claim import Arm, Case, Claim
from bitrate.lab.claims.t7 import PROMPTS, SEEDS, STEPS, WORDS, K, arm, speed_up
from bitrate.lab.signals.pairs import More
from bitrate.types import Prediction

#: Far more: by rewards a curriculum makes learning faster by a factor that is at least twice that by labels.
FAR = 1.0


def arms(case: Case) -> tuple[Arm, ...]:
    """The curriculum and what it is compared with, by rewards and by labels."""
    s = case.settings
    return tuple(arm(m, c) for m in ("grpo", "sft") for c in (s["curriculum"], s["against"]))


def predict(case: Case) -> Prediction:
    """Against hard prompts alone a doubling more; a mix has easy prompts of its own, and leaves the direction only."""
    margin = FAR if case.assumed else 0.0
    reference = (
        "docs/theory.md#outcome, S3.3, against docs/theory.md#labels, S3.2: bits of a rollout and of a label at a low "
        "pass rate"
    )
    return Prediction(margin, "lower", "doublings", reference, ("what is learned of short strings carries over",))


def stated(case: Case) -> Prediction:
    """Far more, whatever it is compared with."""
    return Prediction(FAR, "lower", "doublings", "Dwarkesh: far more; read as a factor of 2")


def rival(case: Case) -> Prediction:
    """A curriculum helps both alike."""
    return Prediction(0.0, "exact", "doublings", "the same speed-up by rewards and by labels")


def case(curriculum: str, against: str, cost: str = "rollouts") -> Case:
    """One curriculum against training without it."""
    text = f"{WORDS.get(curriculum, curriculum)} against {WORDS[against]}"
    name = text if cost == "rollouts" else f"{text}, in tokens"
    by_rewards, by_labels = (speed_up(m, curriculum, against, cost) for m in ("grpo", "sft"))
    signal = More("speed-up by rewards less that by labels", by_rewards, by_labels)
    settings = {"curriculum": curriculum, "against": against}
    return Case(name, settings, assumed=against == "hard", signal=signal)


CLAIM = Claim(
    id="S3.11",
    statement="A curriculum from easy to hard helps RL far more than it helps pretraining.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, on curricula",
    cases=(
        *[case("easy to hard", against, cost) for against in ("hard", "uniform") for cost in ("rollouts", "tokens")],
        *[case("control", against) for against in ("hard", "uniform")],
    ),
    predict=predict,
    stated=stated,
    arms=arms,
    rival=rival,
    rival_name="a curriculum helps both alike",
    tolerance=0.8,
    budget=4 * SEEDS * STEPS["grpo"] * PROMPTS * K,
    remark="Against hard prompts alone the difference is as large as one cares to train: by outcome rewards they teach "
    "nothing at any rate tried, by labels they teach most. Against a mix of all difficulties, which is a curriculum of "
    "a kind, an order from easy to hard makes learning by rewards about twice as fast and by labels no faster, so "
    "that a factor of 2 is about all there is; in tokens it is more, as easy prompts are short here. A control that "
    "holds the pass rate at 1/2 does as well by rewards without a schedule, and in experiment T7 it takes about as "
    "many outcome bits as the mix does: the rollouts saved are those whose outcome was known. One task, in which all "
    "that is learned of short strings carries over to long ones.",
    needs="train",
)
