"""Cat or dog: what stays open after a wrong guess, and after the label?"""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import binary_entropy, label_information, surprisal
from bitrate.types import Prediction

WORLDS = 100_000
GUESS, WRONG, LABEL = "a guess", "a wrong guess", "the label"


def predict(case: Case) -> Prediction:
    """The label's bits less those of the reward; after a wrong guess the other options are all alike."""
    p, others, seen = (case.settings[name] for name in ("p", "others", "seen"))
    bits = 0.0
    if seen == WRONG:
        bits = float(label_information(1 / others, others - 1))
    elif seen == GUESS:
        bits = float(label_information(p, others) - binary_entropy(p))
    return Prediction(bits, "exact", "bits/prompt", "docs/theory.md#labels, S4.4", ("one right answer",))


def rival(case: Case) -> Prediction | None:
    """Dwarkesh's difference between label and reward: at even odds both are one bit, and nothing would be left."""
    if case.settings["seen"] != GUESS:
        return None
    p = case.settings["p"]
    bits = float(surprisal(p) - binary_entropy(p))
    return Prediction(bits, "exact", "bits/prompt", "Dwarkesh: -log2 p less h(p)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """The first option is guessed, or the right one is shown; a wrong guess keeps the worlds where it failed."""
    p, others, seen = (case.settings[name] for name in ("p", "others", "seen"))
    task = SingleAnswer((p, *((1 - p) / others,) * others))
    targets = task.draw(WORLDS, rng)
    answers = targets[:, None] if seen == LABEL else np.zeros((WORLDS, 1), int)
    rewards = task.score(targets, answers, rng)
    kept = rewards[:, 0] == 0 if seen == WRONG else np.full(WORLDS, True)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers[kept], rewards=rewards[kept], targets=targets[kept])


def curves() -> dict[str, tuple[list[float], list[float]]]:
    """Even odds on the guess, over the other options."""
    others = np.unique(np.geomspace(2, 255, 40).round())
    xs = others.tolist()
    return {
        "left open by a wrong guess: log2 K": (xs, label_information(1 / others, others - 1).tolist()),
        "left open by a guess, in the mean": (xs, (label_information(0.5, others) - binary_entropy(0.5)).tolist()),
        "left open if label and guess were one bit each": (xs, [0.0 for _ in xs]),
    }


def _case(seen: str, others: int, p: float = 0.5) -> Case:
    settings = {"p": p, "others": others, "seen": seen}
    return Case(f"{seen}, p={p:g}, K={others}", settings, x=others if p == 0.5 and seen != LABEL else None)


CLAIM = Claim(
    id="S4.4",
    statement="The reward of a wrong guess leaves all other options open, while the label settles the question: at "
    "even odds on cat, not-cat is much less than dog.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, What is the error in the original post?",
    cases=(
        *[_case(WRONG, others) for others in (3, 15, 255)],
        *[_case(GUESS, others) for others in (3, 15)],
        _case(GUESS, 15, p=0.8),
        _case(LABEL, 15),
    ),
    predict=predict,
    simulate=simulate,
    signal=Unresolved(of="target", given="feedback"),
    rival=rival,
    rival_name="label -log2 p, reward h(p): one bit each at even odds",
    tolerance=0.03,
    budget=WORLDS,
    remark="Not-cat is one bit at even odds, and log2 K bits stay open among the K other animals. Counting a label "
    "as -log2 p looks only at the worlds in which it was expected: there it is one bit too.",
    against=("S3.2",),
    axis="other options K",
    log_axis=True,
    curves=curves,
)
