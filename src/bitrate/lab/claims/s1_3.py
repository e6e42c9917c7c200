"""What a rare success is worth: its surprise, its advantage, and the mean over all rollouts."""

from pathlib import Path

import numpy as np
from scipy.stats import binom

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, Mean
from bitrate.lab.signals.surprisal import Surprisal
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import outcome_information, success_advantage, surprisal
from bitrate.types import Prediction

WORLDS = 40_000
K = 8
#: The first rollout of a prompt, where it is right: each success counts once, whatever its neighbours did.
ADVANTAGE = Mean("avg(advantage)", "advantage of a success", "advantage", 2.65, "sample = 0 AND reward = 1")
SURPRISE = Surprisal("bool_or(reward = 1)", "surprise of a success")
BITS = Information(of="feedback", about="target")


def grpo(p: float) -> float:
    """Mean advantage of a success: that of a group's own pass rate, which its K-1 neighbours make."""
    right = np.arange(1, K + 1)
    return float(binom.pmf(right - 1, K - 1, p) @ success_advantage(right / K, "grpo"))


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Groups of a uniform policy on one right answer of 1/p; single rollouts where bits are asked for."""
    s = case.settings
    task = SingleAnswer.uniform(s["answers"])
    if "method" in s:
        collect(task, folder, rng=rng, worlds=WORLDS, k=K, method=s["method"])
    else:
        collect(task, folder, rng=rng, worlds=WORLDS * K, method=0.0)


def surprise(p: float, unit: str) -> Prediction:
    """What the rival says of an advantage and of the mean rollout: a success moves the weights by its surprise."""
    return Prediction(float(surprisal(p)), "exact", unit, "-log2 p")


def pulled(method: str, answers: int) -> Case:
    """The advantage of a success by a trainer, and how many answers there are."""
    p = 1 / answers
    value = grpo(p) if method == "grpo" else float(success_advantage(p, "reinforce"))
    return Case(
        f"{method.upper()}, a success at p = {p:g}", {"method": method, "answers": answers}, x=p, signal=ADVANTAGE,
        predict=Prediction(
            value, "exact", "advantage", "docs/theory.md#outcome, S1.3", ("the same pass rate in a group",),
        ),
        rival=surprise(p, "advantage"),
    )  # fmt: skip


RARE = 1 / 20
MEAN = outcome_information((RARE,) * 20, (RARE,) * 20)

CLAIM = Claim(
    id="S1.3",
    statement="One bit that confirms a rare good solution should change the weights more than one that confirms a "
    "common one.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, figure 3, quoting Agarwal",
    cases=(
        *[pulled("grpo", v) for v in (2, 5, 20)],
        *[pulled("rloo", v) for v in (2, 20)],
        Case(
            "surprise of a success at p = 0.05", {"answers": 20}, signal=SURPRISE,
            predict=Prediction(
                float(surprisal(RARE)), "exact", "bits/success", "docs/theory.md#outcome, S1.3: -log2 p",
            ),
        ),
        Case(
            "mean bits of a rollout at p = 0.05", {"answers": 20}, signal=BITS,
            predict=Prediction(MEAN, "exact", "bits/rollout", "docs/theory.md#outcome, S1.3, S1.8: h(p)"),
            rival=surprise(RARE, "bits/rollout"),
        ),
    ),
    simulate=simulate,
    rival_name="a rollout is worth, and moves, -log2 p",
    tolerance=0.1,
    budget=WORLDS * K,
    remark="A rare success is a surprise of -log2 p bits, and trainers do weigh it more. But it is rare: the mean over "
    "all rollouts is h(p), never above 1. And no trainer weighs by surprise. Without a baseline all successes are "
    "alike. A mean baseline gives 1-p, almost the same at one in ten and one in a million. Dividing by the standard "
    "deviation gives sqrt((1-p)/p), as far as the group can show it: a lone success in a group of "
    f"{K} gets sqrt({K - 1}).",
    axis="pass rate p",
    log_axis=True,
    grid=np.geomspace(0.02, 0.9, 60),
    curves={
        f"GRPO, groups of {K}": grpo,
        "GRPO, large groups": lambda p: success_advantage(p, "grpo"),
        "REINFORCE, RLOO": lambda p: success_advantage(p, "reinforce"),
        "-log2 p": surprisal,
    },
)  # fmt: skip
