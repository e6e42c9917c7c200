"""One reward at the end and an advantage for every token: the value function fills in, and knows no more."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine, Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import group_information, terminal_information, token_capacity, token_information
from bitrate.types import Floats, Ints, Prediction

WORLDS, BINARY = 60_000, 2
FIRST, SECOND = Unresolved(of="scores", given="answers"), Unresolved(of="last scores", given="history")


def no_more_than_the_reward(case: Case) -> Prediction:
    """h(2^-T), whatever the critic expected."""
    return _exactly(float(terminal_information(BINARY, case.settings["length"])))


def of_a_second_rollout(case: Case) -> Prediction:
    """What it adds to a rollout that both critic and learner saw."""
    length = case.settings["length"]
    uniform = np.full(BINARY**length, BINARY ** -float(length))
    bits = float(terminal_information(BINARY, length))
    return _exactly(float(group_information(uniform, uniform, 2)) - bits)


def _exactly(bits: float) -> Prediction:
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
    if case.settings.get("by_token") or length == 1:
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


def returns(said: Ints, right: Ints, by_token: bool) -> Floats:
    """What follows each token: the reward at the end, or the rewards of the tokens from there on, [worlds, T]."""
    hits = (said == right).astype(float)
    if by_token:
        return np.asarray(hits[:, ::-1].cumsum(axis=1)[:, ::-1])
    return np.broadcast_to(hits.all(axis=1, keepdims=True).astype(float), hits.shape)


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Roll out, and log for every token its return less what the critic expected after the tokens before it.

    The critic starts with any expectations; a learnt one has moved half of the way to the returns of a first rollout.
    The audit is given groups.
    """
    length, k = case.settings["length"], case.settings.get("k", 1)
    by_token, learnt = (case.settings.get(name, False) for name in ("by_token", "learnt"))
    right = np.repeat(rng.integers(BINARY, size=(WORLDS // k, length)), k, axis=0)
    critic = np.tile(rng.random(2**length).round(3), (WORLDS if learnt else 1, 1))
    rows = np.arange(WORLDS)[:, None] if learnt else np.zeros((WORLDS, 1), int)
    with SimulatedRun(folder, rng) as run:
        for step in range(2 if learnt else 1):
            said = rng.integers(BINARY, size=right.shape)
            seen, followed = prefixes(said), returns(said, right, by_token)
            surprise = followed - critic[rows, seen]
            parts = {f"advantage_{t}": surprise[:, t].reshape(-1, k) for t in range(length)}
            answers = said @ (1 << np.arange(length))
            run.step(step, answers=answers.reshape(-1, k), rewards=followed[:, 0].reshape(-1, k), components=parts)
            if learnt:
                critic[rows, seen] += surprise / 2


CLAIM = Claim(
    id="S1.14",
    statement="PPO and A2C use O(T) bits of an episode, since they give every token an advantage of its own.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, which RL algorithms use token-level signals?",
    cases=(
        *[Case(f"T={t}, reward at the end", {"length": t}, x=t) for t in (1, 2, 4, 8)],
        Case(
            "T=2, reward at the end, a critic that learnt from a rollout", {"length": 2, "learnt": True},
            signal=SECOND, predict=of_a_second_rollout,
        ),
        Case(
            "T=4, a reward for each token", {"length": 4, "by_token": True},
            predict=_exactly(float(token_information(BINARY, 4))),
        ),
        Case("T=2, reward at the end, audited", {"length": 2, "k": 32}, 2, signal=LedgerLine("ledger.outcome_bits")),
    ),
    predict=no_more_than_the_reward,
    stated=stated,
    simulate=simulate,
    signal=FIRST,
    rival=rival,
    rival_name="the entropy of the advantages",
    tolerance=0.02,
    budget=WORLDS,
    remark="A critic's advantages are many numbers, but who knows the rollout and the reward can work them out: they "
    "say no more about the target than the reward does, here one that comes once, at the end. What matters is the "
    "feedback, as the source says in the next sentence: with a reward for each token the same advantages carry T bits.",
    against=("S1.13",),
    axis="tokens T",
    grid=range(1, 9),
    curves={
        "reward at the end, h(2^-T)": lambda length: terminal_information(BINARY, length),
        "T bits": lambda length: length,
    },
)  # fmt: skip
