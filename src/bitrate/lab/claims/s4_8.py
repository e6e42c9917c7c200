"""One soft label against an entire training run of RL, in bits."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.signals.pairs import Lead
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import distillation_capacity, group_information_given_distinct, surprisal
from bitrate.types import Floats, Ints, Prediction

WORLDS, UNIT = 8_000, "bits"
MESSAGE, ABOUT = Unresolved(of="answers", given="scores"), Information(of="answers")
RUN = Unresolved(of="scores", given="answers")
#: Answers and rewards, both [worlds, rollouts], of runs that are alike but for their targets.
Runs = Callable[[np.random.Generator], tuple[Ints, Floats]]


def fair(rollouts: int) -> Runs:
    """Rollouts about as many questions, each right at even odds: 1 bit each, which is the most."""
    return lambda rng: (
        np.tile(np.arange(rollouts), (WORLDS, 1)),
        rng.integers(2, size=(WORLDS, rollouts)).astype(float),
    )


def search(vocabulary: int, tries: int, prompts: int = 1) -> Runs:
    """So many different answers to each prompt, one of ``vocabulary`` right."""

    def runs(rng: np.random.Generator) -> tuple[Ints, Floats]:
        tried = np.tile(np.arange(tries), prompts)
        right = np.repeat(rng.integers(vocabulary, size=(WORLDS, prompts)), tries, axis=1)
        answers = np.repeat(np.arange(prompts), tries) * vocabulary + tried
        return np.tile(answers, (WORLDS, 1)), np.asarray(tried == right, float)

    return runs


def anything(vocabulary: int, run: str, rollouts: int) -> Case:
    """A message of logits that may be anything, 1 bit each, against a run of fair rollouts."""
    bits = float(distillation_capacity(vocabulary, 1)) - rollouts

    def messages(targets: Ints, rng: np.random.Generator) -> Ints:
        return rng.integers(2**vocabulary, size=targets.size)

    return Case(
        f"any logits, V={vocabulary} of 1 bit, {run}",
        {"vocabulary": vocabulary, "messages": messages, "run": fair(rollouts)}, x=rollouts, assumed=bits > 0,
        signal=Lead("soft label", MESSAGE, "run", RUN), predict=_exactly(bits),
        rival=Prediction(float(np.log2(vocabulary)) - rollouts, "exact", UNIT, "a soft label says log2 V"),
    )  # fmt: skip


def about_the_answer(vocabulary: int, run: str, tries: int, prompts: int = 1) -> Case:
    """A sure teacher's logits, which say which answer is right, against a run that searches for right answers."""
    searched = prompts * float(group_information_given_distinct(vocabulary, tries))
    return Case(
        f"about right answers, V={vocabulary}, {run}",
        {"vocabulary": vocabulary, "messages": lambda targets, _: targets, "run": search(vocabulary, tries, prompts)},
        assumed=False, signal=Lead("soft label", ABOUT, "run", RUN),
        predict=_exactly(float(surprisal(1 / vocabulary)) - searched),
        rival=Prediction(
            float(distillation_capacity(vocabulary, 1)) - searched, "exact", UNIT, "all capacity is about answers"
        ),
    )  # fmt: skip


def _exactly(bits: float) -> Prediction:
    return Prediction(bits, "exact", UNIT, "docs/theory.md#distillation, S4.8", ("answers alike", "no errors"))


def stated(case: Case) -> Prediction:
    """More bits, by a tenth at least."""
    return Prediction(0.1, "lower", UNIT, "Contra Dwarkesh: more information than an entire training run of RL")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """In each world one message of a teacher, and elsewhere one training run, a rollout a step."""
    s = case.settings
    targets = rng.integers(s["vocabulary"], size=WORLDS)
    (folder / "soft label").mkdir()
    with SimulatedRun(folder / "soft label", rng) as log:
        told = s["messages"](targets, rng)[:, None]
        log.step(0, answers=told, rewards=np.ones((WORLDS, 1)), targets=targets)
    (folder / "run").mkdir()
    with SimulatedRun(folder / "run", rng) as log:
        answers, rewards = s["run"](rng)
        log.step(0, answers=answers, rewards=rewards)


CLAIM = Claim(
    id="S4.8",
    statement="A single update of soft distillation communicates more information than an entire training run of RL.",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, section Information content of labels",
    cases=(
        anything(8, "a run of 4 rollouts", 4),
        anything(8, "a run of 7 rollouts", 7),
        anything(8, "a run of 10 rollouts", 10),
        about_the_answer(16, "a run of 4 tries", 4),
        about_the_answer(16, "a run that finds it", 15),
        about_the_answer(4, "a run that finds three of them", 3, prompts=3),
    ),
    stated=stated,
    simulate=simulate,
    rival_name="a soft label says log2 V of anything; or all that it could say is about answers",
    tolerance=0.1,
    budget=WORLDS * 10,
    condition="the capacity of the message is meant, and the run has fewer rollouts than the vocabulary times the "
    "bits of a logit; about right answers it says log2 V at most, as a run does that finds one",
    remark="As a message it can: 50,000 logits of 16 bits are 800,000, and a run of 320,000 rollouts carries less, as "
    "would any of fewer than 800,000. About what is to be learned it does not: the soft label is about one prompt and "
    "says which answer is right, log2 V bits at most, and so does a run by the time it has found that answer. A run "
    "that finds the answers of several prompts carries more than one soft label does. The source says as much: nobody "
    "cares about the total.",
    against=("S4.5", "S3.5"),
    axis="rollouts of the run",
    grid=range(0, 17),
    curves={"logits that may be anything, V=8 of 1 bit": lambda r: 8.0 - r, "a sure teacher, V=8": lambda r: 3.0 - r},
)
