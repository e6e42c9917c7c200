"""A teacher's logits: how much they can say, and how much of it is about the right answer."""

from pathlib import Path

import numpy as np
from scipy.special import softmax

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import distillation_capacity, mutual_information, teacher_information
from bitrate.types import Ints, Prediction

WORLDS = 80_000
ANY, SURE, PAIRS, VAGUE = "any logits", "a sure teacher", "a teacher of pairs", "a vague teacher"


def levels(kind: str, vocabulary: int) -> Ints:
    """One-bit logits that a teacher sends for each right answer, [targets, vocabulary]."""
    up = np.arange(vocabulary)
    if kind == PAIRS:
        up = up // 2
    return np.asarray(up[:, None] == up, np.int64)


def predict(case: Case) -> Prediction:
    """Logits that may be anything carry V x precision; about the answer they say which answers they fit."""
    kind, vocabulary, bits = (case.settings[name] for name in ("kind", "vocabulary", "bits"))
    if kind == ANY:
        value = float(distillation_capacity(vocabulary, bits))
    elif kind == VAGUE:
        # The right answer's logit is up, any other is up or not at even odds.
        message = np.arange(2**vocabulary) >> np.arange(vocabulary)[:, None] & 1
        value = float(mutual_information(message / (vocabulary * 2 ** (vocabulary - 1))))
    else:
        rows = softmax(levels(kind, vocabulary).astype(float), axis=1)
        value = teacher_information(np.full(vocabulary, 1 / vocabulary), rows)
    return Prediction(value, "exact", "bits/prompt", "docs/theory.md#distillation, S4.5")


def stated(case: Case) -> Prediction:
    """The capacity, whatever the logits are asked about."""
    value = float(distillation_capacity(case.settings["vocabulary"], case.settings["bits"]))
    return Prediction(value, "exact", "bits/prompt", "Contra Dwarkesh: linear in vocabulary size")


def rival(case: Case) -> Prediction | None:
    """The capacity, taken for bits about the answer."""
    if case.settings["kind"] == ANY:
        return None
    bits = float(distillation_capacity(case.settings["vocabulary"], case.settings["bits"]))
    return Prediction(bits, "exact", "bits/prompt", "V x precision")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """The student is shown the teacher's logits as one message, and no reward is given."""
    kind, vocabulary, bits = (case.settings[name] for name in ("kind", "vocabulary", "bits"))
    targets = rng.integers(vocabulary, size=WORLDS)
    if kind in {ANY, VAGUE}:
        logits = rng.integers(2**bits, size=(WORLDS, vocabulary))
        if kind == VAGUE:
            logits[np.arange(WORLDS), targets] = 1
    else:
        logits = levels(kind, vocabulary)[targets]
    # All logits in one whole number: the digits of a number to the base 2^bits.
    message = logits @ (np.int64(1) << bits * np.arange(vocabulary))
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=message[:, None], rewards=np.ones((WORLDS, 1)), targets=targets)


def curves() -> dict[str, tuple[list[float], list[float]]]:
    """The capacity at one bit a logit, and the most about one answer, over the vocabulary."""
    sizes = np.arange(2, 17)
    xs = [float(v) for v in sizes]
    sure = [predict(_case(SURE, int(v))).value for v in sizes]
    return {
        "capacity: V x 1 bit": (xs, distillation_capacity(sizes, 1).tolist()),
        "the most about one answer: log2 V": (xs, sure),
    }


def _case(kind: str, vocabulary: int, bits: int = 1) -> Case:
    settings = {"kind": kind, "vocabulary": vocabulary, "bits": bits}
    signal = Unresolved(of="answers", given="scores") if kind == ANY else Information(of="answers")
    name = f"{kind}, V={vocabulary}, precision: {bits}"
    return Case(name, settings, x=vocabulary if bits == 1 else None, assumed=kind == ANY, signal=signal)


CLAIM = Claim(
    id="S4.5",
    statement="One soft label of a teacher communicates an amount of information that is linear in the vocabulary.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, section Information content of labels",
    cases=(
        *[_case(ANY, vocabulary) for vocabulary in (4, 12)],
        _case(ANY, 4, bits=3),
        *[_case(SURE, vocabulary) for vocabulary in (4, 16)],
        _case(PAIRS, 16),
        _case(VAGUE, 8),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="all of the capacity is about the answer",
    tolerance=0.02,
    budget=WORLDS,
    condition="the capacity of the message is meant; about the right answer it says at most log2 V bits",
    remark="Logits that may be anything carry V times their precision. About which answer is right they carry log2 V "
    "bits at most, as a label does, and less from a teacher that is not sure. The rest is about the teacher: it "
    "can help the student on other prompts, and it does not help on this one.",
    axis="vocabulary V",
    curves=curves,
)
