"""What each decade of the pass rate costs, from networks that were trained with more and more compute."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from bitrate.costs import TRAIN
from bitrate.errors import InputError
from bitrate.lab.signals.ledger import Log, log_of
from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.logs.engines import duck
from bitrate.types import Estimate, Floats

#: Tokens of the labels shown to each network, and how it does on the strings held out.
RUNS = """
SELECT sum(completion_tokens) FILTER (shown), avg(pow(2, -target_surprisal)) FILTER (split = 'eval'),
       avg(target_surprisal) FILTER (split = 'eval')
FROM rollouts GROUP BY run ORDER BY run
"""
SAYS = {
    "amount": "log2 of the FLOPs of a decade over those of the decade below it",
    "factor": "log2 of the factor by which FLOPs grow in a decade, less that of the decade below it",
}
RESAMPLES = 20_000


@dataclass(frozen=True)
class Decades:
    """The cost of two decades of the pass rate compared, ``from q to 10 q`` and ``from 10 q to 100 q``.

    FLOPs are 6 a parameter and token of a label. Between two rungs the log of the pass rate is linear in the log of
    FLOPs, and a pass rate counts as reached where it is reached first. The interval is of resamples of networks, rung
    by rung; they are independent.

    Args:
        rungs: folder and parameters of each arm, by rising FLOPs.
        says: one of ``SAYS``.
        start: q.
        typical: whether p is ``2^-mean(surprisal)``, and not the mean chance to pass a string.

    Raises:
        InputError: another word, or a start that is not below 1/100.

    Reference: docs/theory.md#cost, S3.6.
    """

    rungs: tuple[tuple[str, int], ...]
    says: str
    start: float
    typical: bool = False

    def __post_init__(self) -> None:
        if self.says not in SAYS:
            raise InputError(f"says = {self.says!r}; want one of {', '.join(SAYS)}")
        if not 0 < self.start < 0.01:
            raise InputError(f"start = {self.start}; want a pass rate below 0.01, so that two decades follow")

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of all rungs."""
        unit = "doublings"
        logs = [_networks(log_of(folder / arm)) for arm, _ in self.rungs]
        passed = [bits if self.typical else p for _, p, bits in logs]
        parameters = np.array([size for _, size in self.rungs])
        cost = np.log2(TRAIN * parameters * [tokens.mean() for tokens, _, _ in logs])
        n = min(p.size for p in passed)
        rng = np.random.default_rng(0)
        drawn = np.stack([p[rng.integers(p.size, size=(RESAMPLES, p.size))].mean(axis=1) for p in passed], axis=1)
        means = np.array([[p.mean() for p in passed]])
        point = float(self._figures(cost, self._bits(means))[0])
        figures = self._figures(cost, self._bits(drawn))
        if not (math.isfinite(point) and np.isfinite(figures).all()):
            return Estimate.missing(SAYS[self.says], unit, "the rungs do not reach from one end to the other", n)
        low, high = (float(x) for x in np.quantile(figures, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
        how = f"{len(cost)} rungs; {RESAMPLES} resamples of networks within rungs"
        return Estimate(SAYS[self.says], point, min(low, point), max(high, point), unit, LEVEL, n, how)

    def _bits(self, means: Floats) -> Floats:
        """-log2 p."""
        return means if self.typical else -np.log2(means)

    def _figures(self, cost: Floats, bits: Floats) -> Floats:
        """One figure a row of ``bits`` [rows, rungs]; NaN where a pass rate is not reached, or from the start."""
        ends = -np.log2(self.start * 10.0 ** np.arange(3))
        best = np.minimum.accumulate(bits, axis=1)
        low, middle, high = np.array([np.interp(-ends, -row, cost, np.nan, np.nan) for row in best]).T
        if self.says == "factor":
            return np.asarray(high - 2 * middle + low)
        return np.asarray(np.log2((2.0**high - 2.0**middle) / (2.0**middle - 2.0**low)))


@lru_cache(maxsize=64)
def _networks(log: Log) -> tuple[Floats, Floats, Floats]:
    """Of each network of a rung: tokens of labels, mean chance to pass, and mean surprisal; read once for all cases."""
    with rollouts(log.folder, "reward IS NOT NULL OR shown") as con:
        tokens, passed, bits = np.array(duck.run(con, RUNS), float).T
    return tokens, passed, bits
