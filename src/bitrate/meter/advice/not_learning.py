"""The pass rate did not rise over a run of some length."""

from __future__ import annotations

from bitrate.meter.advice import Rule
from bitrate.meter.audit import Audit
from bitrate.meter.run import Run
from bitrate.types import Estimate

#: The whole interval must lie beyond it.
GAIN_HEALTHY = 0.01
LEAST_STEPS = 6


def says(audit: Audit, run: Run) -> tuple[str, Estimate] | None:
    """The pass rate did not rise over a run of some length."""
    gain = audit.change["pass_rate_change"]
    if gain.known is None or gain.known[2] >= GAIN_HEALTHY or run.table.totals["steps"] < LEAST_STEPS:
        return None
    text = (
        f"The pass rate did not rise by a point from the first third of {run.table.totals['steps']:,} steps to the "
        f"last (a change of {100 * gain.known[0]:+.1f} to {100 * gain.known[2]:+.1f} points): the bits arrive and are "
        f"not absorbed. "
        f"Check the learning rate, the advantage's sign, and whether prompts got harder."
    )
    return text, gain


RULE = Rule("not_learning", "warning", 50, says)
