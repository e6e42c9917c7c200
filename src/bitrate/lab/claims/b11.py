"""The generalised bits of a log: what was gained on prompts that were not trained on."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine
from bitrate.lab.worlds.learners import sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import outcome_information, surprisal
from bitrate.types import Floats, Prediction

PROMPTS, ANSWERS = 4_200, 8
#: Without an evaluation split: prompts that are new in a step, and pass rates at first visits in thirds of the run.
NEW, STEPS, AGAIN = 1_500, 9, 0.95


def predict(case: Case) -> Prediction:
    """The fall of the surprisal of right answers on prompts held out."""
    early, late = case.settings["held"]
    bits = float(surprisal(early) - surprisal(late))
    return Prediction(bits, "exact", "bits/prompt", "docs/theory.md#ledger", ("pass rates as planted",))


def rival(case: Case) -> Prediction:
    """The gain on prompts that were trained on; of a rule, what was received, for each prompt."""
    early, late = case.settings["trained"]
    if case.settings.get("rule"):
        received = float(outcome_information([early, 1 - early], [early, 1 - early]))
        return Prediction(received / PROMPTS, "upper", "bits/prompt", "no more than was received")
    return Prediction(float(surprisal(early) - surprisal(late)), "exact", "bits/prompt", "gain on trained prompts")


def right_with(chance: float, targets: np.ndarray, answers: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """Answers [prompts, k] of policies that give the target a chance and the others the rest."""
    policy: Floats = np.full((targets.size, answers), (1 - chance) / (answers - 1))
    policy[np.arange(targets.size), targets] = chance
    return sample(policy, targets.size, k, rng)


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """An evaluation split beside the training split, at both ends of a run; or new prompts at every step."""
    s = case.settings
    if "middle" in s:
        first_visits(case, folder, rng)
        return
    # A rule labels all prompts; the reward of one of two rollouts tells which of two rules it is.
    answers, trained = (2, 2) if s.get("rule") else (ANSWERS, PROMPTS)
    with SimulatedRun(folder, rng) as run:
        for step in range(2):
            for split, rates, number, offset in (
                ("train", s["trained"], trained, 0), ("eval", s["held"], PROMPTS, trained),
            ):  # fmt: skip
                ids = offset + np.arange(number)
                targets = ids % answers
                said = right_with(rates[step], targets, answers, s["k"], rng)
                told = np.full(number, float(surprisal(rates[step]))) if s["logged"] else None
                run.step(
                    step, answers=said, rewards=said == targets[:, None], targets=targets, prompts=ids,
                    runs=np.zeros(number, int), split=split, target_surprisal=told,
                )  # fmt: skip


def first_visits(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """New prompts at every step, passed more and more often, and each again at the next step."""
    early, late = case.settings["held"]
    thirds = np.repeat((early, case.settings["middle"], late), STEPS // 3)
    with SimulatedRun(folder, rng) as run:
        for step in range(STEPS + 1):
            for when, rate in ((step, thirds[min(step, STEPS - 1)]), (step - 1, AGAIN)):
                if 0 <= when < STEPS:
                    ids = when * NEW + np.arange(NEW)
                    said = right_with(float(rate), ids % ANSWERS, ANSWERS, case.settings["k"], rng)
                    run.step(step, answers=said, rewards=said == ids[:, None] % ANSWERS, prompts=ids)


def case(
    name: str, held: tuple[float, float], trained: tuple[float, float], *, logged: bool = False, **more: object
) -> Case:
    """Pass rates at both ends of the run, on prompts held out and on those trained on."""
    settings = {"held": held, "trained": trained, "logged": logged, "k": 1 if logged else 32, **more}
    return Case(name, settings)


CLAIM = Claim(
    id="B11",
    statement="What training gains on prompts held out is log2(p late / p early) of those prompts, whatever trained "
    "prompts gained and however few bits were received.",
    source="bitrate, docs/theory.md#ledger",
    cases=(
        case("held out .125 to .5, trained on .125 to .95", (0.125, 0.5), (0.125, 0.95)),
        case("held out .25 as before, trained on .25 to .95", (0.25, 0.25), (0.25, 0.95)),
        case("held out .5 to .2, trained on .5 to .9", (0.5, 0.2), (0.5, 0.9)),
        case("first visits .125 early, .5 late, second visits .95", (0.125, 0.5), (0.125, AGAIN), middle=0.25),
        case("held out .125 to .5, surprisal logged", (0.125, 0.5), (0.125, 0.9), logged=True),
        case("one of two rules, told by 2 rollouts", (0.5, 1.0), (0.5, 1.0), logged=True, rule=True),
    ),
    predict=predict,
    simulate=simulate,
    signal=LedgerLine("ledger.generalised_bits"),
    rival=rival,
    rival_name="the gain on trained prompts; no more than was received",
    tolerance=0.6,
    budget=240 * PROMPTS,
    remark="What was memorised is no gain for other prompts, and may cost them some. The line is no bound and has "
    "none: one reward that tells which of two rules is right is one bit, and it takes a bit off the surprisal of "
    "every prompt that the rule answers.",
)
