"""Planted answer keys: what tables and transformers keep of the bits that they are sent, method by method."""

from __future__ import annotations

import math

from bitrate.lab.signals.keys import KeyBits, Of
from bitrate.lab.training.planted import BATCH, train
from bitrate.theory import binary_entropy, group_information
from bitrate.types import Arm, Case, Claim, Kind, Prediction

PROMPTS, ANSWERS, K, EPOCHS, SEEDS = 16, 16, 8, 60, 32
METHODS = {
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
UNIFORM = (1 / ANSWERS,) * ANSWERS


def visits(epochs: int) -> int:
    """The step at which every prompt is under its visit number ``epochs``, from 0."""
    return epochs * PROMPTS // BATCH + PROMPTS // BATCH - 1


def arms(case: Case) -> tuple[Arm, ...]:
    """One learner and one method."""
    s = case.settings
    learner = "tabular" if s["learner"] == "table" else "transformer"
    settings = {
        "learner": learner, "method": METHODS[s["method"]], "prompts": PROMPTS, "answers": ANSWERS, "k": K,
        "epochs": EPOCHS, "rate": s["rate"], "seeds": SEEDS,
    }  # fmt: skip
    return (Arm(name(case), train, settings, smoke=3, full=12),)


def name(case: Case) -> str:
    """The arm's folder."""
    s = case.settings
    words = f"t2 {s['learner']} {s['method']}{' steep' if s['rate'] == STEEP else ''}"
    return "-".join(words.lower().replace(",", "").replace(".", "0.").split())


def predict(case: Case) -> Prediction:
    """From the line that the case looks at."""
    s, needs = case.settings, ("keys uniform and independent", "one right answer")
    hit = 1 - (1 - 1 / ANSWERS) ** s["rollouts"]
    exact: dict[str, tuple[float, Kind, str]] = {
        "received": (float(group_information(UNIFORM, UNIFORM, s["rollouts"])), "exact", "S1.10"),
        "hits": (math.log2(ANSWERS) * hit, "exact", "S1.15: groups without a success move no weight"),
        "key": (math.log2(ANSWERS), "exact", "THEORY.md section 1: a label is the key"),
        "plateau": (PLATEAU * math.log2(ANSWERS), "lower", "THEORY.md section 1: a plateau at H(key)"),
        "overdraft": (0.0, "upper", "THEORY.md section 1: absorbed is at most received"),
    }
    value, kind, reference = exact[s["says"]]
    return Prediction(value, kind, "bits/prompt", reference, needs)


def rival(case: Case) -> Prediction:
    """Bits that add up from rollout to rollout, or a learner that loses none."""
    s = case.settings
    if s["says"] == "overdraft":
        return Prediction(0.0, "exact", "bits/prompt", "all that is received is absorbed")
    if s["says"] == "hits":
        bits = group_information(UNIFORM, UNIFORM, s["rollouts"])
        return Prediction(float(bits), "exact", "bits/prompt", "all that is received is absorbed")
    return Prediction(s["rollouts"] * float(binary_entropy(1 / ANSWERS)), "exact", "bits/prompt", "h(1/V) a rollout")


def case(
    text: str, learner: str, method: str, says: str, line: str, epochs: int | None = None, rate: float | None = None
) -> Case:
    """A line of the ledger of one learner, after so many visits to every prompt."""
    rate = RATES[learner] if rate is None else rate
    a_visit = 1 if method == "SFT" else K
    rollouts = a_visit * (EPOCHS if epochs is None else epochs)
    settings = {"learner": learner, "method": method, "rate": rate, "says": says, "rollouts": rollouts}
    made = Case(f"{learner}, {method}: {text}", settings)
    signal = Of(name(made), KeyBits(line, None if epochs is None else visits(epochs)))
    return Case(made.name, settings, signal=signal)


STEEP_CASES = (
    case("received in 8 rollouts", "table", "GRPO", "received", "received", 1, STEEP),
    case("absorbed of 8 rollouts at once", "table", "GRPO", "hits", "absorbed", 1, STEEP),
    case("received in 40 rollouts", "table", "GRPO", "received", "received", 5, STEEP),
    case("absorbed of 40 rollouts at once", "table", "GRPO", "hits", "absorbed", 5, STEEP),
    case("absorbed of 1 label at once", "table", "SFT", "key", "absorbed", 1, STEEP),
)

CLAIM = Claim(
    id="T2",
    statement="Whatever the method, parameters hold no more of an answer key than was received, and no more than its "
    "entropy however long it trains; of a group without a success GRPO keeps nothing.",
    source="bitrate, training experiment T2",
    cases=(
        *STEEP_CASES,
        *[
            case(f"absorbed less received after {WHEN[m == 'SFT']}", learner, m, "overdraft", "overdraft", EARLY)
            for learner in RATES for m in METHODS
        ],
        *[case("absorbed less received at the end", learner, m, "overdraft", "overdraft")
          for learner in RATES for m in METHODS],
        *[case("absorbed at the end", learner, m, "plateau", "absorbed") for learner in RATES for m in METHODS],
        *[case("prequential bits at the end", "transformer", m, "plateau", "prequential") for m in METHODS],
    ),
    predict=predict,
    arms=arms,
    rival=rival,
    rival_name="every rollout adds its h(1/V) bits, and none is lost on the way",
    tolerance=0.25,
    budget=2 * 3 * SEEDS * PROMPTS * K * EPOCHS,
    remark="The same ledger in a table and in a transformer. Labels carry the whole key at the first visit, rollouts "
    "carry most of it within the first few groups, and no method has the parameters hold more than that; all end at "
    "the key's four bits, and the hundreds of rollouts after that add nothing. What a step writes down is a matter of "
    "its size: at a large rate a table holds a label's four bits at once, and GRPO holds what its hits said and "
    "nothing of what its misses ruled out.",
    needs="train",
)  # fmt: skip
