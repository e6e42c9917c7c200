"""In the update: what was left after the advantage was computed."""

from __future__ import annotations

from bitrate.meter.groups import RESIDUE, GroupTable
from bitrate.meter.lines import Line
from bitrate.meter.run import Run
from bitrate.stats import OwnUpdateBits
from bitrate.types import Estimate
from bitrate.wording import number_of


def measure(run: Run) -> Estimate:
    """Outcome bits that the advantages of a group still tell; no more than a rollout carried by the tighter bound."""
    table, outcome = run.table, run.line("outcome_bits")
    bound = "the tighter bound: an update holds no more than was received"
    if not table.binary:
        rest = "what constant groups erase of a graded reward is not subtracted"
        graded = outcome.renamed("", method=f"at most the outcome bits; {outcome.method}; {rest}")
        return graded.capped(run.received, bound)
    kind, how = advantage_kind(table)
    if kind == "kept" and outcome.known and run.pooled["update"].known:
        kept = outcome.renamed("", method=f"the outcome bits; {how}")
    else:
        kept = run.pooled["update"].capped(outcome, "the outcome bits: an update holds no more than was received")
        kept = kept.renamed("", method=f"{kept.method}; {how}")
    return kept.capped(run.received, bound)


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
    title="update bits per rollout",
    unit="bits/rollout",
    name="In the update",
    means="What was left after the advantage was computed, at most.",
    formula="E [h(p) - what constant groups erase] over rollouts; no more than the tighter bound above",
    place=40,
    measure=measure,
    functional=OwnUpdateBits(),
)
