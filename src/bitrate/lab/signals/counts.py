"""Counts of rollouts and prompts: means, and the bits between outcomes and prompts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.lab.signals.rows import LEVEL, reduced, rollouts
from bitrate.logs.engines import duck
from bitrate.stats import PassRate, cluster_ratio, difference, mean_functional, mean_outcome_entropy
from bitrate.theory import binary_entropy
from bitrate.types import Estimate


@dataclass(frozen=True)
class Mean:
    """Mean over prompts of what SQL says of each prompt's scored rollouts.

    Args:
        expression: an aggregate over one prompt's rows of the view ``rollouts``, e.g. ``"count(*)"``.
        name: what it is.
        unit: its unit.
        spread: how far an unseen prompt may lie from the mean, in that unit.
        where: which rollouts.
    """

    expression: str
    name: str
    unit: str
    spread: float = 1.0
    where: str = "true"

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        with rollouts(folder) as con:
            query = f"SELECT {self.expression} FROM rollouts WHERE {self.where} GROUP BY world ORDER BY world"
            found = np.array([x for (x,) in duck.run(con, query)], dtype=float)
        ones = np.ones(found.size)
        return cluster_ratio(ones, found, 0.0, self.spread, name=self.name, unit=self.unit, level=LEVEL, method="mean")


@dataclass(frozen=True)
class PassRateInformation:
    """Bits that one outcome carries about what sets the prompts apart: ``I(r; prompt) = h(E p) - E h(p)``."""

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the group table of a folder's files."""
        with reduced(folder) as groups:
            counts = duck.run(groups.con, "SELECT n_correct, n FROM groups ORDER BY run, prompt_id, step")
        right, size = np.array(counts, dtype=np.int64).T
        within = mean_outcome_entropy(right, size, LEVEL)
        pooled = _through_entropy(mean_functional(PassRate(), right, size, level=LEVEL))
        return difference(within, pooled, name="I(outcome; prompt)")


def _through_entropy(rate: Estimate) -> Estimate:
    """h of a pass rate; its interval holds every h of the rate's interval."""
    if rate.known is None:
        return rate
    ends = [float(binary_entropy(x)) for x in rate.known]
    top = 1.0 if rate.known[0] <= 0.5 <= rate.known[2] else max(ends)
    name = "entropy of the pooled pass rate"
    return Estimate(name, ends[1], min(ends), top, "bits/rollout", rate.level, rate.n, rate.method)
