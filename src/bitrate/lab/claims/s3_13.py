"""What RL's bits are worth, what RL can bring out, and which strategy takes over."""

from __future__ import annotations

from bitrate.lab.claim import Arm, Case, Claim
from bitrate.lab.claims.s4_7 import FULL, PROMPTS
from bitrate.lab.claims.t8 import arm, folder
from bitrate.lab.signals.regression import Gain, GainLead
from bitrate.lab.signals.strategies import Fixation
from bitrate.lab.training import strategies
from bitrate.types import Kind, Prediction

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


def predict(case: Case) -> Prediction:
    """Registered directions, the source's."""
    s = case.settings
    return Prediction(s["value"], s["kind"], s["unit"], s["why"], s.get("needs", ()))


def rival(case: Case) -> Prediction:
    """Bits are worth the same, RL finds what was never said, and the better strategy wins."""
    s = case.settings
    return Prediction(s["other"], s["other_kind"], s["unit"], "a bit is a bit, and the better strategy wins")


def case(
    name: str, signal: Gain | GainLead | Fixation, arms: tuple[Arm, ...], value: float, kind: Kind, unit: str,
    other: float, other_kind: Kind, why: str,
) -> Case:  # fmt: skip
    """A registered direction and its rival."""
    settings = {
        "arms": arms, "value": value, "kind": kind, "unit": unit, "other": other, "other_kind": other_kind, "why": why,
    }  # fmt: skip
    return Case(name, settings, signal=signal)


def a_bit(name: str) -> Gain:
    """Held-out bits a bit received, both a prompt."""
    return Gain(folder(name), "held out", per="total received", scale=PROMPTS)


def passes(name: str, arm: Arm, kind: str, value: float, by: Kind, other: float, other_by: Kind) -> Case:
    """Rise of the pass rate on held-out prompts of a kind."""
    signal = Gain(arm.name, "held-out pass rate", kind, kind)
    return case(name, signal, (arm,), value, by, "share", other, other_by, "RL brings out what is sampled, and no more")


DARK = "pass rate where the base is right less than once in a thousand"
CLAIM = Claim(
    id="S3.13",
    statement="RL's bits are worth more than pretraining's; it brings out what a model already can do, and simple "
    "heuristics take over before general strategies are ever sampled.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, closing sections",
    cases=(
        case("held-out bits a bit, GRPO less SFT, same FLOPs", GainLead(a_bit("GRPO, early"), a_bit("SFT, early")),
             (GRPO, SFT), 0.02, "lower", "ratio", 0.0, "exact", "RL's bits are worth more"),
        passes("GRPO, early: pass rate where the base is at .4", EARLY_GRPO, "rule", 0.1, "lower", 0.0, "exact"),
        passes(f"GRPO, early: {DARK}", EARLY_GRPO, "dark", 0.05, "upper", 0.3, "lower"),
        passes(f"GRPO, late: {DARK}", LATE_GRPO, "dark", 0.05, "upper", 0.3, "lower"),
        passes(f"SFT, early: {DARK}", EARLY_SFT, "dark", 0.3, "lower", 0.0, "exact"),
        case("runs that the heuristic takes over, general strategy sampled 1 in 300", Fixation(RARE.name, "share"),
             (RARE,), 0.5, "lower", "share of runs", 0.0, "exact", "the heuristic reaches fixation first"),
        case("surprisal of the general strategy rises, 1 in 300", Fixation(RARE.name, "recedes"), (RARE,), 0.5,
             "lower", "bits", 0.0, "upper", "the general strategy recedes from sight"),
        case("runs that the heuristic takes over, general strategy sampled 1 in 10", Fixation(COMMON.name, "share"),
             (COMMON,), 0.5, "upper", "share of runs", 0.9, "lower", "what is sampled often enough wins by its reward"),
    ),
    predict=predict,
    arms=lambda case: case.settings["arms"],
    rival=rival,
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
