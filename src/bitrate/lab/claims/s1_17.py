"""Is a low-rank adapter enough for what RL has to teach?"""

from __future__ import annotations

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims import t4
from bitrate.lab.signals.capacity import Absorbed
from bitrate.types import Prediction

RANK, ONE = "LoRA rank 1", "1 number"
#: A key far above what one number holds, in bits.
ABOVE = 16


def predict(case: Case) -> Prediction:
    """All of a key below the adapter's capacity; of one above it no more than the capacity."""
    load = case.settings["load"]
    if case.assumed:
        return t4.predict(case)
    return Prediction(t4.MOST / load, "upper", "bits/prompt", "S1.17: at most about 4 bits a parameter")


def stated(case: Case) -> Prediction | None:
    """Enough is enough for the whole key, whatever its entropy."""
    if case.settings["says"] != "key":
        return None
    return Prediction(t4.SHARE, "lower", "bits/prompt", "jeff: enough for RL")


def rival(case: Case) -> Prediction | None:
    """Every rollout brings one bit that must fit, into 4 bits a parameter; or labels do as well as rollouts."""
    s = case.settings
    if s["says"] != "key":
        return t4.rival(case)
    if not case.assumed:
        return None
    fits = t4.MOST / (s["load"] * t4.K * t4.FEW)
    return Prediction(fits, "exact", "bits/prompt", "a bit a rollout has to fit, so all but a little is lost")


def above() -> Case:
    """A key that does not fit: the assumption of the statement is not met."""
    settings = {"says": "key", "adapter": ONE, "load": ABOVE}
    signal = Absorbed(arm=t4.rl(ONE, ABOVE).name)
    return Case(f"RL, {ONE}, key of {ABOVE:g} bits", settings, assumed=False, signal=signal)


CLAIM = Claim(
    id="S1.17",
    statement="LoRA is enough for RL: even a rank-1 adapter has far more parameters than RL gives bits.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, introduction, after Schulman, LoRA Without "
    "Regret",
    cases=(*[t4.key_case(RANK, load) for load in t4.USEFUL[:2]], *map(t4.lead_case, t4.USEFUL[1:]), above()),
    predict=predict,
    arms=t4.arms,
    stated=stated,
    rival=rival,
    rival_name="a parameter holds 4 bits and every rollout brings one that must fit, so that labels do as well",
    tolerance=0.2,
    budget=8 * 40 * t4.K * t4.FEW,
    condition="the key has less entropy than the adapter holds",
    remark="What must fit is the entropy of what is learnt, not the number of rollouts: a rank-1 adapter of 80 numbers "
    "holds a key of 40 bits after 640,000 rollouts, and labels that carry as many useful bits and three times as many "
    "of nuisance no longer fit. A key above the capacity does not fit, however it is taught.",
    needs="train",
)
