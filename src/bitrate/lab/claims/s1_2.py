"""How much a problem and its 32 samples say, when there is only a key to be found."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Unresolved
from bitrate.lab.signals.hits import HitInformation
from bitrate.lab.worlds.learners import collect, train
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import group_information, outcome_information
from bitrate.types import Prediction

WORLDS = 20_000
ALL, LAST = HitInformation(), Unresolved(of="last scores", given="history")


def uniform(answers: int) -> tuple[float, ...]:
    """All answers alike."""
    return (1 / answers,) * answers


def predict(case: Case) -> Prediction:
    """The bits of the whole group; for its last sample alone, less those of the samples before."""
    s = case.settings
    policy = s.get("policy", uniform(s["keys"]))
    bits = group_information(uniform(s["keys"]), policy, s["k"])
    if s["last"]:
        bits -= group_information(uniform(s["keys"]), policy, s["k"] - 1)
    assumptions = ("one right answer", "a verifier without errors")
    return Prediction(float(bits), "exact", "bits/problem", "docs/theory.md#outcome, S1.2", assumptions)


def stated(case: Case) -> Prediction:
    """The source's count: at most one bit for every sample."""
    samples = 1 if case.settings["last"] else case.settings["k"]
    return Prediction(float(samples), "upper", "bits/problem", "jeff: 10,000 x 32 <= 320,000 bits")


def rival(case: Case) -> Prediction:
    """Every sample brings what the first brought."""
    s = case.settings
    one = outcome_information(uniform(s["keys"]), s.get("policy", uniform(s["keys"])))
    return Prediction(float(one if s["last"] else s["k"] * one), "exact", "bits/problem", "K sum pi h(q)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One group a problem; or one sample after the other, where the last is looked at."""
    s = case.settings
    task = SingleAnswer.uniform(s["keys"])
    if s["last"]:
        train(task, folder, rng=rng, worlds=WORLDS, steps=s["k"], method="grpo")  # a group of one moves no weight
    else:
        collect(task, folder, rng=rng, worlds=WORLDS, k=s["k"], policy=s.get("policy"))


#: Bits of a first sample on 16 keys.
FIRST = float(outcome_information(uniform(16), uniform(16)))
CLAIM = Claim(
    id="S1.2",
    statement="10,000 problems with 32 samples each feed at most 320,000 bits, one a sample, to the 3M weights of a "
    "rank-1 LoRA.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, introduction, after Schulman",
    cases=(
        *[Case(f"16 keys, K={k}", {"keys": 16, "k": k, "last": False}, x=k, signal=ALL) for k in (1, 8, 32)],
        Case("2 keys, K=1", {"keys": 2, "k": 1, "last": False}, signal=ALL),
        Case("16 keys, K=16, only 4 ever tried", {
            "keys": 16, "k": 16, "last": False, "policy": (*(0.25,) * 4, *(0.0,) * 12)}, signal=ALL),
        Case("4 keys, the fourth sample", {"keys": 4, "k": 4, "last": True}, signal=LAST),
        Case("2 keys, a sample after the key is known", {"keys": 2, "k": 2, "last": True}, signal=LAST),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="every sample brings what the first brought",
    tolerance=0.07,
    budget=WORLDS * 32,
    remark="True, and far from what arrives: a problem can never give more than the entropy of its key, and once the "
    "key is found, further samples say nothing about it. 32 samples on 16 keys bring 3.8 bits, not 32. "
    "The weights hold: rank 1 on every matrix of the layers of Llama-3.1-8B is 2.6 million parameters.",
    axis="samples of a problem",
    grid=range(1, 33),
    curves={
        "16 keys, exact": lambda k: group_information(uniform(16), uniform(16), k),
        "16 keys, each sample like the first": lambda k: k * FIRST if k <= 16 else None,
        "one bit a sample": lambda k: k if k <= 8 else None,
    },
)  # fmt: skip
