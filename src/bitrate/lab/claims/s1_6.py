"""One rollout and one bit of reward: the bound, where it is met, and what a verifier's errors take."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, LedgerLine
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import Flipped, GoodSet, SingleAnswer
from bitrate.theory import binary_entropy, noisy_outcome_information
from bitrate.types import Prediction

WORLDS = 100_000
#: What the user of an audit knows of the verifier.
FLIPS = 0.05


def rates(case: Case) -> np.ndarray:
    """How likely each answer is to be right."""
    s = case.settings
    return np.full(s["answers"], s["alpha"]) if "alpha" in s else np.asarray(s["prior"])


def predict(case: Case) -> Prediction:
    """The sum over answers of pi [h(q (1-eps) + (1-q) eps) - h(eps)]."""
    s = case.settings
    q = rates(case)
    bits = float(np.dot(s["policy"], noisy_outcome_information(q, s["flips"])))
    return Prediction(bits, "exact", "bits/rollout", "docs/theory.md#outcome, S1.6", ("flips independent of all else",))


def stated(case: Case) -> Prediction:
    """The lemma's bound."""
    return Prediction(1.0, "upper", "bits/rollout", "jeff, one-bit lemma: I <= H(r | rollout) <= 1")


def rival(case: Case) -> Prediction | None:
    """All that is not known of the reward before it comes, errors included: H(r | rollout)."""
    s = case.settings
    if not s["flips"]:
        return None
    seen = rates(case) * (1 - s["flips"]) + (1 - rates(case)) * s["flips"]
    return Prediction(float(np.dot(s["policy"], binary_entropy(seen))), "exact", "bits/rollout", "H(r | rollout)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Rollouts in many worlds, scored by a verifier that may err."""
    s, k = case.settings, case.settings.get("k", 1)
    task = GoodSet(s["answers"], alpha=s["alpha"]) if "alpha" in s else SingleAnswer(s["prior"])
    verifier = Flipped(task, s["flips"]) if s["flips"] else task
    collect(verifier, folder, rng=rng, worlds=WORLDS // k, k=k, method=0.0, policy=s["policy"])


EVEN = {"prior": (0.5, 0.5), "policy": (0.5, 0.5)}
SETS = {"answers": 4, "alpha": 0.3, "policy": (0.25,) * 4}
SKEWED = {"prior": (0.5, 0.3, 0.1, 0.1), "policy": (0.1, 0.2, 0.3, 0.4)}

CLAIM = Claim(
    id="S1.6",
    statement="A binary reward for a whole rollout gives an update at most one bit.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, one-bit lemma",
    cases=(
        *[Case(f"2 answers, {eps:g} flipped", {**EVEN, "flips": eps}, x=eps) for eps in (0.0, FLIPS, 0.2)],
        Case(f"2 answers, {FLIPS:g} flipped, audited", {**EVEN, "flips": FLIPS, "k": 8}, x=FLIPS,
             signal=LedgerLine("ledger.outcome_bits", verifier_noise=FLIPS)),
        Case("sets of right answers, none flipped", {**SETS, "flips": 0.0}),
        Case(f"sets of right answers, {FLIPS:g} flipped", {**SETS, "flips": FLIPS}),
        Case("prior .5 .3 .1 .1, 0.1 flipped", {**SKEWED, "flips": 0.1}),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Information(of="feedback", about="target"),
    rival=rival,
    rival_name="entropy of the reward, the verifier's errors included",
    tolerance=0.03,
    budget=WORLDS,
    remark="Whatever the task, one answer to one yes-or-no question is at most a bit, and it is a whole bit where the "
    "odds were even. A verifier that errs says less: its errors make rewards harder to foresee, not more telling. "
    "At even odds 5% of errors cost 0.29 of the bit, far more than 5% of it.",
    axis="share of rewards flipped",
    grid=np.linspace(0, 0.5, 51),
    curves={
        "what is said of the answer": lambda eps: noisy_outcome_information(0.5, eps),
        "H(r | rollout)": 1.0,
    },
)  # fmt: skip
