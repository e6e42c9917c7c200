"""A teacher's logits: how much they can say, and how much of it is about the right answer."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.special import softmax

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import distillation_capacity, mutual_information, teacher_information
from bitrate.types import Ints, Prediction

WORLDS = 80_000
Logits = Callable[[Ints, np.random.Generator], Ints]


def capacity(case: Case) -> float:
    """Bits that V logits of this precision can say."""
    return float(distillation_capacity(case.settings["vocabulary"], case.settings["bits"]))


def anything(vocabulary: int, bits: int = 1) -> Case:
    """Logits that may be anything carry V x precision."""

    def logits(targets: Ints, rng: np.random.Generator) -> Ints:
        return rng.integers(2**bits, size=(targets.size, vocabulary))

    return _case("any logits", vocabulary, float(distillation_capacity(vocabulary, bits)), logits, bits=bits, free=True)


def teacher(name: str, vocabulary: int, alike: int = 1) -> Case:
    """A teacher whose logits are up for the right answer, and for those it takes to be like it."""
    up = np.arange(vocabulary) // alike
    levels = np.asarray(up[:, None] == up, np.int64)
    return _case(name, vocabulary, said(levels), lambda targets, _: levels[targets])


def said(levels: Ints) -> float:
    """What a teacher's logits [targets, vocabulary] say of the answer, all answers alike."""
    return teacher_information(np.full(len(levels), 1 / len(levels)), softmax(levels.astype(float), axis=1))


def vague(vocabulary: int) -> Case:
    """A teacher that has the right answer's logit up, and any other up or not at even odds."""
    message = np.arange(2**vocabulary) >> np.arange(vocabulary)[:, None] & 1
    bits = float(mutual_information(message / (vocabulary * 2 ** (vocabulary - 1))))

    def logits(targets: Ints, rng: np.random.Generator) -> Ints:
        drawn = rng.integers(2, size=(targets.size, vocabulary))
        drawn[np.arange(targets.size), targets] = 1
        return drawn

    return _case("a vague teacher", vocabulary, bits, logits)


def _case(name: str, vocabulary: int, said_bits: float, logits: Logits, bits: int = 1, free: bool = False) -> Case:
    """What logits say of the answer; of those that may be anything, all that they say.

    The rival takes the capacity for bits about the answer.
    """
    return Case(
        f"{name}, V={vocabulary}, precision: {bits}", {"vocabulary": vocabulary, "bits": bits, "logits": logits},
        x=vocabulary if bits == 1 else None, assumed=free,
        signal=Unresolved(of="answers", given="scores") if free else Information(of="answers"),
        predict=Prediction(said_bits, "exact", "bits/prompt", "docs/theory.md#distillation, S4.5"),
        rival=None if free else lambda case: Prediction(capacity(case), "exact", "bits/prompt", "V x precision"),
    )  # fmt: skip


def stated(case: Case) -> Prediction:
    """The capacity, whatever the logits are asked about."""
    return Prediction(capacity(case), "exact", "bits/prompt", "Contra Dwarkesh: linear in vocabulary size")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """The student is shown the teacher's logits as one message, and no reward is given."""
    vocabulary, bits, logits = (case.settings[name] for name in ("vocabulary", "bits", "logits"))
    targets = rng.integers(vocabulary, size=WORLDS)
    # All logits in one whole number: the digits of a number to the base 2^bits.
    message = logits(targets, rng) @ (np.int64(1) << bits * np.arange(vocabulary))
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=message[:, None], rewards=np.ones((WORLDS, 1)), targets=targets)


CLAIM = Claim(
    id="S4.5",
    statement="One soft label of a teacher communicates an amount of information that is linear in the vocabulary.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, section Information content of labels",
    cases=(
        *map(anything, (4, 12)),
        anything(4, bits=3),
        *[teacher("a sure teacher", vocabulary) for vocabulary in (4, 16)],
        teacher("a teacher of pairs", 16, alike=2),
        vague(8),
    ),
    stated=stated,
    simulate=simulate,
    rival_name="all of the capacity is about the answer",
    tolerance=0.02,
    budget=WORLDS,
    condition="the capacity of the message is meant; about the right answer it says at most log2 V bits",
    remark="Logits that may be anything carry V times their precision. About which answer is right they carry log2 V "
    "bits at most, as a label does, and less from a teacher that is not sure. The rest is about the teacher: it "
    "can help the student on other prompts, and it does not help on this one.",
    axis="vocabulary V",
    grid=range(2, 17),
    curves={
        "capacity: V x 1 bit": lambda v: distillation_capacity(v, 1),
        "the most about one answer: log2 V": lambda v: said(np.eye(v, dtype=np.int64)),
    },
)
