"""Figure 6 of the symbol bandit: the bits of a group lie far below log2(M+1), but not because M is small."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Mean
from bitrate.lab.signals.hits import HitInformation
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import distinct_answers, group_bound, group_information_given_distinct
from bitrate.types import Estimate, Prediction

ANSWERS = 500
BITS, BOUND, TRIED = "bits", "bound", "tried"
WORLDS = {BITS: 15_000, BOUND: 1_000, TRIED: 8_000}
SIGNALS: dict[str, Callable[[Path], Estimate]] = {
    BITS: HitInformation(),
    BOUND: Mean("log2(count(DISTINCT answer) + 1)", "log2(M+1)", "bits/prompt", spread=6.0),
    TRIED: Mean("count(DISTINCT answer)", "distinct answers", "answers/prompt", spread=64.0),
}


def mean_over_groups(what: str, k: int) -> float:
    """The exact mean over groups of a function of M: the bits, their bound log2(M+1), or M itself."""
    m = np.arange(k + 1)
    values = {BITS: group_information_given_distinct(ANSWERS, m), BOUND: group_bound(m), TRIED: m}
    return float(distinct_answers(ANSWERS, k) @ values[what])


def predict(case: Case) -> Prediction:
    """Exact, from the distribution of M."""
    what, k = case.settings["what"], case.settings["k"]
    unit = "answers/prompt" if what == TRIED else "bits/prompt"
    return Prediction(
        mean_over_groups(what, k), "exact", unit, "docs/theory.md#groups, S1.11", ("uniform prior and policy",)
    )


def stated(case: Case) -> Prediction | None:
    """The source's bound of the bits, and its bound of that bound."""
    what, k = case.settings["what"], case.settings["k"]
    if what == TRIED:
        return None
    bound = mean_over_groups(BOUND, k) if what == BITS else float(group_bound(k))
    return Prediction(bound, "upper", "bits/prompt", "jeff, group bound: E log2(M+1), at most log2(K+1)")


def rival(case: Case) -> Prediction | None:
    """The M that would make log2(M+1) as small as the bits are: what "duplicates keep M small" needs."""
    what, k = case.settings["what"], case.settings["k"]
    if what == TRIED:
        small = 2 ** mean_over_groups(BITS, k) - 1
        return Prediction(small, "exact", "answers/prompt", "jeff, caption of figure 6: duplicates keep M small")
    return Prediction(float(group_bound(k)), "exact", "bits/prompt", "log2(K+1)") if what == BITS and k > 1 else None


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One group in each of many worlds, answers uniform."""
    what, k = case.settings["what"], case.settings["k"]
    collect(SingleAnswer.uniform(ANSWERS), folder, rng=rng, worlds=WORLDS[what], k=k)


def case(name: str, what: str, k: int) -> Case:
    """A quantity at a group size; M is not in the unit of the axis and has no place there."""
    return Case(name, {"what": what, "k": k}, None if what == TRIED else float(k), signal=SIGNALS[what])


CLAIM = Claim(
    id="S1.11",
    statement="Where answers are many and rollouts few, the bits of a group lie far below log2(M+1) and log2(K+1).",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, figure 6",
    cases=(
        *[case(f"V=500, K={k}", BITS, k) for k in (8, 32, 64)],
        case("V=500, K=64, the bound log2(M+1)", BOUND, 64),
        case("V=500, K=64, distinct answers M", TRIED, 64),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="the bits are log2(K+1); M is small enough for log2(M+1) to be the bits",
    tolerance=0.12,
    budget=64 * WORLDS[BITS],
    remark="True, but not for the reason given, that duplicates keep M small: 64 rollouts give 60 distinct answers. "
    "The bits are few because all answers tried together hold the right one only with chance M/V. The bound would be "
    "reached if each answer tried were as likely to be right as all untried ones together.",
    axis="rollouts K",
    grid=range(1, 65),
    curves={
        "exact": partial(mean_over_groups, BITS),
        "mean of log2(M+1)": partial(mean_over_groups, BOUND),
        "log2(K+1)": group_bound,
    },
)
