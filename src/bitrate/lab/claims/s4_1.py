"""A label against a 0/1 reward: with one right answer, and where the label is one of many good answers."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information
from bitrate.lab.worlds.learners import collect, train
from bitrate.lab.worlds.tasks import GoodSet, SingleAnswer, Task
from bitrate.theory import (
    binary_entropy,
    fixed_set_positive_example,
    fixed_set_rollout,
    label_information,
    surprisal,
)
from bitrate.types import Prediction

WORLDS = 100_000


def bits(case: Case, shown: bool) -> float:
    """What a label carries, or the reward of a guess: the option believed most, or any joke."""
    s = case.settings
    if "jokes" in s:
        return float((fixed_set_positive_example if shown else fixed_set_rollout)(s["jokes"], s["good"]))
    return float(label_information(s["p"], s["others"]) if shown else binary_entropy(s["p"]))


def predict(case: Case) -> Prediction:
    """The entropy of the label or of the reward; for a set of good answers, what an example says of the set."""
    return Prediction(
        bits(case, case.settings["shown"]),
        "exact",
        "bits/prompt",
        "docs/theory.md#labels, S4.1, S4.2, and docs/theory.md#good-sets, S0.6",
    )


def stated(case: Case) -> Prediction:
    """A label carries at least what the reward would, and the reward at most what the label would."""
    shown = case.settings["shown"]
    return Prediction(bits(case, not shown), "lower" if shown else "upper", "bits/prompt", "Contra Dwarkesh")


def rival(case: Case) -> Prediction | None:
    """Dwarkesh's label: the surprisal of the option that is believed, as if the label always were that one."""
    if not case.settings["shown"] or "jokes" in case.settings:
        return None
    return Prediction(float(surprisal(case.settings["p"])), "exact", "bits/prompt", "Dwarkesh: -log2 p, S3.2")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Show one right answer in each world, or score one guess."""
    s = case.settings
    task: Task
    if "jokes" in s:
        task, policy = GoodSet(s["jokes"], size=s["good"]), None
    else:
        belief = (s["p"], *((1 - s["p"]) / s["others"],) * s["others"])
        task, policy = SingleAnswer(belief), np.eye(len(belief))[0]
    if s["shown"]:
        train(task, folder, rng=rng, worlds=WORLDS, steps=1, method="sft")
    else:
        collect(task, folder, rng=rng, worlds=WORLDS, method=0.5, policy=policy)


def _option(p: float, others: int, shown: bool) -> Case:
    name = f"{'label' if shown else 'reward'}, p={p:g} on one of {1 + others}"
    return Case(name, {"p": p, "others": others, "shown": shown}, x=p)


def _joke(good: int, shown: bool) -> Case:
    name = f"{'example' if shown else 'reward'}, {good} of 8 good"
    return Case(name, {"jokes": 8, "good": good, "shown": shown}, x=good / 8, assumed=False)


CLAIM = Claim(
    id="S4.1",
    statement="A label always carries at least as much information as the reward of a guess.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, the corrected statement",
    cases=(
        *[_option(p, 3, shown=True) for p in (0.25, 0.6, 0.9)],
        _option(0.9, 1, shown=True),
        _option(0.9, 3, shown=False),
        _joke(6, shown=True),
        _joke(6, shown=False),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Information(of="feedback"),
    rival=rival,
    rival_name="a label carries -log2 p",
    tolerance=0.02,
    budget=WORLDS,
    condition="one answer is right, so that the label decides what any guess would be rewarded with",
    remark="Who knows the right answer knows the reward of every guess, and so the label says more; with two "
    "options, just as much. Where many answers are good and the question is which, one example does not decide "
    "the rewards of others: if most are good, a reward says more. S3.4 and S0.6 are right for such sets, and this "
    "is right for a multiple-choice question.",
    against=("S3.4", "S0.6"),
    axis="belief in the guess, or share of good answers",
    grid=np.linspace(0.25, 0.99, 75),
    curves={
        "label, one of 4 options is right": lambda p: label_information(p, 3),
        "reward of one guess: h(p)": binary_entropy,
        "log2(1/p): an example of a set, Dwarkesh's label": surprisal,
    },
)
