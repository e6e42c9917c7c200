"""The group bound where a reward has more than two levels."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s1_9 import pattern_chances
from bitrate.lab.signals import Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import (
    distinct_answers,
    entropy,
    group_bound,
    group_information,
    group_information_given_distinct,
    surprisal,
)
from bitrate.types import Floats, Ints, Prediction

WORLDS, K, UNIT = 12_000, 4, "bits/group"
WHERE, SETS = "docs/theory.md#groups, S1.19", "two answers above the lowest level"
#: Grades [worlds, answers], levels from 0.
Grades = Callable[[np.random.Generator], Ints]


def case(
    name: str, bits: Floats | float, levels: int, grades: Grades, answers: Callable[[np.random.Generator], Ints],
    distinct: Floats | int = K, *, assumed: bool = True, x: float | None = None,
) -> Case:  # fmt: skip
    """A verifier that grades in levels, the exact bits, and the bound for M distinct answers, or its mean over M.

    The rival is the bound of S1.9, for right or wrong.
    """
    share = np.eye(K + 1)[distinct] if isinstance(distinct, int) else distinct
    said, old = (float(share @ group_bound(np.arange(share.size), 1, n)) for n in (levels, 2))
    return Case(
        name, {"grades": grades, "answers": answers, "levels": levels}, x, assumed=assumed,
        predict=Prediction(float(bits), "exact", UNIT, WHERE, ("a verifier without errors",)),
        stated=Prediction(said, "upper", UNIT, "jeff: the bound scales accordingly, log2(M(L-1) + 1)"),
        rival=Prediction(old, "upper", UNIT, "log2(M+1), whatever the levels"),
    )  # fmt: skip


def one_right(answers: int, levels: int) -> Grades:
    """One answer has a grade above the lowest, any of them alike."""

    def grades(rng: np.random.Generator) -> Ints:
        found = np.zeros((WORLDS, answers), np.int64)
        found[np.arange(WORLDS), rng.integers(answers, size=WORLDS)] = rng.integers(1, levels, size=WORLDS)
        return found

    return grades


def by_distance(rng: np.random.Generator) -> Ints:
    """Targets on a line of 9 places: the nearer, the higher."""
    return np.asarray(8 - np.abs(rng.integers(9, size=WORLDS)[:, None] - np.arange(9)))


def anything(answers: int, levels: int) -> Grades:
    """Every answer has any grade."""
    return lambda rng: rng.integers(levels, size=(WORLDS, answers))


def two_right(rng: np.random.Generator) -> Ints:
    """Two of 6 answers have a grade of 1 or 2."""
    order = rng.random((WORLDS, 6)).argsort(axis=1)
    return np.asarray(np.where(order < 2, rng.integers(1, 3, size=order.shape), 0))


def different(answers: int, k: int = K) -> Callable[[np.random.Generator], Ints]:
    """K different answers in each world."""
    return lambda rng: rng.random((WORLDS, answers)).argsort(axis=1)[:, :k]


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One group in each world, of answers that were chosen without a look at the grades."""
    s = case.settings
    grades, answers = s["grades"](rng), s["answers"](rng)
    rewards = np.take_along_axis(grades, answers, axis=1) / (s["levels"] - 1)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers, rewards=rewards)


def graded_bits(answers: int, levels: int, distinct: int = K) -> float:
    """Which of M answers was right, if any, and how right: its grade is heard where it was tried."""
    which = float(group_information_given_distinct(answers, distinct))
    return which + distinct / answers * math.log2(levels - 1)


FIVE, EVEN = distinct_answers(5, 3), np.full(5, 1 / 5)
SAMPLED = group_information(EVEN, EVEN, 3) + float(FIVE @ np.arange(4)) / 5 * math.log2(4)
#: Of the two right ones so many were tried, and each has one of two grades.
PAIRS = float(entropy(pattern_chances(6, 2))) + 2 * K / 6
CLAIM = Claim(
    id="S1.19",
    statement="With graded rewards the group bound scales accordingly: M distinct answers and rewards of L levels "
    "carry at most log2(M(L-1) + 1) bits.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, does GRPO/RLOO add information?",
    cases=(
        *[
            case(f"one right answer of 5, 4 distinct, {n} levels", graded_bits(5, n), n, one_right(5, n), different(5),
                 x=n)
            for n in (3, 9)
        ],
        case("one right answer of 5, K=3 sampled, 5 levels", SAMPLED, 5, one_right(5, 5),
             lambda rng: rng.integers(5, size=(WORLDS, 3)), FIVE),
        case("by distance on a line of 9, one answer at its end", surprisal(1 / 9), 9, by_distance,
             lambda rng: np.zeros((WORLDS, 1), np.int64), 1),
        case("any grades, 4 distinct, 3 levels", K * math.log2(3), 3, anything(4, 3), different(4), assumed=False),
        case(f"{SETS} of 3, of 6 answers, 4 distinct", PAIRS, 3, two_right, different(6), assumed=False),
        replace(
            case(f"{SETS} of 3, our bound for pairs", PAIRS, 3, two_right, different(6)), stated=None, rival=None,
            predict=Prediction(float(group_bound(K, 2, 3)), "upper", UNIT, f"{WHERE}: general bound"),
        ),
    ),
    simulate=simulate,
    signal=Unresolved(of="scores", given="answers"),
    rival_name="log2(M+1), whatever the levels",
    tolerance=0.1,
    budget=WORLDS * K,
    condition="at most one answer is above the lowest level, or the pseudo-dimension of the verifiers is 1",
    remark="It scales by patterns: a group of M distinct answers of which at most d are above the lowest level has "
    "sum over i <= d of C(M, i) (L-1)^i of them, and a verifier that may give any grade to any answer has L^M. One "
    "bit for every doubling of the levels where one answer is right, M bits where all may be. It is a ceiling for what "
    "a score can say of the target; levels that depend on the text alone say nothing of it.",
    against=("S1.9",),
    axis="levels of the reward",
    grid=range(2, 17),
    curves={
        "one right answer of 5, 4 distinct": lambda n: graded_bits(5, n),
        "log2(M(L-1) + 1)": lambda n: group_bound(K, 1, n),
        "log2(M+1)": float(group_bound(K)),
    },
)  # fmt: skip
