"""Four verifiers of the same episodes: right or wrong, how many tokens, up to where, and which."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine, Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import first_error_information, terminal_information, token_information, unit_test_information
from bitrate.types import Prediction

WORLDS = 40_000
V = 2
VERIFIERS = {
    "outcome": "right or wrong",
    "count": "how many tokens are right",
    "first error": "up to where it is right",
    "tokens": "which tokens are right",
}


def bits(verifier: str, length: int) -> float:
    """What a verifier says of T tokens, each right with probability 1/V."""
    if verifier == "outcome":
        return float(terminal_information(V, length))
    if verifier == "count":
        return float(unit_test_information(length, 1 / V).passes)
    if verifier == "first error":
        return float(first_error_information(1 / V, length))
    return float(token_information(V, length))


def predict(case: Case) -> Prediction:
    """The entropy of what the verifier says."""
    value = bits(case.settings["verifier"], case.settings["length"])
    assumptions = ("right tokens fair and independent", "a verifier without errors")
    return Prediction(value, "exact", "bits/rollout", "docs/theory.md#graded, S1.4", assumptions)


def rival(case: Case) -> Prediction:
    """One bit an episode, because it is RL."""
    return Prediction(1.0, "upper", "bits/rollout", "at most 1 bit an episode")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Right tokens of each world and the policy's, compared as the verifier does."""
    length, k = case.settings["length"], case.settings.get("k", 1)
    hidden = rng.integers(V, size=(WORLDS // k, 1, length))
    said = rng.integers(V, size=(WORLDS // k, k, length))
    right = (said == hidden).astype(float)
    parts = {f"token_{t}": right[:, :, t] for t in range(length)}
    rewards = {
        "outcome": right.prod(axis=2),
        "count": right.sum(axis=2) / length,
        "first error": right.cumprod(axis=2).sum(axis=2) / length,
        "tokens": right.sum(axis=2) / length,
    }[case.settings["verifier"]]
    components = parts if case.settings["verifier"] == "tokens" else None
    with SimulatedRun(folder, rng) as run:
        as_number = V ** np.arange(length)
        run.step(0, answers=said @ as_number, rewards=rewards, targets=hidden[:, 0] @ as_number, components=components)


def curves() -> dict[str, tuple[list[float], list[float]]]:
    """Over the length of an episode."""
    lengths = list(range(1, 9))
    return {name: ([float(t) for t in lengths], [bits(v, t) for t in lengths]) for v, name in VERIFIERS.items()}


def case(verifier: str, length: int) -> Case:
    """A verifier and a length."""
    return Case(f"{VERIFIERS[verifier]}, T={length}", {"verifier": verifier, "length": length}, x=length)


CLAIM = Claim(
    id="S1.4",
    statement="O(1) bits an episode belongs to binary rewards for whole sequences, not to RL: rewards on the way can "
    "bring bits in proportion to the tokens.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, figure 4, quoting Zhang",
    cases=(
        *[case("outcome", t) for t in (1, 4)],
        *[case("tokens", t) for t in (2, 4, 6)],
        case("first error", 6),
        case("count", 5),
        Case(
            "how many tokens are right, T=6, audited", {"verifier": "count", "length": 6, "k": 16}, x=6,
            signal=LedgerLine("ledger.outcome_bits"),
        ),
    ),
    predict=predict,
    simulate=simulate,
    signal=Unresolved(of="scores", given="answers"),
    rival=rival,
    rival_name="at most one bit an episode, whatever is rewarded",
    tolerance=0.07,
    budget=WORLDS,
    remark="The same texts and the same task; only the verifier's answer differs. Right or wrong is at most one bit, "
    "and almost none for long texts. The place of the first error is up to 2 bits at any length, the number of right "
    "tokens grows with the logarithm of the length, and a mark on every token with the length itself.",
    against=("S1.14",),
    axis="tokens T",
    curves=curves,
)  # fmt: skip
