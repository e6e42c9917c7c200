"""Search-space reduction or information gain?"""

import math

from bitrate.lab.claim import Case, Claim, Panel
from bitrate.lab.claims.t5 import TASKS, WAYS, arms
from bitrate.lab.claims.t5 import predict as wins
from bitrate.lab.claims.t5 import rival as no_lead
from bitrate.lab.signals.preferences import PassRateLead, ReceivedFromPreferences
from bitrate.lab.training.gap_tasks import TOKENS
from bitrate.types import Prediction

TASK = "6 tokens, 128 pairs"
RL, DPO = WAYS["rule, RL"], WAYS["DPO"]
GENERALISED = "generalised"


def predict(case: Case) -> Prediction:
    """Both ways are told the whole class, and no more than each other; one of them makes more of it."""
    if case.panel == GENERALISED:
        return wins(case)
    bits = math.log2(math.comb(TOKENS, TOKENS // 2)) if case.settings["says"] == "class" else 0.0
    return Prediction(bits, "exact", "bits/network", "THEORY.md section 1: noise-free labels say at most H(class)")


def rival(case: Case) -> Prediction | None:
    """A bit for every pair; and what generalises follows from the bits received."""
    if case.panel == GENERALISED:
        return no_lead(case)
    if case.settings["says"] == "class":
        return Prediction(TASKS[TASK][2], "exact", "bits/network", "a bit for every pair")
    return None


def _case(name: str, says: str, signal: ReceivedFromPreferences | PassRateLead) -> Case:
    panel = GENERALISED if says == "wins" else ""
    return Case(name, {"task": TASK, "says": says}, signal=signal, panel=panel)


CLAIM = Claim(
    id="S2.5",
    statement="Online RL wins because it has fewer policies to search, those that are best for some simple verifier, "
    "and not because it has more information.",
    source="Swamy et al., All Roads Lead to Likelihood: The Value of Reinforcement Learning in Fine-Tuning, abstract",
    cases=(
        _case("received from the preferences, DPO", "class", ReceivedFromPreferences(DPO)),
        _case("received from the preferences, RL", "class", ReceivedFromPreferences(RL)),
        _case("received, RL less DPO", "same", ReceivedFromPreferences(RL, DPO)),
        _case("generalised to held-out prompts, RL less DPO", "wins", PassRateLead(RL, DPO)),
    ),
    predict=predict,
    arms=arms,
    rival=rival,
    rival_name="a bit for every pair, and as much generalises as is received",
    tolerance=0.2,
    budget=6 * 800_000,
    panels=(Panel(GENERALISED, "", dict, unit="pass rate"),),
    remark="128 noise-free pairs say all there is to know of the hidden class, 6.13 bits, to every way of using them. "
    "DPO has received the whole rule and still fails most held-out prompts; RL on the "
    "rule passes nearly all. The difference cannot be information. That it is the search is shown by the controls of "
    "S2.4 only as far as this: without a simple class of verifiers there is no gain.",
    needs="train",
)
