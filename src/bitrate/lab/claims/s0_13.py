"""Where training on positive examples leads, and on which examples."""

from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s0_1 import all_sets
from bitrate.lab.signals import Mean
from bitrate.lab.worlds.learners import sample, train
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import regularised_policy
from bitrate.types import Bools, Floats, Prediction

N, ALPHA = 4, 0.5
WORLDS, TRAINED = 16_000, 500
NO_KL = 1e-6
UNIFORM = (0.25, 0.25, 0.25, 0.25)
SKEWED = (0.55, 0.25, 0.15, 0.05)
UNIT = "share of pairs"
AGREE = Mean("(count(DISTINCT answer) = 1)::INT", "two rollouts of the last step agree", UNIT, where="last")


def agreement(weights: tuple[float, ...]) -> float:
    """Two rollouts agree with probability sum_t pi_t^2, pi the weights of the good jokes divided by their sum."""
    sets, chance = (x[1:] for x in all_sets(N, ALPHA))  # the first, no good joke, cannot occur
    policies = regularised_policy(weights, sets.astype(float), NO_KL)
    return float(chance @ (policies**2).sum(axis=1) / chance.sum())


IDEAL = agreement(UNIFORM)


def predict(case: Case) -> Prediction:
    """p* where all good jokes are shown alike, the teacher's shares where not; of n examples their own frequencies."""
    s = case.settings
    if "steps" in s:
        return Prediction(IDEAL, "lower", UNIT, "docs/theory.md#good-sets, S0.13: what was told is told more")
    value = agreement(s["shown"])
    if "examples" in s:
        value += (1 - value) / s["examples"]  # two draws that are the same example agree
    return Prediction(value, "exact", UNIT, "docs/theory.md#good-sets, S0.13", ("trained to the end",))


def stated(case: Case) -> Prediction:
    """p* in the end, whatever the start."""
    return Prediction(IDEAL, "exact", UNIT, "Beirami: the end state is also going to be the same p*: E[1/K]")


def rival(case: Case) -> Prediction | None:
    """As reward alone would: the start is kept, and its bad jokes dropped."""
    value = agreement(case.settings["start"])
    return Prediction(value, "exact", UNIT, "where RL ends: the start, filtered") if value > IDEAL else None


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Train, then two rollouts of the trained policy."""
    s, task = case.settings, GoodSet(N, ALPHA, nonempty=True)
    if "steps" in s:
        train(task, folder, rng=rng, worlds=TRAINED, steps=s["steps"], k=2, method="rejection", rate=2.0)
        return
    targets = task.draw(WORLDS, rng)
    good = (targets[:, None] & task.bits) > 0
    policy = frequencies(good, s["examples"], rng) if "examples" in s else fitted(good, s["start"], s["shown"])
    answers = sample(policy, WORLDS, 2, rng)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers, rewards=task.score(targets, answers, rng), targets=targets)


def fitted(good: Bools, start: tuple[float, ...], shown: tuple[float, ...]) -> Floats:
    """Policies after 2000 steps on the mean log-likelihood of examples that never run out."""
    sets, world = np.unique(good, axis=0, return_inverse=True)
    examples = sets * np.array(shown)
    examples /= examples.sum(axis=1, keepdims=True)
    logits = np.tile(np.log(start), (len(sets), 1))
    for _ in range(2000):
        logits += 4 * (examples - np.exp(log_softmax(logits, axis=1)))
    return np.asarray(np.exp(log_softmax(logits, axis=1))[world.ravel()])


def frequencies(good: Bools, examples: int, rng: np.random.Generator) -> Floats:
    """The best fit to so many examples of each world, which are all that there are."""
    return np.asarray(rng.multinomial(examples, good / good.sum(axis=1, keepdims=True)) / examples)


CLAIM = Claim(
    id="S0.13",
    statement="Supervised training on positive examples ends in the same p* as RL, uniform over the good jokes.",
    source="Beirami, O(1) bits per policy gradient update?, supervised learning: the end state of training",
    cases=(
        Case("from uniform", {"start": UNIFORM, "shown": UNIFORM}),
        Case("from a skewed start", {"start": SKEWED, "shown": UNIFORM}),
        Case("200 examples", {"start": SKEWED, "shown": UNIFORM, "examples": 200}),
        Case("4 examples", {"start": UNIFORM, "shown": UNIFORM, "examples": 4}, assumed=False),
        Case("a teacher with favourites", {"start": UNIFORM, "shown": SKEWED}, assumed=False),
        Case("the model's own good jokes, 40 steps", {"start": UNIFORM, "steps": 40}, assumed=False),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=AGREE,
    rival=rival,
    rival_name="it ends where RL does from that start: the start, filtered",
    tolerance=0.03,
    budget=2 * WORLDS,
    condition="examples keep coming and show all good jokes alike; a few examples, a teacher with favourites or the "
    "model's own successes lead elsewhere",
    remark="The log-likelihood has one optimum, the distribution of the examples, and forgets the start: here "
    "supervised training does better than RL, which keeps whatever the start preferred (S0.2). That optimum is p* only "
    "if the examples are even over the good jokes. Four of them are memorised, a teacher's favourites are copied, and "
    "a model that is shown its own successes tells what it told before, as REINFORCE without baseline does: it is the "
    "same update.",
    against=("S0.2",),
)
