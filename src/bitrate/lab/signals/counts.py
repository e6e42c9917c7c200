"""Counts of rollouts: means over prompts, and the bits between outcomes and prompts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.lab.signals.ledger import LedgerLine
from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.logs.engines import duck
from bitrate.stats import cluster_ratio, difference
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


PASS_RATE, OUTCOME_BITS = LedgerLine("pass_rate"), LedgerLine("ledger.outcome_bits")


@dataclass(frozen=True)
class PassRateInformation:
    """Bits that one outcome carries about what sets the prompts apart: ``I(r; prompt) = h(E p) - E h(p)``.

    Both are figures of the audit: the entropy of its pass rate, less its outcome bits.
    """

    rate: LedgerLine = PASS_RATE
    within: LedgerLine = OUTCOME_BITS

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        return difference(self.within(folder), _through_entropy(self.rate(folder)), name="I(outcome; prompt)")


def _through_entropy(rate: Estimate) -> Estimate:
    """h of a pass rate; its interval holds every h of the rate's interval."""
    if rate.known is None:
        return rate
    ends = [float(binary_entropy(x)) for x in rate.known]
    top = 1.0 if rate.known[0] <= 0.5 <= rate.known[2] else max(ends)
    name = "entropy of the pooled pass rate"
    return Estimate(name, ends[1], min(ends), top, "bits/rollout", rate.level, rate.n, rate.method)
