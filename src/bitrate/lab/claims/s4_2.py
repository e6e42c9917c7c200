"""The expected bits of a label, and of a reward, when one option has belief p and the rest share the remainder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.lab.claim import Case, Claim, Drawn, Panel
from bitrate.lab.claims.s3_3 import belief
from bitrate.lab.signals import Information, LedgerLine
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import binary_entropy, label_information, sampled_guess_information, surprisal
from bitrate.types import Prediction

WORLDS = 120_000
#: Contra's second plot: as many options as a vocabulary has tokens, of which 1,000 are enough to see.
VOCABULARY, MANY = "an option for every token of a vocabulary", 999
UNIT, SURPRISAL = "bits/prompt", "Dwarkesh: -log2 p, S3.2"


def label(p: float, others: int) -> Case:
    """The entropy of the belief. The rival, -log2 p, forgets the labels that the model did not believe in."""
    bits = float(label_information(p, others))
    return _case("label", p, others, bits, bits, rival=Prediction(float(surprisal(p)), "exact", UNIT, SURPRISAL))


def top_guess(p: float, others: int) -> Case:
    """The entropy of its outcome, h(p)."""
    bits = float(binary_entropy(p))
    return _case("top guess", p, others, bits, bits, policy=np.eye(1 + others)[0])


def sampled_guess(p: float, others: int, k: int = 1) -> Case:
    """The mean entropy of the outcome over guesses; the source has h(p) for any reward."""
    bits = float(sampled_guess_information(p, others))
    return _case("sampled guess", p, others, bits, float(binary_entropy(p)), policy=belief(p, others), k=k)


def _case(
    name: str, p: float, others: int, bits: float, stated: float, *, rival: Prediction | None = None, **how: Any
) -> Case:
    return Case(
        f"{name}, p={p:g}, K={others}", {"p": p, "others": others} | how, x=p if others in (3, MANY) else None,
        assumed=bits == stated, panel=VOCABULARY if others == MANY else "", rival=rival,
        predict=Prediction(bits, "exact", UNIT, "docs/theory.md#labels, S4.2", ("the belief is calibrated",)),
        stated=Prediction(stated, "exact", UNIT, "Contra Dwarkesh, the two plots"),
    )  # fmt: skip


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """The right option is drawn from the belief: it is shown, or one guess is scored; a group, for the audit."""
    s = case.settings
    task, k = SingleAnswer(belief(s["p"], s["others"])), s.get("k", 1)
    if "policy" not in s:
        shown = task.draw(WORLDS, rng)
        with SimulatedRun(folder, rng) as run:
            run.step(0, answers=shown[:, None], rewards=np.ones((WORLDS, 1)), targets=shown)
    else:
        collect(task, folder, rng=rng, worlds=WORLDS // k, k=k, method=0.5, policy=s["policy"])


OVER_A_VOCABULARY: Drawn = {
    "label, 1,000 tokens": lambda p: label_information(p, MANY),
    "reward of the top guess: h(p)": binary_entropy,
    "label, 50,000 tokens": lambda p: label_information(p, 49_999),
    "-log2 p": surprisal,
}
CLAIM = Claim(
    id="S4.2",
    statement="With belief p in one option and the rest shared by K others, a label carries h(p) + (1-p) log2 K bits "
    "and a reward h(p).",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, the two plots",
    cases=(
        *[label(p, others) for p, others in ((0.5, 3), (0.9, 3), (0.25, 3), (0.01, MANY), (0.05, MANY))],
        top_guess(0.5, 3),
        top_guess(0.05, MANY),
        sampled_guess(0.5, 3),
        sampled_guess(0.9, 31),
        replace(
            sampled_guess(0.5, 3, k=16), name="sampled guess, p=0.5, K=3, audited", x=None,
            signal=LedgerLine("ledger.outcome_bits"),
        ),
    ),
    simulate=simulate,
    signal=Information(of="feedback"),
    rival_name="a label carries -log2 p",
    tolerance=0.03,
    budget=WORLDS,
    condition="the guess is the option believed most; a guess sampled from the belief gets p h(p) + (1-p) h((1-p)/K)",
    remark="A label that was not expected carries more than one that was, and the mean has to count both. A policy "
    "that samples its guess sometimes asks about an option it hardly believes in, and learns little from the "
    "answer.",
    axis="belief p in the top one of 4 options",
    grid=np.linspace(0.25, 0.99, 75),
    curves={
        "label: h(p) + (1-p) log2 3": lambda p: label_information(p, 3),
        "reward of the top guess: h(p)": binary_entropy,
        "reward of a sampled guess": lambda p: sampled_guess_information(p, 3),
        "-log2 p": surprisal,
    },
    panels=(
        Panel(
            VOCABULARY, "belief p in the top option", OVER_A_VOCABULARY, np.geomspace(1e-4, 0.999, 90), log_axis=True
        ),
    ),
)  # fmt: skip
