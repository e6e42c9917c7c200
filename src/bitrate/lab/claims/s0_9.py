"""Groups of rollouts and graded rewards: more than one bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s0_1 import all_sets
from bitrate.lab.signals import Information, LedgerLine, Unresolved
from bitrate.lab.worlds.learners import advantages, sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import entropy, good_set_distinct_rollouts, group_normalised_information, verifier_information
from bitrate.types import Estimate, Floats, Prediction

ALPHA = 0.3
N = 4
GRADES = (0.4, 0.3, 0.2, 0.1)
WORLDS = 50_000
FEEDBACK = Unresolved(of="scores", given="answers")
UPDATE, AUDITED = Information(of="update"), LedgerLine("ledger.update_bits")


def with_repeats(k: int) -> float:
    """Bits of k uniform rollouts of N independent jokes: every set of good jokes is a target."""
    sets, prior = all_sets(N, ALPHA)
    return verifier_information(prior, sets, np.full(N, 1 / N), k)


def case(
    name: str, k: int, bits: Floats | float, *, audit: bool = False, x: float | None = None, bounded: bool = True,
    signal: Callable[[Path], Estimate] = FEEDBACK, **how: Any,
) -> Case:  # fmt: skip
    """Bits of a group of k, where the source says more than one, and a bound for a single right answer log2(M+1).

    The audit counts by rollout.
    """
    size, unit = (k, "bits/rollout") if audit else (1, "bits/group")
    return Case(
        name, {"k": k, **how}, x, signal=AUDITED if audit else signal,
        predict=Prediction(float(bits) / size, "exact", unit, "docs/theory.md#good-sets, S0.9", ("independent jokes",)),
        stated=Prediction(1.0 / size, "lower", unit, "Beirami, richer rewards"),
        rival=Prediction(float(np.log2(k + 1)) / size, "upper", unit, "log2(M+1)") if bounded else None,
    )  # fmt: skip


def graded(name: str, k: int) -> Case:
    """A grade carries its entropy."""
    return case(name, k, k * entropy(GRADES), x=k, bounded=False, grades=GRADES)


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One group in each world, of different jokes or with repeats."""
    k, grades = case.settings["k"], case.settings.get("grades")
    distinct = rng.random((WORLDS, N)).argsort(axis=1)[:, :k]
    answers = sample(np.full(N, 1 / N), WORLDS, k, rng) if case.settings.get("repeats") else distinct
    with SimulatedRun(folder, rng) as run:
        if grades:
            given = rng.choice(len(grades), size=(WORLDS, N), p=grades)
            run.step(0, answers=answers, rewards=np.take_along_axis(given, answers, axis=1) / (len(grades) - 1))
            return
        task = GoodSet(N, ALPHA)
        targets = task.draw(WORLDS, rng)
        rewards = task.score(targets, answers, rng)
        run.step(0, answers=answers, rewards=rewards, targets=targets, advantages=advantages(rewards, "grpo"))


#: M h(alpha) of M different jokes less what GRPO forgets: whether all or none were good.
GRPO = 4 * group_normalised_information(ALPHA, 4)
CLAIM = Claim(
    id="S0.9",
    statement="Groups of rollouts and richer rewards can carry more than 1 bit in a single update.",
    source="Beirami, O(1) bits per policy gradient update?, notes on richer rewards",
    cases=(
        *[case(f"{k} different jokes", k, good_set_distinct_rollouts(k, ALPHA), x=k) for k in (2, 4)],
        case("4 rollouts, repeats among 4 jokes", 4, with_repeats(4), x=4, repeats=True),
        case("4 different jokes, GRPO update", 4, GRPO, x=4, signal=UPDATE),
        graded("1 joke with one of 4 grades", 1),
        graded("2 different jokes with one of 4 grades", 2),
        case("4 different jokes, GRPO update, audited", 4, GRPO, audit=True),
    ),
    simulate=simulate,
    rival_name="at most log2(M+1) bits for M different jokes",
    tolerance=0.03,
    budget=4 * WORLDS,
    remark="Independent jokes are independent questions: each different joke of a group adds h(alpha) bits, "
    "a repeated one nothing. The bound log2(M+1) of S1.9 is for a single right answer. A grade carries its entropy. "
    "GRPO forgets which of the two it was when all or none were good.",
    against=("S1.9",),
    axis="rollouts of a group",
    grid=range(1, 7),
    curves={
        "different jokes: M h(.3)": lambda k: good_set_distinct_rollouts(k, ALPHA),
        "with repeats among 4 jokes": with_repeats,
        "different jokes, 4 grades": lambda k: k * entropy(GRADES),
        "log2(M+1)": lambda k: np.log2(k + 1),
    },
)
