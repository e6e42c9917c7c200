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
from bitrate.types import Floats, Prediction

N, SIZE = 6, 2
WORLDS = 100_000
REWARD = LedgerLine("pass_rate")
BITS = Information(of="answers")
UNIFORM = (1 / N,) * N
SKEWED = (0.5, 0.1, 0.1, 0.1, 0.1, 0.1)


def trained(case: Case) -> tuple[Floats, Floats]:
    """Prior over the good sets, and the policy that each leads to."""
    sets = np.array([[i in good for i in range(N)] for good in combinations(range(N), SIZE)], float)
    policies = regularised_policy(case.settings["reference"], sets, case.settings["beta"])
    return np.full(len(sets), 1 / len(sets)), policies


def predict(case: Case) -> Prediction:
    """p' of the optimum; the bits that one of its rollouts carries about the set."""
    if case.signal is REWARD:
        rate = float(regularised_pass_rate(SIZE / N, case.settings["beta"]))
        return Prediction(rate, "exact", "share of rollouts", "docs/theory.md#kl, S0.11", ("a uniform reference",))
    return Prediction(float(sample_information(*trained(case))), "exact", "bits/rollout", "docs/theory.md#kl, S0.11")


def stated(case: Case) -> Prediction:
    """p' of the optimum; the mean divergence from the reference."""
    if case.signal is REWARD:
        return predict(case)
    bound = float(regularised_information_bound(*trained(case), case.settings["reference"]))
    return Prediction(bound, "upper", "bits/rollout", "E KL(pi_S || pi_0), docs/theory.md#kl, S0.11")


def rival(case: Case) -> Prediction:
    """The KL term forgotten: training ends in p*."""
    if case.signal is REWARD:
        return Prediction(1.0, "exact", "share of rollouts", "mean reward of p*")
    return Prediction(float(fixed_set_positive_example(N, SIZE)), "exact", "bits/rollout", "log2(1/alpha)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Exact gradient with the KL term until it stands still, then one rollout in each world, or a group to audit."""
    task = GoodSet(N, size=SIZE)
    targets = task.draw(WORLDS, rng)
    beta = case.settings["beta"]
    policy = climb(task, targets, np.array(case.settings["reference"]), beta, rate=2.0, steps=3000)
    answers = sample(policy, WORLDS, 1 if case.signal is BITS else 2, rng)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers, rewards=task.score(targets, answers, rng), targets=targets)


CLAIM = Claim(
    id="S0.11",
    statement="KL regularisation around a reference model significantly changes these arguments.",
    source="Beirami, O(1) bits per policy gradient update?, notes on KL regularisation",
    cases=(
        Case("reward, KL weight 2", {"reference": UNIFORM, "beta": 2.0}, signal=REWARD),
        Case("reward, KL weight .5", {"reference": UNIFORM, "beta": 0.5}, signal=REWARD),
        Case("bits of a rollout, KL weight 2", {"reference": UNIFORM, "beta": 2.0}, signal=BITS),
        Case("bits of a rollout, KL weight .5", {"reference": UNIFORM, "beta": 0.5}, signal=BITS),
        Case("the same, a reference that favours one joke", {"reference": SKEWED, "beta": 0.5}, signal=BITS),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="training ends in p*, and a rollout carries log2(1/alpha)",
    tolerance=0.02,
    budget=2 * WORLDS,
    remark="The KL term keeps some probability on bad jokes: the odds of a good one grow by e^(1/beta), no more. "
    "A rollout of the trained policy then says less about the good set, at most the mean divergence from the "
    "reference; the bound is met where trained policies average to the reference.",
)
