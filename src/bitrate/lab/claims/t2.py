"""Planted answer keys: what tables and transformers keep of the bits that they are sent, method by method."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from bitrate.lab.claim import Arm, Case, Claim, Formula, Panel
from bitrate.lab.signals.coded import CodedBits
from bitrate.lab.signals.ledger import LedgerLine
from bitrate.lab.signals.pairs import Of
from bitrate.lab.signals.rows import LEVEL
from bitrate.lab.training.planted import BATCH, Settings, train
from bitrate.theory import binary_entropy, group_information
from bitrate.types import Kind, Prediction

PROMPTS, ANSWERS, K, EPOCHS, SEEDS = 16, 16, 8, 60, 32
METHODS: dict[str, str | float] = {
    "SFT": "sft", "rejection-sampling SFT": "rejection", "REINFORCE": 0.0, "REINFORCE, baseline .3": 0.3,
    "RLOO": "rloo", "GRPO": "grpo",
}  # fmt: skip
RATES = {"table": 0.3, "transformer": 3e-3}
#: The share of the key that all are to hold at the end.
PLATEAU = 0.95
#: So large a step that one update writes down all it can.
STEEP = 10.0
#: Lines of the audit, by what they are called here.
LINES = {
    "received": "ledger.received_key_bits",
    "absorbed": "ledger.held_key_bits",
    "prequential": "ledger.absorbed_bits",
}
#: Keys that are independent, or follow from one another, or of which half is taught and the other half leaks.
ALONE, DEPENDENT, LEAKED = "", " dependent", " dependent leak"
SIDE = math.isqrt(PROMPTS)
UNIFORM = (1 / ANSWERS,) * ANSWERS
KEY, NEEDS = math.log2(ANSWERS), ("keys uniform and independent", "one right answer")
#: What the theory says of a case, and what its rival does.
Says = tuple[Formula, Formula]


def visits(epochs: int) -> int:
    """The step at which every prompt is under its visit number ``epochs``, from 0."""
    return epochs * PROMPTS // BATCH + PROMPTS // BATCH - 1


def arms(case: Case) -> tuple[Arm, ...]:
    """One learner and one method."""
    s = case.settings
    learner = "tabular" if s["learner"] == "table" else "transformer"
    settings = Settings(
        learner, METHODS[s["method"]], prompts=PROMPTS, answers=ANSWERS, k=K, epochs=EPOCHS, rate=s["rate"],
        seeds=SEEDS, dependent=s["keys"] != ALONE, leak=s["keys"] == LEAKED,
    )  # fmt: skip
    return (Arm(name(case), train, settings, smoke=3, full=12),)


def name(case: Case) -> str:
    """The arm's folder."""
    s = case.settings
    words = f"t2 {s['learner']} {s['method']}{' steep' if s['rate'] == STEEP else ''}{s['keys']}"
    return "-".join(words.lower().replace(",", "").replace(".", "0.").split())


def _said(value: float, kind: Kind, reference: str, *needs: str) -> Prediction:
    return Prediction(value, kind, "bits/prompt", reference, needs)


def _bits(case: Case) -> float:
    """What so many rollouts of a policy that guesses say of the key."""
    return float(group_information(UNIFORM, UNIFORM, case.settings["rollouts"]))


def _hits(case: Case) -> Prediction:
    hit = 1 - (1 - 1 / ANSWERS) ** case.settings["rollouts"]
    return _said(KEY * hit, "exact", "S1.15: groups without a success move no weight", *NEEDS)


def _each_adds(case: Case) -> Prediction:
    return _said(case.settings["rollouts"] * float(binary_entropy(1 / ANSWERS)), "exact", "h(1/V) a rollout")


ABSORBS_ALL = "all that is received is absorbed"
#: What each line of the ledger is predicted to be, and what its rival says: bits that add up from rollout to rollout,
#: or a learner that loses none.
RECEIVED: Says = (lambda case: _said(_bits(case), "exact", "S1.10", *NEEDS), _each_adds)
HITS: Says = (_hits, lambda case: _said(_bits(case), "exact", ABSORBS_ALL))
ONE_LABEL: Says = (_said(KEY, "exact", "docs/theory.md#training: a label is the key", *NEEDS), _each_adds)
BOUND: Says = (_said(KEY, "upper", "docs/theory.md#training: no more than H(key)", *NEEDS), _each_adds)
PLATEAUS: Says = (
    _said(PLATEAU * KEY, "lower", "docs/theory.md#training: a plateau at H(key)", *NEEDS),
    _said(1.0, "exact", "right or wrong is one bit, and leaves one"),
)
#: A bit a network is more than rounding and the spread of networks make, and less than any leak of a whole key.
A_BIT, LEDGER = 1.0, "docs/theory.md#ledger"
FEEDBACK = "half of the keys were asked about: their entropy"
BOUNDED: Says = (
    Prediction(0.0, "upper", "bits/network", f"{LEDGER}: absorbed is at most received, jointly", (FEEDBACK,)),
    Prediction(A_BIT, "lower", "bits/network", "an audit of known keys finds too much in any case"),
)
#: A sum over prompts counts 8 keys of 4 bits where 5 are independent, and a leak adds the two that are left.
EXCEEDS: Says = (
    Prediction(A_BIT, "lower", "bits/network", f"{LEDGER}: not where what is told of one key tells another"),
    Prediction(0.0, "upper", "bits/network", "absorbed is at most received, whatever is summed or left out of the log"),
)


