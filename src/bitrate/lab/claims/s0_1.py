"""The ideal solution of the joke model: filter out the bad jokes, tell the good ones alike."""

from math import comb
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine, Mean
from bitrate.lab.worlds.learners import sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import regularised_pass_rate
from bitrate.types import Bools, Floats, Prediction

WORLDS = 60_000
NO_KL = 1e-6
REWARD = LedgerLine("pass_rate")
AGAIN = Mean("(count(DISTINCT answer) = 1)::INT", "two rollouts agree", "share of pairs")


def set_sizes(n: int, alpha: float, nonempty: bool) -> tuple[Floats, Floats]:
    """Sizes K of the good set and their probabilities."""
    size = np.arange(n + 1)
    chance = np.array([comb(n, k) * alpha**k * (1 - alpha) ** (n - k) for k in size])
    chance[0] *= not nonempty
    return size.astype(float), chance / chance.sum()


def all_sets(n: int, alpha: float) -> tuple[Bools, Floats]:
    """Every set of good jokes, [2^n, n], none good first, and how likely it is."""
    good = (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)
    return good, np.prod(np.where(good, alpha, 1 - alpha), axis=1)


def never_bad(name: str, n: int, alpha: float, nonempty: bool = True) -> Case:
    """The best reward that any policy reaches, over the sizes of the set; the source's never tells a bad joke."""
    size, chance = set_sizes(n, alpha, nonempty)
    best, unit = float(chance @ regularised_pass_rate(size / n, NO_KL)), "share of rollouts"
    return Case(
        name, {"n": n, "alpha": alpha, "nonempty": nonempty}, assumed=nonempty, signal=REWARD,
        predict=Prediction(best, "exact", unit, "docs/theory.md#good-sets, S0.1"),
        stated=Prediction(1.0, "exact", unit, "Beirami, the ideal solution", ("at least one good joke",)),
    )  # fmt: skip


def agree(name: str, n: int, alpha: float) -> Case:
    """E[1/K] for two rollouts of p*. The rival has the set's mean size in place of its size."""
    size, chance = set_sizes(n, alpha, True)
    value, unit, needs = float(chance[1:] @ (1 / size[1:])), "share of pairs", ("at least one good joke",)
    return Case(
        name, {"n": n, "alpha": alpha, "nonempty": True}, signal=AGAIN,
        predict=Prediction(value, "exact", unit, "E[1/K], docs/theory.md#good-sets, S0.1", needs),
        rival=Prediction(float(1 / (chance @ size)), "exact", unit, "1 / E[K]"),
    )  # fmt: skip


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Two rollouts of the filtered policy in each world; where every joke is bad, nothing is left to filter."""
    task = GoodSet(case.settings["n"], case.settings["alpha"], nonempty=case.settings["nonempty"])
    targets = task.draw(WORLDS, rng)
    policy = np.full((WORLDS, task.answers), 1 / task.answers)
    good = (targets[:, None] & task.bits) > 0
    filtered = np.where(good.any(axis=1, keepdims=True), policy * good, policy)
    answers = sample(filtered, WORLDS, 2, rng)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers, rewards=task.score(targets, answers, rng), targets=targets)


CLAIM = Claim(
    id="S0.1",
    statement="The ideal solution filters out the bad jokes and tells each of the K good ones with probability 1/K.",
    source="Beirami, O(1) bits per policy gradient update?, the joke model",
    cases=(
        never_bad("reward, N=4, alpha=.5", 4, 0.5),
        never_bad("reward, N=10, alpha=.1", 10, 0.1),
        never_bad("reward, N=4, alpha=.2, maybe no good joke", 4, 0.2, nonempty=False),
        agree("two rollouts agree, N=4, alpha=.5", 4, 0.5),
        agree("two rollouts agree, N=10, alpha=.3", 10, 0.3),
    ),
    simulate=simulate,
    rival_name="two rollouts agree with probability 1 / E[K]",
    tolerance=0.02,
    budget=2 * WORLDS,
    condition="at least one joke is good; otherwise there is nothing to tell after filtering",
    remark="Where at least one joke is good, p* never fails, and of all policies that never fail it repeats itself "
    "least. Independent jokes can all be bad: with four jokes at 20% this happens in 41% of the worlds, and no policy "
    "is ideal there.",
)
