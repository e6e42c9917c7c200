"""Signal to noise of a label's gradient as the model comes close to what can be known."""

from functools import partial
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s3_3 import belief
from bitrate.lab.signals.noise import SignalToNoise
from bitrate.lab.worlds.learners import sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import label_gradient_snr
from bitrate.types import Prediction

WORLDS = 150_000
OTHERS = 3


spread = partial(belief, others=OTHERS)


def snr(target: float, model: float) -> float:
    """Signal to noise of a label, by the chance of the top one and the model's belief in it."""
    return float(label_gradient_snr(spread(target), spread(model)))


def predict(case: Case) -> Prediction:
    """||q - pi||^2 / (1 - ||q||^2)."""
    value = snr(case.settings["target"], case.settings["model"])
    return Prediction(
        value, "exact", "ratio", "docs/theory.md#gradient-noise, S3.9", ("tabular softmax", "labels drawn from q")
    )


def rival(case: Case) -> Prediction:
    """As in RL without a baseline: the surer the model, the cleaner the gradient."""
    model = case.settings["model"]
    return Prediction(model / (1 - model), "exact", "ratio", "p / (1-p) of S3.8 with the belief in the top label")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """In each world the model answers once, then a label is shown; all worlds are the same prompt."""
    task = SingleAnswer(spread(case.settings["target"]))
    labels = task.draw(WORLDS, rng)
    answers = sample(np.array(spread(case.settings["model"])), WORLDS, 1, rng)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers, rewards=task.score(labels, answers, rng), targets=labels)
        run.step(1, answers=labels[:, None], rewards=np.ones((WORLDS, 1)), targets=labels)


CLAIM = Claim(
    id="S3.9",
    statement="Supervised learning is noisiest at its end, when what is left of the loss is chance in the labels.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, on variance late in pretraining",
    cases=(
        *[Case(f"q=.6, model at {m:g}", {"target": 0.6, "model": m}, x=m) for m in (0.25, 0.5, 0.6)],
        *[Case(f"q=.9, model at {m:g}", {"target": 0.9, "model": m}, x=m) for m in (0.7, 0.8, 0.9)],
    ),
    predict=predict,
    simulate=simulate,
    signal=SignalToNoise(),
    rival=rival,
    rival_name="a surer model has a cleaner gradient: p / (1-p)",
    tolerance=0.03,
    budget=2 * WORLDS,
    remark="The gradient of a label points from the model to that label. Its mean vanishes as the model comes to "
    "match the target, and the labels go on scattering. Where labels leave nothing to chance there is no noise at "
    "all, at any time.",
    axis="the model's belief in the top label",
    grid=np.linspace(0.4, 0.98, 80),
    curves={f"top label comes with chance {q:g}": partial(snr, q) for q in (0.6, 0.9)},
)
