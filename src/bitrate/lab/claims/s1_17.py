"""Is a low-rank adapter enough for what RL has to teach?"""

from __future__ import annotations

from dataclasses import replace

from bitrate.lab.claim import Case, Claim, own_arms
from bitrate.lab.claims import t4
from bitrate.lab.signals.capacity import HELD
from bitrate.lab.signals.pairs import Of
from bitrate.types import Prediction

RANK, ONE = "LoRA rank 1", "1 number"
#: A key far above what one number holds, in bits.
ABOVE = 16


def fits(load: float) -> Case:
    """A key below the adapter's capacity: enough for all of it. The rival: a bit a rollout has to fit."""
    share = t4.MOST / (load * t4.K * t4.FEW)
    lost = Prediction(share, "exact", "bits/prompt", "a bit a rollout has to fit, so all but a little is lost")
    return replace(t4.key_case(RANK, load), stated=ENOUGH, rival=lost)


def above() -> Case:
    """A key that does not fit: the assumption of the statement is not met."""
    run = t4.rl(ONE, ABOVE)
    most = Prediction(t4.MOST / ABOVE, "upper", "bits/prompt", "S1.17: at most about 4 bits a parameter")
    return Case(
        f"RL, {ONE}, key of {ABOVE:g} bits", {"arms": (run,)}, assumed=False, signal=Of(run.name, HELD),
        predict=most, stated=ENOUGH,
    )  # fmt: skip


#: The source: enough for the whole key, whatever its entropy.
ENOUGH = Prediction(t4.SHARE, "lower", "bits/prompt", "jeff: enough for RL")
CLAIM = Claim(
    id="S1.17",
    statement="LoRA is enough for RL: even a rank-1 adapter has far more parameters than RL gives bits.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, introduction, after Schulman, LoRA Without "
    "Regret",
    cases=(*map(fits, t4.USEFUL[:2]), *map(t4.lead_case, t4.USEFUL[1:]), above()),
    arms=own_arms,
    rival_name="a parameter holds 4 bits and every rollout brings one that must fit, so that labels do as well",
    tolerance=0.2,
    budget=8 * 40 * t4.K * t4.FEW,
    condition="the key has less entropy than the adapter holds",
    remark="What must fit is the entropy of what is learnt, not the number of rollouts: a rank-1 adapter of 80 numbers "
    "holds a key of 40 bits after 640,000 rollouts, and labels that carry as many useful bits and three times as many "
    "of nuisance no longer fit. A key above the capacity does not fit, however it is taught.",
    needs="train",
)
