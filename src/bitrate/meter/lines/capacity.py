"""Capacity: the most that one score could say."""

from __future__ import annotations

import math

from bitrate.meter.lines import Line, missing
from bitrate.meter.received import CONTINUOUS
from bitrate.meter.run import Run
from bitrate.theory import binary_entropy
from bitrate.types import Estimate
from bitrate.wording import number_of


def measure(run: Run) -> Estimate:
    """log2 of the reward's levels, less what a noisy verifier destroys."""
    outcome, noise, rollouts = run.table.reduced.outcome, run.assumptions.verifier_noise, run.table.totals["rollouts"]
    if outcome.binary:
        method = "log2 2, a right-or-wrong score" + (f"; less h({noise:g}) of verifier noise" if noise else "")
        return Estimate.exact("", 1 - float(binary_entropy(noise)), "", rollouts, method)
    if outcome.levels is None:
        return missing(CONTINUOUS, rollouts)
    levels = len(outcome.levels)
    return Estimate.exact("", math.log2(levels), "", rollouts, f"log2 of the {number_of(levels, 'reward level')} found")


LINE = Line(
    key="capacity_bits",
    title="capacity per rollout",
    unit="bits/rollout",
    name="Capacity",
    means="The most that one score could say.",
    formula="log2 of the reward's levels, less h(verifier noise)",
    place=10,
    measure=measure,
)
