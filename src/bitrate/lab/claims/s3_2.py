"""What a label tells: the surprise of the one that came, and the mean over the labels that can come."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s3_3 import belief
from bitrate.lab.signals import Information
from bitrate.lab.signals.surprisal import Surprisal
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import label_information, surprisal
from bitrate.types import Prediction

WORLDS = 200_000
POINTWISE = Surprisal("bool_and(answer = '0')", "surprisal of label 0")
MEAN = Information(of="answers")


def predict(case: Case) -> Prediction:
    """-log2 p for the label with belief p; h(p) + (1-p) log2 K on the average over labels."""
    p, others = case.settings["p"], case.settings["others"]
    bits = label_information(p, others) if case.settings["mean"] else surprisal(p)
    return Prediction(
        float(bits), "exact", "bits/label", "docs/theory.md#labels, S3.2 and S4.2", ("a calibrated belief",)
    )


def stated(case: Case) -> Prediction:
    """The source's formula, whichever label comes."""
    return Prediction(float(surprisal(case.settings["p"])), "exact", "bits/label", "Dwarkesh, -log(p) bits/sample")


def rival(case: Case) -> Prediction:
    """A label is one of 1 + K, so it is taken to carry the logarithm of that."""
    return Prediction(float(np.log2(1 + case.settings["others"])), "exact", "bits/label", "log2 of the vocabulary")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One label in each of many worlds."""
    collect(
        SingleAnswer(belief(case.settings["p"], case.settings["others"])), folder, rng=rng, worlds=WORLDS, method="sft"
    )


CLAIM = Claim(
    id="S3.2",
    statement="A labelled sample teaches -log2 p bits, where p is the probability the model gave to the right answer.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, supervised learning",
    cases=(
        *[
            Case(f"label 0 came, p={p:g}", {"p": p, "others": 3, "mean": False}, x=p, signal=POINTWISE)
            for p in (0.1, 0.5, 0.9)
        ],
        *[
            Case(f"all labels, p={p:g}, K={k}", {"p": p, "others": k, "mean": True}, x, assumed=False, signal=MEAN)
            for p, k, x in ((0.25, 3, 0.25), (0.5, 3, 0.5), (0.9, 3, 0.9), (0.9, 99, None))
        ],
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="log2 of the vocabulary",
    tolerance=0.045,
    budget=WORLDS,
    condition="the label with probability p is the one that came; the mean over labels is h(p) + (1-p) log2 K",
    remark="-log2 p is the surprise of one label. The model does not know which label will come, so what a label is "
    "worth to it is a mean over all of them, and the labels it did not expect count most. Only where all labels are "
    "alike are the two the same. A curve of -log2 p against p, as if p were the belief in a fixed label, leaves out "
    "the labels that surprise, and so it falls below h(p) for p > 1/2, which no mean over labels does.",
    against=("S4.2",),
    axis="belief p in label 0",
    grid=np.linspace(0.05, 0.99, 95),
    curves={
        "-log2 p: the label believed in came": surprisal,
        "mean over the labels, 4 options": lambda p: label_information(p, 3),
    },
)
