"""Labels can be turned into rewards by throwing away; can rewards be turned into labels?"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s3_3 import belief
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.signals.pairs import Lead, Signal
from bitrate.lab.worlds.learners import Baseline, collect
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import GoodSet, SingleAnswer, Task
from bitrate.theory import (
    binary_entropy,
    fixed_set_rollout,
    label_information,
    rejection_sampling_information,
    sampled_guess_information,
)
from bitrate.types import Floats, Kind, Prediction

WORLDS, UNIT = 25_000, "bits/prompt"
REWARD = Unresolved(of="scores", given="answers")
Write = Callable[[Path, np.random.Generator], None]


def run(task: Task, method: Baseline, policy: Floats | None = None) -> Write:
    """Labels that are shown (``"sft"``), or scored rollouts."""
    return lambda folder, rng: collect(task, folder, rng=rng, worlds=WORLDS, method=method, policy=policy)


def scored_by_labels(options: tuple[float, ...]) -> Write:
    """Guesses sampled from the belief, each scored by comparing it with a label and in no other way."""

    def write(folder: Path, rng: np.random.Generator) -> None:
        task = SingleAnswer(options)
        labels = task.label(task.draw(WORLDS, rng), rng)
        guesses = rng.choice(len(options), size=WORLDS, p=options)
        with SimulatedRun(folder, rng) as log:
            log.step(0, answers=guesses[:, None], rewards=(guesses == labels)[:, None])

    return write


def beside_an_example(good: int) -> Write:
    """A good joke is shown and any joke is guessed: both are the answer, scored as the guess is."""

    def write(folder: Path, rng: np.random.Generator) -> None:
        task = GoodSet(8, size=good)
        targets = task.draw(WORLDS, rng)
        shown, guess = task.label(targets, rng), rng.integers(8, size=WORLDS)
        with SimulatedRun(folder, rng) as log:
            log.step(0, answers=(8 * shown + guess)[:, None], rewards=task.score(targets, guess[:, None], rng))

    return write


def case(
    name: str, bits: Floats | float, said: tuple[float, Kind], other: float, signal: Signal, assumed: bool = True,
    **runs: Write,
) -> Case:  # fmt: skip
    """Bits that one run has and the other has not; what the source says, and the rival."""
    return Case(
        name, {"runs": runs}, assumed=assumed, signal=signal,
        predict=Prediction(float(bits), "exact", UNIT, "docs/theory.md#labels, S4.9", ("labels without errors",)),
        stated=Prediction(*said, UNIT, "Contra Dwarkesh: by discarding information, not the other way around"),
        rival=Prediction(float(other), "exact", UNIT, "nothing is discarded, or nothing is left"),
    )  # fmt: skip


def made(p: float, others: int) -> Case:
    """Rewards that were worked out from labels less those of a verifier."""
    options = belief(p, others)
    bits = float(sampled_guess_information(p, others))
    return case(
        f"rewards made of labels less verified ones, p={p:g}, K={others}", 0.0, (0.0, "exact"), bits,
        Lead("made", REWARD, "verified", REWARD),
        made=scored_by_labels(options), verified=run(SingleAnswer(options), 0.0, np.array(options)),
    )  # fmt: skip


def discarded(p: float, others: int, assumed: bool = True) -> Case:
    """A label less the reward of the answer that is believed most. The source: something is lost."""
    task, bits = SingleAnswer(belief(p, others)), float(label_information(p, others) - binary_entropy(p))
    return case(
        f"a label less the reward of a guess, p={p:g}, K={others}", bits, (0.05, "lower"),
        0.0 if assumed else float(binary_entropy(p)), Lead("labels", Information(of="answers"), "guesses", REWARD),
        assumed, labels=run(task, "sft"), guesses=run(task, 0.0, np.eye(1 + others)[0]),
    )  # fmt: skip


def unknown(good: int) -> Case:
    """What an example of a set leaves open of the reward of another guess. The source: a label says it."""
    bits = (1 - 1 / 8) * binary_entropy((good - 1) / 7)  # unless the guess is the example
    return case(
        f"reward of a guess, given an example, {good} of 8 good", bits, (0.0, "exact"),
        float(fixed_set_rollout(8, good)),
        REWARD, False, alone=beside_an_example(good),
    )  # fmt: skip


def dropped(good: int) -> Case:
    """Rollouts less what is left of them when failures are thrown away: h(alpha) - alpha log2(1/alpha)."""
    task, alpha = GoodSet(8, size=good), good / 8
    return case(
        f"rollouts less their successes, {good} of 8 good",
        binary_entropy(alpha) - rejection_sampling_information(alpha), (0.05, "lower"), 0.0,
        Lead("kept", Information(of="update"), "dropped", Information(of="update")),
        kept=run(task, 0.5), dropped=run(task, 0.0),
    )  # fmt: skip


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Each run in worlds of its own."""
    for name, write in case.settings["runs"].items():
        (folder / name).mkdir()
        write(folder / name, rng)


CLAIM = Claim(
    id="S4.9",
    statement="Supervised learning can always be turned into RL by discarding information, and not the other way "
    "around.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, the corrected statement",
    cases=(
        *[made(p, k) for p, k in ((0.5, 3), (0.7, 1))],
        *[discarded(p, 3) for p in (0.5, 0.9)],
        *[dropped(good) for good in (1, 4)],
        discarded(0.7, 1, assumed=False),
        *[unknown(good) for good in (3, 6)],
    ),
    simulate=simulate,
    rival_name="nothing is discarded, or nothing is left",
    tolerance=0.06,
    budget=2 * WORLDS,
    condition="one answer is right, so that a label scores any guess, and there are more than two options",
    remark="With one right answer the reward of any guess can be worked out from the label: same bits as a verifier's, "
    "and (1-p) log2 K of the label are thrown away. With two options nothing is: a wrong guess names the label, and "
    "RL can be turned into supervised learning. Where many answers are right, an example does not say whether another "
    "guess is good, and no discarding makes an RL run of it. Poor man's RL discards once more: a run of rollouts of "
    "which only the successes are kept has lost (1-alpha) log2(1/(1-alpha)) of its h(alpha) bits (S0.12).",
    against=("S0.6",),
)  # fmt: skip
