"""Label against rollout at the same pass rate, about two different targets: one right answer, or a set of them."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim, Panel
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.signals.pairs import Lead
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import GoodSet, SingleAnswer, Task
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


def predict(case: Case) -> Prediction:
    """Bits of a label less bits of a rollout, each about the same target."""
    p, s = case.settings["p"], case.settings
    if s["model"] == "set":
        good = round(p * s["answers"])
        bits = fixed_set_positive_example(s["answers"], good) - fixed_set_rollout(s["answers"], good)
        return Prediction(
            float(bits),
            "exact",
            UNIT,
            "docs/theory.md#labels, S3.4, and docs/theory.md#good-sets, S0.6",
            ("sets of one size",),
        )
    others = s["answers"] - 1
    guess = sampled_guess_information(p, others) if s["model"] == "sampled guess" else binary_entropy(p)
    lead = float(label_information(p, others) - guess)
    return Prediction(lead, "exact", UNIT, "docs/theory.md#labels, S3.4 and S4.1", ("one right answer",))


def stated(case: Case) -> Prediction:
    """The source: the label leads below a pass rate of 1/2, the rollout above."""
    reference = "Dwarkesh: pretraining is better for half of the pass rate range, RL for the other half"
    return Prediction(0.0, "upper" if case.settings["p"] > 0.5 else "lower", UNIT, reference)


def rival(case: Case) -> Prediction:
    """The reply to the source: a label never carries less."""
    return Prediction(0.0, "lower", UNIT, "S4.1, said of every target")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One run of labels, and one of guesses, each in worlds of its own."""
    p, answers = case.settings["p"], case.settings["answers"]
    task: Task = GoodSet(answers, size=round(p * answers))
    policy = None
    if case.settings["model"] != "set":
        belief = (p, *((1 - p) / (answers - 1),) * (answers - 1))
        task = SingleAnswer(belief)
        policy = belief if case.settings["model"] == "sampled guess" else np.eye(answers)[0]
    for run in ("labels", "guesses"):
        (folder / run).mkdir()
    collect(task, folder / "labels", rng=rng, worlds=WORLDS, method="sft")
    collect(task, folder / "guesses", rng=rng, worlds=WORLDS, method=0.0, policy=policy)


def curves() -> dict[str, tuple[list[float], list[float]]]:
    """Both models over the pass rate."""
    p = np.linspace(0.1, 0.98, 89)
    one, source = p[p >= 0.25], surprisal(p) - binary_entropy(p)
    top = label_information(one, 3) - binary_entropy(one)
    return {
        "one right answer of 4": (one.tolist(), top.tolist()),
        "a set of right answers; the source's -log2 p - h(p)": (p.tolist(), source.tolist()),
    }


def first_plot() -> dict[str, tuple[list[float], list[float]]]:
    """The source's curves beside the exact ones for one right answer of 4."""
    p = np.linspace(0.02, 0.99, 98)
    one = p[p >= 0.25]
    return {
        "label, exact, one of 4": (one.tolist(), label_information(one, 3).tolist()),
        "reward of a sampled guess, exact": (one.tolist(), sampled_guess_information(one, 3).tolist()),
        "the source's label: -log2 p": (p.tolist(), surprisal(p).tolist()),
        "the source's reward: h(p)": (p.tolist(), binary_entropy(p).tolist()),
    }


CLAIM = Claim(
    id="S3.4",
    statement="Supervised learning teaches more bits a sample than RL at pass rates below 1/2, and RL more above.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, first figure",
    cases=(
        *[
            Case(f"one right answer of 4, p={p:g}", {"model": "top guess", "p": p, "answers": 4}, x=p)
            for p in (0.3, 0.6, 0.8, 0.95)
        ],
        Case("one right answer of 4, guess sampled, p=.8", {"model": "sampled guess", "p": 0.8, "answers": 4}),
        *[
            Case(f"{8 * p:g} of 8 good", {"model": "set", "p": p, "answers": 8}, x=p, assumed=False)
            for p in (0.25, 0.75, 0.875)
        ],
    ),
    predict=predict,
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
    curves=curves,
    panels=(Panel("The source's first plot, and the exact curves", "pass rate p", first_plot),),
)
