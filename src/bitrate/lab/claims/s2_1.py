"""Preferences, a reward model fitted on them, and an online run on its scores: who knows most about the target?"""

from itertools import combinations
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information
from bitrate.lab.worlds.learners import advantages, ascend, sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import mutual_information
from bitrate.types import Floats, Ints, Prediction

WORLDS = 80_000
ANSWERS, TRUST = 3, 0.8
PAIRS = np.array(list(combinations(range(ANSWERS), 2)))
#: Every way to judge each pair once, shape [8, pairs]: 1 where the first of the pair is preferred.
JUDGEMENTS = np.arange(2 ** len(PAIRS))[:, None] >> np.arange(len(PAIRS)) & 1
WINS, WINNER = "comparisons won", "won most"


def first_preferred(favourites: Ints) -> Floats:
    """Chance that the first of each pair is preferred, [worlds, pairs]: the favourite wins often, the rest are even."""
    wins, loses = (side == favourites[:, None] for side in PAIRS.T)
    return np.where(wins, TRUST, np.where(loses, 1 - TRUST, 0.5))


def reward_model(judgements: Ints, kind: str) -> Floats:
    """Reward of each answer, [worlds, answers]: the comparisons it won, or whether it won most."""
    firsts, seconds = (side[:, None] == np.arange(ANSWERS) for side in PAIRS.T)
    won = judgements @ firsts + (1 - judgements) @ seconds
    return np.asarray(won if kind == WINS else won == won.max(axis=1, keepdims=True), float)


def judged(rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """The favourite of each world, the raters' judgements [worlds, pairs], and these as an answer [worlds, 1]."""
    favourites = rng.integers(ANSWERS, size=WORLDS)
    first = first_preferred(favourites)
    judgements = (rng.random(first.shape) < first).astype(np.int64)
    return favourites, judgements, judgements @ (1 << np.arange(len(PAIRS)))[:, None]


def preferences() -> Floats:
    """Joint chance of favourite and judgements, [answers, 8]."""
    first = first_preferred(np.arange(ANSWERS))[:, None, :]
    return np.asarray(np.where(JUDGEMENTS == 1, first, 1 - first).prod(axis=2) / ANSWERS)


def online(joint: Floats, kind: str, k: int, swept: bool) -> float:
    """Bits about the rows of a joint table in k uniform rollouts: what the reward model gives to the answers tried.

    A run that has swept through all answers knows the whole reward model; nothing that it does later adds to that.
    """
    rewards = reward_model(JUDGEMENTS, kind)
    sizes = np.arange(1, ANSWERS + 1)
    tried = np.where(sizes == (ANSWERS if swept else 1), 1.0, 0.0)  # chance that so many answers were tried
    for _ in range(k - 1):
        again = sizes / ANSWERS
        tried = tried * again + np.append(0.0, (tried * (1 - again))[:-1])
    bits = 0.0
    for size, chance in enumerate(tried, 1):
        subsets = list(combinations(range(ANSWERS), size))
        for subset in subsets:
            kinds = np.unique(rewards[:, subset], axis=0, return_inverse=True)[1].ravel()
            said = mutual_information(joint @ np.eye(kinds.max() + 1)[kinds])
            bits += float(chance * said) / len(subsets)
    return bits


def predict(case: Case) -> Prediction:
    """By enumeration of favourites, preferences and answers tried."""
    s, joint = case.settings, preferences()
    bits = online(joint, s["reward"], s["k"], s["steps"] > 1) if s["reward"] else float(mutual_information(joint))
    return Prediction(
        bits,
        "exact",
        "bits/prompt",
        "docs/theory.md#preferences, S2.1",
        ("the reward model sees the preferences alone",),
    )


def stated(case: Case) -> Prediction:
    """What the preferences carry is the most that anything made of them can carry."""
    bits = float(mutual_information(preferences()))
    return Prediction(bits, "upper", "bits/prompt", "All roads lead to likelihood, abstract: data processing")


def rival(case: Case) -> Prediction | None:
    """The entropy of the scores: right for a verifier without errors, but here the raters' errors count as news."""
    s = case.settings
    if not s["reward"]:
        return None
    raters = np.diag(preferences().sum(axis=0))
    bits = online(raters, s["reward"], s["k"], s["steps"] > 1)
    return Prediction(bits, "exact", "bits/prompt", "entropy of the scores, given the answers")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Log the raters' judgements, or a run that is trained on the reward model and sees neither raters nor target."""
    s = case.settings
    favourites, judgements, said = judged(rng)
    with SimulatedRun(folder, rng) as run:
        if not s["reward"]:
            run.step(0, answers=said, rewards=np.ones(said.shape), targets=favourites)
            return
        rewards, logits = reward_model(judgements, s["reward"]), np.zeros((WORLDS, ANSWERS))
        sweep = np.tile(np.arange(ANSWERS), (WORLDS, 1))
        for step in range(s["steps"]):
            policy = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            swept = s["steps"] > 1 and step == 0
            answers = sweep if swept else sample(policy, WORLDS, s["k"], rng)
            scores = np.take_along_axis(rewards, answers, axis=1)
            weight = advantages(scores, "grpo")
            run.step(step, answers=answers, rewards=scores, targets=favourites, advantages=weight)
            logits = ascend(logits, answers, weight, rate=1.0)


def _case(name: str, reward: str | None, k: int, steps: int = 1, x: float | None = None) -> Case:
    return Case(name, {"reward": reward, "k": k, "steps": steps}, x=x)


CLAIM = Claim(
    id="S2.1",
    statement="Passing preferences through a reward model can only lose information: an online run on its scores "
    "carries at most what the preferences carry.",
    source="Swamy et al., All Roads Lead to Likelihood: The Value of Reinforcement Learning in Fine-Tuning, abstract",
    cases=(
        _case("the preferences", None, 1),
        *[_case(f"reward: comparisons won, rollouts: {k}", WINS, k, x=k) for k in (1, 2, 4)],
        _case("reward: who won most, rollouts: 6", WINNER, 6, x=6),
        _case("all answers tried, then 3 steps of GRPO", WINS, 1, steps=4),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Information(of="feedback"),
    rival=rival,
    rival_name="the entropy of the scores is what they teach",
    tolerance=0.02,
    budget=6 * WORLDS,
    remark="The favourite of three answers wins 4 of 5 comparisons. A reward that counts comparisons won keeps all "
    "that they say of it: a run that tries every answer gets all of that, and no training gets more. A reward "
    "that only names the winner loses some for good. Scores vary by more bits than this; the rest is the raters' "
    "noise.",
    axis="rollouts of the online run",
    grid=range(1, 13),
    curves={
        "online run, reward: comparisons won": lambda k: online(preferences(), WINS, k, False),
        "online run, reward: who won most": lambda k: online(preferences(), WINNER, k, False),
        "the preferences themselves": float(mutual_information(preferences())),
    },
)
