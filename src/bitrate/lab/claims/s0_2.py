"""Where reward alone leads: exact policy gradient, a vanishing KL term, and REINFORCE on samples."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s0_1 import NO_KL, all_sets, set_sizes
from bitrate.lab.signals import Mean
from bitrate.lab.worlds.learners import sample, train
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import regularised_policy
from bitrate.types import Floats, Ints, Prediction

N, ALPHA = 4, 0.5
WORLDS, TRAINED = 60_000, 3_000
LAST = "two rollouts of the last step agree"
UNIFORM = (0.25, 0.25, 0.25, 0.25)
SKEWED = (0.55, 0.25, 0.15, 0.05)


def climb(task: GoodSet, targets: Ints, start: Floats, beta: float, rate: float, steps: int) -> Floats:
    """The policy of each world after steps of exact gradient on ``E r - beta KL(policy || start)`` in the logits."""
    sets, world = np.unique(targets, return_inverse=True)
    reward = np.where(sets[:, None] & task.bits, 1.0, 0.0)
    logits = np.tile(np.log(start), (sets.size, 1))
    for _ in range(steps):
        log_policy = log_softmax(logits, axis=1)
        policy = np.exp(log_policy)
        gain = reward - beta * (log_policy - np.log(start))
        logits += rate * policy * (gain - (policy * gain).sum(axis=1, keepdims=True))
    return np.asarray(np.exp(log_softmax(logits, axis=1))[world])


def predict(case: Case) -> Prediction:
    """Two rollouts agree with probability sum_t pi_t^2, pi the start policy filtered."""
    sets, chance = (x[1:] for x in all_sets(N, ALPHA))  # the first, no good joke, cannot occur
    policies = regularised_policy(case.settings["start"], sets.astype(float), NO_KL)
    agree = float(chance @ (policies**2).sum(axis=1) / chance.sum())
    assumptions = ("trained until hardly a bad joke is told",)
    return Prediction(agree, "exact", "share of pairs", "docs/theory.md#good-sets, S0.2", assumptions)


def on_samples(case: Case) -> Prediction:
    """What was told is told more: at least that often."""
    return replace(predict(case), kind="lower")


def stated(case: Case) -> Prediction:
    """E[1/K]: all roads lead to p*."""
    size, chance = set_sizes(N, ALPHA, nonempty=True)
    return Prediction(float(chance[1:] @ (1 / size[1:])), "exact", "share of pairs", "Beirami, the joke model")


def rival(case: Case) -> Prediction:
    """Among optima there is always a deterministic policy, and greedy training ends there."""
    return Prediction(1.0, "exact", "share of pairs", "one joke for ever")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Train, then two rollouts of the trained policy."""
    task = GoodSet(N, ALPHA, nonempty=True)
    if "beta" not in case.settings:
        train(task, folder, rng=rng, worlds=TRAINED, steps=case.settings["steps"], k=2, method=0.0, rate=2.0)
        return
    targets = task.draw(WORLDS, rng)
    start = np.array(case.settings["start"])
    policy = climb(task, targets, start, case.settings["beta"], rate=20.0, steps=case.settings["steps"])
    answers = sample(policy, WORLDS, 2, rng)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers, rewards=task.score(targets, answers, rng), targets=targets)


CLAIM = Claim(
    id="S0.2",
    statement="Population-level reinforcement learning without a KL term ends in p*, uniform over the good jokes.",
    source="Beirami, O(1) bits per policy gradient update?, the joke model",
    cases=(
        Case("exact gradient from uniform", {"start": UNIFORM, "beta": 0.0, "steps": 1000}),
        Case("KL to uniform, weight .03", {"start": UNIFORM, "beta": 0.03, "steps": 1000}),
        Case("KL to a skewed start, weight .03", {"start": SKEWED, "beta": 0.03, "steps": 4000}, assumed=False),
        Case("REINFORCE on samples, 100 steps", {"start": UNIFORM, "steps": 100}, assumed=False, predict=on_samples),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Mean("(count(DISTINCT answer) = 1)::INT", LAST, "share of pairs", where="last"),
    rival=rival,
    rival_name="training ends in one joke",
    tolerance=0.025,
    budget=2 * WORLDS,
    condition="the gradient is exact and starts from uniform, or the KL term to a uniform policy vanishes",
    remark="Reward alone does not say how to divide the probability among good jokes: every policy on them is optimal. "
    "The exact gradient keeps a uniform start uniform, and a small KL term restores its reference. "
    "On samples, what was told is told more: REINFORCE settles on few jokes.",
)
