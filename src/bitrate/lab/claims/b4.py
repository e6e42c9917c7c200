"""Outcomes of one prompt are not independent: they also tell how hard the prompt is."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, LedgerLine, Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import beta_mean_entropy, group_entropy, mutual_information, pass_rate_information
from bitrate.types import Floats, Prediction

WORLDS = 40_000
PATTERN, ABOUT = Unresolved(of="rewards", given="answers"), Information(of="rewards")
AUDITED = LedgerLine("ledger.outcome_bits")


def predict(case: Case) -> Prediction:
    """E[K h(p)] + I(r; p); for two kinds of prompt the second part alone, from the table of kinds and patterns.

    The audit's outcome bits are the first part alone, a rollout.
    """
    s = case.settings
    if case.signal is AUDITED:
        bits = float(beta_mean_entropy(s["a"], s["b"]))
        return Prediction(bits, "exact", "bits/rollout", "docs/theory.md#logs", ("outcomes independent given p",))
    if "rates" in s:
        bits = float(mutual_information(patterns(s["rates"], s["k"])))
    else:
        bits = group_entropy(s["a"], s["b"], s["k"])
    return Prediction(bits, "exact", "bits/prompt", "docs/theory.md#pass-rates", ("outcomes independent given p",))


def rival(case: Case) -> Prediction | None:
    """K times the outcome bits, E[K h(p)]; of two kinds, log2(K) / 2 as for pass rates that spread out."""
    s = case.settings
    if case.signal is AUDITED:
        bits = group_entropy(s["a"], s["b"], s["k"]) / s["k"]
        return Prediction(bits, "exact", "bits/rollout", "H(r_1..r_K) / K, what tells the pass rate included")
    if "rates" in s:
        return Prediction(float(np.log2(s["k"]) / 2), "exact", "bits/prompt", "log2(K) / 2")
    bits = float(s["k"] * beta_mean_entropy(s["a"], s["b"]))
    return Prediction(bits, "exact", "bits/prompt", "E[K h(p)], the outcome bits of K rollouts")


def patterns(rates: tuple[float, ...], k: int) -> Floats:
    """Joint chance of the kind of a prompt and every pattern of its outcomes, [kinds, 2^K]."""
    outcomes = np.arange(2**k)[:, None] >> np.arange(k) & 1
    p = np.array(rates)[:, None, None]
    return np.asarray(np.where(outcomes == 1, p, 1 - p).prod(axis=2) / len(rates))


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One rollout a step, so that the log keeps their order, or a group for the audit; pass rates stay as drawn."""
    s = case.settings
    kinds = rng.integers(len(s["rates"]), size=WORLDS) if "rates" in s else None
    rate = rng.beta(s["a"], s["b"], WORLDS) if kinds is None else np.take(s["rates"], kinds)
    steps, size = (1, s["k"]) if case.signal is AUDITED else (s["k"], 1)
    with SimulatedRun(folder, rng) as run:
        for step in range(steps):
            right = rng.random((WORLDS, size)) < rate[:, None]
            run.step(step, answers=np.zeros(right.shape, int), rewards=right, targets=kinds)


CLAIM = Claim(
    id="B4",
    statement="The K outcomes of a prompt with uncertain pass rate p have entropy E[K h(p)] + I(r; p): the second part "
    "tells how hard the prompt is.",
    source="bitrate, docs/theory.md#pass-rates",
    cases=(
        *[Case(f"p ~ Beta(1/2, 1/2), K={k}", {"a": 0.5, "b": 0.5, "k": k}, x=k, signal=PATTERN) for k in (1, 2, 4, 8)],
        Case("p ~ Beta(2, 5), K=6", {"a": 2.0, "b": 5.0, "k": 6}, x=6, signal=PATTERN),
        Case("p is .2 or .9, K=8: I(r; p)", {"rates": (0.2, 0.9), "k": 8}, signal=ABOUT),
        Case("p ~ Beta(1/2, 1/2), K=8: E h(p), audited", {"a": 0.5, "b": 0.5, "k": 8}, signal=AUDITED),
    ),
    predict=predict,
    simulate=simulate,
    rival=rival,
    rival_name="K times the outcome bits; log2(K) / 2 for what tells the pass rate",
    tolerance=0.08,
    budget=8 * WORLDS,
    remark="Who does not know a prompt's pass rate learns it from the outcomes, and that is not news about the answer. "
    "It grows like log2(K) / 2 where pass rates spread out, and stops at the entropy of p where there are few "
    "kinds of prompt. The outcome bits that the audit prints leave it out.",
    against=("B5",),
    axis="rollouts K",
    grid=range(1, 17),
    curves={
        "H(r_1..r_K)": lambda k: group_entropy(0.5, 0.5, k),
        "E[K h(p)]": lambda k: k * beta_mean_entropy(0.5, 0.5),
        "I(r; p)": lambda k: pass_rate_information(0.5, 0.5, k),
    },
)
