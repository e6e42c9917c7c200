"""The mean of h(p) from pass counts alone: two obvious numbers, both wrong."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.stats import betabinom

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import beta_mean_entropy, binary_entropy
from bitrate.types import Prediction

PROMPTS = 15_000


def predict(case: Case) -> Prediction:
    """E h(p)."""
    bits = float(beta_mean_entropy(case.settings["a"], case.settings["b"]))
    return Prediction(bits, "exact", "bits/rollout", "docs/estimators.md#pooled", ("rollouts independent given p",))


def plug_in(a: float, b: float, k: int) -> Prediction:
    """h of each prompt's share of passes, averaged."""
    counts = np.arange(k + 1)
    bits = float(betabinom.pmf(counts, k, a, b) @ binary_entropy(counts / k))
    return Prediction(bits, "exact", "bits/rollout", "mean of h(k/K)")


def pooled(a: float, b: float, _: int) -> Prediction:
    """h of the share of passes of the whole run."""
    return Prediction(float(binary_entropy(a / (a + b))), "exact", "bits/rollout", "h(mean reward)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """A group of each prompt."""
    s = case.settings
    rate = rng.beta(s["a"], s["b"], (PROMPTS, 1))
    with SimulatedRun(folder, rng) as run:
        right = rng.random((PROMPTS, s["k"])) < rate
        run.step(0, answers=right.astype(int), rewards=right)


def case(a: float, b: float, k: int, wrong: Callable[[float, float, int], Prediction]) -> Case:
    """A population of prompts, a group size, and which of the obvious numbers is tested."""
    name = f"p ~ Beta({a:g}, {b:g}), K={k}, against the {wrong.__name__.replace('_', '-')} entropy"
    return Case(name, {"a": a, "b": b, "k": k}, x=k if a == b else None, rival=wrong(a, b, k))


CLAIM = Claim(
    id="B5",
    statement="The outcome bits of a log are E h(p) over prompts, which counts of passes determine well, but neither "
    "the mean of h(k/K) nor the entropy of the mean reward is right.",
    source="bitrate, docs/theory.md#logs and docs/estimators.md#pooled",
    cases=(
        case(0.5, 0.5, 8, plug_in),
        case(0.5, 0.5, 8, pooled),
        case(0.5, 0.5, 32, pooled),
        case(0.3, 0.5, 8, plug_in),
        case(2.0, 5.0, 8, plug_in),
    ),
    predict=predict,
    simulate=simulate,
    signal=LedgerLine("ledger.outcome_bits"),
    rival_name="mean of h(k/K), or the entropy of the mean reward",
    tolerance=0.03,
    budget=32 * PROMPTS,
    remark="A prompt that passed 8 of 8 need not always pass, so h(k/K) is too small. A run whose mean reward is one "
    "half may consist of prompts that always pass or always fail, so the entropy of the mean is too large. E h(p), "
    "what is left to chance when the truth is known, lies between, and bitrate audit estimates it without believing "
    "either. It bounds what a rollout teaches only where the policy samples what it believes (B7).",
    axis="rollouts of a group K",
    log_axis=True,
    grid=(2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64),
    curves={
        "E h(p)": lambda _: beta_mean_entropy(0.5, 0.5),
        "mean of h(k/K)": lambda k: plug_in(0.5, 0.5, k).value,
        "h(mean reward)": lambda k: pooled(0.5, 0.5, k).value,
    },
)
