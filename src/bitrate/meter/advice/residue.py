"""Some constant groups were given an advantage, and others were not: rounding error passed for variance."""

from __future__ import annotations

from bitrate.meter.advice import Rule
from bitrate.meter.audit import Audit
from bitrate.meter.lines.update import constant_groups
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import number_of


def says(audit: Audit, run: Run) -> tuple[str, Estimate] | None:
    """Some constant groups were given an advantage, and others were not: rounding error passed for variance."""
    erased, kept = constant_groups(run.table)
    if not kept or not erased:
        return None
    figure = Estimate.exact("constant groups with an advantage", kept, "groups", kept + erased)
    text = (
        f"{kept:,} of {number_of(kept + erased, 'constant group')} have an advantage that is not zero, and the others "
        f"have none: most often the trainer divides rounding error by rounding error. "
        f"Round rewards, or test the variance against a tolerance."
    )
    return text, figure


RULE = Rule("residue", "warning", 60, says)
