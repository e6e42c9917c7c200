"""How much training it took until prompts that are held out are passed, also where some runs never pass them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.errors import InputError
from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.logs.engines import duck
from bitrate.stats import cluster_ratio
from bitrate.theory import binary_entropy
from bitrate.types import Bools, Estimate, Floats

#: Chance that a sampled answer is the target, held out; and what was trained on at the step, by run.
STEPS = """
SELECT run, step, avg(pow(2, -target_surprisal)) FILTER (split = 'eval') AS passed,
       list(pow(2, -target_surprisal)) FILTER (split = 'train') AS rates,
       sum(completion_tokens) FILTER (split = 'train') AS tokens
FROM rollouts GROUP BY run, step ORDER BY run, step
"""
COSTS = ("rollouts", "tokens", "outcome bits")
#: Doublings by which an unseen run may differ where those seen hardly do.
LEAST_SPREAD = 0.25


@dataclass(frozen=True)
class CostToPass:
    """Mean over runs of log2 of what was spent until held-out prompts are passed with a chance of ``threshold``.

    The chance is the mean over a run's held-out prompts of the policy's probability of the target; between two visits
    it is taken to be linear in the cost. Runs are independent, prompts of one run are not.

    Args:
        threshold: chance in (0, 1).
        cost: ``"rollouts"`` (or labels shown), ``"tokens"`` of them, or ``"outcome bits"``: the sum of h(p) over
            rollouts, p the policy's chance to pass the prompt at that step.
        horizon: a cost that all runs spend, or pass before. The figure is then the restricted mean ``E log2
            min(cost, horizon)``: a run that never passes is censored at the horizon, and counts with it. Two figures of
            one horizon differ by the doublings saved within it.
        floor: without a horizon, take all that a run spent for one that never passes, so that the figure is a lower
            bound. Without either a run that never passes leaves no figure.

    Raises:
        InputError: a threshold outside (0, 1), another cost, or a horizon that is not above 0.

    Reference: docs/theory.md#cost, S3.1, samples times bits per sample; Royston and Parmar (2013), Restricted mean
    survival time, on censoring at one time.
    """

    threshold: float = 0.5
    cost: str = "rollouts"
    horizon: float | None = None
    floor: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise InputError(f"threshold = {self.threshold}; want a chance in (0, 1)")
        if self.cost not in COSTS:
            raise InputError(f"cost = {self.cost!r}; want one of {', '.join(COSTS)}")
        if self.horizon is not None and not (self.horizon > 0 and math.isfinite(self.horizon)):
            raise InputError(f"horizon = {self.horizon}; want a cost above 0")

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        name, unit = f"{self.cost} until held-out prompts are passed", "doublings"
        with rollouts(folder, "target_surprisal IS NOT NULL AND (reward IS NOT NULL OR shown)") as con:
            rows = duck.run(con, STEPS)
        if not any(row[2] is not None for row in rows):
            return Estimate.missing(name, unit, "no prompt is held out")
        runs = np.array([row[0] for row in rows])
        spent = np.array([self._spent(row[3], row[4]) for row in rows])
        passed = np.array([np.nan if row[2] is None else row[2] for row in rows], float)
        found = [_first(passed[at], spent[at], self.threshold) for at in (runs == r for r in np.unique(runs))]
        return self.mean(np.array([c for c, _ in found]), np.array([reached for _, reached in found]))

    def mean(self, cost: Floats, passed: Bools) -> Estimate:
        """The figure of runs of which some never passed.

        Args:
            cost: until a run passed, or all that it spent, shape [runs].
            passed: whether it did.
        """
        name, unit = f"{self.cost} until held-out prompts are passed", "doublings"
        late = int((~passed).sum())
        if late and self.horizon is None and not self.floor:
            reason = f"{late} of {cost.size} runs never pass held-out prompts with a chance of {self.threshold:g}"
            return Estimate.missing(name, unit, reason, cost.size)
        if self.horizon is not None and (cost[~passed] < self.horizon).any():
            reason = f"a run that never passed ended at {cost[~passed].min():g}, before the horizon, {self.horizon:g}"
            return Estimate.missing(name, unit, reason, cost.size)
        if cost.min() <= 0:
            return Estimate.missing(name, unit, "held-out prompts are passed before any training", cost.size)
        log = np.log2(cost if self.horizon is None else np.minimum(cost, self.horizon))
        how = "log2 of the cost at which the held-out pass rate crosses the threshold, mean over runs"
        if self.horizon is not None:
            how += f" up to a horizon of {self.horizon:g}, which {late} of {cost.size} runs reach first"
        elif late:
            how += f"; {late} of {cost.size} runs do not, and count with all they spent: a lower bound"
        spread = max(float(log.std()), LEAST_SPREAD)
        return cluster_ratio(np.ones(log.size), log, 0.0, spread, name=name, unit=unit, level=LEVEL, method=how)

    def _spent(self, rates: list[float] | None, tokens: int | None) -> float:
        if rates is None:
            return 0.0
        if self.cost == "outcome bits":
            return float(binary_entropy(np.array(rates)).sum())
        return float(len(rates) if self.cost == "rollouts" else tokens or 0)


def _first(passed: Floats, spent: Floats, threshold: float) -> tuple[float, bool]:
    """Cost at which a run first passes, and whether it does; its steps in order, ``passed`` NaN where unknown."""
    before = np.cumsum(spent) - spent  # held-out prompts are visited before the step's update
    known = np.isfinite(passed)
    chance, cost = passed[known], before[known]
    above = np.flatnonzero(chance >= threshold)
    if not above.size:
        return float(spent.sum()), False
    i = int(above[0])
    if i == 0:
        return float(cost[0]), True
    share = (threshold - chance[i - 1]) / (chance[i] - chance[i - 1])
    return float(cost[i - 1] + share * (cost[i] - cost[i - 1])), True
