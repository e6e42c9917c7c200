"""A group of K rollouts about one right answer: the exact bits, where the answers are alike and where they are not."""

from itertools import product
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import group_information, group_information_given_distinct, outcome_information
from bitrate.types import Prediction

WORLDS = 60_000
UNIFORM = (1 / 8,) * 8
SKEWED = {"prior": (0.5, 0.3, 0.1, 0.1), "policy": (0.1, 0.2, 0.3, 0.4)}


def predict(case: Case) -> Prediction:
    """The mean over answers drawn of H(q_t1, ..., q_tM, 1 - sum)."""
    s = case.settings
    bits = float(group_information(s["prior"], s["policy"], s["k"]))
    assumptions = ("one right answer", "a verifier without errors")
    return Prediction(bits, "exact", "bits/prompt", "docs/theory.md#groups, S1.10", assumptions)


def stated(case: Case) -> Prediction:
    """The source's formula of M and V, and its mean over every draw of K answers."""
    s = case.settings
    draws = np.array(list(product(range(len(s["policy"])), repeat=s["k"])))
    chance = np.take(s["policy"], draws).prod(axis=1)
    distinct = 1 + (np.diff(np.sort(draws, axis=1), axis=1) > 0).sum(axis=1)
    bits = float(chance @ group_information_given_distinct(len(s["prior"]), distinct))
    reference = "jeff, exact MI under a uniform prior: log2 V - (V-M)/V log2(V-M)"
    return Prediction(bits, "exact", "bits/prompt", reference, ("a uniform prior",))


def rival(case: Case) -> Prediction | None:
    """K rollouts as K times one: forgets answers that come again, and that a hit rules out all others."""
    s = case.settings
    bits = s["k"] * float(outcome_information(s["prior"], s["policy"]))
    return Prediction(bits, "exact", "bits/prompt", "K sum pi h(q)") if s["k"] > 1 else None


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One group in each of many worlds."""
    s = case.settings
    collect(SingleAnswer(s["prior"]), folder, rng=rng, worlds=WORLDS, k=s["k"], policy=s["policy"])


CLAIM = Claim(
    id="S1.10",
    statement="A group that tries M distinct answers carries log2 V - (V-M)/V log2(V-M) bits about the right one of V.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, exact MI under a uniform prior",
    cases=(
        *[Case(f"V=8, K={k}", {"prior": UNIFORM, "policy": UNIFORM, "k": k}, x=k) for k in (1, 2, 4)],
        Case("V=8, K=4, a confident policy", {"prior": UNIFORM, "policy": (0.65, *(0.05,) * 7), "k": 4}, x=4),
        Case("V=4, K=3, prior .5 .3 .1 .1", {**SKEWED, "k": 3}, x=3, assumed=False),
        Case(
            "V=4, K=3, prior .5 .3 .1 .1, with the target known",
            {**SKEWED, "k": 3}, x=3, assumed=False, signal=Information(of="feedback"),
        ),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Unresolved(of="scores", given="answers"),
    rival=rival,
    rival_name="K times the bits of one rollout",
    tolerance=0.04,
    budget=4 * WORLDS,
    condition="the prior is uniform; for a general prior q it is the mean of H(q_t1, ..., q_tM, 1 - sum)",
    remark="Where all answers are alike it only matters how many of them were tried, M. Where they are not, it matters "
    "which ones: a group that tries the likely answers learns more. Either way K rollouts carry less than K times "
    "one, because answers come again and a hit leaves nothing to ask.",
    axis="rollouts K",
    grid=range(1, 17),
    curves={
        "V=8, exact": lambda k: group_information(UNIFORM, UNIFORM, k),
        "V=8, K times one rollout": lambda k: k * outcome_information(UNIFORM, UNIFORM) if k <= 6 else None,
    },
)  # fmt: skip
