"""Figure 6 of the symbol bandit: the bits of a group lie far below log2(M+1), but not because M is small."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Mean
from bitrate.lab.signals.hits import HitInformation
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import distinct_answers, group_bound, group_information_given_distinct
from bitrate.types import Floats, Ints, Prediction

ANSWERS, UNIT = 500, "bits/prompt"
WORLDS = 15_000
NEEDS = ("uniform prior and policy",)


def information(m: Ints) -> Floats:
    """Bits of a group that tried m different answers."""
    return np.asarray(group_information_given_distinct(ANSWERS, m))


def mean_over_groups(values: Callable[[Ints], Any], k: int) -> float:
    """The exact mean over groups of a function of M: the bits, their bound log2(M+1), or M itself."""
    return float(distinct_answers(ANSWERS, k) @ values(np.arange(k + 1)))


def _exactly(value: float, unit: str = UNIT) -> Prediction:
    return Prediction(value, "exact", unit, "docs/theory.md#groups, S1.11", NEEDS)


def _bound(value: float) -> Prediction:
    return Prediction(value, "upper", UNIT, "jeff, group bound: E log2(M+1), at most log2(K+1)")


def bits(k: int) -> Case:
    """The bits, below their bound. The rival: they are log2(K+1)."""
    return Case(
        f"V={ANSWERS}, K={k}", {"k": k, "worlds": WORLDS}, float(k), signal=HitInformation(),
        predict=_exactly(mean_over_groups(information, k)), stated=_bound(mean_over_groups(group_bound, k)),
        rival=Prediction(float(group_bound(k)), "exact", UNIT, "log2(K+1)"),
    )  # fmt: skip


def bound(k: int) -> Case:
    """The bound, below its own bound."""
    signal = Mean("log2(count(DISTINCT answer) + 1)", "log2(M+1)", UNIT, spread=6.0)
    return Case(
        f"V={ANSWERS}, K={k}, the bound log2(M+1)", {"k": k, "worlds": 1_000}, float(k), signal=signal,
        predict=_exactly(mean_over_groups(group_bound, k)), stated=_bound(float(group_bound(k))),
    )  # fmt: skip


def tried(k: int) -> Case:
    """M. The rival: the M that would make log2(M+1) as small as the bits are, as "duplicates keep M small" needs."""
    unit, small = "answers/prompt", 2 ** mean_over_groups(information, k) - 1
    return Case(
        f"V={ANSWERS}, K={k}, distinct answers M", {"k": k, "worlds": 8_000},
        signal=Mean("count(DISTINCT answer)", "distinct answers", unit, spread=64.0),
        predict=_exactly(mean_over_groups(lambda m: m, k), unit),
        rival=Prediction(small, "exact", unit, "jeff, caption of figure 6: duplicates keep M small"),
    )  # fmt: skip


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One group in each of many worlds, answers uniform."""
    collect(SingleAnswer.uniform(ANSWERS), folder, rng=rng, **case.settings)


CLAIM = Claim(
    id="S1.11",
    statement="Where answers are many and rollouts few, the bits of a group lie far below log2(M+1) and log2(K+1).",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, figure 6",
    cases=(
        *map(bits, (8, 32, 64)),
        bound(64),
        tried(64),
    ),
    simulate=simulate,
    rival_name="the bits are log2(K+1); M is small enough for log2(M+1) to be the bits",
    tolerance=0.12,
    budget=64 * WORLDS,
    remark="True, but not for the reason given, that duplicates keep M small: 64 rollouts give 60 distinct answers. "
    "The bits are few because all answers tried together hold the right one only with chance M/V. The bound would be "
    "reached if each answer tried were as likely to be right as all untried ones together.",
    axis="rollouts K",
    grid=range(1, 65),
    curves={
        "exact": partial(mean_over_groups, information),
        "mean of log2(M+1)": partial(mean_over_groups, group_bound),
        "log2(K+1)": group_bound,
    },
)
