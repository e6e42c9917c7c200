"""One good joke shown: what it says of the good set."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s0_1 import set_sizes
from bitrate.lab.signals import Information
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import fixed_set_positive_example, good_set_positive_example, surprisal
from bitrate.types import Prediction

WORLDS = 80_000


def predict(case: Case) -> Prediction:
    """log2 N - E[log2 K | K >= 1], or log2(N/K) where K is known."""
    n, size = case.settings["n"], case.settings.get("size")
    if size:
        return Prediction(
            float(fixed_set_positive_example(n, size)), "exact", "bits/example", "docs/theory.md#good-sets, S0.5"
        )
    bits = float(good_set_positive_example(n, case.settings["alpha"]))
    return Prediction(bits, "exact", "bits/example", "docs/theory.md#good-sets, S0.5", ("at least one good joke",))


def stated(case: Case) -> Prediction:
    """The source's bound."""
    alpha = case.settings.get("alpha") or case.settings["size"] / case.settings["n"]
    return Prediction(float(surprisal(alpha)), "upper", "bits/example", "Beirami, log(1/alpha)")


def rival(case: Case) -> Prediction | None:
    """The set's mean size in place of its size."""
    if "size" in case.settings:
        return None
    size, chance = set_sizes(case.settings["n"], case.settings["alpha"], nonempty=True)
    bits = float(surprisal(chance @ size / case.settings["n"]))
    return Prediction(bits, "exact", "bits/example", "log2(N / E[K])")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One example in each world."""
    random = "alpha" in case.settings
    task = GoodSet(case.settings["n"], case.settings.get("alpha"), case.settings.get("size"), nonempty=random)
    collect(task, folder, rng=rng, worlds=WORLDS, method="sft")


CLAIM = Claim(
    id="S0.5",
    statement="One positive example carries at most log2(1/alpha) bits about the good jokes.",
    source="Beirami, O(1) bits per policy gradient update?, supervised learning on a positive example",
    cases=(
        Case("N=4, alpha=.2", {"n": 4, "alpha": 0.2}, x=0.2),
        Case("N=4, alpha=.5", {"n": 4, "alpha": 0.5}, x=0.5),
        Case("N=4, alpha=.8", {"n": 4, "alpha": 0.8}, x=0.8),
        Case("N=8, alpha=.3", {"n": 8, "alpha": 0.3}, x=0.3),
        Case("exactly 2 of 8", {"n": 8, "size": 2}, x=0.25),
        Case("exactly 4 of 8", {"n": 8, "size": 4}, x=0.5),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Information(of="answers"),
    rival=rival,
    rival_name="log2 of N over the mean size of the set",
    tolerance=0.02,
    budget=WORLDS,
    remark="With exactly alpha N good jokes an example carries log2(1/alpha) bits. Where the number of good jokes "
    "varies the mean of log2(N/K) is larger than the logarithm of the mean: four fair jokes give 1.044 bits, "
    "above the bound of 1. At small alpha the set cannot be empty, and the value falls below it.",
    axis="share of good jokes alpha",
    grid=np.linspace(0.1, 0.98, 45),
    curves={
        "log2(1/alpha), the source's bound": surprisal,
        "exact, N=4": lambda alpha: good_set_positive_example(4, alpha),
        "exact, N=8": lambda alpha: good_set_positive_example(8, alpha),
    },
)
