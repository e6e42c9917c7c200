"""A long gradient made by one bit: how much is in it, and how much of that is about the answer."""

from itertools import product
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information
from bitrate.lab.worlds.learners import advantages
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import entropy, outcome_information, token_information, verifier_information
from bitrate.types import Prediction

WORLDS = 50_000
V = 4
UNIFORM = (1 / V,) * V
#: A baseline that is no reward: neither a success nor a failure is multiplied with 0.
BASELINE = 0.3
ABOUT, ITSELF = Information(of="update", about="target"), Information(of="update", about="update")


def predict(case: Case) -> Prediction:
    """I(g; S) by enumeration of all texts, updates and answers; H(g) is the text's entropy and the reward's."""
    s = case.settings
    if s["itself"]:
        bits = s["tokens"] * float(entropy(UNIFORM)) + float(outcome_information(UNIFORM, UNIFORM))
        return Prediction(bits, "exact", "bits/update", "docs/theory.md#updates, S1.5: H(g) = H(text) + H(r | text)")
    last = np.array([text[-1] for text in product(range(V), repeat=s["tokens"])])
    accepts = last == np.arange(V)[:, None]
    bits = verifier_information(UNIFORM, accepts, np.full(last.size, 1 / last.size), 1, BASELINE)
    return Prediction(
        bits, "exact", "bits/update", "docs/theory.md#updates, S1.5: I(g; S)", ("reward on the last token only",)
    )


def stated(case: Case) -> Prediction | None:
    """The source's answer: the bit of the reward, through a long lever."""
    return None if case.settings["itself"] else Prediction(1.0, "upper", "bits/update", "jeff, one-bit lemma")


def rival(case: Case) -> Prediction | None:
    """Each token's part of the gradient brings bits of its own."""
    if case.settings["itself"]:
        return None
    return Prediction(float(token_information(V, case.settings["tokens"])), "exact", "bits/update", "T h(1/V)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One text of T tokens in each world, right if its last token is."""
    task, length = SingleAnswer.uniform(V), case.settings["tokens"]
    targets, texts = task.draw(WORLDS, rng), rng.integers(V, size=(WORLDS, 1, length))
    rewards = task.score(targets, texts[:, :, -1], rng)
    with SimulatedRun(folder, rng) as run:
        as_number = texts @ V ** np.arange(length)
        run.step(0, answers=as_number, rewards=rewards, targets=targets, advantages=advantages(rewards, BASELINE))


A_REWARD = float(outcome_information(UNIFORM, UNIFORM))
CLAIM = Claim(
    id="S1.5",
    statement="The gradient has as many parts as there are tokens, but it says no more about the answer than the "
    "reward it was multiplied with.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, second figure 4 (Papailiopoulos, Arora) and FAQ",
    cases=(
        *[Case(f"T={t}, about the answer", {"tokens": t, "itself": False}, x=t, signal=ABOUT) for t in (1, 2, 4)],
        *[Case(f"T={t}, the gradient itself", {"tokens": t, "itself": True}, x=t, signal=ITSELF) for t in (2, 4)],
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="a reward's bits for each token of the gradient",
    tolerance=0.05,
    budget=WORLDS,
    remark="Both are right, about two quantities. The gradient's own entropy grows with the text, because the text is "
    "written all over it; but the policy drew that text, and knew it before the verifier spoke. About the answer the "
    "gradient says what the reward said.",
    axis="tokens T",
    grid=range(1, 7),
    curves={
        "entropy of the gradient": lambda length: length * float(entropy(UNIFORM)) + A_REWARD,
        "what it says of the answer": A_REWARD,
        "T times a reward": lambda length: length * A_REWARD,
    },
)
