"""In the update: what was left after the advantage was computed."""

from __future__ import annotations

from bitrate.meter.groups import RESIDUE, GroupTable
from bitrate.meter.lines import Line
from bitrate.meter.lines.outcome import less_noise
from bitrate.meter.received import Side, smallest, tightest
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import number_of


def measure(run: Run) -> Estimate:
    """What a group's advantages still tell of the bits received: nothing of a constant group but that it was one.

    The smallest of the means that bound what was received, where all right and all wrong are one outcome, unless the
    files show an advantage on constant groups.
    """
    received, rest = run.line("received_bits"), "what constant groups erase of a graded reward is not subtracted"
    if not run.table.binary:
        return received.renamed("", method=f"the received bits; {rest}")
    kind, how = advantage_kind(run.table)
    if kind == "kept":
        return received.renamed("", method=f"the received bits; {how}")
    kept = less_noise(smallest(run.table, sides(run), run.level), run.assumptions.verifier_noise)
    return kept.renamed("", method=f"{kept.method}; {how}").capped(
        received, "an update holds no more than was received"
    )


def sides(run: Run) -> list[Side]:
    """The ways to bound what advantages tell."""
    erased = run.table.binary and advantage_kind(run.table)[0] != "kept"
    return [side.update for side in run.sides] if erased else run.sides


def constant_groups(table: GroupTable) -> tuple[int, int]:
    """How many constant groups have no advantage, and how many have one."""
    advantage = table.column["advantage_max"][table.kinds["constant"]]
    return int((advantage <= RESIDUE).sum()), int((advantage > RESIDUE).sum())


def advantage_kind(table: GroupTable) -> tuple[str, str]:
    """What the trainer's advantage does with constant groups: ``erased``, ``kept`` or ``assumed``; and how we know."""
    erased, kept = constant_groups(table)
    groups = number_of(kept + erased, "constant group")
    if not erased and not kept:
        return "assumed", "a group-normalised advantage is assumed: the files show none on constant groups"
    if kept > erased:
        return "kept", f"the advantage is not zero on {kept:,} of {groups}: nothing is erased"
    return "erased", f"the advantage is zero on {erased:,} of {groups}"


LINE = Line(
    key="update_bits",
    title="update bits per rollout, at most",
    unit="bits/rollout",
    name="In the update, at most",
    means="What was left of it after the advantage was computed.",
    formula="received, where an advantage that is zero on all right and on all wrong makes these one outcome",
    place=40,
    measure=measure,
    of_groups=lambda run: tightest(sides(run)),
)
