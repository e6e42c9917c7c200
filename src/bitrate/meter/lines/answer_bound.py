"""Answer bound: the cap from how many different answers each group tried."""

from __future__ import annotations

from bitrate.meter.lines import Line, missing
from bitrate.meter.received import answer_side, mean, no_answer_bound
from bitrate.meter.run import Run
from bitrate.types import Estimate


def measure(run: Run) -> Estimate:
    """At most log2(M+1) bits from a group with M distinct answers and one right one, in the mean over rollouts.

    Where a group shows two right answers the verifier takes a set of them: then at most one bit for each distinct
    answer (docs/theory.md#groups). Where one answer was scored both ways, the group counts K bits.
    """
    table = run.table
    if unknown := no_answer_bound(table):
        return missing(unknown, table.totals["groups"])
    side = answer_side(table)
    found = mean(table, side, run.level)
    return found.renamed("", method=f"{side.name}; {found.method}")


LINE = Line(
    key="answer_bound_bits",
    title="answer bound per rollout",
    unit="bits/rollout",
    name="Answer bound",
    means="The cap from how many different answers each group tried.",
    formula="E log2(M+1) over rollouts, M a group's distinct answers",
    place=30,
    measure=measure,
    of_groups=lambda run: None if no_answer_bound(run.table) else answer_side(run.table),
)
