"""Rejection sampling: keep the good rollouts, train on them, and count per rollout."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import good_set_update_no_baseline, rejection_sampling_information, surprisal
from bitrate.types import Prediction

N = 8
WORLDS = 80_000


def predict(case: Case) -> Prediction:
    """alpha log2(1/alpha) where failures are dropped, h(alpha) where they are kept; more for a set of random size."""
    if case.settings["size"] is None:
        bits = float(good_set_update_no_baseline(case.settings["n"], 0.5))
        return Prediction(
            bits, "exact", "bits/rollout", "docs/theory.md#good-sets, S0.12, S0.3", ("independent jokes",)
        )
    bits = float(rejection_sampling_information(case.settings["size"] / N, case.settings["kept"]))
    return Prediction(bits, "exact", "bits/rollout", "docs/theory.md#good-sets, S0.12", ("exactly alpha N good jokes",))


def stated(case: Case) -> Prediction:
    """O(1): what a 0/1 reward can say, 1 bit, bounds what is kept of it."""
    return Prediction(1.0, "upper", "bits/rollout", "Beirami, poor man's RL: O(1) per rollout")


def rival(case: Case) -> Prediction | None:
    """The bits of an example, as if every rollout became one."""
    if case.settings["kept"] or case.settings["size"] is None:
        return None
    return Prediction(float(surprisal(case.settings["size"] / N)), "exact", "bits/rollout", "log2(1/alpha)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One rollout in each world. Weight 0 for a failure drops it; a weight of its own keeps it."""
    size, n = case.settings["size"], case.settings["n"]
    task = GoodSet(n, alpha=0.5) if size is None else GoodSet(n, size=size)
    collect(task, folder, rng=rng, worlds=WORLDS, method=0.5 if case.settings["kept"] else 0.0)


def sized(size: int, kept: bool = False) -> Case:
    """So many good jokes of eight."""
    name = f"{size} of {N} good, failures {'kept' if kept else 'dropped'}"
    return Case(name, {"size": size, "n": N, "kept": kept}, x=size / N)


def random_set(n: int) -> Case:
    """Each joke good at even odds; failures dropped."""
    return Case(f"any of {n} jokes good, failures dropped", {"size": None, "n": n, "kept": False}, x=0.5)


CLAIM = Claim(
    id="S0.12",
    statement="Fine-tuning on the good ones of the model's own rollouts carries O(1) bits per rollout.",
    source="Beirami, O(1) bits per policy gradient update?, poor man's RL",
    cases=(sized(1), sized(3), sized(4), sized(6), sized(1, kept=True), sized(4, kept=True), random_set(2)),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Information(of="update"),
    rival=rival,
    rival_name="log2(1/alpha) per rollout",
    tolerance=0.02,
    budget=WORLDS,
    remark="An accepted example carries log2(1/alpha) bits, but it takes 1/alpha rollouts to get one. "
    "Per rollout that is at most 0.531 bits, at alpha = 1/e, where the number of good jokes is known; where it is "
    "not, an accepted one says something of it too. Rejected rollouts tell as well: with them it is h(alpha).",
    axis="share of good jokes alpha",
    grid=np.linspace(0.05, 0.99, 95),
    curves={
        "failures dropped: alpha log2(1/alpha)": rejection_sampling_information,
        "failures kept: h(alpha)": lambda alpha: rejection_sampling_information(alpha, keep_failures=True),
        "an accepted example: log2(1/alpha)": surprisal,
    },
)
