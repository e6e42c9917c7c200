"""Received, at most: what the outcomes of rollouts carried, whatever the policy believes."""

from __future__ import annotations

from bitrate.meter.lines import Line, missing
from bitrate.meter.received import CONTINUOUS, smallest, tightest
from bitrate.meter.run import Run
from bitrate.types import Estimate


def measure(run: Run) -> Estimate:
    """The smallest of the means that each bound it: codes for the outcomes, and log2(M+1) where answers are known.

    ``I(O;S | tau, history) = H(O | tau, history)`` is at most the length of any code for the outcomes that knows no
    more than the learner did. That needs no word about what the policy believes; `outcome_bits` does.
    """
    if not run.sides:
        return missing(CONTINUOUS, run.table.totals["groups"])
    return smallest(run.table, run.sides, run.level)


LINE = Line(
    key="received_bits",
    title="received bits per rollout, at most",
    unit="bits/rollout",
    name="Received, at most",
    means="What the rewards can have told, whatever the policy believed.",
    formula="the smallest of: code length of outcomes given the steps before, or the step's other prompts; E log2(M+1)",
    place=15,
    measure=measure,
    of_groups=lambda run: tightest(run.sides),
)
