"""The answer bound of a log: how many different answers each group tried."""

from math import comb
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s1_2 import uniform
from bitrate.lab.signals import LedgerLine, Unresolved
from bitrate.lab.worlds.learners import sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import group_bound
from bitrate.types import Floats, Prediction

WORLDS = 20_000
AUDIT, COUNTED = LedgerLine("ledger.answer_bound_bits"), Unresolved(of="scores", given="answers")
FAVOURS = (0.7, 0.1, 0.1, 0.1)


def tried(case: Case) -> Floats:
    """Chance that a group tries m different answers, for m from 0 to V."""
    policy, k = np.array(case.settings["policy"]), case.settings["k"]
    v, chance = policy.size, np.zeros(policy.size + 1)
    if case.settings["distinct"]:
        chance[k] = 1.0
        return chance
    subsets = np.arange(2**v)[:, None] >> np.arange(v) & 1
    # That all draws fall into a subset, less that they fall into a smaller one: inclusion and exclusion.
    for size, inside in zip(subsets.sum(axis=1), (subsets @ policy) ** k, strict=True):
        for m in range(size, v + 1):
            chance[m] += (-1) ** (m - size) * comb(v - size, m - size) * inside
    return chance


def said_of(case: Case, bits: Floats, reference: str) -> Prediction:
    """The mean over groups of the bits for each M; the audit counts by rollout."""
    value, unit = float(tried(case) @ bits), "bits/group"
    if case.signal is AUDIT:
        value, unit = value / case.settings["k"], "bits/rollout"
    return Prediction(value, "exact", unit, reference, ("one right answer", "a verifier without errors"))


def predict(case: Case) -> Prediction:
    """E log2(M+1)."""
    return said_of(
        case, group_bound(np.arange(len(case.settings["policy"]) + 1)), "docs/theory.md#groups, S1.9: log2(M+1)"
    )


def rival(case: Case) -> Prediction:
    """E log2 M: which of the answers tried is right, as if one of them had to be."""
    return said_of(case, np.log2(np.maximum(np.arange(len(case.settings["policy"]) + 1), 1)), "log2 M")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """A group in each world, whose right answer is any; sampled from the policy, or no answer twice."""
    policy, k = np.array(case.settings["policy"]), case.settings["k"]
    task = SingleAnswer.uniform(policy.size)
    targets = task.draw(WORLDS, rng)
    answers = sample(policy, WORLDS, k, rng)
    if case.settings["distinct"]:
        answers = rng.random((WORLDS, policy.size)).argsort(axis=1)[:, :k]
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers, rewards=task.score(targets, answers, rng), targets=targets)


def case(name: str, policy: tuple[float, ...], k: int, distinct: bool = False, counted: bool = False) -> Case:
    """A policy and a group size, and whether the audit is asked or the scores are counted."""
    settings = {"policy": policy, "k": k, "distinct": distinct}
    return Case(name, settings, signal=COUNTED if counted else AUDIT)


CLAIM = Claim(
    id="B8",
    statement="A group that tries M different answers, one of which may be right, carries at most log2(M+1) bits, "
    "whatever the policy believes; as many where each of them is as likely to be right as all that were not tried.",
    source="bitrate, docs/theory.md#groups, S1.9, and docs/theory.md#logs",
    cases=(
        *[case(f"V={v}, K={k}: E log2(M+1)", uniform(v), k) for v, k in ((2, 4), (4, 8), (8, 8))],
        case("V=4, K=8, a policy that favours one answer: E log2(M+1)", FAVOURS, 8),
        case("V=5, 4 of them tried: E log2(M+1)", uniform(5), 4, distinct=True),
        case("V=5, 4 of them tried: the bits of a group, counted", uniform(5), 4, distinct=True, counted=True),
    ),
    predict=predict,
    simulate=simulate,
    rival=rival,
    rival_name="log2 M, as if one of the answers tried had to be right",
    tolerance=0.02,
    budget=8 * WORLDS,
    remark="Scores of M different answers can come out in M + 1 ways: one of them is right, or none is. That needs no "
    "assumption on what the policy believes, only that one answer is right and that the verifier does not err. "
    "Here it is the tighter side in every group; where answers are many, the audit takes K times the mean of h(p) in "
    "its place, and that is a bound for a policy that samples what it believes. S1.11 shows how far above the bits "
    "the bound can lie.",
    against=("S1.9",),
)
