"""A positive example and nothing else: log2(1/alpha) bits, where the sets of right answers are alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information
from bitrate.lab.worlds.learners import train
from bitrate.theory import fixed_set_positive_example, mutual_information, surprisal
from bitrate.types import Floats, Ints, Prediction

WORLDS = 100_000


@dataclass(frozen=True)
class OneOfSets:
    """The target is one of a few sets of right answers, all alike."""

    answers: int
    sets: Sequence[Sequence[int]]

    @property
    def accepts(self) -> Floats:
        """Whether a set holds an answer, [sets, answers]."""
        return np.array([[float(a in s) for a in range(self.answers)] for s in self.sets])

    def draw(self, worlds: int, rng: np.random.Generator) -> Ints:
        """The number of a set."""
        return rng.integers(len(self.sets), size=worlds)

    def score(self, targets: Ints, answers: Ints, rng: np.random.Generator) -> Floats:
        """1 for an answer of the set."""
        return np.asarray(self.accepts[targets[:, None], answers])

    def label(self, targets: Ints, rng: np.random.Generator) -> Ints:
        """Any answer of the set."""
        right = self.accepts[targets] > 0
        return np.asarray(np.where(right, rng.random(right.shape), -1.0).argmax(axis=1))


def predict(case: Case) -> Prediction:
    """The information of a set and an answer drawn from it, from their joint table."""
    task = case.settings["task"]
    shown = task.accepts / task.accepts.sum(axis=1, keepdims=True)
    bits = float(mutual_information(shown / len(task.sets)))
    return Prediction(
        bits, "exact", "bits/label", "docs/theory.md#good-sets, S1.12", ("the example is any right answer, all alike",)
    )


def stated(case: Case) -> Prediction:
    """The source's formula; alpha is the chance of an answer drawn uniformly to be right."""
    alpha = float(case.settings["task"].accepts.mean())
    return Prediction(float(surprisal(alpha)), "exact", "bits/label", "jeff, positive-only SFT: log2(1/alpha)")


def rival(case: Case) -> Prediction | None:
    """The surprise of the example itself: also counts which of the right answers was shown."""
    bits = float(surprisal(1 / case.settings["task"].answers))
    one_right = max(map(len, case.settings["task"].sets)) == 1
    return None if one_right else Prediction(bits, "exact", "bits/label", "log2 of the number of answers")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One example in each of many worlds."""
    train(case.settings["task"], folder, rng=rng, worlds=WORLDS, steps=1, method="sft")


def case(name: str, answers: int, sets: Sequence[Sequence[int]], assumed: bool = True) -> Case:
    """One family of sets."""
    task = OneOfSets(answers, sets)
    return Case(name, {"task": task}, x=float(task.accepts.mean()) if assumed else None, assumed=assumed)


CLAIM = Claim(
    id="S1.12",
    statement="A positive example carries log2(1/alpha) bits about a good set of prior mass alpha.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, theorem on positive-only SFT",
    cases=(
        *[case(f"all sets of {size} among 8 answers", 8, list(combinations(range(8), size))) for size in (1, 2, 4)],
        case("6 neighbours on a ring of 8 answers", 8, [[(i + j) % 8 for j in range(6)] for i in range(8)]),
        case("sets {1,2} and {1,3} of 4 answers", 4, [[0, 1], [0, 2]], assumed=False),
        case("any of 4 answers alone, or all of them", 4, [[0], [1], [2], [3], [0, 1, 2, 3]], assumed=False),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Information(of="answers"),
    rival=rival,
    rival_name="log2 of the number of answers",
    tolerance=0.03,
    budget=WORLDS,
    condition="all good sets have the same size and, taken together, cover all answers alike",
    remark="An example rules out the sets that do not hold it. Sets {1,2} and {1,3} share answer 1, and an example "
    "that shows it rules out neither: half a bit in the mean, not one. Sets of different sizes break the formula the "
    "other way: S0.5 has them, and refutes it there.",
    against=("S0.5",),
    axis="share alpha of answers that are right",
    grid=np.arange(1, 9) / 8,
    curves={
        "log2(1/alpha)": lambda alpha: fixed_set_positive_example(8, round(8 * alpha)),
        "log2 8": lambda alpha: surprisal(1 / 8) if alpha in {1 / 8, 1} else None,
    },
)
