"""Does a group's own baseline make the policy gradient less noisy?"""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals.group_gradients import BaselineNoise
from bitrate.lab.worlds.learners import advantages, sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import group_gradient_snr
from bitrate.types import Prediction

#: Rollouts of a case.
ROLLOUTS = 32_000
K, UNIT = 8, "doublings"
VARIANCE, NOISE = BaselineNoise(), BaselineNoise(relative=True)


def doublings(p: float, k: int, method: str, right: int, wrong: int) -> float:
    """log2 of the variance with the group's statistics over that without."""
    plain, grouped = (group_gradient_snr(p, k, a, right, wrong) for a in (0.0, method))
    return float(np.log2(plain / grouped))


def predict(case: Case) -> Prediction:
    """The inverse ratio of the two signal to noise ratios."""
    s = case.settings
    value = doublings(s["p"], s["k"], s["method"], s["right"], s["wrong"])
    return Prediction(
        value, "exact", UNIT, "docs/theory.md#gradient-noise, S1.18", ("tabular softmax", "answers of a kind alike")
    )


def stated(case: Case) -> Prediction:
    """The source: less variance."""
    return Prediction(0.0, "upper", UNIT, "jeff: GRPO/RLOO reduce variance using group statistics")


def rival(case: Case) -> Prediction | None:
    """As if the score did not matter: a reward's variance p (1-p) over its mean square p."""
    s = case.settings
    value = float(np.log2(1 - s["p"]))
    return Prediction(value, "exact", UNIT, "p (1-p) over p") if abs(predict(case).value - value) > 0.5 else None


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Groups of one policy; the first answers are the right ones."""
    s = case.settings
    right, wrong, k = s["right"], s["wrong"], s["k"]
    policy = np.r_[np.full(right, s["p"] / right), np.full(wrong, (1 - s["p"]) / wrong)]
    answers = sample(policy, ROLLOUTS // k, k, rng)
    rewards = (answers < right).astype(float)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=answers, rewards=rewards, advantages=advantages(rewards, s["method"]))


def case(p: float, right: int, wrong: int, *, method: str = "rloo", k: int = K, assumed: bool = True) -> Case:
    """A pass rate, and how many right and wrong answers share it."""
    settings = {"p": p, "right": right, "wrong": wrong, "method": method, "k": k}
    name = f"{method.upper()}, K={k}, {right} right and {wrong} wrong, p={p:g}"
    x = p if (method, k) == ("rloo", K) else None
    return Case(name, settings, x, assumed=assumed, signal=NOISE if method == "grpo" else VARIANCE)


GRID = np.linspace(0.02, 0.98, 97)
CLAIM = Claim(
    id="S1.18",
    statement="GRPO and RLOO reduce the variance of the policy gradient by their group's statistics.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, does GRPO/RLOO add information?",
    cases=(
        *[case(p, 8, 8) for p in (0.2, 0.5, 0.9)],
        case(0.3, 1, 1),
        case(0.5, 8, 8, method="grpo"),
        case(0.3, 1, 1, method="grpo"),
        case(0.5, 1, 3, assumed=False),
        case(0.9, 1, 3, assumed=False),
        case(0.1, 1, 15, k=2, assumed=False),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="(1-p) times the variance, whatever the answers",
    tolerance=0.4,
    budget=ROLLOUTS,
    condition="many answers are right and the group is not tiny, or the one right answer is not yet likely",
    remark="The mean of the group takes out what all its rollouts share, the reward that was to be expected times a "
    "score. Where many answers are right, as in text, that is most of the noise: at p = .9 the variance falls by 87%. "
    "With one right answer the score of that answer shrinks by itself as p grows, and the group's mean puts noise "
    "back, from the failures' side: a hundred times the variance at p = .9. In a small group at a low pass rate the "
    "estimated baseline is noise of its own. Less variance is not more bits: the same baseline erases the groups in "
    "which all agree (S1.15).",
    against=("S1.15", "S3.8"),
    axis="pass rate p",
    grid=GRID,
    curves={
        "RLOO, K=8, 8 right and 8 wrong": lambda p: doublings(p, K, "rloo", 8, 8),
        "RLOO, K=8, 1 right and 3 wrong": lambda p: doublings(p, K, "rloo", 1, 3),
        "(1-p) times": lambda p: np.log2(1 - p),
    },
)
