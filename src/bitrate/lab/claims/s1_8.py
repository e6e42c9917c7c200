"""Figure 5 of the symbol bandit: one rollout, one right answer among V alike, a uniform policy."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s1_2 import uniform
from bitrate.lab.signals import LedgerLine, Unresolved
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import binary_entropy, outcome_information
from bitrate.types import Prediction

#: Rollouts: counted, and as the audit sees them, in groups.
WORLDS, AUDITED_WORLDS = 80_000, 200_000
AUDITED = LedgerLine("ledger.outcome_bits")
SKEWED = {"prior": (0.5, 0.3, 0.1, 0.1), "policy": (0.1, 0.2, 0.3, 0.4)}


def predict(case: Case) -> Prediction:
    """The sum over answers of pi h(q)."""
    bits = float(outcome_information(case.settings["prior"], case.settings["policy"]))
    return Prediction(
        bits, "exact", "bits/rollout", "docs/theory.md#outcome, S1.8", ("one right answer", "a verifier without errors")
    )


def stated(case: Case) -> Prediction:
    """The source's formula, which takes the prior to be uniform."""
    bits = float(binary_entropy(1 / len(case.settings["prior"])))
    return Prediction(bits, "exact", "bits/rollout", "jeff, corollary of the one-bit lemma", ("a uniform prior",))


def rival(case: Case) -> Prediction:
    """The entropy of the mean pass rate: what a dashboard of mean rewards shows."""
    rate = float(np.dot(case.settings["prior"], case.settings["policy"]))
    # At a uniform prior both agree; a confident policy parts them.
    return Prediction(float(binary_entropy(rate)), "exact", "bits/rollout", "h of the mean reward")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One rollout in each of many worlds; a group in each of fewer, for the audit."""
    task, k = SingleAnswer(case.settings["prior"]), case.settings.get("k", 1)
    worlds = AUDITED_WORLDS // k if k > 1 else WORLDS
    collect(task, folder, rng=rng, worlds=worlds, k=k, method=0.0, policy=case.settings["policy"])


CLAIM = Claim(
    id="S1.8",
    statement="One rollout about a single right answer among V alike carries h(1/V) bits, at most 1.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, corollary of the one-bit lemma and figure 5",
    cases=(
        *[Case(f"V={v}", {"prior": uniform(v), "policy": uniform(v)}, x=v) for v in (5, 10, 50, 100, 500)],
        Case("V=50, a policy that favours one answer", {"prior": uniform(50), "policy": (0.51, *(0.01,) * 49)}, x=50),
        Case("V=4, prior .5 .3 .1 .1", SKEWED, x=4, assumed=False),
        Case("V=10, audited", {"prior": uniform(10), "policy": uniform(10), "k": 8}, x=10, signal=AUDITED),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Unresolved(of="scores", given="answers"),
    rival=rival,
    rival_name="entropy of the mean reward",
    tolerance=0.02,
    budget=WORLDS,
    condition="the prior is uniform; for a general prior q it is the sum of pi_t h(q_t)",
    remark="Any policy gets the same bits where the answers are alike. What the policy knows does not matter, "
    "what is not known about the answer does. A log shows these bits as E h(p) where the policy samples what it "
    "believes, as here; a surer policy has less of that and receives as much (B7).",
    axis="answers V",
    log_axis=True,
    grid=np.unique(np.geomspace(2, 500, 60).round()),
    curves={
        "h(1/V)": lambda v: binary_entropy(1 / v),
    },
)
