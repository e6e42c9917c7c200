"""Label against rollout at the same pass rate, about two different targets: one right answer, or a set of them."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim, Drawn, Panel
from bitrate.lab.claims.s3_3 import belief
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.signals.pairs import Lead
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import GoodSet, SingleAnswer
from bitrate.theory import (
    binary_entropy,
    fixed_set_positive_example,
    fixed_set_rollout,
    label_information,
    sampled_guess_information,
    surprisal,
)
from bitrate.types import Prediction

WORLDS = 60_000
UNIT = "bits/prompt"


def one_right(p: float, name: str, sampled: bool = False, x: float | None = None) -> Case:
    """One of 4 answers is right, and the guess is the one believed in most or sampled from the belief."""
    options = belief(p, 3)
    guess = sampled_guess_information(p, 3) if sampled else binary_entropy(p)
    bits = float(label_information(p, 3) - guess)
    return Case(
        name, {"p": p, "task": SingleAnswer(options), "policy": options if sampled else np.eye(4)[0]}, x,
        predict=Prediction(bits, "exact", UNIT, "docs/theory.md#labels, S3.4 and S4.1", ("one right answer",)),
    )  # fmt: skip


def some_right(good: int) -> Case:
    """So many of 8 answers are good, and the guess is any."""
    bits = float(fixed_set_positive_example(8, good) - fixed_set_rollout(8, good))
    reference = "docs/theory.md#labels, S3.4, and docs/theory.md#good-sets, S0.6"
    return Case(
        f"{good} of 8 good", {"p": good / 8, "task": GoodSet(8, size=good), "policy": None}, x=good / 8, assumed=False,
        predict=Prediction(bits, "exact", UNIT, reference, ("sets of one size",)),
    )  # fmt: skip


def stated(case: Case) -> Prediction:
    """The source: the label leads below a pass rate of 1/2, the rollout above."""
    reference = "Dwarkesh: pretraining is better for half of the pass rate range, RL for the other half"
    return Prediction(0.0, "upper" if case.settings["p"] > 0.5 else "lower", UNIT, reference)


def rival(case: Case) -> Prediction:
    """The reply to the source: a label never carries less."""
    return Prediction(0.0, "lower", UNIT, "S4.1, said of every target")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One run of labels, and one of guesses, each in worlds of its own."""
    task, policy = case.settings["task"], case.settings["policy"]
    for run in ("labels", "guesses"):
        (folder / run).mkdir()
    collect(task, folder / "labels", rng=rng, worlds=WORLDS, method="sft")
    collect(task, folder / "guesses", rng=rng, worlds=WORLDS, method=0.0, policy=policy)


FIRST_PLOT: Drawn = {
    "label, exact, one of 4": lambda p: label_information(p, 3) if p >= 0.25 else None,
    "reward of a sampled guess, exact": lambda p: sampled_guess_information(p, 3) if p >= 0.25 else None,
    "the source's label: -log2 p": surprisal,
    "the source's reward: h(p)": binary_entropy,
}
CLAIM = Claim(
    id="S3.4",
    statement="Supervised learning teaches more bits a sample than RL at pass rates below 1/2, and RL more above.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, first figure",
    cases=(
        *[one_right(p, f"one right answer of 4, p={p:g}", x=p) for p in (0.3, 0.6, 0.8, 0.95)],
        one_right(0.8, "one right answer of 4, guess sampled, p=.8", sampled=True),
        *map(some_right, (2, 6, 7)),
    ),
    stated=stated,
    simulate=simulate,
    signal=Lead("labels", Information(of="answers"), "guesses", Unresolved(of="scores", given="answers")),
    rival=rival,
    rival_name="a label never carries less than a rollout, whatever the target",
    tolerance=0.04,
    budget=2 * WORLDS,
    remark="The source has one right answer in mind, and there a label always tells more: it says whether the guess "
    "was right, and more (S4.1). The source's formula, -log2 p against h(p), is exact for another question: which "
    "answers of a set of known size are good (S0.6). There a label is one good answer, and half of the answers good "
    "is where the two cross. Both sides are right about their own target.",
    against=("S4.1", "S0.6"),
    axis="pass rate p",
    grid=np.linspace(0.1, 0.98, 89),
    curves={
        "one right answer of 4": lambda p: label_information(p, 3) - binary_entropy(p) if p >= 0.25 else None,
        "a set of right answers; the source's -log2 p - h(p)": lambda p: surprisal(p) - binary_entropy(p),
    },
    panels=(
        Panel("The source's first plot, and the exact curves", "pass rate p", FIRST_PLOT, np.linspace(0.02, 0.99, 98)),
    ),
)
