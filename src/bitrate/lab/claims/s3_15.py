"""Batches that grow late in supervised training, at the same number of labels."""

from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Mean
from bitrate.lab.signals.pairs import Lead
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.types import Floats, Kind, Prediction

LABELS, RATE, NETWORKS, UNIT = 128, 0.3, 2_000, "bits/label"
#: Labels in tenths: of chance, and of none.
CHANCE, CERTAIN = (6, 2, 1, 1), (10, 0, 0, 0)
#: Stages of a run: batch, share of the labels, and learning rate as a share of RATE.
STAGES = {
    "small": ((1, 1.0, 1.0),),
    "large": ((16, 1.0, 1.0),),
    "growing": ((1, 0.25, 1.0), (4, 0.25, 1.0), (16, 0.5, 1.0)),
    "shrinking": ((16, 0.5, 1.0), (4, 0.25, 1.0), (1, 0.25, 1.0)),
    "slower": ((1, 0.25, 1.0), (1, 0.25, 1 / 4), (1, 0.5, 1 / 16)),
}
LOSS = Mean("avg(target_surprisal)", "log-loss of the trained model on labels", UNIT, spread=0.5)


def case(
    against: str, tenths: tuple[int, ...], value: float, kind: Kind, why: str, rival: float = 0.0, assumed: bool = True
) -> Case:
    """Log-loss at the end of a run with a growing batch less that of another."""
    labels = "labels of chance" if tenths == CHANCE else "certain labels"
    needs = ("tabular softmax", "plain gradient steps", f"{LABELS} labels", f"learning rate {RATE}")
    return Case(
        f"growing batch less {against}, {labels}", {"against": against, "tenths": tenths}, assumed=assumed,
        signal=Lead("growing", LOSS, against, LOSS),
        predict=Prediction(value, kind, UNIT, f"docs/theory.md#gradient-noise, S3.15: {why}", needs),
        stated=Prediction(0.0, "upper", UNIT, "Dwarkesh: why batch sizes are increased as pretraining progresses"),
        rival=Prediction(rival, "exact", UNIT, "at the same number of labels the batch makes no difference"),
    )  # fmt: skip


def fitted(stages: tuple[tuple[int, float, float], ...], labels: Floats, rng: np.random.Generator) -> Floats:
    """log2 of the policies of as many networks, trained from uniform on labels that are drawn afresh."""
    logits = np.zeros((NETWORKS, labels.size))
    for batch, share, rate in stages:
        for _ in range(round(share * LABELS / batch)):
            shown = rng.multinomial(batch, labels, size=NETWORKS) / batch
            logits += RATE * rate * (shown - np.exp(log_softmax(logits, axis=1)))
    return np.asarray(log_softmax(logits, axis=1) / np.log(2))


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Train by two schedules; then ten labels, one a step, in the shares that labels have."""
    tenths = np.array(case.settings["tenths"])
    for name in ("growing", case.settings["against"]):
        (folder / name).mkdir()
        log_policy = fitted(STAGES[name], tenths / 10, rng)
        with SimulatedRun(folder / name, rng) as run:
            for step, label in enumerate(np.repeat(np.arange(tenths.size), tenths)):
                shown = np.full((NETWORKS, 1), label)
                run.step(step, answers=shown, rewards=shown * 0.0 + 1, target_surprisal=-log_policy[:, label])


CLAIM = Claim(
    id="S3.15",
    statement="Labels are noisy for the most part late in supervised training, which is why batches are made larger "
    "as it progresses.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, on variance late in pretraining",
    cases=(
        # Steps of one label leave an excess of RATE (1 - |q|^2) / 4 nats, .063 bits.
        case("small", CHANCE, -0.02, "upper", "a batch of 16 leaves 1/16 of the noise's excess"),
        case("large", CHANCE, -0.04, "upper", "large batches from the start are too few steps"),
        case("shrinking", CHANCE, -0.02, "upper", "a small batch at the end brings the excess back"),
        case("slower", CHANCE, 0.0, "exact", "a smaller learning rate leaves out as much", rival=-0.04),
        case("small", CERTAIN, 0.03, "lower", "without noise only the number of steps counts", assumed=False),
    ),
    simulate=simulate,
    rival_name="at the same number of labels the batch makes no difference",
    tolerance=0.02,
    budget=NETWORKS * LABELS,
    condition="labels leave something to chance; where they are certain, larger batches are only fewer steps",
    remark="Near the end a gradient is noise for the most part because the signal goes: the variance of a label's "
    "gradient is 1 - |q|^2 at any state of the model. Steps of one label then leave an excess of log-loss of about "
    "rate (1 - |q|^2) / (4 B) nats, and a batch that grows takes it away without having cost steps early. So does a "
    "learning rate that falls by the same factors: the growing batch is not needed for it, but steps in parallel.",
    against=("S3.9",),
)
