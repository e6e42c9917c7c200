"""Exploration and a pull back to the reference: they decide how fast the bits come, and never lift the cap."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Unresolved
from bitrate.lab.worlds.learners import collect, sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import entropy, group_information, outcome_information, quantised_reward_bound
from bitrate.types import Floats, Prediction

WORLDS = 30_000
GROUP, SECOND = Unresolved(of="scores", given="answers"), Unresolved(of="last scores", given="history")
PRIOR = (0.5, 0.3, 0.1, 0.1)
REFERENCE = (0.85, 0.05, 0.05, 0.05)
RATE = 3.0


def heated(temperature: float) -> Floats:
    """The reference policy at another sampling temperature."""
    weight = np.array(REFERENCE) ** (1 / temperature)
    return np.asarray(weight / weight.sum())


def updated(answer: int, reward: float, pull: float) -> Floats:
    """A REINFORCE step from the reference with baseline 1/2, part of which a KL penalty takes back."""
    step = RATE * (reward - 0.5) * (np.eye(len(REFERENCE))[answer] - REFERENCE)
    weight = np.array(REFERENCE) * np.exp((1 - pull) * step)
    return np.asarray(weight / weight.sum())


def second_step(pull: float) -> float:
    """Mean bits of the rollout after the update, over all first rollouts and their outcomes."""
    q, bits = np.array(PRIOR), 0.0
    for t, chance in enumerate(REFERENCE):
        # A hit leaves nothing to learn; a miss leaves the others.
        others = np.where(np.arange(q.size) == t, 0.0, q) / (1 - q[t])
        bits += chance * (1 - q[t]) * float(outcome_information(others, updated(t, 0.0, pull)))
    return bits


def predict(case: Case) -> Prediction:
    """What one rollout, a group, or the rollout after an update carries."""
    s = case.settings
    once = "pull" not in s
    bits = float(group_information(PRIOR, heated(s["temperature"]), s["k"])) if once else second_step(s["pull"])
    return Prediction(bits, "exact", "bits/prompt", "docs/theory.md#outcome, S1.16", ("one right answer",))


def stated(case: Case) -> Prediction:
    """One bit for a right-or-wrong reward; for a group what there is to know, or a bit each, whichever is less."""
    bits = min(case.settings.get("k", 1) * float(quantised_reward_bound(2)), float(entropy(PRIOR)))
    return Prediction(bits, "upper", "bits/prompt", "jeff, what about exploration and KL?")


def rival(case: Case) -> Prediction | None:
    """The bits do not change either: they are those of the reference policy."""
    s = case.settings
    if "pull" in s:
        return None
    bits = float(group_information(PRIOR, REFERENCE, s["k"]))
    return Prediction(bits, "exact", "bits/prompt", "bits of the reference policy") if s["temperature"] != 1 else None


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One step at a temperature, or two steps with an update between them."""
    s, task = case.settings, SingleAnswer(PRIOR)
    if "pull" not in s:
        policy = heated(s["temperature"])
        collect(task, folder, rng=rng, worlds=WORLDS, k=s["k"], method=0.5, policy=policy)
        return
    targets = task.draw(WORLDS, rng)
    after = np.array([[updated(t, r, s["pull"]) for r in (0.0, 1.0)] for t in range(task.answers)])
    policy = np.array(REFERENCE)
    with SimulatedRun(folder, rng) as run:
        for step in range(2):
            answers = sample(policy, WORLDS, 1, rng)
            rewards = task.score(targets, answers, rng)
            run.step(step, answers=answers, rewards=rewards, targets=targets, advantages=rewards - 0.5)
            policy = after[answers[:, 0], rewards[:, 0].astype(int)]


def case(k: int, temperature: float) -> Case:
    """One group at a temperature."""
    name = f"temperature {temperature:g}, K={k}"
    return Case(name, {"k": k, "temperature": temperature}, temperature, signal=GROUP)


CLAIM = Claim(
    id="S1.16",
    statement="Exploration and a KL penalty change how fast bits come, and not how many a rollout can carry.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, what about exploration and KL?",
    cases=(
        *[case(k, x) for k in (1, 6) for x in (0.5, 1.0, 4.0)],
        *[Case(f"after an update, KL pull {pull:g}", {"pull": pull}, signal=SECOND) for pull in (0.0, 0.8)],
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="the bits of the reference policy, at any temperature",
    tolerance=0.03,
    budget=6 * WORLDS,
    remark="The best single question is the one whose answer is least certain, here the likeliest answer: one "
    "exploring rollout carries less than a greedy one. Over a group it is the other way round, since a greedy policy "
    "asks the same again. A KL penalty changes which policy asks next. One rollout never carries more than a bit, and "
    "all of them never more than there is to know.",
    axis="sampling temperature",
    log_axis=True,
    grid=np.geomspace(0.25, 8, 40),
    curves={
        "one rollout": lambda heat: group_information(PRIOR, heated(heat), 1),
        "6 rollouts": lambda heat: group_information(PRIOR, heated(heat), 6),
        "cap of one rollout": float(quantised_reward_bound(2)),
        "all there is to know": float(entropy(PRIOR)),
    },
)
