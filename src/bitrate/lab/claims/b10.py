"""The absorbed bits of a log: how much likelier the right answers became, from the first visit to the last."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine
from bitrate.lab.worlds.learners import sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import entropy, surprisal
from bitrate.types import Prediction

WORLDS = 7_000
EVEN = (1 / 6,) * 6
#: A policy that favours one answer of six.
SURE = (0.6, 0.2, 0.05, 0.05, 0.05, 0.05)


def predict(case: Case) -> Prediction:
    """The mean over keys of log2(p last / p first)."""
    s = case.settings
    bits = float(np.dot(s["prior"], surprisal(s["start"])) - surprisal(s["last"]))
    return Prediction(bits, "exact", "bits/prompt", "docs/theory.md#ledger", ("one right answer",))


def stated(case: Case) -> Prediction:
    """No more than there is to hold: the entropy of the key."""
    bits = float(entropy(case.settings["prior"]))
    return Prediction(bits, "upper", "bits/prompt", "Barber and Agakov (2003): H(key) + E log2 p last")


def rival(case: Case) -> Prediction | None:
    """log2 V + log2 p last: as if training had begun with no answer likelier than another."""
    s = case.settings
    if s["start"] == EVEN:
        return None
    bits = float(np.log2(len(EVEN)) - surprisal(s["last"]))
    return Prediction(bits, "exact", "bits/prompt", "log2 V + log2 p last")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Two visits to every prompt: by the starting policy, and by one that has its own chance of the right answer."""
    s, task = case.settings, SingleAnswer(case.settings["prior"])
    targets, start = task.draw(WORLDS, rng), np.array(case.settings["start"])
    last = np.full((WORLDS, start.size), (1 - s["last"]) / (start.size - 1))
    last[np.arange(WORLDS), targets] = s["last"]
    with SimulatedRun(folder, rng) as run:
        for step, policy in enumerate((start, last)):
            answers = sample(policy, WORLDS, s["k"], rng)
            told = surprisal(np.broadcast_to(policy, last.shape)[np.arange(WORLDS), targets]) if s["logged"] else None
            run.step(
                step, answers=answers, rewards=task.score(targets, answers, rng), targets=targets,
                target_surprisal=told,
            )  # fmt: skip


def case(
    name: str, start: tuple[float, ...], last: float, *, logged: bool = False, prior: tuple[float, ...] | None = None
) -> Case:
    """Starting policy, chance of the right answer at the end, and whether the log holds how surprising targets were."""
    settings = {"prior": prior or start, "start": start, "last": last, "logged": logged, "k": 2 if logged else 96}
    name += ", surprisal logged" if logged else f", K={settings['k']}"
    return Case(name, settings, assumed=prior is None)


CLAIM = Claim(
    id="B10",
    statement="How much likelier the right answers of a key became, log2(p last / p first), is no more than the key's "
    "entropy.",
    source="bitrate, docs/theory.md#ledger; Barber and Agakov (2003), The IM algorithm",
    cases=(
        case("6 keys alike, at the end p=.9", EVEN, 0.9),
        case("keys as likely as a sure policy has them, at the end p=.9", SURE, 0.9),
        case("the same, forgotten: at the end p=.1", SURE, 0.1),
        case("keys as likely as a sure policy has them, at the end p=.9", SURE, 0.9, logged=True),
        case("6 keys alike, the starting policy sure of one, at the end p=.9", SURE, 0.9, logged=True, prior=EVEN),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=LedgerLine("ledger.absorbed_bits"),
    rival=rival,
    rival_name="log2 V + log2 p last, whatever the policy began with",
    tolerance=0.6,
    budget=192 * WORLDS,
    condition="keys are independent and as likely as the starting policy has them",
    remark="The policy at the end is a decoder of the key and the policy at the start its prior: the rise is a lower "
    "bound on the bits that the parameters hold, and cannot exceed what there is to know. A start that is sure of the "
    "wrong answers is no such prior: then it has more to unlearn than the key has bits. A rule that answers many "
    "prompts is counted once for each of them. Where the log holds how surprising each target was nothing is "
    "estimated, and two rollouts say more than 96 do otherwise.",
)
