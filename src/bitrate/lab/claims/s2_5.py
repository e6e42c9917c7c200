"""Search-space reduction or information gain?"""

import math

from bitrate.lab.claim import Case, Claim, Panel
from bitrate.lab.claims.t5 import SAME, TASKS, WAYS, WINS, arms
from bitrate.lab.signals.preferences import PassRateLead, ReceivedFromPreferences
from bitrate.lab.training.gap_tasks import TOKENS
from bitrate.types import Prediction

TASK = "plan, 128 pairs"
RL, DPO = WAYS["bag, RL"], WAYS["DPO"]
GENERALISED = "generalised"


NEEDS = "docs/theory.md#training: noise-free labels say at most H(class), a class or its complement"
#: Both ways are told the whole class, and no more than each other; one of them makes more of it. A class and its
#: complement ask the same of an answer, half of whose tokens are to be of it.
CLASS = Prediction(math.log2(math.comb(TOKENS, TOKENS // 2) / 2), "exact", "bits/network", NEEDS)
EQUAL = Prediction(0.0, "exact", "bits/network", NEEDS)
A_PAIR = Prediction(TASKS[TASK].pairs, "exact", "bits/network", "a bit for every pair")


def _received(name: str, signal: ReceivedFromPreferences, prediction: Prediction, rival: Prediction | None) -> Case:
    return Case(name, {"task": TASK}, signal=signal, predict=prediction, rival=rival)


CLAIM = Claim(
    id="S2.5",
    statement="Online RL wins because it has fewer policies to search, those that are best for some simple verifier, "
    "and not because it has more information.",
    source="Swamy et al., All Roads Lead to Likelihood: The Value of Reinforcement Learning in Fine-Tuning, abstract",
    cases=(
        _received("received from the preferences, DPO", ReceivedFromPreferences(DPO), CLASS, A_PAIR),
        _received("received from the preferences, RL", ReceivedFromPreferences(RL), CLASS, A_PAIR),
        _received("received, RL less DPO", ReceivedFromPreferences(RL, DPO), EQUAL, None),
        Case(
            "generalised to held-out prompts, RL less DPO", {"task": TASK}, signal=PassRateLead(RL, DPO),
            panel=GENERALISED, predict=WINS, rival=SAME,
        ),
    ),
    arms=arms,
    rival_name="a bit for every pair, and as much generalises as is received",
    tolerance=0.2,
    budget=2 * 100_000,
    panels=(Panel(GENERALISED, "", unit="pass rate"),),
    remark="Not measured yet.",
    needs="train",
)  # fmt: skip
