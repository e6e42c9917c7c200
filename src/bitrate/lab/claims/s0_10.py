"""A guide that points where good jokes may be: rollouts until the first success."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.claims.s0_7 import search
from bitrate.lab.signals import Mean
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import expected_rollouts
from bitrate.types import Floats, Ints, Prediction

N, LISTED = 16, 4
WORLDS = 20_000


def masses(case: Case) -> tuple[Floats, Floats]:
    """What the guided policy puts on the good joke where it is on the shortlist and where not, and how often each."""
    trust, hit = case.settings["trust"], case.settings["hit"]
    return np.array([trust / LISTED + (1 - trust) / N, (1 - trust) / N]), np.array([hit, 1 - hit])


def predict(case: Case) -> Prediction:
    """The mean of 1 / mass."""
    mass, chance = masses(case)
    value = float(chance[chance > 0] @ expected_rollouts(mass[chance > 0]))
    return Prediction(
        value, "exact", "rollouts", "docs/theory.md#search, S0.10", ("a policy that does not learn meanwhile",)
    )


def stated(case: Case) -> Prediction | None:
    """Fewer than the N rollouts without a guide."""
    if case.settings["hit"] <= LISTED / N:
        return None
    return Prediction(N, "upper", "rollouts", "Beirami, notes on exploration", ("the guide knows something",))


def rival(case: Case) -> Prediction:
    """The mean pass rate, as a dashboard shows it, turned over."""
    mass, chance = masses(case)
    return Prediction(float(1 / (chance @ mass)), "exact", "rollouts", "1 / mean pass rate")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Rollouts, from the guide's shortlist as often as it is trusted, until the good joke is told."""
    task = SingleAnswer.uniform(N)
    targets = task.draw(WORLDS, rng)
    # Jokes of each world in an order that has the good one first; a guide that misses lists the next ones.
    rest = rng.random((WORLDS, N))
    rest[np.arange(WORLDS), targets] = -1.0
    order = rest.argsort(axis=1)
    first = np.where(rng.random(WORLDS) < case.settings["hit"], 0, 1)

    def tell(worlds: Ints) -> Ints:
        listed = order[worlds, first[worlds] + rng.integers(LISTED, size=worlds.size)]
        guided = rng.random(worlds.size) < case.settings["trust"]
        return np.where(guided, listed, rng.integers(N, size=worlds.size))

    search(task, targets, tell, folder, rng)


CLAIM = Claim(
    id="S0.10",
    statement="Guided exploration can reduce the number of rollouts needed to find a rare good joke.",
    source="Beirami, O(1) bits per policy gradient update?, notes on exploration",
    cases=(
        Case("no guide, 1 good of 16", {"trust": 0.0, "hit": 0.25}),
        Case("a shortlist of 4 that always has it", {"trust": 1.0, "hit": 1.0}),
        Case("shortlist trusted half of the time", {"trust": 0.5, "hit": 1.0}),
        Case("the same, and it misses 1 time in 5", {"trust": 0.5, "hit": 0.8}),
        Case("the same, and it always misses", {"trust": 0.5, "hit": 0.0}),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Mean("count(*)", "rollouts until the first success", "rollouts", spread=float(N)),
    rival=rival,
    rival_name="one over the mean pass rate",
    tolerance=1.0,
    budget=WORLDS * N,
    remark="The search takes one over the probability that the guided policy puts on the good joke. "
    "A shortlist of four instead of sixteen saves three rollouts in four. A guide that is sometimes wrong costs more "
    "than its mean pass rate suggests, since the worlds it misses take longest; one that is always wrong is worse "
    "than none.",
)
