"""More than half of the groups were constant."""

from __future__ import annotations

from bitrate.meter.advice import Rule
from bitrate.meter.audit import Audit
from bitrate.meter.groups import counted
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import percent

#: The whole interval must lie beyond it.
MIXED_HEALTHY = 0.5


def says(audit: Audit, run: Run) -> tuple[str, Estimate] | None:
    """More than half of the groups were constant."""
    constant = audit.groups["constant"]
    if constant.known is None or constant.known[0] <= 1 - MIXED_HEALTHY:
        return None
    if run.table.binary:
        which = ", ".join(f"{counted(run.table, k)[0]:,} {k.replace('_', ' ')}" for k in ("all_right", "all_wrong"))
        choose = "by pass rate"
    else:
        which = ", ".join(f"{row.groups:,} at {row.level:g}" for row in audit.constant_at)
        choose = "whose rewards vary"
    text = (
        f"{percent(constant.known[1])} of the groups ({counted(run.table, 'constant')[1]}: {which}) were constant: "
        f"they cost as much as the others, and a group-normalised advantage learns nothing from them. "
        f"Choose prompts {choose} before sampling, or sample more rollouts for fewer prompts."
    )
    return text, constant


RULE = Rule("dead_groups", "warning", 10, says)
