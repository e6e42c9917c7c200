"""The first update of the joke model: one rollout, one bit of reward, any advantage."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s0_1 import all_sets
from bitrate.lab.signals import Information
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import (
    binary_entropy,
    good_set_first_step,
    good_set_update_no_baseline,
    verifier_information,
)
from bitrate.types import Prediction

WORLDS = 100_000
#: Baseline 1/2 would make a good joke and the other bad one update of two jokes: 1/2 (e - pi) and -1/2 (e' - pi).
TELLS, NONE = 0.3, 0.0


def predict(case: Case) -> Prediction:
    """What the update of one rollout tells of the set, over all 2^N sets; equal gradients are one."""
    n, alpha = case.settings["n"], case.settings["alpha"]
    good, chance = all_sets(n, alpha)
    prior = chance * (good.any(axis=1) | (not case.settings["nonempty"]))
    uniform = np.full(n, 1 / n)
    bits = verifier_information(prior / prior.sum(), good, uniform, 1, case.settings["baseline"])
    return Prediction(
        float(bits), "exact", "bits/rollout", "docs/theory.md#good-sets, S0.3", ("first step", "uniform policy")
    )


def stated(case: Case) -> Prediction:
    """The source's bound."""
    bits = float(binary_entropy(case.settings["alpha"]))
    return Prediction(bits, "upper", "bits/rollout", "Beirami, first step", ("independent jokes",))


def rival(case: Case) -> Prediction:
    """The bound taken for the value."""
    bits = float(binary_entropy(case.settings["alpha"]))
    return Prediction(bits, "exact", "bits/rollout", "h(alpha) in every update")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One rollout in each world, and its advantage."""
    task = GoodSet(case.settings["n"], case.settings["alpha"], nonempty=case.settings["nonempty"])
    collect(task, folder, rng=rng, worlds=WORLDS, method=case.settings["baseline"])


def setting(n: int, alpha: float, baseline: float = TELLS, nonempty: bool = False) -> dict[str, object]:
    """N jokes, each good with probability alpha; what is subtracted from the reward."""
    return {"n": n, "alpha": alpha, "baseline": baseline, "nonempty": nonempty}


CLAIM = Claim(
    id="S0.3",
    statement="The first policy gradient update carries at most h(alpha) bits about the good jokes.",
    source="Beirami, O(1) bits per policy gradient update?, the first step of training",
    cases=(
        Case("N=6, alpha=.1", setting(6, 0.1), x=0.1),
        Case("N=6, alpha=.5", setting(6, 0.5), x=0.5),
        Case("N=8, alpha=.8", setting(8, 0.8), x=0.8),
        Case("no baseline, N=10, alpha=.5", setting(10, 0.5, NONE), x=0.5),
        Case("no baseline, N=10, alpha=.1", setting(10, 0.1, NONE), x=0.1),
        Case("N=2, alpha=.2, one is good", setting(2, 0.2, nonempty=True), x=0.2, assumed=False),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Information(of="update"),
    rival=rival,
    rival_name="h(alpha) in every first update",
    tolerance=0.035,
    budget=WORLDS,
    condition="jokes are good independently of each other, all bad included",
    remark="A baseline that tells right from wrong keeps all h(alpha) bits. Without one every failure is the same zero "
    "update, and the rejected joke is forgotten. Knowing that some joke is good makes a rare success less rare: "
    "then a few jokes can carry more than h(alpha), never more than 1 bit.",
    axis="share of good jokes alpha",
    grid=np.linspace(0.02, 0.98, 49),
    curves={
        "h(alpha)": binary_entropy,
        "no baseline, N=10": lambda alpha: good_set_update_no_baseline(10, alpha),
        "N=2, never both bad": lambda alpha: good_set_first_step(2, alpha, nonempty=True),
    },
)
