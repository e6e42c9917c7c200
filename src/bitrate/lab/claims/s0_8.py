"""Jokes of one token and of a hundred: the length cancels."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import fixed_set_positive_example, fixed_set_rollout, surprisal
from bitrate.types import Prediction

WORLDS = 80_000
LETTERS = np.array(list("abcdefgh"))
USEFUL = Information(of="answers")
NUISANCE = Unresolved(of="answers", given="target")
REWARD = Information(of="feedback")


def predict(case: Case) -> Prediction:
    """log2(N/K) useful bits in an example, log2 K nuisance; h(K/N) in a rollout. No T."""
    n, size = case.settings["n"], case.settings["size"]
    if case.signal is REWARD:
        bits = float(fixed_set_rollout(n, size))
    else:
        bits = float(fixed_set_positive_example(n, size))
        if case.signal is NUISANCE:
            bits = float(surprisal(1 / n)) - bits
    return Prediction(bits, "exact", "bits", "docs/theory.md#outcome, S0.8", ("exactly K good jokes",))


def rival(case: Case) -> Prediction | None:
    """All the surprisal of the text, T bits where every text of T binary tokens is a joke."""
    if case.signal is not USEFUL:
        return None
    return Prediction(float(surprisal(1 / case.settings["n"])), "exact", "bits", "log2 N")


def jokes(n: int, tokens: int, rng: np.random.Generator) -> NDArray[np.str_]:
    """N different texts: all of two letters where there are just N of this length, else at random."""
    if n == 2**tokens:
        letters = LETTERS[(np.arange(n)[:, None] >> np.arange(tokens)) & 1]
    else:
        # The first token differs; the rest is anything.
        letters = np.column_stack([LETTERS[:n], rng.choice(LETTERS, size=(n, tokens - 1))])
    return np.array(["".join(row) for row in letters])


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One example, or one uniform rollout, in each world, as text."""
    task = GoodSet(case.settings["n"], size=case.settings["size"])
    texts = jokes(task.answers, case.settings["tokens"], rng)
    targets = task.draw(WORLDS, rng)
    told = rng.integers(task.answers, size=WORLDS) if case.signal is REWARD else task.label(targets, rng)
    rewards = task.score(targets, told[:, None], rng)
    with SimulatedRun(folder, rng) as run:
        said, tokens = texts[told][:, None], case.settings["tokens"]
        run.step(0, answers=said, rewards=rewards, targets=targets, tokens=tokens)


CLAIM = Claim(
    id="S0.8",
    statement="The number of tokens of a joke appears nowhere: neither an example nor a rollout carries O(T) bits.",
    source="Beirami, O(1) bits per policy gradient update?, notes",
    cases=(
        Case("example of 1 token, 2 of 8 good", {"n": 8, "size": 2, "tokens": 1}, signal=USEFUL),
        Case("example of 100 tokens, 2 of 8 good", {"n": 8, "size": 2, "tokens": 100}, signal=USEFUL),
        Case("rollout of 1 token, 2 of 8 good", {"n": 8, "size": 2, "tokens": 1}, signal=REWARD),
        Case("rollout of 100 tokens, 2 of 8 good", {"n": 8, "size": 2, "tokens": 100}, signal=REWARD),
        Case("every text of 2 binary tokens, 1 of 4 good", {"n": 4, "size": 1, "tokens": 2}, signal=USEFUL),
        Case("every text of 4 binary tokens, 4 of 16 good", {"n": 16, "size": 4, "tokens": 4}, signal=USEFUL),
        Case("the same: which of the 4 was shown", {"n": 16, "size": 4, "tokens": 4}, signal=NUISANCE),
    ),
    predict=predict,
    simulate=simulate,
    rival=rival,
    rival_name="an example carries its surprisal, log2 N",
    tolerance=0.02,
    budget=WORLDS,
    remark="O(T) counts the whole surprisal of a text: log2 N, which is T bits where every text of T binary tokens "
    "is a joke. Of these, log2(N/K) bits say what is good, and log2 K say which good joke it happened to be. "
    "Longer texts add only to the second part when the share of good ones stays the same.",
    against=("S1.1",),
)
