"""Does RL bring out what a model already can do, and nothing else?"""

from __future__ import annotations

from bitrate.lab.claim import Arm, Case, Claim, own_arms, registered
from bitrate.lab.claims.t8 import FULL, arm
from bitrate.lab.signals.regression import Gain
from bitrate.types import Kind

EARLY_GRPO, LATE_GRPO, EARLY_SFT = (
    arm(name, FULL, kinds=("key", "rule", "dark")) for name in ("GRPO, early", "GRPO, late", "SFT, early")
)
RIVAL = "RL finds what the model never said as fast as what it said at times"


def passes(name: str, arm: Arm, kind: str, value: float, by: Kind, other: float, other_by: Kind) -> Case:
    """Rise of the pass rate on held-out prompts of a kind."""
    signal = Gain(arm.name, "held-out pass rate", kind, kind)
    said = value, by, "RL brings out what is sampled, and no more"
    return registered(name, signal, (arm,), "share", said, (other, other_by, RIVAL))


DARK = "pass rate where the base is right less than once in a thousand"
CLAIM = Claim(
    id="S3.17",
    statement="RL with verifiable rewards only brings out what is latent in the pretrained model.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, on RLVR eliciting capabilities",
    cases=(
        passes("GRPO, early: pass rate where the base is at .4", EARLY_GRPO, "rule", 0.1, "lower", 0.0, "exact"),
        passes(f"GRPO, early: {DARK}", EARLY_GRPO, "dark", 0.05, "upper", 0.3, "lower"),
        passes(f"GRPO, late: {DARK}", LATE_GRPO, "dark", 0.05, "upper", 0.3, "lower"),
        passes(f"SFT, early: {DARK}", EARLY_SFT, "dark", 0.3, "lower", 0.0, "exact"),
    ),
    arms=own_arms,
    rival_name=RIVAL,
    tolerance=0.3,
    budget=2 * FULL * 8 * 48 * 66,
    remark="In a small budget it does: GRPO raises what the base is right on at times, and not what it says once in a "
    "thousand rollouts, which labels teach at once. In eight times that budget the few hits suffice, and it learns "
    "that too, against what was registered: elicitation is a matter of 1/p rollouts and not a wall.",
    against=("S4.3",),
    needs="train",
)
