"""The reward lies in two bands: a 0/1 outcome, it seems, beside a bonus or a penalty."""

from __future__ import annotations

import math

from bitrate.meter.advice import Rule
from bitrate.meter.audit import Audit
from bitrate.meter.bands import bands_of, bits_at
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import number_of, number_said, percent


def says(audit: Audit, run: Run) -> tuple[str, Estimate] | None:
    """The reward lies in two bands: a 0/1 outcome, it seems, beside a bonus or a penalty."""
    found = bands_of(run.table)
    if found is None or (run.components and run.components.outcome):  # another rule proposes the component itself
        return None
    rollouts = run.table.totals["rollouts"]
    has = f"has {found.levels} levels" if found.levels else "is continuous and lies"
    digits = 3 - math.floor(math.log10(found.high[1] - found.low[0]))
    low, high = (_range(*(x if found.levels else round(x, digits) for x in band)) for band in (found.low, found.high))
    text = (
        f"The reward {has} in two bands, {low} and {high} ({percent(found.upper)} of "
        f"{number_of(rollouts, 'rollout')}): a 0/1 outcome beside a bonus? "
        f"--outcome 'reward >= {number_said(found.threshold)}' measures the outcome alone"
    )
    bits = audit.ledger["outcome_bits"].value
    alone = bits_at(run.table, found.threshold, run.level).value if found.levels else None
    if bits is not None and alone is not None:
        text += f", {alone:.3f} outcome bits a rollout where all levels have {bits:.3f}"
    text += ". A bonus for what the text alone shows, as its length or format, says nothing of the answer."
    return text, Estimate.exact("rollouts in the upper band", found.upper, "share of rollouts", rollouts)


def _range(least: float, greatest: float) -> str:
    """The ends of a band, once where they are one."""
    return " to ".join(dict.fromkeys(map(number_said, (least, greatest))))


RULE = Rule("composite", "warning", 75, says)
