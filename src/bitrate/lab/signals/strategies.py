"""Which of several strategies a policy ends with, from the exams at both ends of a log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.errors import InputError
from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.logs.engines import duck
from bitrate.stats import cluster_ratio
from bitrate.types import Estimate

EXAMS = """
WITH e AS (SELECT *, step = min(step) OVER (PARTITION BY run) AS begin FROM rollouts WHERE split = 'eval')
SELECT avg((answer = '{strategy}')::INT) FILTER (NOT begin), avg(target_surprisal) FILTER (begin),
       avg(target_surprisal) FILTER (NOT begin) FROM e GROUP BY run ORDER BY run
"""


@dataclass(frozen=True)
class Fixation:
    """How runs end: ``share`` of runs in which a strategy is taken at least so often, or how far the target
    ``recedes``: its surprisal at the end less at the start, bits.

    Args:
        says: ``"share"`` or ``"recedes"``.
        strategy: the answer that is counted.
        often: from what share of a run's last exam on.

    Raises:
        InputError: another word.
    """

    says: str
    strategy: str = "heuristic"
    often: float = 0.9

    def __post_init__(self) -> None:
        if self.says not in {"share", "recedes"}:
            raise InputError(f"says = {self.says!r}; want share or recedes")

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder; runs are independent."""
        with rollouts(folder) as con:
            rows = duck.run(con, EXAMS.format(strategy=self.strategy))
        end, first, last = np.array(rows, float).reshape(-1, 3).T
        ones = np.ones(end.size)
        if self.says == "share":
            name, how = f"runs that end with {self.strategy}", f"{self.strategy} in {self.often:.0%} of the last exam's"
            return cluster_ratio(
                ones, (end >= self.often).astype(float), 0.0, 0.5, name=name, unit="share of runs", level=LEVEL,
                method=f"{how} rollouts or more", within=(0, 1),
            )  # fmt: skip
        rise = last - first
        return cluster_ratio(
            ones, rise, 0.0, max(float(rise.std()), 0.5), name="rise of the target's surprisal",
            unit="bits", level=LEVEL, method="surprisal in the last exam less that in the first",
        )  # fmt: skip
