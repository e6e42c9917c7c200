"""Are the bits of a label what is learned from it?"""

from __future__ import annotations

from bitrate.lab.claim import Arm, Case, Claim
from bitrate.lab.claims.t8 import arm
from bitrate.lab.signals.regression import Gain, GainLead
from bitrate.types import Kind, Prediction

#: Of the arms whose leverage is compared; the first repetitions are T8's.
FULL = 4
LINE = "held-out pass rate"
RULE, KEYS = (arm("SFT, early", FULL, kinds=(kind,)) for kind in ("rule", "key"))
NOISY, ONE, TWELVE = (
    arm(name, FULL)
    for name in ("SFT on noisy labels, early", "teacher's logits in 1 bit, late", "teacher's logits in 12 bits, late")
)


def leverage(arm: Arm, kind: str = "key") -> Gain:
    """Rise of the pass rate on held-out prompts of the rule, over bits received, both a prompt."""
    return Gain(arm.name, LINE, kind, per="received")


def predict(case: Case) -> Prediction:
    """Registered directions."""
    s = case.settings
    return Prediction(s["value"], s["kind"], s["unit"], s["why"], ("SFT with labels drawn as stated",))


def rival(case: Case) -> Prediction:
    """A bit of a label is a bit of learning, whichever it is."""
    s = case.settings
    return Prediction(s["other"], s["other_kind"], s["unit"], "a bit of a label is worth the same in every label")


def case(
    name: str, signal: Gain | GainLead, arms: tuple[Arm, ...], value: float, kind: Kind, other: float,
    other_kind: Kind, why: str, unit: str = "ratio",
) -> Case:  # fmt: skip
    """A leverage, or the difference of two."""
    settings = {
        "arms": arms, "value": value, "kind": kind, "other": other, "other_kind": other_kind, "why": why, "unit": unit,
    }  # fmt: skip
    return Case(name, settings, signal=signal)


PREFIX = f"{LINE} a bit received"
CLAIM = Claim(
    id="S4.6",
    statement="The information in the labels is not what is learned: the share of it that helps the model to "
    "generalise can be very small or very large.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, section Information content of labels",
    cases=(
        case(f"{PREFIX}: labels of a rule", leverage(RULE, "rule"), (RULE,), 0.04, "lower", 0.0, "exact",
             "a label of a rule tells of every prompt of the rule"),
        case(f"{PREFIX}: labels drawn at random", leverage(KEYS), (KEYS,), 0.005, "upper", 0.04, "lower",
             "a label drawn at random tells of its own prompt only"),
        case(f"{PREFIX}: rule less random", GainLead(leverage(RULE, "rule"), leverage(KEYS)), (RULE, KEYS), 0.04,
             "lower", 0.0, "exact", "S4.6"),
        case(f"{PREFIX}: half of the labels wrong", leverage(NOISY, "rule"), (NOISY,), 0.01, "upper", 0.04, "lower",
             "the base was pretrained on labels of which half are right: it has nothing to learn from more of them"),
        case("held-out pass rate, teacher's logits in 12 bits less in 1 bit",
             GainLead(Gain(TWELVE.name, LINE), Gain(ONE.name, LINE)), (TWELVE, ONE), 0.0, "exact", 0.3,
             "lower", "twelve times the capacity, the same bits about the answer (S4.5)", "share"),
    ),
    predict=predict,
    arms=lambda case: case.settings["arms"],
    rival=rival,
    rival_name="a bit of a label is worth the same in every label",
    tolerance=0.08,
    budget=5 * FULL * 8 * 48 * 300,
    remark="Four bits a label in all of them: labels of a rule raise the pass rate on prompts never shown, "
    "labels drawn at random do not, nor do labels as noisy as those that the base was pretrained on. A "
    "teacher's logits in 12 bits have twelve times the capacity of 1 bit, and the student is right on "
    "held-out prompts about as often. Bits received bound what can be memorised of an answer key, and "
    "bound no gain on other prompts.",
    needs="train",
)  # fmt: skip
