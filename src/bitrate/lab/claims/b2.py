"""A comparison of two answers: how much does it say about which of them is better?"""

from pathlib import Path

import numpy as np
from scipy.special import expit

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import PassRateInformation
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import noisy_outcome_information, preference_information
from bitrate.types import Prediction

WORLDS, PAIRS = 20_000, 32


def predict(case: Case) -> Prediction:
    """h(E sigma(D)) - E h(sigma(D))."""
    bits = float(preference_information(case.settings["std"]))
    return Prediction(
        bits, "exact", "bits/pair", "docs/theory.md#preferences", ("Bradley-Terry with D normal about 0",)
    )


def by_agreement(std: float) -> float:
    """What raters would say of a pair if each of them were wrong as often as the mean rater is."""
    d = np.linspace(-10, 10, 4001) * std
    weight = np.exp(-((d / std) ** 2) / 2)
    wrong = float(weight @ expit(-np.abs(d)) / weight.sum())
    return float(noisy_outcome_information(0.5, wrong))


def rival(case: Case) -> Prediction:
    """One rate of error for all pairs: 1 - h(agreement)."""
    return Prediction(by_agreement(case.settings["std"]), "exact", "bits/pair", "1 - h(mean agreement)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Two answers of hidden worth in each of many worlds; each rater prefers the one that is worth more to him.

    A rater's taste adds Gumbel noise to the worth of each answer: that is where Bradley-Terry comes from.
    """
    worth = rng.normal(0, case.settings["std"] / np.sqrt(2), (WORLDS, 1, 2))
    felt = worth + rng.gumbel(size=(WORLDS, PAIRS, 2))
    with SimulatedRun(folder, rng) as run:
        first = (felt[:, :, 0] > felt[:, :, 1]).astype(float)
        run.step(0, answers=np.zeros(first.shape, int), rewards=first)


CLAIM = Claim(
    id="B2",
    statement="A comparison whose log-odds D are normal with mean 0 carries h(E sigma(D)) - E h(sigma(D)) bits about "
    "D, much less than one.",
    source="bitrate, docs/theory.md#preferences; Bradley and Terry (1952), Rank analysis of incomplete block designs",
    cases=tuple(Case(f"standard deviation {x:g}", {"std": x}, x=x) for x in (0.5, 1.0, 2.0, 4.0)),
    predict=predict,
    simulate=simulate,
    signal=PassRateInformation(),
    rival=rival,
    rival_name="1 - h(mean agreement)",
    tolerance=0.015,
    budget=WORLDS * PAIRS,
    remark="Two answers of like worth are a coin toss, and a rater's verdict on them is mostly noise. A pair is worth "
    "0.14 bits at standard deviation 1 and a third of a bit at 2; only clear pairs come near one bit. The mean "
    "agreement understates it: to be sure of some pairs and unsure of others is worth more than half sure of all.",
    axis="standard deviation of the log-odds D",
    grid=np.linspace(0.1, 6, 60),
    curves={
        "exact": preference_information,
        "1 - h(mean agreement)": by_agreement,
    },
)
