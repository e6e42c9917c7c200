"""Rewards at a low pass rate: how much of the answer stays open after one guess, and after many?"""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s3_3 import belief
from bitrate.lab.signals import Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import binary_entropy, entropy, label_information
from bitrate.types import Floats, Prediction

WORLDS = 120_000
ANSWERS = 16
#: Bits of feedback below which it is fair to call it none.
USELESS = 0.01


def options(case: Case) -> Floats:
    """Chance of each option to be right."""
    return np.array(belief(case.settings["p"], case.settings["others"]))


def label(case: Case) -> float:
    """What a label would say."""
    return float(label_information(case.settings["p"], case.settings["others"]))


def predict(case: Case) -> Prediction:
    """The label less what the rewards said: which of the guesses was right, or that none was."""
    guesses, prior = case.settings["guesses"], options(case)
    received = float(entropy(np.append(prior[:guesses], prior[guesses:].sum())))
    return Prediction(
        label(case) - received, "exact", "bits/prompt", "docs/theory.md#labels, S4.3", ("one right answer",)
    )


def stated(case: Case) -> Prediction:
    """No success, no feedback: all of the label stays open unless a guess was right, to a hundredth of a bit."""
    failed = float(options(case)[case.settings["guesses"] :].sum())
    return Prediction(failed * label(case) - USELESS, "lower", "bits/prompt", "Contra Dwarkesh, below the second plot")


def rival(case: Case) -> Prediction | None:
    """Each guess carries what the first one does; one guess leaves this formula nothing to be wrong about."""
    guesses = case.settings["guesses"]
    if guesses == 1:
        return None
    spent = guesses * float(binary_entropy(case.settings["p"]))
    return Prediction(label(case) - spent, "exact", "bits/prompt", "log2 V - n h(1/V)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Guess the first options, one after the other, in each world."""
    task = SingleAnswer(tuple(options(case)))
    targets = task.draw(WORLDS, rng)
    answers = np.tile(np.arange(case.settings["guesses"]), (WORLDS, 1))
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers, rewards=task.score(targets, answers, rng), targets=targets)


def _alike(options: int, guesses: int, assumed: bool = False) -> Case:
    settings = {"p": 1 / options, "others": options - 1, "guesses": guesses}
    name = f"{options} options, {guesses} guess{'es' if guesses > 1 else ''}"
    return Case(name, settings, x=guesses if options == ANSWERS else None, assumed=assumed)


CLAIM = Claim(
    id="S4.3",
    statement="At a low pass rate 0/1 rewards are useless where labels are not: there is no feedback until a guess "
    "is right.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, below the second plot",
    cases=(
        _alike(1000, 1, assumed=True),
        _alike(4000, 1, assumed=True),
        Case("2 options, 1 guess, p=0.05", {"p": 0.05, "others": 1, "guesses": 1}, assumed=False),
        *[_alike(ANSWERS, n) for n in (4, 8)],
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Unresolved(of="target", given="feedback"),
    rival=rival,
    rival_name="every guess carries what the first one does",
    tolerance=0.025,
    budget=8 * WORLDS,
    condition="the options are many and the guesses few: a failure then rules out one option of V, about 1.4/V bits",
    remark="One guess among a thousand leaves nearly all of the label open, in the mean: h(p) is small. But a "
    "failure is not silence. With two options it names the right one as a label would, and failures add up: "
    "whoever never repeats a guess has all log2 V bits in the end. S3.5 asks how many guesses that takes. The "
    "rare success carries the same log2(1/p) bits as the label.",
    against=("S3.5",),
    axis="different guesses",
    grid=range(1, ANSWERS),
    curves={
        "what is open": lambda n: predict(_alike(ANSWERS, n)).value,
        "if failures said nothing": lambda n: stated(_alike(ANSWERS, n)).value,
        "if each guess said what the first does": lambda n: label(_alike(ANSWERS, 1)) - n * binary_entropy(1 / ANSWERS),
    },
)
