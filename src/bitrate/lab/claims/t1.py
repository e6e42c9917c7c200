"""Real gradients: what a small transformer's update says of the right answer, against the tabular theory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.networks.gradients import adam_step, fingerprints
from bitrate.lab.networks.one_token import ROUNDING, build, policy, policy_gradient, weights_after
from bitrate.lab.signals import Information
from bitrate.lab.worlds.learners import Baseline, advantages, sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import group_information, update_information
from bitrate.types import Floats, Ints, Prediction

if TYPE_CHECKING:
    from torch.nn import ModuleDict

WORLDS = 60_000
#: Gradients that differ by less are one: four times the rounding of the precision, in units of the longest.
ROUNDINGS = 4
#: Learning rate where weights are compared. The larger it is, the more of Adam's epsilon shows in the weights: of the
#: least gradients it is a share, so that their step is not quite a sign.
RATE = 1e-6
NETWORK = 0


def network(case: Case) -> ModuleDict:
    """The transformer of a case: the same for whoever asks."""
    s = case.settings
    return build(s["answers"], rng=np.random.default_rng(NETWORK), dtype=s["dtype"], sharpness=0.5)


def known(case: Case) -> tuple[Floats, Floats]:
    """All answers alike to the target; what the network says of them."""
    return np.full(case.settings["answers"], 1 / case.settings["answers"]), policy(network(case))


def predict(case: Case) -> Prediction:
    """A tabular softmax policy with the network's probabilities, equal updates merged."""
    s = case.settings

    def sign(rewards: Floats) -> Floats:
        """From moments of 0 Adam takes the sign of the gradient; of one rollout's, that is the advantage's sign."""
        return np.asarray(np.sign(rewards - s["method"]), float)

    bits = update_information(*known(case), s["k"], sign if s["adam"] else s["method"])
    needs = ("one right answer", "weights known", "gradients that differ by rounding are one")
    return Prediction(bits, "exact", "bits/prompt", "docs/theory.md#updates, S1.15", needs)


def rival(case: Case) -> Prediction:
    """All of the feedback is in the update."""
    bits = group_information(*known(case), case.settings["k"])
    return Prediction(bits, "exact", "bits/prompt", "the update keeps all of the feedback")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One group in each of many worlds, its backward pass taken, and the name of the update logged."""
    s = case.settings
    model, task = network(case), SingleAnswer.uniform(s["answers"])

    def update(answers: Ints, weights: Floats) -> Floats:
        gradient = policy_gradient(model, answers, weights)
        return weights_after(model, RATE * adam_step(gradient)) if s["adam"] else gradient

    targets = task.draw(WORLDS, rng)
    answers = sample(policy(model), WORLDS, s["k"], rng)
    rewards = task.score(targets, answers, rng)
    resolution = 0.0 if s["adam"] else ROUNDINGS * ROUNDING[s["dtype"]]
    names = fingerprints(update, answers, rewards, s["method"], resolution=resolution)
    with SimulatedRun(folder, rng) as run:
        shown = advantages(rewards, s["method"])
        run.step(0, answers=answers, rewards=rewards, targets=targets, advantages=shown, updates=names)


def case(name: str, answers: int, k: int, method: Baseline, dtype: str = "float32", adam: bool = False) -> Case:
    """V, K, the baseline, the precision, and whether the weights after Adam's first step are looked at."""
    settings = {"answers": answers, "k": k, "method": method, "dtype": dtype, "adam": adam}
    return Case(f"V={answers}, K={k}, {name}", settings)


CLAIM = Claim(
    id="T1",
    statement="A transformer's real policy gradient carries just the bits that the tabular theory gives it: all of the "
    "feedback with a baseline between 0 and 1, less with baseline 0, baseline 1 or GRPO.",
    source="bitrate, training experiment T1",
    cases=(
        *[case(f"baseline {b:g}", 16, 1, b) for b in (0.3, 0.0, 1.0)],
        *[case(f"baseline {b:g}, bfloat16", 16, 1, b, "bfloat16") for b in (0.3, 0.0)],
        *[case(f"weights after Adam, baseline {b:g}, bfloat16", 16, 1, b, "bfloat16", True) for b in (0.3, -1.0)],
        case("baseline .3", 8, 4, 0.3),
        case("GRPO", 8, 4, "grpo"),
        case("GRPO, bfloat16", 8, 4, "grpo", "bfloat16"),
    ),
    predict=predict,
    simulate=simulate,
    signal=Information(of="fingerprint"),
    rival=rival,
    rival_name="all of the feedback reaches the update",
    tolerance=0.04,
    budget=4 * WORLDS,
    remark="Thirteen thousand coordinates carry no more than the table of answers and rewards that made them, and the "
    "gradient loses what the advantages erase, in 32 bits and in 16. Adam's first step is the sign of the gradient, "
    "but for its epsilon: where all advantages have one sign (baseline -1: a reward of 1 or 2 and no baseline), right "
    "and wrong leave the same 16-bit weights at a learning rate of 1e-6, and nothing arrives. Weights of 32 bits, or "
    "larger rates, show the epsilon and keep some or all of the bits.",
    needs="train",
)
