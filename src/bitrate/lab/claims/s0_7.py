"""One good joke in many, and one bad joke in many: how long it takes to find out which."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Mean
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import OneBad, SingleAnswer, Task
from bitrate.theory import coupon_collector, expected_rollouts
from bitrate.types import Bools, Floats, Ints, Kind, Prediction

N = 16
WORLDS = 20_000
UNIT = "rollouts or examples"
Found = Callable[[Ints, Ints, Floats], Bools]


def right(worlds: Ints, jokes: Ints, rewards: Floats) -> Bools:
    """Worlds whose joke was good."""
    return np.asarray(rewards == 1.0)


def search(
    task: Task, targets: Ints, tell: Callable[[Ints], Ints], folder: Path, rng: np.random.Generator,
    found: Found = right,
) -> None:  # fmt: skip
    """One rollout or example a step in each world, until the world has found what it looks for.

    ``tell(worlds)`` gives the next joke of each world, ``found(worlds, jokes, rewards)`` says which worlds are done.
    """
    worlds, step = np.arange(targets.size), 0
    with SimulatedRun(folder, rng) as run:
        while worlds.size:
            jokes = tell(worlds)
            rewards = task.score(targets[worlds], jokes[:, None], rng)
            run.step(step, answers=jokes[:, None], rewards=rewards, targets=targets[worlds], prompts=worlds)
            worlds, step = worlds[~found(worlds, jokes, rewards[:, 0])], step + 1


def said(count: int, kind: Kind) -> Prediction:
    """What the source says of a search."""
    return Prediction(count, kind, UNIT, "Beirami, one joke among millions")


def case(name: str, task: Task, count: Floats, stated: Prediction, rival: Prediction | None = None, **how: Any) -> Case:
    """A search: mean rollouts, 1/mass, or mean examples, N (1 + 1/2 + ... + 1/N); what the source and the rival say.

    It is over when a rollout earns ``until``, or when so many different examples were ``shown``.
    """
    exact = Prediction(float(count), "exact", UNIT, "docs/theory.md#good-sets, S0.7")
    return Case(name, {"task": task, **how}, predict=exact, stated=stated, rival=rival)


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Uniform rollouts, or good jokes shown, until the target is known; or until the first success."""
    task, enough = case.settings["task"], case.settings.get("shown")
    targets = task.draw(WORLDS, rng)
    shown = np.zeros((WORLDS, N), dtype=bool)

    def tell(worlds: Ints) -> Ints:
        return task.label(targets[worlds], rng) if enough else rng.integers(N, size=worlds.size)

    def found(worlds: Ints, jokes: Ints, rewards: Floats) -> Bools:
        shown[worlds, jokes] = True
        return np.asarray(shown[worlds].sum(axis=1) == enough if enough else rewards == case.settings["until"])

    search(task, targets, tell, folder, rng, found)


GOOD, BAD = SingleAnswer.uniform(N), OneBad(N)
#: The source: one good joke takes one example or N rollouts; one bad joke millions, that is, N or more, of either.
MILLIONS = said(N, "lower")
EACH_ONCE = Prediction(N, "exact", UNIT, "N jokes, each seen once")
CLAIM = Claim(
    id="S0.7",
    statement="If one joke in millions is good, one example does what takes millions of rollouts; "
    "if one is bad, both need millions.",
    source="Beirami, O(1) bits per policy gradient update?, one joke among millions",
    cases=(
        case("one good of 16, rollouts", GOOD, expected_rollouts(1 / N), said(N, "exact"), until=1.0),
        case("one good of 16, examples", GOOD, coupon_collector(1), said(1, "exact"), shown=1),
        case("one bad of 16, rollouts", BAD, expected_rollouts(1 / N), MILLIONS, EACH_ONCE, until=0.0),
        case("one bad of 16, examples", BAD, coupon_collector(N - 1), MILLIONS, EACH_ONCE, shown=N - 1),
        replace(
            case("one bad of 16, until a good one is told", BAD, expected_rollouts((N - 1) / N), MILLIONS, until=1.0),
            assumed=False,
        ),
    ),
    simulate=simulate,
    signal=Mean("count(*)", "rollouts or examples until it is known", UNIT, spread=float(N)),
    rival_name="one look at each of N jokes finds the bad one",
    tolerance=1.0,
    budget=WORLDS * N,
    condition="it counts rollouts or examples until the bad joke is named; counted in reward, there is little to learn",
    remark="One good joke among N is found by N rollouts on average, and by one example. "
    "One bad joke is found by N rollouts too, but examples must show all the others first, which takes about N ln N. "
    "Whoever only wants good jokes has them nearly at once.",
)
