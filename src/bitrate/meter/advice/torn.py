"""The verifier scored one answer both ways."""

from __future__ import annotations

from bitrate.meter.advice import Rule
from bitrate.meter.audit import Audit
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import percent

#: The whole interval must lie beyond it.
TORN_HEALTHY = 0.02


def says(audit: Audit, run: Run) -> tuple[str, Estimate] | None:
    """The verifier scored one answer both ways."""
    share = audit.verifier["torn_groups"]
    if share.known is None or share.known[0] <= TORN_HEALTHY:
        return None
    text = (
        f"In {percent(share.known[1])} of the groups the same answer got inconsistent verdicts, right and "
        f"wrong: the verifier is noisy, or it looks at more than the answer. Measure its error rate and say "
        f"--verifier-noise."
    )
    return text, share


RULE = Rule("torn", "warning", 70, says)
