"""One reward at the end and an advantage for every token: the value function fills in, and knows no more."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine, Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import group_information, terminal_information, token_capacity, token_information
from bitrate.types import Floats, Ints, Prediction

WORLDS, BINARY = 60_000, 2
FIXED, LEARNT, TOKEN = "fixed", "learnt", "token rewards"
FIRST, SECOND = Unresolved(of="scores", given="answers"), Unresolved(of="last scores", given="history")


def predict(case: Case) -> Prediction:
    """h(2^-T); after a rollout that both critic and learner saw, what a second one adds; T with rewards for tokens."""
    length, kind = case.settings["length"], case.settings["kind"]
    bits = float((token_information if kind == TOKEN else terminal_information)(BINARY, length))
    if kind == LEARNT:
        uniform = np.full(BINARY**length, BINARY ** -float(length))
        bits = float(group_information(uniform, uniform, 2)) - bits
    return Prediction(
        bits, "exact", "bits/rollout", "docs/theory.md#updates, S1.14", ("the critic is a function of the history",)
    )


def stated(case: Case) -> Prediction:
    """As many bits as tokens."""
    bits = float(token_information(BINARY, case.settings["length"]))
    reference = "jeff, which RL algorithms use token-level signals? PPO/A2C with per-token advantages"
    return Prediction(bits, "exact", "bits/rollout", reference)


def rival(case: Case) -> Prediction | None:
    """The entropy of the advantages, which also tell which tokens were said before the last."""
    length = case.settings["length"]
    if case.settings["kind"] == TOKEN or length == 1:
        return None
    bits = float(token_capacity([BINARY] * (length - 1)) + terminal_information(BINARY, length))
    return Prediction(bits, "exact", "bits/rollout", "entropy of T advantages")


def prefixes(said: Ints) -> Ints:
    """The tokens before each token, as one number: a 1 and then the tokens, binary; [worlds, T] -> [worlds, T]."""
    place = np.ones(said.shape[0], np.int64)
    columns = []
    for token in said.T:
        columns.append(place)
        place = 2 * place + token
    return np.stack(columns, axis=1)


def returns(said: Ints, right: Ints, kind: str) -> Floats:
    """What follows each token: the reward at the end, or the rewards of the tokens from there on, [worlds, T]."""
    hits = (said == right).astype(float)
    if kind == TOKEN:
        return np.asarray(hits[:, ::-1].cumsum(axis=1)[:, ::-1])
    return np.broadcast_to(hits.all(axis=1, keepdims=True).astype(float), hits.shape)


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Roll out, and log for every token its return less what the critic expected after the tokens before it.

    The critic starts with any expectations; a learnt one has moved half of the way to the returns of a first rollout.
    The audit is given groups.
    """
    length, kind, k = case.settings["length"], case.settings["kind"], case.settings.get("k", 1)
    right = np.repeat(rng.integers(BINARY, size=(WORLDS // k, length)), k, axis=0)
    critic = np.tile(rng.random(2**length).round(3), (WORLDS if kind == LEARNT else 1, 1))
    rows = np.arange(WORLDS)[:, None] if kind == LEARNT else np.zeros((WORLDS, 1), int)
    with SimulatedRun(folder, rng) as run:
        for step in range(2 if kind == LEARNT else 1):
            said = rng.integers(BINARY, size=right.shape)
            seen, followed = prefixes(said), returns(said, right, kind)
            surprise = followed - critic[rows, seen]
            parts = {f"advantage_{t}": surprise[:, t].reshape(-1, k) for t in range(length)}
            answers = said @ (1 << np.arange(length))
            run.step(step, answers=answers.reshape(-1, k), rewards=followed[:, 0].reshape(-1, k), components=parts)
            if kind == LEARNT:
                critic[rows, seen] += surprise / 2


def curves() -> dict[str, tuple[list[float], list[float]]]:
    """Over the length: what the update carries, and what was said."""
    lengths = np.arange(1.0, 9.0)
    return {
        "reward at the end, h(2^-T)": (lengths.tolist(), terminal_information(BINARY, lengths).tolist()),
        "T bits": (lengths.tolist(), lengths.tolist()),
    }


def case(length: int, kind: str, name: str) -> Case:
    """T, and where the advantages come from."""
    x, settings = length if kind == FIXED else None, {"length": length, "kind": kind}
    return Case(f"T={length}, {name}", settings, x, signal=SECOND if kind == LEARNT else FIRST)


CLAIM = Claim(
    id="S1.14",
    statement="PPO and A2C use O(T) bits of an episode, since they give every token an advantage of its own.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, which RL algorithms use token-level signals?",
    cases=(
        *[case(t, FIXED, "reward at the end") for t in (1, 2, 4, 8)],
        case(2, LEARNT, "reward at the end, a critic that learnt from a rollout"),
        case(4, TOKEN, "a reward for each token"),
        Case(
            "T=2, reward at the end, audited",
            {"length": 2, "kind": FIXED, "k": 32},
            2,
            signal=LedgerLine("ledger.outcome_bits"),
        ),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="the entropy of the advantages",
    tolerance=0.02,
    budget=WORLDS,
    remark="A critic's advantages are many numbers, but who knows the rollout and the reward can work them out: they "
    "say no more about the target than the reward does, here one that comes once, at the end. What matters is the "
    "feedback, as the source says in the next sentence: with a reward for each token the same advantages carry T bits.",
    against=("S1.13",),
    axis="tokens T",
    curves=curves,
)
