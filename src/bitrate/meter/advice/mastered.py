"""Many groups were all right."""

from __future__ import annotations

from bitrate.meter.advice import CONSTANT_HEALTHY, Rule
from bitrate.meter.audit import Audit
from bitrate.meter.groups import counted
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import percent


def says(audit: Audit, run: Run) -> tuple[str, Estimate] | None:
    """Many groups were all right."""
    share = audit.groups["all_right"]
    if share.known is None or share.known[0] <= CONSTANT_HEALTHY:
        return None
    text = (
        f"{percent(share.known[1])} of the groups ({counted(run.table, 'all_right')[1]}) were all right. "
        f"Retire those prompts, retest them now and then, and bring in harder ones."
    )
    return text, share


RULE = Rule("mastered", "warning", 20, says)
