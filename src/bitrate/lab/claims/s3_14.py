"""A batch at a low pass rate: nothing, or a spike."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim, Panel
from bitrate.lab.claims.s3_3 import belief
from bitrate.lab.signals import Mean
from bitrate.lab.signals.group_gradients import Spike
from bitrate.lab.signals.pairs import Lead
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import expected_rollouts
from bitrate.types import Floats, Prediction

#: Rollouts of a case.
ROLLOUTS = 64_000
OTHERS = 3
EVEN = 0.5
SIZES = "Length of a gradient that is not 0, over that of the mean gradient"
NOTHING = Mean("(sum(abs(advantage)) = 0)::INT", "batches whose gradient is 0", "share of batches")


def something(p: float, batch: int) -> Floats:
    """Chance that a batch holds a success."""
    return np.asarray(-np.expm1(batch * np.log1p(-p)))


def empty(p: float, batch: int, assumed: bool = True) -> Case:
    """(1-p)^B of the batches have no success and, without a baseline, no gradient."""
    unit, share = "share of batches", float(1 - something(p, batch))
    return Case(
        f"batches without a gradient, B={batch}, p={p:g}", {"p": p, "batch": batch}, batch * p, assumed, NOTHING,
        predict=Prediction(share, "exact", unit, "docs/theory.md#gradient-noise, S3.14", ("no baseline",)),
        stated=Prediction(0.5, "lower", unit, "Dwarkesh: either you don't sample the correct answer at all"),
        rival=Prediction(1 - p, "exact", unit, "as of one rollout: 1-p"),
    )  # fmt: skip


def spike(p: float, batch: int, assumed: bool = True) -> Case:
    """The others are 1 / (1 - (1-p)^B) times the mean gradient: all of them point the same way."""
    times = float(expected_rollouts(something(p, batch)))
    return Case(
        f"size of the others, B={batch}, p={p:g}", {"p": p, "batch": batch}, batch * p, assumed, Spike(), SIZES,
        predict=Prediction(
            float(np.log2(times)), "exact", "doublings", "docs/theory.md#gradient-noise, S3.14", ("no baseline",)
        ),
        stated=Prediction(float(np.log2(3)), "lower", "doublings", "Dwarkesh: a giant spike, three times or more"),
        rival=Prediction(0.0, "exact", "doublings", "batches are about as large as their mean") if times > 2 else None,
    )  # fmt: skip


def length(p: float, batch: int) -> float:
    """Mean length of a gradient that is not 0, over the length of e_right - e_wrong's part that all share."""
    return float(p / something(p, batch) * (1 - p))


def against_even(p: float, batch: int) -> Case:
    """A spike beside an ordinary batch at even odds, in length and not in multiples of its own mean."""
    value, times = np.log2(length(p, batch) / length(EVEN, batch)), expected_rollouts(something(p, batch))
    return Case(
        f"length of the others beside a batch at p=.5, B={batch}, p={p:g}", {"p": p, "batch": batch, "beside": EVEN},
        assumed=False, signal=Lead("rare", Spike(absolute=True), "even", Spike(absolute=True)),
        predict=Prediction(float(value), "exact", "doublings", "docs/theory.md#gradient-noise, S3.14"),
        stated=Prediction(0.0, "lower", "doublings", "Dwarkesh: a giant spike, larger than other batches"),
        rival=Prediction(float(np.log2(times)), "exact", "doublings", "as many times as over its own mean"),
    )  # fmt: skip


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Batches of rollouts, one prompt of the log each, all of one policy and one right answer; no baseline."""
    p, batch = case.settings["p"], case.settings["batch"]
    task = SingleAnswer((1.0, *(0.0,) * OTHERS))
    runs = {"rare": p, "even": case.settings["beside"]} if "beside" in case.settings else {"": p}
    for run, rate in runs.items():
        (folder / run).mkdir(exist_ok=True)
        worlds = ROLLOUTS // batch // len(runs)
        collect(task, folder / run, rng=rng, worlds=worlds, k=batch, method=0.0, policy=belief(rate, OTHERS))


CLAIM = Claim(
    id="S3.14",
    statement="At a low pass rate a batch of rollouts gives nothing or a giant spike.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, on variance early in RL",
    cases=(
        empty(0.01, 8),
        empty(0.005, 32),
        empty(0.1, 32, assumed=False),
        spike(0.01, 8),
        spike(0.005, 32),
        spike(0.1, 32, assumed=False),
        against_even(0.01, 8),
    ),
    simulate=simulate,
    rival_name="the share of one rollout, 1-p; batches about as large as their mean",
    tolerance=0.5,
    budget=ROLLOUTS,
    condition="the batch expects less than a success, B p < 1, and a spike is large beside the mean gradient; beside a "
    "batch at p = .5 it is small",
    remark="Without a baseline (1-p)^B of the batches have no gradient at all, and the others are 1 / (1 - (1-p)^B) "
    "times the mean: 13 times at p = 1/100 with 8 rollouts, 3.6 times with 32, and no spike at all once a batch "
    "expects three successes. It is the ratio B p that says so, and not p. And the spike is giant beside a tiny mean "
    "only: one success among B moves the weights by 1/B of a score, half of what a batch at p = .5 does. What divides "
    "gradients by their running size makes it giant in fact. An empty batch carries little: -B log2(1-p) bits, .12 at "
    "p = 1/100 with 8.",
    against=("S3.8",),
    axis="successes expected in a batch, B p",
    log_axis=True,
    grid=np.geomspace(0.02, 6, 60),
    curves={
        "32 rollouts: (1-p)^B": lambda x: 1 - something(x / 32, 32),
        "8 rollouts: (1-p)^B": lambda x: 1 - something(x / 8, 8),
    },
    panels=(
        Panel(
            SIZES, "successes expected in a batch, B p",
            {"32 rollouts": lambda x: -np.log2(something(x / 32, 32))}, np.geomspace(0.02, 6, 60), True, "doublings",
        ),
    ),
)  # fmt: skip
