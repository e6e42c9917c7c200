"""Rollouts added to the preferences they are scored by: a learned reward model, or a verifier from outside."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s2_1 import ANSWERS, JUDGEMENTS, WINS, WORLDS, judged, preferences, reward_model
from bitrate.lab.signals import Information
from bitrate.lab.worlds.learners import sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import mutual_information, verifier_information
from bitrate.types import Floats, Prediction


def trained(rewards: Floats) -> Floats:
    """The policy that maximises reward less KL from uniform, [worlds, answers]: what RL on these rewards ends with."""
    pull = np.exp(rewards)
    return np.asarray(pull / pull.sum(axis=1, keepdims=True))


def with_verifier(k: int) -> float:
    """Bits about the favourite in the preferences and k rollouts that a verifier without errors scores."""
    joint = preferences()
    bits = float(mutual_information(joint))
    policies = trained(reward_model(JUDGEMENTS, WINS))
    for chance, column, policy in zip(joint.sum(axis=0), joint.T, policies, strict=True):
        bits += float(chance * verifier_information(column / chance, np.eye(ANSWERS, dtype=bool), policy, k))
    return bits


def preferred(_: Case) -> Prediction:
    """What the preferences carry."""
    bits = float(mutual_information(preferences()))
    return Prediction(bits, "exact", "bits/prompt", "All roads lead to likelihood, abstract")


def predict(case: Case) -> Prediction:
    """The preferences alone; a verifier adds what its scores say where the preferences left doubt."""
    if case.settings["verifier"]:
        return Prediction(
            with_verifier(case.settings["k"]), "exact", "bits/prompt", "docs/theory.md#preferences, S2.2, chain rule"
        )
    return preferred(case)


def rival(case: Case) -> Prediction | None:
    """Every scored rollout counts as if a verifier had scored it."""
    if case.settings["verifier"]:
        return None
    return Prediction(with_verifier(case.settings["k"]), "exact", "bits/prompt", "scores counted as a verifier's")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Log the preferences as step 0, then rollouts of the policy that was trained on their reward model."""
    favourites, judgements, said = judged(rng)
    rewards = reward_model(judgements, WINS)
    answers = sample(trained(rewards), WORLDS, case.settings["k"], rng)
    scores = np.take_along_axis(rewards, answers, axis=1)
    if case.settings["verifier"]:
        scores = np.asarray(answers == favourites[:, None], float)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=said, rewards=np.ones(said.shape), targets=favourites)
        run.step(1, answers=answers, rewards=scores, targets=favourites)


CLAIM = Claim(
    id="S2.2",
    statement="On-policy sampling cannot create information that the preferences do not have.",
    source="Swamy et al., All Roads Lead to Likelihood: The Value of Reinforcement Learning in Fine-Tuning, abstract",
    cases=(
        *[Case(f"reward model, rollouts: {k}", {"k": k, "verifier": False}, x=k) for k in (1, 2, 4)],
        *[Case(f"verifier, rollouts: {k}", {"k": k, "verifier": True}, x=k, assumed=False) for k in (1, 4)],
    ),
    predict=predict,
    stated=preferred,
    simulate=simulate,
    signal=Information(of="feedback"),
    rival=rival,
    rival_name="each scored rollout teaches what a verifier's score would",
    tolerance=0.03,
    budget=5 * WORLDS,
    condition="rollouts are scored by something made from the preferences alone; a verifier from outside adds bits",
    remark="The rollouts are chosen and scored by what the preferences taught, so they say nothing new of the "
    "target, however many there are. Let unit tests or an answer key score the same rollouts, and they do.",
    axis="on-policy rollouts",
    grid=range(9),
    curves={
        "scored by a learned reward model": float(mutual_information(preferences())),
        "scored by a verifier": lambda k: with_verifier(k) if k else mutual_information(preferences()),
    },
)
