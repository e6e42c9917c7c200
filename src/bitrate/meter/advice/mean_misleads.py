"""The mean pass rate would predict far more mixed groups than there are."""

from __future__ import annotations

from bitrate.meter.advice import Rule
from bitrate.meter.audit import Audit
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import percent


def says(audit: Audit, run: Run) -> tuple[str, Estimate] | None:
    """The mean pass rate would predict far more mixed groups than there are."""
    mixed, p = audit.groups["mixed"], audit.pass_rate
    if mixed.known is None or p.value is None:
        return None
    k = run.table.totals["rollouts"] / run.table.totals["groups"]
    predicted = 1 - p.value**k - (1 - p.value) ** k
    if predicted <= mixed.known[2] + 0.1:
        return None
    text = (
        f"The mean pass rate of {percent(p.value)} alone would predict {percent(predicted)} mixed groups; "
        f"{percent(mixed.known[1])} were. Pass rates are spread out: plan with their distribution, not with their mean."
    )
    return text, mixed


RULE = Rule("mean_misleads", "note", 100, says)
