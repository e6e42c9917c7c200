"""What RL's bits are worth, what RL can bring out, and which strategy takes over."""

from __future__ import annotations

from bitrate.lab.claim import Arm, Case, Claim, own_arms, registered
from bitrate.lab.claims.t8 import FULL, PROMPTS, arm, folder
from bitrate.lab.signals.pairs import Of
from bitrate.lab.signals.regression import Gain, gain_lead
from bitrate.lab.signals.strategies import Fixation
from bitrate.lab.training import strategies
from bitrate.types import Kind

GRPO, SFT = arm("GRPO, early", FULL), arm("SFT, early", FULL)
EARLY_GRPO, LATE_GRPO, EARLY_SFT = (
    arm(name, 4, kinds=("key", "rule", "dark")) for name in ("GRPO, early", "GRPO, late", "SFT, early")
)
#: The heuristic answers .6 of the questions, the general strategy all; the base takes that one so often.
RARE, COMMON = (
    Arm(f"s3.13-general-1-in-{n}", strategies.train,
        strategies.Settings(heuristic=0.6, general=1 / n, steps=200, seeds=32), smoke=1, full=3)
    for n in (300, 10)
)  # fmt: skip


RIVAL = "a bit is a bit, and the better strategy wins"


def a_bit(name: str) -> Gain:
    """Held-out bits a bit received, both a prompt."""
    return Gain(folder(name), "held out", per="total received", scale=PROMPTS)


def passes(name: str, arm: Arm, kind: str, value: float, by: Kind, other: float, other_by: Kind) -> Case:
    """Rise of the pass rate on held-out prompts of a kind."""
    signal = Gain(arm.name, "held-out pass rate", kind, kind)
    said = value, by, "RL brings out what is sampled, and no more"
    return registered(name, signal, (arm,), "share", said, (other, other_by, RIVAL))


DARK = "pass rate where the base is right less than once in a thousand"
CLAIM = Claim(
    id="S3.13",
    statement="RL's bits are worth more than pretraining's; it brings out what a model already can do, and simple "
    "heuristics take over before general strategies are ever sampled.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, closing sections",
    cases=(
        registered(
            "held-out bits a bit, GRPO less SFT, same FLOPs", gain_lead(a_bit("GRPO, early"), a_bit("SFT, early")),
            (GRPO, SFT), "ratio", (0.02, "lower", "RL's bits are worth more"), (0.0, "exact", RIVAL),
        ),
        passes("GRPO, early: pass rate where the base is at .4", EARLY_GRPO, "rule", 0.1, "lower", 0.0, "exact"),
        passes(f"GRPO, early: {DARK}", EARLY_GRPO, "dark", 0.05, "upper", 0.3, "lower"),
        passes(f"GRPO, late: {DARK}", LATE_GRPO, "dark", 0.05, "upper", 0.3, "lower"),
        passes(f"SFT, early: {DARK}", EARLY_SFT, "dark", 0.3, "lower", 0.0, "exact"),
        registered(
            "runs that the heuristic takes over, general strategy sampled 1 in 300", Of(RARE.name, Fixation("share")),
            (RARE,), "share of runs", (0.5, "lower", "the heuristic reaches fixation first"), (0.0, "exact", RIVAL),
        ),
        registered(
            "surprisal of the general strategy rises, 1 in 300", Of(RARE.name, Fixation("recedes")), (RARE,), "bits",
            (0.5, "lower", "the general strategy recedes from sight"), (0.0, "upper", RIVAL),
        ),
        registered(
            "runs that the heuristic takes over, general strategy sampled 1 in 10", Of(COMMON.name, Fixation("share")),
            (COMMON,), "share of runs", (0.5, "upper", "what is sampled often enough wins by its reward"),
            (0.9, "lower", RIVAL),
        ),
    ),
    arms=own_arms,
    rival_name="a bit is a bit, RL finds what the model never said, and the better strategy wins",
    tolerance=0.3,
    budget=2 * FULL * 8 * 48 * 66,
    remark="No bound on received bits limits what generalises, so a count of bits alone cannot say which are "
    "worth more. In a small budget GRPO raises what the base is right on at times, and not what it says "
    "once in a thousand rollouts; in eight times that budget the few hits suffice, and it learns that "
    "too: elicitation is a matter of 1/p rollouts and not a wall. A heuristic that is right on 60% of the "
    "questions takes over where the general strategy is sampled once in 300, and does not where it is "
    "sampled once in 10.",
    needs="train",
)  # fmt: skip
