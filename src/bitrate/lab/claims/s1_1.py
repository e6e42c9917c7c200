"""What a label and a reward carry as an episode grows: all that is written, or what it says of the answer."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, LedgerLine
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import entropy, label_information, outcome_information, token_information
from bitrate.types import Estimate, Prediction

WORLDS = 40_000
V = 4
UNIFORM = (1 / V,) * V
#: What is asked of an episode, and how it is measured.
WRITTEN = Information(of="answers", about="answers")
USEFUL = Information(of="answers", about="target")
REWARDED = Information(of="feedback", about="target")
AUDITED = LedgerLine("ledger.outcome_bits")
ASSUMPTIONS = ("the answer is the last token", "all other tokens are free and uniform")


def _exactly(bits: float) -> Prediction:
    return Prediction(bits, "exact", "bits/episode", "docs/theory.md#outcome, S1.1", ASSUMPTIONS)


def stated_of_labels(case: Case) -> Prediction:
    """The source's line: log2 V for every token of a label."""
    bits = case.settings["tokens"] * float(entropy(UNIFORM))
    return Prediction(bits, "exact", "bits/episode", "jeff, figure 1: O(tokens) bits an episode")


def written(tokens: int) -> Case:
    """A label counted by all that it writes, T log2 V."""
    bits = _exactly(tokens * float(entropy(UNIFORM)))
    return Case(f"a label of {tokens} tokens", {"tokens": tokens}, x=tokens, signal=WRITTEN, predict=bits,
                stated=stated_of_labels)  # fmt: skip


def useful(tokens: int) -> Case:
    """A label counted by what it says of the answer, log2 V."""
    bits = _exactly(float(label_information(1 / V, V - 1)))
    return Case(f"{tokens} tokens, about the answer", {"tokens": tokens}, x=tokens, assumed=False, signal=USEFUL,
                predict=bits, stated=stated_of_labels)  # fmt: skip


def rewarded(name: str, tokens: int, k: int, signal: Callable[[Path], Estimate]) -> Case:
    """A reward carries h(1/V). The rival spreads it over all tokens of the gradient, as if each had been scored."""
    return Case(
        name, {"tokens": tokens, "k": k, "rewarded": True}, x=tokens, signal=signal,
        predict=_exactly(float(outcome_information(UNIFORM, UNIFORM))),
        stated=Prediction(1.0, "upper", "bits/episode", "jeff, figure 1: O(1) bits an episode"),
        rival=Prediction(float(token_information(V, tokens)), "exact", "bits/episode", "T h(1/V)"),
    )  # fmt: skip


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Texts of T tokens: a label ends in the right answer, a rollout in any."""
    s = case.settings
    task, k = SingleAnswer.uniform(V), s.get("k", 1)
    targets = task.draw(WORLDS // k, rng)
    texts = rng.integers(V, size=(targets.size, k, s["tokens"]))
    if s.get("rewarded"):
        rewards = task.score(targets, texts[:, :, -1], rng)
    else:
        texts[:, 0, -1] = task.label(targets, rng)
        rewards = np.ones((targets.size, k))
    with SimulatedRun(folder, rng) as run:
        as_number = texts @ V ** np.arange(s["tokens"])
        run.step(0, answers=as_number, rewards=rewards, targets=targets, tokens=s["tokens"])


CLAIM = Claim(
    id="S1.1",
    statement="An episode of supervised fine-tuning supplies bits in proportion to its tokens, one of RL at most one.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, figure 1, after Schulman, LoRA Without Regret",
    cases=(
        *map(written, (2, 3, 5)),
        *map(useful, (2, 4)),
        rewarded("a reward for 4 tokens", 4, 1, REWARDED),
        rewarded("a reward for 6 tokens, audited", 6, 8, AUDITED),
    ),
    simulate=simulate,
    rival_name="a reward counted once for every token",
    tolerance=0.05,
    budget=WORLDS,
    condition="all that the text says is counted, and not what it says about the answer",
    remark="Every token of a label is a surprise, and the total grows with the length. What it says about the answer "
    "does not grow: here it is log2 V bits at any length, the rest is one way of many to put it. How much of the rest "
    "is worth learning depends on what one wants: a style is learnt from all tokens, a key from the last.",
    against=("S0.8",),
    axis="tokens T",
    grid=range(1, 7),
    curves={
        "label: all that is written": lambda length: length * float(entropy(UNIFORM)),
        "label: what it says of the answer": float(label_information(1 / V, V - 1)),
        "reward for every token": lambda length: token_information(V, length),
        "one reward": float(outcome_information(UNIFORM, UNIFORM)),
    },
)
