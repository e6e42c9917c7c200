"""Are the bits of a label what is learned from it?"""

from __future__ import annotations

from bitrate.lab.claim import Arm, Case, Claim, own_arms, registered
from bitrate.lab.claims.t8 import arm
from bitrate.lab.signals.pairs import Signal
from bitrate.lab.signals.regression import Gain, gain_lead
from bitrate.types import Kind

#: Repetitions of each arm, the first four of them T8's. With those alone the last difference was known to +-.097, too
#: wide for the tolerance of .08: half as many again would make it about .076, and one more leaves room for chance.
FULL = 7
LINE = "held-out pass rate"
RULE, KEYS = (arm("SFT, early", FULL, kinds=(kind,)) for kind in ("rule", "key"))
NOISY, ONE, TWELVE = (
    arm(name, FULL)
    for name in ("SFT on noisy labels, early", "teacher's logits in 1 bit, late", "teacher's logits in 12 bits, late")
)


def leverage(arm: Arm, kind: str = "key") -> Gain:
    """Rise of the pass rate on held-out prompts of the rule, over bits received, both a prompt."""
    return Gain(arm.name, LINE, kind, per="received")


def case(
    name: str, signal: Signal, arms: tuple[Arm, ...], value: float, kind: Kind, other: float, other_kind: Kind,
    why: str, unit: str = "ratio",
) -> Case:  # fmt: skip
    """A leverage, or the difference of two. The rival: a bit of a label is a bit of learning, whichever it is."""
    other_line = other, other_kind, "a bit of a label is worth the same in every label"
    return registered(name, signal, arms, unit, (value, kind, why), other_line, "SFT with labels drawn as stated")


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
        case(f"{PREFIX}: rule less random", gain_lead(leverage(RULE, "rule"), leverage(KEYS)), (RULE, KEYS), 0.04,
             "lower", 0.0, "exact", "S4.6"),
        case(f"{PREFIX}: half of the labels wrong", leverage(NOISY, "rule"), (NOISY,), 0.01, "upper", 0.04, "lower",
             "the base was pretrained on labels of which half are right: it has nothing to learn from more of them"),
        case("held-out pass rate, teacher's logits in 12 bits less in 1 bit",
             gain_lead(Gain(TWELVE.name, LINE), Gain(ONE.name, LINE)), (TWELVE, ONE), 0.0, "exact", 0.3,
             "lower", "twelve times the capacity, the same bits about the answer (S4.5)", "share"),
    ),
    arms=own_arms,
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
