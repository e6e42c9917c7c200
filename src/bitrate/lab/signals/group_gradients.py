"""Gradients of groups of rollouts under one tabular softmax policy: what a baseline does to them, how they jump.

The policy is the share of each answer in the log. A group's gradient is the mean over its rollouts of
``A (e_answer - policy)``, A the logged advantage, or the bare reward where no baseline is subtracted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.logs.engines import duck
from bitrate.stats import cluster_ratio
from bitrate.types import Estimate, Floats

#: Of each group and answer: how often it was said, and the sums of its rewards and advantages.
SUMS = """
SELECT dense_rank() OVER (ORDER BY world) - 1, dense_rank() OVER (ORDER BY answer) - 1, n, reward, advantage FROM (
    SELECT world, answer, count(*) AS n, sum(reward) AS reward, sum(advantage) AS advantage FROM rollouts
    GROUP BY world, answer)
ORDER BY ALL
"""


class Groups(NamedTuple):
    """Gradients [groups, answers] of one kind of advantage, the mean advantage of each group, and answers' shares."""

    gradient: Floats
    weight: Floats
    said: Floats

    @property
    def policy(self) -> Floats:
        """Share of each answer in all groups."""
        return np.asarray(self.said.mean(axis=0))


def groups(folder: Path) -> dict[str, Groups]:
    """The gradients of a log, by the column that weighs its rollouts: ``reward`` and ``advantage``."""
    with rollouts(folder) as con:
        table = np.array(duck.run(con, SUMS), float)
    world, answer = table[:, 0].astype(int), table[:, 1].astype(int)
    shape = world.max() + 1, answer.max() + 1
    sums = np.zeros((3, *shape))
    sums[:, world, answer] = table[:, 2:].T
    said, *pulls = sums / sums[0].sum(axis=1)[:, None]
    policy = said.mean(axis=0)
    found = {}
    for column, pull in zip(("reward", "advantage"), pulls, strict=True):
        weight = pull.sum(axis=1)
        found[column] = Groups(pull - weight[:, None] * policy, weight, said)
    return found


@dataclass(frozen=True)
class BaselineNoise:
    """Doublings of the gradient's variance by a baseline: log2 of ``tr Var g`` with advantages over that with rewards.

    Both gradients are of the same rollouts.

    Args:
        relative: of the variance over the squared mean, for advantages that also change the gradient's length.
    """

    relative: bool = False

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        found = groups(folder)
        (value, with_it), (bare, without) = (self._log_noise(found[name]) for name in ("advantage", "reward"))
        name = "variance of the gradient with a baseline over that without"
        return _estimate(value - bare, with_it - without, name, "same rollouts")

    def _log_noise(self, made: Groups) -> tuple[float, Floats]:
        """log of the noise, and what each group adds to its error."""
        mean = made.gradient.mean(axis=0)
        off = made.gradient - mean
        n = len(off)
        square = np.square(off).sum(axis=1)
        variance = float(square.sum()) / (n - 1)
        # The policy is estimated too: d tr Var / d policy = 2 (Var(weight) policy - Cov(pull, weight)).
        about = made.weight - made.weight.mean()
        slope = -2 * (about @ off) / n
        change = (square - variance + (made.said - made.policy) @ slope) / variance
        if not self.relative:
            return math.log(variance), change
        signal = float(mean @ mean) - variance / n
        return math.log(variance / signal), change - 2 * off @ mean / signal


@dataclass(frozen=True)
class Spike:
    """Doublings from the length of the mean gradient to the mean length of those that are not 0.

    Args:
        absolute: log2 of that mean length itself.
    """

    absolute: bool = False

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        gradient = groups(folder)["advantage"].gradient
        length, name = np.sqrt(np.square(gradient).sum(axis=1)), "length of a gradient that is not 0"
        moved = length > 0
        if not moved.any():
            return Estimate.missing(name, "doublings", "no group has a gradient", len(length))
        value, change = math.log(length[moved].mean()), length / length.mean() - moved / moved.mean()
        if not self.absolute:
            mean = gradient.mean(axis=0)
            value, change = value - math.log(mean @ mean) / 2, change - (gradient @ mean) / (mean @ mean) + 1
        return _estimate(value, change, name, "log2 of the length" if self.absolute else "over the mean gradient's")


def _estimate(nats: float, change: Floats, name: str, how: str) -> Estimate:
    """A logarithm and the share of its error that each independent group has, as doublings."""
    spread = float(np.abs(change).max()) or 1.0
    score = (nats + change) / math.log(2)
    return cluster_ratio(
        np.ones(change.size), score, 0.0, spread, name=name, unit="doublings", level=LEVEL,
        method=f"{how}; gradients of a table whose policy is the answers' shares, linearised",
    )  # fmt: skip
