"""Signal to noise of a policy gradient over the pass rate."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim, Curves
from bitrate.lab.claims.s3_3 import belief
from bitrate.lab.signals.noise import SignalToNoise
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import gradient_snr
from bitrate.types import Prediction

WORLDS = 200_000
OTHERS = 3


def predict(case: Case) -> Prediction:
    """|E g|^2 / tr Var g of one rollout."""
    p, baseline = case.settings["p"], case.settings["baseline"]
    snr = float(gradient_snr(p, baseline=baseline, others=OTHERS))
    return Prediction(
        snr, "exact", "ratio", "docs/theory.md#gradient-noise, S3.8", ("tabular softmax", "wrong answers alike")
    )


def stated(case: Case) -> Prediction:
    """p / (1-p), whatever the baseline."""
    return Prediction(float(gradient_snr(case.settings["p"])), "exact", "ratio", "Dwarkesh, as formula: p / (1-p)")


def rival(case: Case) -> Prediction | None:
    """A baseline is thought to take the noise away: (1-p) times less of it, 1/p of a reward's variance.

    Where p is small that is no difference.
    """
    p = case.settings["p"]
    if not case.settings["baseline"] or p < 0.1:
        return None
    return Prediction(p / (1 - p) ** 2, "exact", "ratio", "p / (1-p)^2")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One rollout each of many visits to a prompt whose right answer is answer 0."""
    p = case.settings["p"]
    task = SingleAnswer((1.0, *(0.0,) * OTHERS))
    collect(task, folder, rng=rng, worlds=WORLDS, method=case.settings["baseline"], policy=belief(p, OTHERS))


def curves() -> Curves:
    """Without a baseline up to a rate of 2/3, with the mean reward as baseline up to the end."""
    low, p = np.linspace(0.005, 0.67, 60), np.linspace(0.005, 0.995, 100)
    return {
        "no baseline: p / (1-p)": (low.tolist(), gradient_snr(low).tolist()),
        "baseline p": (p.tolist(), gradient_snr(p, baseline=p, others=OTHERS).tolist()),
    }


CLAIM = Claim(
    id="S3.8",
    statement="At a low pass rate p the policy gradient is noise for the most part: its signal to noise ratio is "
    "p / (1-p).",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, on variance early in RL",
    cases=(
        *[Case(f"no baseline, p={p:g}", {"p": p, "baseline": 0.0}, x=p) for p in (0.02, 0.2, 0.5)],
        *[Case(f"baseline p, p={p:g}", {"p": p, "baseline": p}, x=p, assumed=False) for p in (0.02, 0.2, 0.6)],
        Case("baseline p, p=.95", {"p": 0.95, "baseline": 0.95}, x=0.95, assumed=False),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=SignalToNoise(),
    rival=rival,
    rival_name="a baseline p makes it p / (1-p)^2",
    tolerance=0.03,
    budget=WORLDS,
    condition="no baseline is subtracted; with the mean reward as baseline the signal also vanishes as p goes to 1",
    remark="At p = 1/100 it takes about 100 rollouts until the signal is as large as the noise. The mean reward as "
    "baseline does not help there, and near p = 1 it brings the noise back: rare failures are as jerky as rare "
    "successes.",
    axis="pass rate p",
    curves=curves,
)
