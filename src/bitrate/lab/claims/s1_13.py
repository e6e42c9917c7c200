"""Figure 7 of the symbol bandit: a reward for every token, so that bits grow with the length."""

from functools import partial
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import terminal_information, token_capacity, token_information
from bitrate.types import Prediction

WORLDS = 100_000


def predict(case: Case) -> Prediction:
    """T h(1/V)."""
    bits = float(token_information(case.settings["alphabet"], case.settings["length"]))
    assumptions = ("right tokens uniform and independent",)
    return Prediction(bits, "exact", "bits/rollout", "docs/theory.md#tokens, S1.13", assumptions)


def stated(case: Case) -> Prediction:
    """The source's bound; each token's reward has two values."""
    bits = float(token_capacity([2] * case.settings["length"]))
    return Prediction(bits, "upper", "bits/rollout", "jeff, token-level capacity: sum of log2 A_t")


def rival(case: Case) -> Prediction | None:
    """One bit a token, as figure 7 has it, for tokens of any vocabulary."""
    length = case.settings["length"]
    return Prediction(float(length), "exact", "bits/rollout", "T") if case.settings["alphabet"] > 2 else None


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Right tokens and the policy's tokens, compared one by one; the policy knows a few sequences only."""
    v, length = case.settings["alphabet"], case.settings["length"]
    shape = (WORLDS, length)
    known = rng.integers(v, size=(case.settings["sequences"], length))
    right, said = rng.integers(v, size=shape), known[rng.integers(len(known), size=WORLDS)]
    scores = (right == said).astype(float)
    as_number = v ** np.arange(length)
    with SimulatedRun(folder, rng) as run:
        parts = {f"token_{t}": scores[:, [t]] for t in range(length)}
        rewards = scores.mean(axis=1, keepdims=True)
        run.step(0, answers=(said @ as_number)[:, None], rewards=rewards, targets=right @ as_number, components=parts)


def case(alphabet: int, length: int, sequences: int) -> Case:
    """V, T, and how many sequences the policy can say."""
    settings = {"alphabet": alphabet, "length": length, "sequences": sequences}
    return Case(f"V={alphabet}, T={length}", settings, x=length)


CLAIM = Claim(
    id="S1.13",
    statement="A reward for every token carries up to sum_t log2 A_t bits, and T bits for T fair binary tokens.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, theorem on token-level capacity and figure 7",
    cases=(
        *[case(2, t, n) for t, n in ((1, 2), (2, 16), (4, 16), (8, 8))],
        *[case(v, t, 8) for v, t in ((4, 4), (16, 4), (16, 8))],
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Unresolved(of="scores", given="answers"),
    rival=rival,
    rival_name="one bit a token, whatever the vocabulary",
    tolerance=0.045,
    budget=WORLDS,
    remark="A reward for every token is T answers to T questions. Each is worth a full bit only where right and wrong "
    "are even: with a vocabulary of 16 it is h(1/16), a third of a bit. Bits grow with the length because the "
    "feedback does: advantages for every token, made from one reward at the end, do not have them (S1.14).",
    against=("S1.14",),
    axis="tokens T",
    grid=range(1, 9),
    curves={
        **{f"a reward for each token, V={v}": partial(token_information, v) for v in (2, 4, 16)},
        "one reward for the whole, V=2": lambda length: terminal_information(2, length),
    },
)
