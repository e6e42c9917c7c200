"""What rollouts received at most, from the log alone: a code for the outcomes, whatever the policy believes."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine
from bitrate.lab.worlds.believers import Believers
from bitrate.theory import binary_entropy, group_information
from bitrate.types import Floats, Prediction

PROMPTS = 4_000
EVEN, PEAKED = (0.5, 0.5), (0.5, 0.2, 0.1, 0.1, 0.1)


def policy(prior: tuple[float, ...], temperature: float) -> Floats:
    """The belief to the power 1/temperature; at 0 the answer that is likeliest."""
    q = np.array(prior)
    power = (q / q.max()) ** (1 / temperature) if temperature else np.eye(q.size)[q.argmax()]
    return np.asarray(power / power.sum())


def predict(case: Case) -> Prediction:
    """What a rollout of K receives: the measured line must not lie below it."""
    s = case.settings
    bits = float(group_information(s["prior"], policy(s["prior"], s["temperature"]), s["k"])) / s["k"]
    return Prediction(bits, "lower", "bits/rollout", "docs/theory.md#logs", ("one right answer",))


def rival(case: Case) -> Prediction | None:
    """E h(p) as the most that can have been received."""
    s = case.settings
    bits = float(np.dot(s["prior"], binary_entropy(policy(s["prior"], s["temperature"]))))
    return Prediction(bits, "upper", "bits/rollout", "E h(p), p the pass rate given the truth")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """A group of each of many prompts, each with a key of its own."""
    s = case.settings
    Believers(len(s["prior"]), s["k"], 1, s["temperature"], s["prior"]).run(PROMPTS, folder, rng)


def case(prior: tuple[float, ...], temperature: float, k: int) -> Case:
    """A belief, a policy, and a group size."""
    kind = {0.0: "greedy", 0.3: "sharper than its belief", 1.0: "as it believes", 3.0: "flatter than its belief"}
    settings = {"prior": prior, "temperature": temperature, "k": k}
    return Case(f"{len(prior)} answers, {kind[temperature]}, K={k}", settings, x=temperature)


CLAIM = Claim(
    id="B7",
    statement="The code length of outcomes, or E log2(M+1), bounds what rollouts received, whatever the policy "
    "believes; E h(p) does not.",
    source="bitrate, docs/theory.md#logs",
    cases=(
        case(EVEN, 0.0, 2),
        case(PEAKED, 0.0, 2),
        case(PEAKED, 0.3, 2),
        case(PEAKED, 0.3, 8),
        case(PEAKED, 1.0, 2),
        case(PEAKED, 3.0, 4),
    ),
    predict=predict,
    simulate=simulate,
    signal=LedgerLine("ledger.received_bits"),
    rival=rival,
    rival_name="E h(p) is the most that can have been received",
    tolerance=0.1,
    budget=8 * PROMPTS,
    remark="A policy that is surer than its belief tries what it holds likeliest, and every outcome is news. Given the "
    "truth nothing is left to chance, so E h(p) says that nothing came in. A forecast made from the log alone knows no "
    "more than the learner: its code is never too short, and where answers are known log2(M+1) is often shorter.",
    against=("B5",),
    axis="temperature of the policy",
)
