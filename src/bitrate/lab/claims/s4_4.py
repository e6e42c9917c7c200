"""Cat or dog: what stays open after a wrong guess, and after the label?"""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s3_3 import belief
from bitrate.lab.signals import Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import binary_entropy, label_information, surprisal
from bitrate.types import Prediction

WORLDS = 100_000


def wrong(others: int) -> Case:
    """After a wrong guess the other options are all alike."""
    return _case("a wrong guess", others, 0.5, float(label_information(1 / others, others - 1)), x=others, guess=True,
                 wrong=True)  # fmt: skip


def guess(others: int, p: float = 0.5) -> Case:
    """The label's bits less those of the reward.

    The rival is Dwarkesh's difference of the two: at even odds both are one bit, and nothing would be left.
    """
    left = float(surprisal(p) - binary_entropy(p))
    return _case("a guess", others, p, float(label_information(p, others) - binary_entropy(p)), guess=True,
                 x=others if p == 0.5 else None,
                 rival=Prediction(left, "exact", "bits/prompt", "Dwarkesh: -log2 p less h(p)"))  # fmt: skip


def _case(
    name: str, others: int, p: float, bits: float, x: float | None = None, rival: Prediction | None = None, **how: bool
) -> Case:
    exact = Prediction(bits, "exact", "bits/prompt", "docs/theory.md#labels, S4.4", ("one right answer",))
    settings = {"p": p, "others": others} | how
    return Case(f"{name}, p={p:g}, K={others}", settings, x, predict=exact, rival=rival)


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """The first option is guessed, or the right one is shown; a wrong guess keeps the worlds where it failed."""
    s = case.settings
    task = SingleAnswer(belief(s["p"], s["others"]))
    targets = task.draw(WORLDS, rng)
    answers = np.zeros((WORLDS, 1), int) if s.get("guess") else targets[:, None]
    rewards = task.score(targets, answers, rng)
    kept = rewards[:, 0] == 0 if s.get("wrong") else np.full(WORLDS, True)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers[kept], rewards=rewards[kept], targets=targets[kept])


CLAIM = Claim(
    id="S4.4",
    statement="The reward of a wrong guess leaves all other options open, while the label settles the question: at "
    "even odds on cat, not-cat is much less than dog.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, What is the error in the original post?",
    cases=(
        *map(wrong, (3, 15, 255)),
        *map(guess, (3, 15)),
        guess(15, p=0.8),
        _case("the label", 15, 0.5, 0.0),
    ),
    simulate=simulate,
    signal=Unresolved(of="target", given="feedback"),
    rival_name="label -log2 p, reward h(p): one bit each at even odds",
    tolerance=0.03,
    budget=WORLDS,
    remark="Not-cat is one bit at even odds, and log2 K bits stay open among the K other animals. Counting a label "
    "as -log2 p looks only at the worlds in which it was expected: there it is one bit too.",
    against=("S3.2",),
    axis="other options K",
    log_axis=True,
    grid=np.unique(np.geomspace(2, 255, 40).round()),
    curves={
        "left open by a wrong guess: log2 K": lambda others: label_information(1 / others, others - 1),
        "left open by a guess, in the mean": lambda others: label_information(0.5, others) - binary_entropy(0.5),
        "left open if label and guess were one bit each": 0.0,
    },
)
