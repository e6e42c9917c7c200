"""The key bits of a log: what it said of the answer key that a prompt was solved for the first time."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine
from bitrate.lab.worlds.learners import sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import entropy, surprisal
from bitrate.types import Floats, Prediction

WORLDS = 10_000
#: A policy that favours one answer of six.
SURE = (0.6, 0.2, 0.05, 0.05, 0.05, 0.05)


def found(case: Case) -> Floats:
    """Chance that a prompt is solved in all its visits, by its right answer."""
    s, policy = case.settings, np.array(case.settings["policy"])
    again = (1 - s["later"]) ** s["k"] if "later" in s else 1.0
    return np.asarray(1 - (1 - policy) ** s["k"] * again)


def predict(case: Case) -> Prediction:
    """The mean over keys of log2(1/p0), where the prompt is solved; p0 the policy's chance at the first visit."""
    bits = float(np.dot(case.settings["prior"], found(case) * surprisal(case.settings["policy"])))
    return Prediction(
        bits, "exact", "bits/prompt", "docs/theory.md#outcome, S1.3, and docs/theory.md#logs", ("one right answer",)
    )


def stated(case: Case) -> Prediction:
    """No more than there is to know: the entropy of the key."""
    bits = float(entropy(case.settings["prior"]))
    return Prediction(bits, "upper", "bits/prompt", "H(key)", ("keys as likely as the policy samples them",))


def rival(case: Case) -> Prediction:
    """Solved or not is one bit: a bit for every prompt that was."""
    bits = float(np.dot(case.settings["prior"], found(case)))
    return Prediction(bits, "exact", "bits/prompt", "1 bit a prompt solved")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """A group for each prompt from one policy; of a second visit the policy's chance is another."""
    s, task = case.settings, SingleAnswer(case.settings["prior"])
    targets = task.draw(WORLDS, rng)
    with SimulatedRun(folder, rng) as run:
        answers = sample(np.array(s["policy"]), WORLDS, s["k"], rng)
        run.step(0, answers=answers, rewards=task.score(targets, answers, rng), targets=targets)
        if "later" in s:
            wrong = (targets[:, None] + 1) % task.answers
            answers = np.where(rng.random(answers.shape) < s["later"], targets[:, None], wrong)
            run.step(1, answers=answers, rewards=task.score(targets, answers, rng), targets=targets)


def alike(answers: int, k: int, **more: float) -> dict[str, object]:
    """Keys and policy uniform over the answers."""
    even = (1 / answers,) * answers
    return {"prior": even, "policy": even, "k": k, **more}


CLAIM = Claim(
    id="B9",
    statement="What first successes say of an answer key, log2(1/p0) for every prompt that was solved, is no more than "
    "the key's entropy.",
    source="bitrate, docs/theory.md#outcome, S1.3, and docs/theory.md#logs",
    cases=(
        *[Case(f"V={v}, K={k}", alike(v, k)) for v, k in ((4, 8), (8, 8), (16, 32))],
        Case("V=16, K=16, and again at p=.02", alike(16, 16, later=0.02)),
        Case("keys as likely as a sure policy has them, K=32", {"prior": SURE, "policy": SURE, "k": 32}),
        Case("6 keys alike, the policy sure of one, K=32", {"prior": (1 / 6,) * 6, "policy": SURE, "k": 32},
             assumed=False),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=LedgerLine("ledger.key_bits"),
    rival=rival,
    rival_name="one bit for every prompt that was solved",
    tolerance=0.12,
    budget=32 * WORLDS,
    condition="keys are as likely as the policy samples them; a policy surer than it should be pays for rare answers "
    "more than they tell",
    remark="A success that had the chance p0 to come names one answer of what was worth 1/p0 alike: log2(1/p0) bits, "
    "much more than one where successes are rare. What failures said before it is not in this line, so it is less "
    "than what was received. p0 is the policy's: as a measure of what was learnt it needs a policy that samples what "
    "it believes.",
)  # fmt: skip
