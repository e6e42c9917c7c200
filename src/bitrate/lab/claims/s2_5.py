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
    remark="128 noise-free pairs say all that can be known of the hidden class, 5.13 bits, to every way of using "
    "them: a class or its complement, which ask the same of an answer. DPO has received all of it and fails "
    "two held-out prompts in five; RL on a perceptron that reads a bag of tokens, and is told nothing of "
    "counting, passes nearly all. The difference cannot be information. That it is the search is shown only "
    "as far as this: with the policy's own architecture as the reward model, which has received the same, RL "
    "loses (S2.3).",
    needs="train",
)  # fmt: skip
