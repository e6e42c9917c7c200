"""Is a bit worth more when the learner sampled the rollout itself?"""

from __future__ import annotations

from bitrate.lab.claim import Case, Claim, own_arms, registered
from bitrate.lab.claims.t8 import arm, folder
from bitrate.lab.signals.regression import Gain, gain_lead

#: The first repetitions are T8's.
FULL = 4
#: Prompts of a run, whose bits are summed.
PROMPTS = 48
PAIRS = {"": ("GRPO", "SFT"), "noisy, ": ("GRPO with a noisy verifier", "SFT on noisy labels")}
#: The least difference worth a name, in the unit of each line, by whether the feedback is noisy.
LEAST = {("held out", ""): 0.02, ("held out", "noisy, "): 0.12, ("held-out pass rate", ""): 0.01,
         ("held-out pass rate", "noisy, "): 0.03}  # fmt: skip


def case(line: str, noise: str, when: str) -> Case:
    """Held-out gain over bits received, of RL less that of SFT at the same FLOPs. The rival: a bit is a bit."""
    pair = tuple(f"{name}, {when}" for name in PAIRS[noise])
    more, less = (Gain(folder(name), line, per="total received", scale=PROMPTS) for name in pair)
    names = {"held out": "held-out bits"}
    return registered(
        f"{noise}{when}: {names.get(line, line)} a bit", gain_lead(more, less), [arm(name, FULL) for name in pair],
        "ratio", (LEAST[line, noise], "lower", "S4.7: RL's bits are on-policy"),
        (0.0, "exact", "a bit received is worth the same from labels and from rollouts"), "same FLOPs",
    )  # fmt: skip


CLAIM = Claim(
    id="S4.7",
    statement="Bits from RL are more useful than those from labels, since they are on-policy and about performance "
    "on the task.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, section Information content of labels",
    cases=tuple(case(line, noise, when) for line, noise in LEAST for when in ("early", "late")),
    arms=own_arms,
    rival_name="a bit received is worth the same from labels and from rollouts",
    tolerance=0.1,
    budget=8 * FULL * 8 * 48 * 264,
    remark="Part of it is arithmetic: a shown solution has bits about which of many good solutions it is, and a "
    "0/1 reward has none of those. Here both say the same few bits of a one-token answer, at the same "
    "FLOPs, so what is left is what the learner makes of them. Labels fit their own prompts harder, which "
    "costs log-loss on others; by pass rate the two are close, and with noisy feedback rollouts keep "
    "their use where labels lose theirs.",
    needs="train",
)
