"""What a group-normalised advantage keeps of the outcomes: groups that agree are dear in tokens and cheap in bits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.special import comb
from scipy.stats import binom

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine, Unresolved
from bitrate.lab.worlds.learners import Baseline, advantages
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import binary_entropy, dead_group_probability, group_normalised_information
from bitrate.types import Prediction

PROMPTS = 30_000
AUDIT, COUNTED = LedgerLine("ledger.update_bits"), Unresolved(of="update", given="answers")


def of_unknown_rates(case: Case) -> Prediction:
    """The same where a prompt's rate is not known beforehand, as the audit does not: of the counts that all show."""
    rates, k = case.settings["rates"], case.settings["k"]
    counts = binom.pmf(np.arange(k + 1), k, np.array(rates)[:, None]).mean(axis=0)
    dead = counts[0] + counts[-1]
    bits = counts @ np.log2(comb(k, np.arange(k + 1)) / counts) - dead * binary_entropy(counts[-1] / dead)
    assumptions = ("prompts are told apart by nothing", "the rollouts in view")
    return Prediction(float(bits / k), "exact", "bits/rollout", "docs/theory.md#updates", assumptions)


def predict(case: Case) -> Prediction:
    """h(p) - P_dead h(P_right / P_dead) / K, mean over prompts; all of h(p) with a constant baseline."""
    s = case.settings
    erased = s["method"] == "grpo"
    bits = group_normalised_information(s["rates"], s["k"]) if erased else binary_entropy(s["rates"])
    value, unit = float(bits.mean()), "bits/rollout"
    if s["counted"]:
        value, unit = value * s["k"], "bits/prompt"
    return Prediction(value, "exact", unit, "docs/theory.md#updates", ("p known", "the rollouts in view"))


def rival(case: Case) -> Prediction | None:
    """The share of mixed groups times h(p): as if a group that agrees had carried as much as any other."""
    s = case.settings
    if s["method"] != "grpo":
        return None
    mixed = 1 - dead_group_probability(s["rates"], s["k"])
    value, unit = float((mixed * binary_entropy(s["rates"])).mean()), "bits/rollout"
    if s["counted"]:
        value, unit = value * s["k"], "bits/prompt"
    return Prediction(value, "exact", unit, "share of mixed groups times h(p)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """A group of each prompt, which passes at the prompt's rate.

    The audit is given no answers, so that it knows of no other bound. To count advantages, each rollout of a group says
    something else: that keeps their order. Where the audit is asked for another K, groups of ``logged`` are rolled out.
    """
    s = case.settings
    k = s.get("logged", s["k"])
    rate = rng.choice(s["rates"], PROMPTS)[:, None]
    rewards = (rng.random((PROMPTS, k)) < rate).astype(float)
    texts = np.tile(np.arange(k), (PROMPTS, 1)) if s["counted"] else np.full(rewards.shape, None)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=texts, rewards=rewards, advantages=advantages(rewards, s["method"]))


def case(name: str, rates: tuple[float, ...], k: int, method: Baseline = "grpo", counted: bool = False) -> Case:
    """Prompts of these pass rates, and whether the audit is asked or the advantages are counted."""
    x = rates[0] if len(rates) == 1 and not counted and method == "grpo" and k == 4 else None
    settings = {"rates": rates, "k": k, "method": method, "counted": counted}
    return Case(name, settings, x, signal=COUNTED if counted else AUDIT)


CLAIM = Claim(
    id="B6",
    statement="A group-normalised advantage keeps K h(p) - P_dead h(P_right / P_dead) bits of K outcomes: it only "
    "takes the all-right group for the all-wrong one.",
    source="bitrate, docs/theory.md#updates",
    cases=(
        *[case(f"p={p:g}, K=4", (p,), 4) for p in (0.1, 0.5, 0.9)],
        replace(case("p is .05, .5 or .95, K=8", (0.05, 0.5, 0.95), 8), predict=of_unknown_rates),
        case("p=.5, K=4, baseline .3", (0.5,), 4, 0.3),
        *[case(f"p={p:g}, K={k}, advantages counted, a group", (p,), k, counted=True) for p, k in ((0.5, 2), (0.9, 4))],
        Case(
            "p is .05, .5 or .95, what K=2 would keep, from groups of 8",
            {"rates": (0.05, 0.5, 0.95), "k": 2, "method": "grpo", "counted": False, "logged": 8},
            signal=LedgerLine("k_advice.2.update_bits"),
        ),
    ),
    predict=predict,
    simulate=simulate,
    rival=rival,
    rival_name="share of mixed groups times h(p)",
    tolerance=0.05,
    budget=8 * PROMPTS,
    remark="Groups without an advantage are often called wasted. Their tokens are; their bits are few, because such a "
    "group was expected where it is common, and an update of zero still says that all agreed. Only which way they "
    "agreed is lost. This is for one who has the rollouts beside the update; without them more is lost (S1.15).",
    against=("S1.15",),
    axis="pass rate p",
    grid=np.linspace(0.01, 0.99, 99),
    curves={
        "outcome bits h(p)": binary_entropy,
        "update bits, K=4": lambda p: group_normalised_information(p, 4),
        "share of mixed groups times h(p), K=4": lambda p: (1 - dead_group_probability(p, 4)) * binary_entropy(p),
    },
)
