"""Is a bit worth more when the learner sampled the rollout itself?

All methods start from the same networks and spend the same FLOPs, those of twelve visits with eight rollouts to each of
48 prompts. The learning rate of each was chosen in a pilot of 8 networks on other seeds, of .001, .002 and .004: the
one with the best pass rate on held-out prompts, and of those within .02 of it, one standard error, the one with the
least surprisal. At a quarter of the FLOPs the pilot's leads over labels worded afresh were .03 and .04 of pass rate,
which these networks cannot tell from none: that budget is not here.

After 48 networks three cases were undecided, the leads over labels worded afresh, of pass rate and of own successes'
surprisal: .010 a bit (-.001 to .022) for GRPO. 160 networks make the intervals narrower than half of the margin.
"""

from __future__ import annotations

from bitrate.lab.claim import Arm, Case, Claim, own_arms
from bitrate.lab.signals.meanings import MeaningLead
from bitrate.lab.training.paraphrases import SHAPE, TOKENS, K, Settings, train
from bitrate.types import Kind, Prediction

#: Prompts trained on, visits to each with K rollouts, each of which is sampled (2) and trained on (6).
PROMPTS, VISITS = 48, 12
BUDGET = float(PROMPTS * VISITS * K * 8 * TOKENS * SHAPE.parameters)
RATES = {"sft": 0.001, "sft-fixed": 0.004, "sft-plain": 0.002, "own-successes": 0.001, "grpo": 0.001}
ARM = Arm("s4.7-paraphrases", train, Settings(BUDGET, tuple(RATES.values()), seeds=8), smoke=1, full=20)
NAMES = {
    "sft": "labels worded afresh", "sft-fixed": "labels worded once a prompt", "sft-plain": "labels in one wording",
    "own-successes": "own successes", "grpo": "GRPO",
}  # fmt: skip
#: What a practitioner would care for: five points of pass rate, or a quarter of a bit of surprisal, from the four bits
#: of a prompt. The pilot had leads of .024 to .057 and of .21 to .48 a bit, with standard errors of .006 and .06.
LEAST = {"held-out pass rate": 0.05 / 4, "held-out bits": 0.25 / 4}
SOURCE = "S4.7: on-policy, and about performance on the task"
A_BIT = "a bit received is worth the same from labels and from rollouts"


def case(line: str, way: str, less: str, value: float, kind: Kind, why: str, rival: Prediction | None = None) -> Case:
    """A line of one way less that of another, a bit received; the rival: a bit is a bit."""
    signal = MeaningLead(way, line, less, a_bit=line != "received")
    unit = "share" if "rate" in line else "bits/prompt"
    said = Prediction(value, kind, unit, why, ("same FLOPs", "same bases"))
    other = rival or Prediction(0.0, "exact", unit, A_BIT)
    name = f"{line}{' a bit' * signal.a_bit}, {NAMES[way]} less {NAMES[less]}"
    return Case(
        name, {"arms": (ARM,)}, signal=signal, predict=said, rival=other, stated=said if why == SOURCE else None
    )


def leads(way: str, less: str) -> list[Case]:
    """What the source says of the gain on held-out prompts, by pass rate and by surprisal."""
    return [case(line, way, less, least, "lower", SOURCE) for line, least in LEAST.items()]


CLAIM = Claim(
    id="S4.7",
    statement="Bits from RL are more useful than those from labels, since they are on-policy and about performance "
    "on the task.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, section Information content of labels",
    cases=(
        *[c for way in ("grpo", "own-successes") for less in ("sft", "sft-fixed") for c in leads(way, less)],
        case("held-out pass rate", "own-successes", "sft-plain", LEAST["held-out pass rate"], "lower", SOURCE),
        case(
            "held-out pass rate", "sft", "sft-fixed", LEAST["held-out pass rate"], "lower",
            "what a wording adds to a label is learnt by heart, in place of the meaning",
        ),
        case(
            "absorbed", "grpo", "sft", -0.5, "upper",
            "a label says a key at once; rollouts seldom hit it, and make the policy sure of what it says already",
        ),
        case(
            "received", "grpo", "sft", 0.25, "within", "96 rollouts to a prompt say its four bits too",
            Prediction(-1.0, "upper", "bits/prompt", "a rollout says one bit at most, so that RL is told less"),
        ),
    ),
    arms=own_arms,
    rival_name=f"{A_BIT}; RL is told less",
    tolerance=0.1,
    budget=ARM.full * 8 * 5 * PROMPTS * VISITS * K,
    remark="An answer is four words, each with three others that mean the same: a label carries four bits of meaning "
    "and eight of wording, a verdict none of the eight. All methods start from the same networks, spend the "
    "same FLOPs and hear about four bits of meaning a prompt. On prompts held out, own successes raise the "
    "pass rate by .42, GRPO by .40, labels worded afresh at each visit by .34, labels in one wording for all "
    "by .26, and labels that keep a wording a prompt, which is learnt by heart with the meaning, by .18. One "
    "wording for all has no bits of wording left and still falls behind: what it lacks is to be said as the "
    "policy says it. GRPO's lead over labels worded afresh is sure to be there and not sure to be five "
    "points. On keys the order turns round: labels leave 2.5 to 3 bits of the four in the network, rollouts "
    ".1 to .2, although they told as much. So a bit of one's own is worth more for what generalises, and less "
    "for what can only be learnt by heart. One task, at one budget of FLOPs.",
    needs="train",
)  # fmt: skip
