"""Guessing one of V answers until it is right, with and without memory of what was tried."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, Mean
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import binary_entropy, expected_rollouts, surprisal
from bitrate.types import Prediction

WORLDS = 20_000
TRIES = Mean("count(*)", "guesses until the right one", "rollouts/prompt", spread=200.0)
BITS = Information(of="last answers")


def predict(case: Case) -> Prediction:
    """V with replacement, (V+1)/2 without; log2 V bits in all of them, either way."""
    v = case.settings["answers"]
    if case.settings["bits"]:
        return Prediction(
            float(surprisal(1 / v)), "exact", "bits/prompt", "docs/theory.md#search, S3.5", ("all answers alike",)
        )
    # Without replacement the right answer is equally likely to be the first, the second ... the last tried.
    tries = float(expected_rollouts(1 / v)) if case.settings["replace"] else float(np.arange(1, v + 1).mean())
    return Prediction(tries, "exact", "rollouts/prompt", "docs/theory.md#search, S3.5", ("all answers alike",))


def stated(case: Case) -> Prediction | None:
    """The source: about the number of tokens in the vocabulary."""
    if case.settings["bits"]:
        return None
    return Prediction(float(case.settings["answers"]), "exact", "rollouts/prompt", "Dwarkesh: around V guesses")


def rival(case: Case) -> Prediction:
    """Half of the vocabulary, also with replacement; and the bits of the first guess, for each of V guesses."""
    v = case.settings["answers"]
    if case.settings["bits"]:
        return Prediction(float(v * binary_entropy(1 / v)), "exact", "bits/prompt", "V guesses of h(1/V) bits")
    return Prediction((v + 1) / 2, "exact", "rollouts/prompt", "half of the vocabulary")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Guess in each world until the guess is right."""
    v = case.settings["answers"]
    task = SingleAnswer.uniform(v)
    targets, left, step = task.draw(WORLDS, rng), np.arange(WORLDS), 0
    order = rng.random((WORLDS, v)).argsort(axis=1)
    with SimulatedRun(folder, rng) as run:
        while left.size:
            tried = rng.integers(v, size=(left.size, 1)) if case.settings["replace"] else order[left, step, None]
            rewards = task.score(targets[left], tried, rng)
            run.step(step, answers=tried, rewards=rewards, targets=targets[left], prompts=left)
            left, step = left[rewards[:, 0] == 0], step + 1


def case(name: str, answers: int, replace: bool, bits: bool = False) -> Case:
    """A search; memory is outside the statement's assumptions."""
    settings = {"answers": answers, "replace": replace, "bits": bits}
    x = None if bits else float(answers)
    return Case(name, settings, x, assumed=replace, signal=BITS if bits else TRIES)


CLAIM = Claim(
    id="S3.5",
    statement="RL finds the right one of V tokens by guessing about V times.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, 'The sky is'",
    cases=(
        *[case(f"V={v}, with replacement", v, True) for v in (4, 8, 16)],
        *[case(f"V={v}, no guess twice", v, False) for v in (8, 16)],
        case("V=8, with replacement, bits of all guesses", 8, True, bits=True),
        case("V=8, no guess twice, bits of all guesses", 8, False, bits=True),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="half of the vocabulary, with replacement too; h(1/V) bits at each of V guesses",
    tolerance=0.6,
    budget=WORLDS * 16,
    condition="a wrong guess can come again, as from a policy that has not learned; without, it is (V+1)/2",
    remark="A search that does not try the same answer twice needs half as many guesses. The bits add up to log2 V "
    "either way: a guess that was tried before carries none.",
    axis="answers V",
    grid=np.arange(2.0, 21.0),
    curves={
        "with replacement: V": lambda v: expected_rollouts(1 / v),
        "without: (V+1)/2": lambda v: (v + 1) / 2,
    },
)
