"""Planted answer keys: what tables and transformers keep of the bits that they are sent, method by method."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bitrate.lab.claim import Arm, Case, Claim, Formula, Panel
from bitrate.lab.signals.ledger import LedgerLine, Overdraft
from bitrate.lab.signals.pairs import Of
from bitrate.lab.training.planted import BATCH, Settings, train
from bitrate.theory import binary_entropy, group_information
from bitrate.types import Kind, Prediction

PROMPTS, ANSWERS, K, EPOCHS, SEEDS = 16, 16, 8, 60, 32
METHODS: dict[str, str | float] = {
    "SFT": "sft", "rejection-sampling SFT": "rejection", "REINFORCE": 0.0, "REINFORCE, baseline .3": 0.3,
    "RLOO": "rloo", "GRPO": "grpo",
}  # fmt: skip
RATES = {"table": 0.3, "transformer": 3e-3}
#: Visits to a prompt after which a learner is looked at under way, and what it was given until then.
EARLY = 8
WHEN = (f"{EARLY * K} rollouts", f"{EARLY} labels")
#: The share of the key that all are to hold at the end; that they hold no more than all of it is a case of its own.
PLATEAU = 0.95
#: So large a step that one update writes down all it can.
STEEP = 10.0
#: Lines of the audit, by what they are called here.
LINES = {
    "received": "ledger.received_key_bits",
    "absorbed": "ledger.held_key_bits",
    "prequential": "ledger.absorbed_bits",
}
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
        learner, METHODS[s["method"]], prompts=PROMPTS, answers=ANSWERS, k=K, epochs=EPOCHS, rate=s["rate"], seeds=SEEDS
    )
    return (Arm(name(case), train, settings, smoke=3, full=12),)


def name(case: Case) -> str:
    """The arm's folder."""
    s = case.settings
    words = f"t2 {s['learner']} {s['method']}{' steep' if s['rate'] == STEEP else ''}"
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
NO_OVERDRAFT: Says = (
    _said(0.0, "upper", "docs/theory.md#ledger: absorbed is at most received", *NEEDS),
    _said(0.0, "exact", ABSORBS_ALL),
)


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
    settings = {"learner": learner, "method": method, "rate": rate, "rollouts": rollouts}
    made = Case(f"{learner}, {method}: {text}", settings)
    until = None if epochs is None else visits(epochs)
    measured = Overdraft(until) if line == "overdraft" else LedgerLine(LINES[line], until=until)
    signal = Of(name(made), measured)
    return Case(made.name, settings, signal=signal, predict=says[0], rival=says[1], **more)


def on_the_way(text: str, learner: str, method: str, says: Says, line: str, epochs: int, rate: float) -> Case:
    """A case with its place on the axis of rollouts."""
    return case(text, learner, method, says, line, epochs, rate, x=epochs * (1 if method == "SFT" else K))


LEFT, HELD = "absorbed less received", "held at the end"
SLOW = RATES["transformer"]
BOTH = [(learner, method) for learner in RATES for method in METHODS]

CLAIM = Claim(
    id="T2",
    statement="Whatever the method, parameters hold no more of an answer key than was received, and no more than its "
    "entropy however long it trains; of a group without a success GRPO keeps nothing.",
    source="bitrate, training experiment T2",
    cases=(
        on_the_way("received in 8 rollouts", "table", "GRPO", RECEIVED, "received", 1, STEEP),
        on_the_way("absorbed of 8 rollouts at once", "table", "GRPO", HITS, "absorbed", 1, STEEP),
        on_the_way("received in 40 rollouts", "table", "GRPO", RECEIVED, "received", 5, STEEP),
        on_the_way("absorbed of 40 rollouts at once", "table", "GRPO", HITS, "absorbed", 5, STEEP),
        on_the_way("absorbed of 1 label at once", "table", "SFT", ONE_LABEL, "absorbed", 1, STEEP),
        *[on_the_way(f"absorbed of {K * n}", "transformer", "GRPO", BOUND, "absorbed", n, SLOW)
          for n in (2, 4, 8, 16, 32)],
        *[case(f"after {WHEN[m == 'SFT']}", learner, m, NO_OVERDRAFT, "overdraft", EARLY, panel=LEFT)
          for learner, m in BOTH],
        *[case("at the end", learner, m, NO_OVERDRAFT, "overdraft", panel=LEFT) for learner, m in BOTH],
        *[case("by the policy", learner, m, PLATEAUS, "absorbed", panel=HELD) for learner, m in BOTH],
        *[case("prequential", "transformer", m, PLATEAUS, "prequential", panel=HELD) for m in METHODS],
    ),
    arms=arms,
    rival_name="every rollout adds its h(1/V) bits, none is lost on the way, or one is all that stays",
    tolerance=0.25,
    budget=2 * 3 * SEEDS * PROMPTS * K * EPOCHS,
    remark="The same ledger in a table and in a transformer. Labels carry the whole key at the first visit, rollouts "
    "carry most of it within the first few groups, and no method has the parameters hold more than that; all end at "
    "the key's four bits, and the hundreds of rollouts after that add nothing. What a step writes down is a matter of "
    "its size: at a large rate a table holds a label's four bits at once, and GRPO holds what its hits said and "
    "nothing of what its misses ruled out.",
    needs="train",
    axis="rollouts or labels of a prompt",
    log_axis=True,
    grid=np.unique(np.geomspace(1, K * EPOCHS, 60).astype(int)),
    curves={
        "received, exact theory": lambda k: group_information(UNIFORM, UNIFORM, int(k)),
        "said by hits": lambda k: math.log2(ANSWERS) * (1 - (1 - 1 / ANSWERS) ** int(k)),
        "h(1/V) a rollout": lambda k: k * binary_entropy(1 / ANSWERS) if k <= 13 else None,
    },
    panels=(Panel(LEFT, ""), Panel(HELD, "")),
)  # fmt: skip
