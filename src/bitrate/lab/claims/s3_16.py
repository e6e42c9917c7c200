"""Pretraining and inference scaling raise the pass rate: do they raise the bits?"""

import math
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s3_3 import belief
from bitrate.lab.signals import Unresolved
from bitrate.lab.signals.pairs import Lead
from bitrate.lab.worlds.learners import sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import binary_entropy
from bitrate.types import Estimate, Prediction

WORLDS, OPTIONS = 20_000, 4
BITS = Unresolved(of="scores", given="answers")


@dataclass(frozen=True)
class Per:
    """Bits of a sample over the rollouts that it takes.

    Args:
        rollouts: of a sample.
    """

    rollouts: int

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        return BITS(folder).scaled(1 / self.rollouts, "bits of a sample over its rollouts", "bits/prompt")


def best_of(n: int, p: float) -> float:
    """Chance that one of n independent tries passes."""
    return -math.expm1(n * math.log1p(-p))


def majority(n: int, p: float) -> float:
    """Chance that the right one of 4 options, said with chance p, has the most of n votes; of equals one is drawn."""
    odds, total = belief(p, OPTIONS - 1), 0.0
    for votes in combinations_with_replacement(range(OPTIONS), n):
        count = np.bincount(votes, minlength=OPTIONS)
        if count[0] == count.max():
            ways = math.factorial(n) // math.prod(map(math.factorial, count.tolist()))
            chance = math.prod(x**c for x, c in zip(odds, count.tolist(), strict=True))
            total += ways * chance / int((count == count[0]).sum())
    return total


def case(name: str, before: float, after: float, *, tries: int = 1, vote: bool = False, cost: int = 1) -> Case:
    """Bits of a sample that passes with chance ``after``, over its cost, less those of a rollout before.

    The source means pass rates that rise, to one half at most, and counts by sample.
    """
    less = float(binary_entropy(before))
    bits, linear = float(binary_entropy(after)) / cost - less, less * (after / before - 1)
    unit, reference = "bits/rollout" if cost > 1 else "bits/sample", "docs/theory.md#outcome, S3.16"
    needs = ("the learner knows the chance to pass and not the outcome",)
    return Case(
        name, {"before": before, "after": after, "tries": tries, "vote": vote},
        x=before if tries > 1 and not vote else None, assumed=before < after <= 0.5 and cost == 1,
        signal=Lead("after", Per(cost) if cost > 1 else BITS, "before", BITS),
        predict=Prediction(bits, "exact", unit, reference, needs),
        stated=Prediction(0.0, "lower", unit, "Dwarkesh: far more bits per sample"),
        rival=Prediction(linear, "exact", unit, "bits in proportion to the pass rate")
        if cost == 1 and abs(linear - bits) > 0.1
        else None,
    )  # fmt: skip


def tried(name: str, p: float, tries: int, *, vote: bool = False, cost: int = 1) -> Case:
    """A sample is the best of several rollouts, which takes a verifier, or their majority."""
    return case(name, p, (majority if vote else best_of)(tries, p), tries=tries, vote=vote, cost=cost)


def passes(p: float, tries: int, vote: bool, folder: Path, rng: np.random.Generator) -> None:
    """Samples of ``tries`` rollouts each, logged with the answer that was kept."""
    if vote:
        said = sample(np.array(belief(p, OPTIONS - 1)), WORLDS, tries, rng)
        votes = (said[:, :, None] == np.arange(OPTIONS)).sum(axis=1) + rng.random((WORLDS, OPTIONS)) / 2
        kept, rewards = votes.argmax(axis=1), votes.argmax(axis=1) == 0
        kept = (kept + rng.integers(OPTIONS, size=WORLDS)) % OPTIONS  # any option is the right one
    else:
        task = GoodSet(tries, alpha=p)
        scores = task.score(task.draw(WORLDS, rng), np.tile(np.arange(tries), (WORLDS, 1)), rng)
        kept, rewards = (scores + rng.random(scores.shape) / 2).argmax(axis=1), scores.max(axis=1)
    folder.mkdir()
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=kept[:, None], rewards=np.asarray(rewards, float)[:, None])


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """A run of plain rollouts before, and one of better rollouts, or of samples that are made of several."""
    s = case.settings
    passes(s["before"], 1, False, folder / "before", rng)
    start = s["before"] if s["tries"] > 1 else s["after"]
    passes(start, s["tries"], s["vote"], folder / "after", rng)


CLAIM = Claim(
    id="S3.16",
    statement="Pretraining and inference scaling raise the pass rate during RL, and so the bits of a sample.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, on the learning flow state",
    cases=(
        *[case(f"pretraining, p={a:g} to {b:g}", a, b) for a, b in ((0.01, 0.1), (0.1, 0.5), (0.5, 0.9))],
        tried("best of 8, p=.02", 0.02, 8),
        tried("best of 8, p=.02, by rollouts", 0.02, 8, cost=8),
        tried("best of 8, p=.3", 0.3, 8),
        tried("majority of 9, right .35 of the time and three others .217", 0.3, 9, vote=True),
        tried("majority of 9, right .1 of the time and three others .3", 0.1, 9, vote=True),
    ),
    simulate=simulate,
    rival_name="bits in proportion to the pass rate",
    tolerance=0.05,
    budget=2 * WORLDS,
    condition="the pass rate does rise, to one half at most, and bits are counted by sample and not by rollout",
    remark="h(p) rises up to p = 1/2 and falls beyond: what lifts a model from 1% to 10% brings six times the bits, "
    "and from 50% to 90% takes half of them away. The best of 8 rollouts is right more often, and whether any of them "
    "was is a coarser question than which: counted by rollout it carries less than the 8 outcomes apart, always, "
    "since h(1 - (1-p)^n) <= n h(p). A majority raises the pass rate only where the right answer already is the "
    "likeliest, and lowers it elsewhere. Pretraining is the one that pays by rollout too.",
    against=("S3.3", "S3.11"),
    axis="pass rate p of a rollout",
    grid=np.linspace(0.01, 0.99, 99),
    curves={
        "best of 8, by sample: h(1 - (1-p)^8) - h(p)": lambda p: binary_entropy(best_of(8, p)) - binary_entropy(p),
        "best of 8, by rollout: h(1 - (1-p)^8)/8 - h(p)": lambda p: (
            binary_entropy(best_of(8, p)) / 8 - binary_entropy(p)
        ),
    },
)
