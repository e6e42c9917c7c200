"""Four verifiers of the same episodes: right or wrong, how many tokens, up to where, and which."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine, Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import first_error_information, terminal_information, token_information, unit_test_information
from bitrate.types import Floats, Prediction

WORLDS = 40_000
V = 2


@dataclass(frozen=True)
class Verifier:
    """What it says in words and in bits of T tokens, and the reward that it gives for the right ones [..., T]."""

    words: str
    bits: Callable[[int], Floats | float]
    reward: Callable[[Floats], Floats]
    each: bool = False

    def case(self, length: int, words: str = "", **more: Any) -> Case:
        """It reads episodes of T tokens, each right with probability 1/V."""
        needs = ("right tokens fair and independent", "a verifier without errors")
        bits = float(self.bits(length))
        return Case(
            f"{self.words}, T={length}{words}", {"verifier": self, "length": length, "k": 1} | more, x=length,
            predict=Prediction(bits, "exact", "bits/rollout", "docs/theory.md#graded, S1.4", needs),
        )  # fmt: skip


OUTCOME = Verifier("right or wrong", lambda t: terminal_information(V, t), lambda right: right.prod(axis=2))
COUNT = Verifier(
    "how many tokens are right", lambda t: unit_test_information(t, 1 / V).passes, lambda right: right.mean(axis=2)
)
FIRST_ERROR = Verifier(
    "up to where it is right", lambda t: first_error_information(1 / V, t),
    lambda right: right.cumprod(axis=2).sum(axis=2) / right.shape[2],
)  # fmt: skip
TOKENS = Verifier("which tokens are right", lambda t: token_information(V, t), COUNT.reward, each=True)


def rival(case: Case) -> Prediction:
    """One bit an episode, because it is RL."""
    return Prediction(1.0, "upper", "bits/rollout", "at most 1 bit an episode")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Right tokens of each world and the policy's, compared as the verifier does."""
    length, k, verifier = (case.settings[name] for name in ("length", "k", "verifier"))
    hidden = rng.integers(V, size=(WORLDS // k, 1, length))
    said = rng.integers(V, size=(WORLDS // k, k, length))
    right = (said == hidden).astype(float)
    parts = {f"token_{t}": right[:, :, t] for t in range(length)}
    components = parts if verifier.each else None
    with SimulatedRun(folder, rng) as run:
        texts, targets = (tokens @ V ** np.arange(length) for tokens in (said, hidden[:, 0]))
        run.step(0, answers=texts, rewards=verifier.reward(right), targets=targets, components=components)


CLAIM = Claim(
    id="S1.4",
    statement="O(1) bits an episode belongs to binary rewards for whole sequences, not to RL: rewards on the way can "
    "bring bits in proportion to the tokens.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, figure 4, quoting Zhang",
    cases=(
        *map(OUTCOME.case, (1, 4)),
        *map(TOKENS.case, (2, 4, 6)),
        FIRST_ERROR.case(6),
        COUNT.case(5),
        replace(COUNT.case(6, ", audited", k=16), signal=LedgerLine("ledger.outcome_bits")),
    ),
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
    grid=range(1, 9),
    curves={verifier.words: verifier.bits for verifier in (OUTCOME, COUNT, FIRST_ERROR, TOKENS)},
)  # fmt: skip
