"""What a decade of pass rate costs: policy gradient on a log-odds, one success at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.special import expit, logit, softmax

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Mean
from bitrate.lab.worlds.learners import ascend, sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import decade_cost, expected_rollouts, policy_gradient_time
from bitrate.types import Prediction

#: A success moves the log-odds by 2 RATE (1-p), half of it through each of the two logits.
RATE = 0.25
#: Worlds of a case, for a pass rate of 1: their number makes up for what a decade costs.
WORLDS = 200_000
UNIT = "rollouts/decade"
STARTS = (0.01, 0.02, 0.04, 0.08)
EXPONENT = 0.1


def rates(start: float) -> Iterator[float]:
    """Pass rates from which a success is waited for, up to ten times the first."""
    p = start
    while p < 10 * start:
        yield p
        p = float(expit(logit(p) + 2 * RATE * (1 - p)))


def cost(start: float) -> float:
    """Mean rollouts until the pass rate is ten times what it was: 1/p for every success on the way."""
    return float(expected_rollouts(list(rates(start))).sum())


def predict(case: Case) -> Prediction:
    """The sum of 1/p over the successes of the decade."""
    return Prediction(
        cost(case.settings["start"]), "exact", UNIT, "docs/theory.md#cost, S3.6", ("REINFORCE without a baseline",)
    )


def stated(case: Case) -> Prediction:
    """The cost of the last decade here, for all of them."""
    return Prediction(cost(STARTS[-1]), "exact", UNIT, "Dwarkesh: the same number of FLOPs")


def rival(case: Case) -> Prediction:
    """The source's premise to the letter, from what the first decade here costs: -ln p = A C^-0.1."""
    ratio = decade_cost(case.settings["start"], EXPONENT) / decade_cost(STARTS[0], EXPONENT)
    return Prediction(cost(STARTS[0]) * float(ratio), "exact", UNIT, "a power law of the loss in compute, exponent 0.1")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Roll out until a success, update on it, and again, until the pass rate is ten times what it was."""
    start = case.settings["start"]
    logits, version = np.log([[start, 1 - start]]), 0
    with SimulatedRun(folder, rng) as run:
        while (policy := softmax(logits[0]))[0] < 10 * start:
            left, block = np.arange(int(WORLDS * start)), int(2 / policy[0])
            while left.size:
                answers = sample(policy, left.size, block, rng)
                right = answers == 0
                done = right.any(axis=1)
                world, place = np.nonzero(np.arange(block) <= np.where(done, right.argmax(axis=1), block)[:, None])
                said = answers[world, place, None]
                run.step(version, answers=said, rewards=said == 0, advantages=said == 0, prompts=left[world])
                left = left[~done]
            logits = ascend(logits, np.array([[0]]), np.ones((1, 1)), RATE)
            version += 1


CLAIM = Claim(
    id="S3.6",
    statement="By the power law of scaling, every factor of ten in the pass rate costs the same number of FLOPs.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, the logarithmic axis",
    cases=tuple(Case(f"from {p:g} to {10 * p:g}", {"start": p}, x=p) for p in STARTS),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Mean("count(*)", "rollouts until the pass rate is tenfold", UNIT, spread=200.0),
    rival=rival,
    rival_name="the power law L = A C^-0.1, taken to the letter",
    tolerance=15.0,
    budget=500_000,
    remark="A policy gradient learns from successes, which come once in 1/p rollouts: a decade ten times lower costs "
    "about ten times as much. Nor does it follow from a power law of the loss: with -ln p = A C^-0.1 the cost of a "
    "decade grows with p, by many powers of ten. So no width of a logarithmic axis of p stands for a number of FLOPs.",
    axis="pass rate at the start of the decade",
    log_axis=True,
    grid=np.geomspace(0.005, 0.09, 80),
    curves={
        "policy gradient": cost,
        "the same at small learning rates": lambda p: policy_gradient_time(p, 10 * p) / (2 * RATE),
        "the source: the same for every decade": cost(STARTS[-1]),
    },
)
