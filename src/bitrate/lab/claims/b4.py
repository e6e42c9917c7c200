"""Outcomes of one prompt are not independent: they also tell how hard the prompt is."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, LedgerLine, Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import beta_mean_entropy, group_entropy, mutual_information, pass_rate_information
from bitrate.types import Floats, Prediction

WORLDS = 40_000
UNIT, PATTERN = "bits/prompt", Unresolved(of="rewards", given="answers")


#: Pass rates of the two kinds of prompt.
RATES = (0.2, 0.9)
NEEDS = ("outcomes independent given p",)


def entropy_of_all(a: float, b: float, k: int) -> Case:
    """E[K h(p)] + I(r; p). The rival: K times the outcome bits."""
    first = Prediction(float(k * beta_mean_entropy(a, b)), "exact", UNIT, "E[K h(p)], the outcome bits of K rollouts")
    bits = Prediction(group_entropy(a, b, k), "exact", UNIT, "docs/theory.md#pass-rates", NEEDS)
    even = a == b == 0.5
    name = "p ~ Beta(1/2, 1/2)" if even else f"p ~ Beta({a:g}, {b:g})"
    return Case(f"{name}, K={k}", {"a": a, "b": b, "k": k}, x=k, signal=PATTERN, predict=bits, rival=first)


def audited(k: int) -> tuple[Case, Case]:
    """The audit's outcome bits are the first part alone, a rollout; its received bits, at most, are both."""
    chance, whole = float(beta_mean_entropy(0.5, 0.5)), group_entropy(0.5, 0.5, k) / k
    settings = {"a": 0.5, "b": 0.5, "k": k, "at_once": True}

    def case(line: str, name: str, bits: float, rival: float) -> Case:
        said = Prediction(bits, "exact", "bits/rollout", "docs/theory.md#logs", NEEDS)
        return Case(
            f"p ~ Beta(1/2, 1/2), K={k}: {name}, audited", settings, signal=LedgerLine(f"ledger.{line}"), predict=said,
            rival=Prediction(rival, "exact", "bits/rollout", "the other of E h(p) and H(r_1..r_K) / K"),
        )  # fmt: skip

    return case("outcome_bits", "E h(p)", chance, whole), case("received_bits", "received at most", whole, chance)


def two_kinds(k: int) -> Case:
    """For two kinds of prompt the second part alone. The rival: log2(K) / 2, as for pass rates that spread out."""
    bits = Prediction(float(mutual_information(patterns(RATES, k))), "exact", UNIT, "docs/theory.md#pass-rates", NEEDS)
    return Case(
        f"p is .2 or .9, K={k}: I(r; p)", {"rates": RATES, "k": k}, signal=Information(of="rewards"), predict=bits,
        rival=Prediction(float(np.log2(k) / 2), "exact", UNIT, "log2(K) / 2"),
    )  # fmt: skip


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
    steps, size = (1, s["k"]) if s.get("at_once") else (s["k"], 1)
    with SimulatedRun(folder, rng) as run:
        for step in range(steps):
            right = rng.random((WORLDS, size)) < rate[:, None]
            run.step(step, answers=np.zeros(right.shape, int), rewards=right, targets=kinds)


CLAIM = Claim(
    id="B4",
    statement="The K outcomes of a prompt with uncertain pass rate p have entropy E[K h(p)] + I(r; p): the second part "
    "is what they tell of p.",
    source="bitrate, docs/theory.md#pass-rates",
    cases=(
        *[entropy_of_all(0.5, 0.5, k) for k in (1, 2, 4, 8)],
        entropy_of_all(2.0, 5.0, 6),
        two_kinds(8),
        *audited(8),
    ),
    simulate=simulate,
    rival_name="K times the outcome bits; log2(K) / 2 for what tells the pass rate",
    tolerance=0.08,
    budget=8 * WORLDS,
    remark="Who does not know a prompt's pass rate learns it from the outcomes. That part grows like log2(K) / 2 where "
    "pass rates spread out, and stops at the entropy of p where there are few kinds of prompt. It is not only about "
    "how hard a prompt is: with a greedy policy it is all that is learnt of the answer. The audit's outcome bits leave "
    "it out, its received bits do not (B7).",
    against=("B5",),
    axis="rollouts K",
    grid=range(1, 17),
    curves={
        "H(r_1..r_K)": lambda k: group_entropy(0.5, 0.5, k),
        "E[K h(p)]": lambda k: k * beta_mean_entropy(0.5, 0.5),
        "I(r; p)": lambda k: pass_rate_information(0.5, 0.5, k),
    },
)
