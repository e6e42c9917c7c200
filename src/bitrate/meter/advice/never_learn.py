"""Many prompts sit at a middling pass rate and do not move."""

from __future__ import annotations

from bitrate.meter.advice import Rule
from bitrate.meter.audit import Audit
from bitrate.meter.prompts import VISITS_TO_JUDGE
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import number_of, percent

#: The whole interval must lie beyond it.
FLAT_HEALTHY = 0.3


def says(audit: Audit, run: Run) -> tuple[str, Estimate] | None:
    """Many prompts sit at a middling pass rate and do not move."""
    share = audit.prompts["never_learn"]
    gain = audit.change["pass_rate_change"]
    if share.known is None or share.known[0] <= FLAT_HEALTHY or gain.known is None or gain.known[0] <= 0:
        return None
    text = (
        f"Of {number_of(share.n, 'prompt')} visited {VISITS_TO_JUDGE} times or more at a middling pass rate "
        f"{percent(share.known[1])} stay where they were while the run as a whole improves: "
        f"their outcomes carry bits and teach nothing. Look at their answers and at the verifier."
    )
    return text, share


RULE = Rule("never_learn", "warning", 40, says)
