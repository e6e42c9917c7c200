"""Training that is held to a reference by a KL term."""

from itertools import combinations
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s0_2 import climb
from bitrate.lab.signals import Information, LedgerLine
from bitrate.lab.worlds.learners import sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import (
    fixed_set_positive_example,
    regularised_information_bound,
    regularised_pass_rate,
    regularised_policy,
    sample_information,
)
from bitrate.types import Prediction

N, SIZE = 6, 2
WORLDS = 100_000
UNIFORM = (1 / N,) * N
SKEWED = (0.5, 0.1, 0.1, 0.1, 0.1, 0.1)


def reward(name: str, beta: float) -> Case:
    """p' of the optimum. The rival forgets the KL term: training ends in p*."""
    rate, unit, needs = float(regularised_pass_rate(SIZE / N, beta)), "share of rollouts", ("a uniform reference",)
    exact = Prediction(rate, "exact", unit, "docs/theory.md#kl, S0.11", needs)
    return Case(
        name, {"reference": UNIFORM, "beta": beta, "k": 2}, signal=LedgerLine("pass_rate"), predict=exact, stated=exact,
        rival=Prediction(1.0, "exact", unit, "mean reward of p*"),
    )  # fmt: skip


def bits(name: str, reference: tuple[float, ...], beta: float) -> Case:
    """What a rollout of the optimum says of the set; the source's: the mean divergence from the reference."""
    sets = np.array([[i in good for i in range(N)] for good in combinations(range(N), SIZE)], float)
    prior, policies = np.full(len(sets), 1 / len(sets)), regularised_policy(reference, sets, beta)
    bound, unit = float(regularised_information_bound(prior, policies, reference)), "bits/rollout"
    return Case(
        name, {"reference": reference, "beta": beta, "k": 1}, signal=Information(of="answers"),
        predict=Prediction(float(sample_information(prior, policies)), "exact", unit, "docs/theory.md#kl, S0.11"),
        stated=Prediction(bound, "upper", unit, "E KL(pi_S || pi_0), docs/theory.md#kl, S0.11"),
        rival=Prediction(float(fixed_set_positive_example(N, SIZE)), "exact", unit, "log2(1/alpha)"),
    )  # fmt: skip


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Exact gradient with the KL term until it stands still, then one rollout in each world, or a group to audit."""
    task = GoodSet(N, size=SIZE)
    targets = task.draw(WORLDS, rng)
    beta = case.settings["beta"]
    policy = climb(task, targets, np.array(case.settings["reference"]), beta, rate=2.0, steps=3000)
    answers = sample(policy, WORLDS, case.settings["k"], rng)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers, rewards=task.score(targets, answers, rng), targets=targets)


CLAIM = Claim(
    id="S0.11",
    statement="KL regularisation around a reference model significantly changes these arguments.",
    source="Beirami, O(1) bits per policy gradient update?, notes on KL regularisation",
    cases=(
        reward("reward, KL weight 2", 2.0),
        reward("reward, KL weight .5", 0.5),
        bits("bits of a rollout, KL weight 2", UNIFORM, 2.0),
        bits("bits of a rollout, KL weight .5", UNIFORM, 0.5),
        bits("the same, a reference that favours one joke", SKEWED, 0.5),
    ),
    simulate=simulate,
    rival_name="training ends in p*, and a rollout carries log2(1/alpha)",
    tolerance=0.02,
    budget=2 * WORLDS,
    remark="The KL term keeps some probability on bad jokes: the odds of a good one grow by e^(1/beta), no more. "
    "A rollout of the trained policy then says less about the good set, at most the mean divergence from the "
    "reference; the bound is met where trained policies average to the reference.",
)
