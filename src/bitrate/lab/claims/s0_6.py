"""Many good jokes: an example against a rollout."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import (
    binary_entropy,
    fixed_set_positive_example,
    fixed_set_rollout,
    good_set_positive_example,
    surprisal,
)
from bitrate.types import Prediction

WORLDS = 80_000
EXAMPLE = Information(of="answers")
ROLLOUT = Unresolved(of="scores", given="answers")


def predict(case: Case) -> Prediction:
    """log2(N/K) of an example, h(K/N) of a rollout; of an example of a random set, log2 N - E log2 K."""
    n, size = case.settings["n"], case.settings.get("size")
    if size is None:
        bits = good_set_positive_example(n, case.settings["alpha"])
    else:
        bits = (fixed_set_positive_example if case.signal is EXAMPLE else fixed_set_rollout)(n, size)
    return Prediction(float(bits), "exact", "bits", "docs/theory.md#good-sets, S0.6")


def stated(case: Case) -> Prediction | None:
    """The source's bound on an example."""
    if case.signal is ROLLOUT:
        return None
    return Prediction(1.0, "upper", "bits", "Beirami, alpha > 1/2")


def rival(case: Case) -> Prediction | None:
    """Who sees a right answer knows at least what a verdict on a guess tells."""
    if case.signal is ROLLOUT:
        return None
    alpha = case.settings.get("alpha") or case.settings["size"] / case.settings["n"]
    return Prediction(float(binary_entropy(alpha)), "lower", "bits", "an example carries a rollout's bits or more")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One example, or one rollout, in each world."""
    random = "alpha" in case.settings
    task = GoodSet(case.settings["n"], case.settings.get("alpha"), case.settings.get("size"), nonempty=random)
    collect(task, folder, rng=rng, worlds=WORLDS, method="sft" if case.signal is EXAMPLE else 0.5)


CLAIM = Claim(
    id="S0.6",
    statement="Where more than half of the jokes are good, a positive example carries at most 1 bit.",
    source="Beirami, O(1) bits per policy gradient update?, comparison of RL and SFT",
    cases=(
        Case("example, 5 of 9 good", {"n": 9, "size": 5}, x=5 / 9, signal=EXAMPLE),
        Case("example, 6 of 8 good", {"n": 8, "size": 6}, x=0.75, signal=EXAMPLE),
        Case("rollout, 5 of 9 good", {"n": 9, "size": 5}, x=5 / 9, signal=ROLLOUT),
        Case("rollout, 6 of 8 good", {"n": 8, "size": 6}, x=0.75, signal=ROLLOUT),
        Case("random set of 6", {"n": 6, "alpha": 0.51}, x=0.51, assumed=False, signal=EXAMPLE),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="an example carries at least a rollout's bits",
    tolerance=0.02,
    budget=WORLDS,
    condition="the number of good jokes is known; just above a half, a set of random size gives more than 1 bit",
    remark="About a set of good answers, a rollout beats an example once more than half are good: "
    "a failure is then the rare event, and examples never show one. About a single right answer it is the other way "
    "round: the label tells all, as S4.1 says. The two sources ask about different targets.",
    against=("S4.1",),
    axis="share of good jokes alpha",
    grid=np.linspace(0.3, 0.99, 70),
    curves={
        "an example, size known: log2(1/alpha)": surprisal,
        "a rollout: h(alpha)": binary_entropy,
        "an example, random set of 6": lambda alpha: good_set_positive_example(6, alpha),
    },
)
