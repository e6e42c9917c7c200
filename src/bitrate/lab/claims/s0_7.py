"""One good joke in many, and one bad joke in many: how long it takes to find out which."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Mean
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import OneBad, SingleAnswer, Task
from bitrate.theory import coupon_collector, expected_rollouts
from bitrate.types import Floats, Ints, Prediction

N = 16
WORLDS = 20_000
Found = Callable[[Ints, Ints, Floats], NDArray[np.bool_]]


def search(
    task: Task, targets: Ints, tell: Callable[[Ints], Ints], found: Found, folder: Path, rng: np.random.Generator
) -> None:
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


def predict(case: Case) -> Prediction:
    """1/mass until a rollout hits; N (1 + 1/2 + ... + 1/N) until examples have shown all that is good."""
    good = 1 if case.settings["task"] == "one good" else N - 1
    if case.settings["by"] == "examples":
        count = coupon_collector(good)
    else:
        count = expected_rollouts((good if case.settings["by"] == "success" else 1) / N)
    return Prediction(float(count), "exact", "rollouts or examples", "docs/theory.md#good-sets, S0.7")


def stated(case: Case) -> Prediction:
    """One good joke: one example, N rollouts. One bad joke: millions, that is, N or more, of either."""
    good = case.settings["task"] == "one good"
    count = 1 if good and case.settings["by"] == "examples" else N
    return Prediction(count, "exact" if good else "lower", "rollouts or examples", "Beirami, one joke among millions")


def rival(case: Case) -> Prediction | None:
    """To find the bad joke, see every joke once."""
    if case.settings["task"] == "one good" or case.settings["by"] == "success":
        return None
    return Prediction(N, "exact", "rollouts or examples", "N jokes, each seen once")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Uniform rollouts, or good jokes shown, until the target is known; or until the first success."""
    task: Task = SingleAnswer.uniform(N) if case.settings["task"] == "one good" else OneBad(N)
    targets = task.draw(WORLDS, rng)
    shown = np.zeros((WORLDS, N), dtype=bool)
    examples = case.settings["by"] == "examples"
    enough = 1 if case.settings["task"] == "one good" else N - 1
    telling = 1.0 if case.settings["by"] == "success" or enough == 1 else 0.0

    def tell(worlds: Ints) -> Ints:
        return task.label(targets[worlds], rng) if examples else rng.integers(N, size=worlds.size)

    def found(worlds: Ints, jokes: Ints, rewards: Floats) -> NDArray[np.bool_]:
        shown[worlds, jokes] = True
        return np.asarray(shown[worlds].sum(axis=1) == enough if examples else rewards == telling)

    search(task, targets, tell, found, folder, rng)


CLAIM = Claim(
    id="S0.7",
    statement="If one joke in millions is good, one example does what takes millions of rollouts; "
    "if one is bad, both need millions.",
    source="Beirami, O(1) bits per policy gradient update?, one joke among millions",
    cases=(
        Case("one good of 16, rollouts", {"task": "one good", "by": "rollouts"}),
        Case("one good of 16, examples", {"task": "one good", "by": "examples"}),
        Case("one bad of 16, rollouts", {"task": "one bad", "by": "rollouts"}),
        Case("one bad of 16, examples", {"task": "one bad", "by": "examples"}),
        Case("one bad of 16, until a good one is told", {"task": "one bad", "by": "success"}, assumed=False),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Mean("count(*)", "rollouts or examples until it is known", "rollouts or examples", spread=float(N)),
    rival=rival,
    rival_name="one look at each of N jokes finds the bad one",
    tolerance=1.0,
    budget=WORLDS * N,
    condition="it counts rollouts or examples until the bad joke is named; counted in reward, there is little to learn",
    remark="One good joke among N is found by N rollouts on average, and by one example. "
    "One bad joke is found by N rollouts too, but examples must show all the others first, which takes about N ln N. "
    "Whoever only wants good jokes has them nearly at once.",
)