def coded(text: str, learner: str, method: str, keys: str, says: Says, line: str) -> Case:
    """Dependent keys at the end of training, absorbed less received: jointly, or each by itself."""
    settings = {"learner": learner, "method": method, "rate": RATES[learner], "keys": keys}
    made = Case(f"{learner}, {method}: {text}", settings, panel=LEFT, predict=says[0], rival=says[1])
    return replace(made, signal=Of(name(made), CodedBits(line, SIDE, ANSWERS, LEVEL)))


def case(
    text: str,
    learner: str,
    method: str,
    says: Says,
    line: str,
    epochs: int | None = None,
    rate: float | None = None,
    **more: Any,
) -> Case:
    """A line of the ledger of one learner, after so many visits to every prompt."""
    rate = RATES[learner] if rate is None else rate
    a_visit = 1 if method == "SFT" else K
    rollouts = a_visit * (EPOCHS if epochs is None else epochs)
    settings = {"learner": learner, "method": method, "rate": rate, "rollouts": rollouts, "keys": ALONE}
    made = Case(f"{learner}, {method}: {text}", settings)
    until = None if epochs is None else visits(epochs)
    signal = Of(name(made), LedgerLine(LINES[line], until=until))
    return Case(made.name, settings, signal=signal, predict=says[0], rival=says[1], **more)


def on_the_way(text: str, learner: str, method: str, says: Says, line: str, epochs: int, rate: float) -> Case:
    """A case with its place on the axis of rollouts."""
    return case(text, learner, method, says, line, epochs, rate, x=epochs * (1 if method == "SFT" else K))


LEFT, HELD = "dependent keys: absorbed less received", "held at the end"
SLOW = RATES["transformer"]
BOTH = [(learner, method) for learner in RATES for method in METHODS]

CLAIM = Claim(
    id="T2",
    statement="Whatever the method, parameters hold no more of an answer key, taken jointly, than was received, and no "
    "more than its entropy however long it trains; of a group without a success GRPO keeps nothing.",
    source="bitrate, training experiment T2",
    cases=(
        on_the_way("received in 8 rollouts", "table", "GRPO", RECEIVED, "received", 1, STEEP),
        on_the_way("absorbed of 8 rollouts at once", "table", "GRPO", HITS, "absorbed", 1, STEEP),
        on_the_way("received in 40 rollouts", "table", "GRPO", RECEIVED, "received", 5, STEEP),
        on_the_way("absorbed of 40 rollouts at once", "table", "GRPO", HITS, "absorbed", 5, STEEP),
        on_the_way("absorbed of 1 label at once", "table", "SFT", ONE_LABEL, "absorbed", 1, STEEP),
        *[on_the_way(f"absorbed of {K * n}", "transformer", "GRPO", BOUND, "absorbed", n, SLOW)
          for n in (2, 4, 8, 16, 32)],
        *[coded(text, learner, m, DEPENDENT, says, line)
          for text, says, line in (("dependent keys jointly", BOUNDED, "overdraft"),
                                   ("dependent keys one by one", EXCEEDS, "product overdraft"))
          for learner in RATES for m in ("SFT", "GRPO")],
        *[coded("a leak, jointly", learner, "SFT", LEAKED, EXCEEDS, "overdraft") for learner in RATES],
        *[case("by the policy", learner, m, PLATEAUS, "absorbed", panel=HELD) for learner, m in BOTH],
        *[case("prequential", "transformer", m, PLATEAUS, "prequential", panel=HELD) for m in METHODS],
    ),
    arms=arms,
    rival_name="every rollout adds its h(1/V) bits, none is lost on the way, one is all that stays, or no audit of "
    "known keys can tell a leak",
    tolerance=0.25,
    budget=2 * 3 * SEEDS * PROMPTS * K * EPOCHS,
    remark="The same ledger in a table and in a transformer. Labels carry the whole key at the first visit, rollouts "
    "carry most of it within the first few groups, and no method has the parameters hold more than that; all end at "
    "the key's four bits, and the hundreds of rollouts after that add nothing. What a step writes down is a matter of "
    "its size: at a large rate a table holds a label's four bits at once, and GRPO holds what its hits said and "
    "nothing of what its misses ruled out. Where keys follow from one another, a decoder that knows how finds no more "
    "in the parameters than was told; a sum over prompts finds more, as it counts what is told of one key once for "
    "each that follows; and labels that reach the updates and not the log are found.",
    needs="train",
    axis="rollouts or labels of a prompt",
    log_axis=True,
    grid=np.unique(np.geomspace(1, K * EPOCHS, 60).astype(int)),
    curves={
        "received, exact theory": lambda k: group_information(UNIFORM, UNIFORM, int(k)),
        "said by hits": lambda k: math.log2(ANSWERS) * (1 - (1 - 1 / ANSWERS) ** int(k)),
        "h(1/V) a rollout": lambda k: k * binary_entropy(1 / ANSWERS) if k <= 13 else None,
    },
    panels=(Panel(LEFT, "", unit="bits/network"), Panel(HELD, "")),
)  # fmt: skip
