"""Groups and their distinct answers: how many patterns of rewards there can be."""

import math
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Unresolved
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import GoodSet, SingleAnswer, Task
from bitrate.theory import (
    binary_entropy,
    distinct_answers,
    entropy,
    good_set_distinct_rollouts,
    group_bound,
    group_information,
    group_information_given_distinct,
)
from bitrate.types import Prediction

WORLDS = 40_000
K = 4


def predict(case: Case) -> Prediction:
    """The exact entropy of the rewards, given the answers; or our bound for sets of d right answers."""
    s = case.settings
    if s.get("bound"):
        # Of M answers at most d are right: Sauer and Shelah count the patterns.
        return Prediction(
            float(group_bound(K, s["size"])), "upper", "bits/group", "docs/theory.md#groups, S1.9: general bound"
        )
    if "alpha" in s:
        bits = float(good_set_distinct_rollouts(K, s["alpha"]))
    elif "size" in s:
        bits = float(entropy(pattern_chances(s["answers"], s["size"])))
    elif s["distinct"]:
        bits = float(group_information_given_distinct(s["answers"], K))
    else:
        uniform = np.full(s["answers"], 1 / s["answers"])
        bits = float(group_information(uniform, uniform, K))
    return Prediction(
        bits, "exact", "bits/group", "docs/theory.md#groups, S1.9 and S1.10", ("a verifier without errors",)
    )


def pattern_chances(answers: int, size: int) -> np.ndarray:
    """Chance of every pattern of K rewards, where K distinct answers meet a random set of a fixed size."""
    sets = [math.comb(answers - K, size - right) / math.comb(answers, size) for right in range(size + 1)]
    return np.repeat(sets, [math.comb(K, right) for right in range(size + 1)])


def stated(case: Case) -> Prediction:
    """The source's bound log2(M+1); its mean where the number of distinct answers is left to chance."""
    s = case.settings
    share = distinct_answers(s["answers"], K) if not s["distinct"] else np.eye(K + 1)[K]
    bits = float(share @ group_bound(np.arange(share.size)))
    return Prediction(bits, "upper", "bits/group", "jeff, group bound log2(M+1)")


def rival(case: Case) -> Prediction | None:
    """Every distinct answer brings what one alone would: M h(chance that it is right)."""
    s = case.settings
    share = distinct_answers(s["answers"], K) if not s["distinct"] else np.eye(K + 1)[K]
    chance = s.get("alpha", s.get("size", 1) / s["answers"])
    bits = float(share @ np.arange(share.size)) * float(binary_entropy(chance))
    return Prediction(bits, "exact", "bits/group", "M h(p)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """A group of K in each world, of a uniform policy or of answers that are all different."""
    s = case.settings
    task: Task = SingleAnswer.uniform(s["answers"])
    if "alpha" in s or "size" in s:
        task = GoodSet(s["answers"], alpha=s.get("alpha"), size=s.get("size"))
    if not s["distinct"]:
        collect(task, folder, rng=rng, worlds=WORLDS, k=K)
        return
    targets = task.draw(WORLDS, rng)
    answers = rng.random((WORLDS, s["answers"])).argsort(axis=1)[:, :K]
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers, rewards=task.score(targets, answers, rng), targets=targets)


PAIRS = {"answers": 6, "size": 2, "distinct": True}

CLAIM = Claim(
    id="S1.9",
    statement="A group whose rollouts end in M distinct answers carries at most log2(M+1) bits.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, group bound",
    cases=(
        Case("one right answer of 5, 4 distinct", {"answers": 5, "distinct": True}),
        Case("one right answer of 8, sampled", {"answers": 8, "distinct": False}),
        *[
            Case(f"sets, each answer right at {a:g}, 4 distinct", {"answers": 6, "alpha": a, "distinct": True}, x=a)
            for a in (0.05, 0.3, 0.5)
        ],
        Case("2 right answers of 6, 4 distinct", PAIRS),
        Case("2 right answers of 6, our bound for pairs", {**PAIRS, "bound": True}),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Unresolved(of="scores", given="answers"),
    rival=rival,
    rival_name="M times the bits of one answer",
    tolerance=0.05,
    budget=WORLDS * K,
    remark="The proof counts patterns of rewards: where one answer is right, at most one of M can be hit. Where "
    "several may be right there are more patterns, at most sum over i <= d of C(M, i) if at most d are, and 2^M if any "
    "set may be. Never more than the entropy of what is hidden either way. Which bound is right depends on the "
    "verifier: exact match against one key, or a judge of jokes (S0.9).",
    against=("S0.9",),
    axis="chance of an answer to be right",
    grid=np.linspace(0.01, 0.5, 50),
    curves={
        "sets of right answers, 4 distinct": lambda alpha: good_set_distinct_rollouts(K, alpha),
        "log2(M+1)": float(group_bound(K)),
        "M bits": float(group_bound(K, math.inf)),
    },
)
