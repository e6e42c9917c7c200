"""Later steps of the joke model: the policy depends on the past, and so does what is left to learn."""

from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import softmax

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.worlds.learners import train
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import GoodSetBelief, binary_entropy
from bitrate.types import Prediction

WORLDS = 40_000
BASELINE = 0.5
LAST = Unresolved(of="last scores", given="history")
TOTAL = Information(of="feedback")
History = tuple[tuple[int, bool], ...]


def expected(case: Case) -> list[float]:
    """Bits of each step given all before it: the mean of the belief's answer over every history."""
    n, steps, rate = case.settings["n"], case.settings["steps"], case.settings["rate"]
    bits = [0.0] * steps
    histories: list[tuple[History, float]] = [((), 1.0)]
    for step in range(steps):
        grown: list[tuple[History, float]] = []
        for history, weight in histories:
            belief = GoodSetBelief(n, case.settings.get("alpha"), size=case.settings.get("size"))
            logits = np.zeros(n)
            for joke, good in history:
                belief.observe(joke, good)
                logits += rate * (good - BASELINE) * (np.eye(n)[joke] - softmax(logits))
            policy = softmax(logits)
            bits[step] += weight * belief.information(policy)
            if step + 1 < steps:
                for joke, good in product(range(n), (False, True)):
                    chance = belief.probabilities[joke] if good else 1 - belief.probabilities[joke]
                    if chance > 0:
                        grown.append(((*history, (joke, good)), weight * policy[joke] * chance))
        histories = grown
    return bits


def predict(case: Case) -> Prediction:
    """E sum_t pi_t h(P(t is good | history)) for the last step; the sum over steps for the running total."""
    bits = expected(case)
    value = sum(bits) if case.signal is TOTAL else bits[-1]
    return Prediction(float(value), "exact", "bits/prompt", "docs/theory.md#good-sets, S0.4", ("on-policy rollouts",))


def stated(case: Case) -> Prediction:
    """The source's guess."""
    return Prediction(1.0, "upper", "bits/prompt", "Beirami, after the first step: probably at most 1 bit")


def rival(case: Case) -> Prediction:
    """Every step as good as the first."""
    first = float(binary_entropy(case.settings.get("alpha", case.settings.get("size", 0) / case.settings["n"])))
    value = first * case.settings["steps"] if case.signal is TOTAL else first
    return Prediction(value, "exact", "bits/prompt", "the first step's bits in every step")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Some steps of REINFORCE, one rollout each."""
    task = GoodSet(case.settings["n"], case.settings.get("alpha"), case.settings.get("size"))
    steps, rate = case.settings["steps"], case.settings["rate"]
    train(task, folder, rng=rng, worlds=WORLDS, steps=steps, method=BASELINE, rate=rate)


CLAIM = Claim(
    id="S0.4",
    statement="After the first step, too, an update carries at most 1 bit about the good jokes.",
    source="Beirami, O(1) bits per policy gradient update?, remark after the first step",
    cases=(
        Case("step 2, N=30, alpha=.5", {"n": 30, "alpha": 0.5, "steps": 2, "rate": 1.0}, signal=LAST),
        Case("step 2, N=4, alpha=.5", {"n": 4, "alpha": 0.5, "steps": 2, "rate": 1.0}, signal=LAST),
        Case("step 3, N=4, alpha=.5", {"n": 4, "alpha": 0.5, "steps": 3, "rate": 1.0}, signal=LAST),
        Case("step 3, one good joke of 4", {"n": 4, "size": 1, "steps": 3, "rate": 4.0}, signal=LAST),
        Case(
            "running total of 3 steps, N=4, alpha=.5",
            {"n": 4, "alpha": 0.5, "steps": 3, "rate": 1.0},
            signal=TOTAL,
            assumed=False,
        ),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="every step carries what the first did",
    tolerance=0.02,
    budget=3 * WORLDS,
    condition="it is counted step by step, given the history; the running total is not bounded by 1 bit",
    remark="Given its history, a rollout is drawn without looking at the good set, so a 0/1 reward adds at most "
    "the entropy of one bit. It adds less than that when a joke is told again. "
    "Step by step the bits add up: three steps with four fair jokes give 2.27 bits.",
)
