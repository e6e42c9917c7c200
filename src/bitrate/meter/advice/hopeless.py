"""Many groups were all wrong."""

from __future__ import annotations

from bitrate.meter.advice import CONSTANT_HEALTHY, Rule
from bitrate.meter.audit import Audit
from bitrate.meter.groups import counted
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import percent


def says(audit: Audit, run: Run) -> tuple[str, Estimate] | None:
    """Many groups were all wrong."""
    share = audit.groups["all_wrong"]
    if share.known is None or share.known[0] <= CONSTANT_HEALTHY:
        return None
    text = (
        f"{percent(share.known[1])} of the groups ({counted(run.table, 'all_wrong')[1]}) were all wrong. "
        f"A group-normalised advantage learns nothing there: "
        f"show answers (SFT), give hints or partial credit, or come back to those prompts later."
    )
    return text, share


RULE = Rule("hopeless", "warning", 30, says)
