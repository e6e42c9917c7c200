"""Search-space reduction or information gain?"""

import math

from bitrate.lab.claim import Case, Claim, Panel
from bitrate.lab.claims.t5 import TASKS, WAYS, WINS, arms
from bitrate.lab.signals.preferences import PassRateLead, ReceivedFromPreferences
from bitrate.lab.training.gap_tasks import TOKENS
from bitrate.types import Prediction

TASK = "6 tokens, 128 pairs"
RL, DPO = WAYS["rule, RL"], WAYS["DPO"]
GENERALISED = "generalised"


NEEDS = "docs/theory.md#training: noise-free labels say at most H(class)"
#: Both ways are told the whole class, and no more than each other; one of them makes more of it.
CLASS = Prediction(math.log2(math.comb(TOKENS, TOKENS // 2)), "exact", "bits/network", NEEDS)
SAME = Prediction(0.0, "exact", "bits/network", NEEDS)
A_PAIR = Prediction(TASKS[TASK][2], "exact", "bits/network", "a bit for every pair")


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
        _received("received, RL less DPO", ReceivedFromPreferences(RL, DPO), SAME, None),
        Case(
            "generalised to held-out prompts, RL less DPO", {"task": TASK}, signal=PassRateLead(RL, DPO),
            panel=GENERALISED, predict=WINS[0], rival=WINS[1],
        ),
    ),
    arms=arms,
    rival_name="a bit for every pair, and as much generalises as is received",
    tolerance=0.2,
    budget=6 * 800_000,
    panels=(Panel(GENERALISED, "", unit="pass rate"),),
    remark="128 noise-free pairs say all there is to know of the hidden class, 6.13 bits, to every way of using them. "
    "DPO has received the whole rule and still fails most held-out prompts; RL on the "
    "rule passes nearly all. The difference cannot be information. That it is the search is shown by the controls of "
    "S2.4 only as far as this: without a simple class of verifiers there is no gain.",
    needs="train",
)  # fmt: skip
