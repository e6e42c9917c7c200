"""What the next larger group size would do to the constant groups, where that is told from no change."""

from __future__ import annotations

from bitrate.meter.advice import Rule
from bitrate.meter.audit import Audit
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import percent


def says(audit: Audit, run: Run) -> tuple[str, Estimate] | None:
    """What the next larger group size would do to the constant groups, where that is told from no change."""
    k = run.table.totals["rollouts"] / run.table.totals["groups"]
    larger = [row for row in audit.k_advice if row.k > k and row.dead_groups.known]
    now = audit.groups["constant"]
    if not larger or now.value is None:
        return None
    row = larger[0]
    dead = row.dead_groups
    if dead.known is None or dead.known[2] >= now.value:
        return None
    low, value, high = dead.known
    own = f"K={k:,.0f}" if len(run.table.sizes) == 1 else f"mean K of {k:,.2f}"
    text = (
        f"At K={row.k} {percent(value)} of the groups would be constant "
        f"({percent(low)} to {percent(high)}); at this run's {own} {percent(now.value)} were."
    )
    return text, dead


RULE = Rule("larger_groups", "note", 90, says)
