"""How many tries until the first success, and which policy needs the fewest."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s0_7 import search
from bitrate.lab.signals import Mean
from bitrate.lab.worlds.learners import sample
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import best_policy_for_tries, expected_rollouts, expected_tries
from bitrate.types import Floats, Prediction

WORLDS = 40_000
PRIOR = (0.64, 0.16, 0.04, 0.04, 0.04, 0.04, 0.04)


def tempered(power: float) -> Floats:
    """The policy proportional to a power of the prior: 0 is uniform, 1 is the prior itself."""
    weight = np.array(PRIOR) ** power
    return np.asarray(weight / weight.sum())


def predict(case: Case) -> Prediction:
    """The sum over targets of P / pi."""
    tries = float(expected_tries(PRIOR, tempered(case.settings["power"])))
    return Prediction(tries, "exact", "rollouts/prompt", "docs/theory.md#search", ("a policy that does not change",))


def stated(case: Case) -> Prediction:
    """What the best policy needs, proportional to sqrt(P): no other needs less."""
    tries = float(expected_tries(PRIOR, best_policy_for_tries(PRIOR)))
    return Prediction(tries, "lower", "rollouts/prompt", "docs/theory.md#search: best pi proportional to sqrt(P)")


def rival(case: Case) -> Prediction:
    """One over the mean pass rate."""
    rate = float(np.dot(PRIOR, tempered(case.settings["power"])))
    return Prediction(float(expected_rollouts(rate)), "exact", "rollouts/prompt", "1 / mean pass rate")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Sample in each world until the answer is right."""
    task, policy = SingleAnswer(PRIOR), tempered(case.settings["power"])
    targets = task.draw(WORLDS, rng)
    search(task, targets, lambda worlds: sample(policy, worlds.size, 1, rng)[:, 0], folder, rng)


CLAIM = Claim(
    id="B3",
    statement="A search for the right answer takes sum P/pi rollouts to its first success in the mean, and fewest "
    "where the policy is proportional to the square root of P.",
    source="bitrate, docs/theory.md#search",
    cases=tuple(
        Case(name, {"power": power}, x=power)
        for name, power in (
            ("uniform policy", 0.0),
            ("policy proportional to P^(1/4)", 0.25),
            ("policy proportional to sqrt(P), the best", 0.5),
            ("policy proportional to P^(3/4)", 0.75),
            ("the prior as policy", 1.0),
        )
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Mean("count(*)", "rollouts to the first success", "rollouts/prompt", spread=100.0),
    rival=rival,
    rival_name="1 / mean pass rate",
    tolerance=0.4,
    budget=8 * WORLDS,
    remark="A policy that knows the odds as well as can be, pi = P, needs as many tries as one that knows nothing: "
    "what it gains on likely answers it loses on rare ones. Half as sure, in logarithms, is best. The mean pass rate "
    "hides this: one over it is far too few, since the hard prompts take most of the tries.",
    axis="power of the prior that the policy is proportional to",
    grid=np.linspace(0, 1, 41),
    curves={
        "sum of P/pi": lambda power: expected_tries(PRIOR, tempered(power)),
        "1 / mean pass rate": lambda power: 1 / float(np.dot(PRIOR, tempered(power))),
    },
)
