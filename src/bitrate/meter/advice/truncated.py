"""Many rollouts were cut off."""

from __future__ import annotations

from bitrate.meter.advice import Rule
from bitrate.meter.audit import Audit
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import number_of, percent

#: The whole interval must lie beyond it.
TRUNCATED_HEALTHY = 0.2


def says(audit: Audit, run: Run) -> tuple[str, Estimate] | None:
    """Many rollouts were cut off."""
    share = audit.verifier["truncated"]
    if share.known is None or share.known[0] <= TRUNCATED_HEALTHY:
        return None
    text = (
        f"{percent(share.known[1])} of {number_of(run.table.totals['rollouts'], 'rollout')} were cut off at the length "
        f"limit: a wrong outcome there says something about the limit, not about the answer."
    )
    return text, share


RULE = Rule("truncated", "warning", 80, says)
