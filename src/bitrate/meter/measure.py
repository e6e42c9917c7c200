"""One audit: the group table in, every figure of the contract out."""

from __future__ import annotations

from dataclasses import replace

from bitrate import __version__
from bitrate.errors import DataError
from bitrate.logs.engines import duck
from bitrate.logs.reduce import Groups
from bitrate.meter import change
from bitrate.meter.advice import advise
from bitrate.meter.assumptions import Assumptions
from bitrate.meter.audit import Audit, ConstantLevel, Series
from bitrate.meter.caveats import caveats
from bitrate.meter.costs import costs, spent
from bitrate.meter.groups import KINDS, NEITHER, ONE_ROLLOUT, GroupTable
from bitrate.meter.k_advice import at_group_sizes
from bitrate.meter.lines import all_lines
from bitrate.meter.lines.absorbed import overdrawn
from bitrate.meter.pool import counted_share, share
from bitrate.meter.received import answers_unknown
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import number_of

PROMPTS_SHOWN, LEVELS_SHOWN, RUNS_NAMED = 1000, 6, 4


def measure(reduced: Groups, assumptions: Assumptions) -> Audit:
    """Every figure of an audit.

    Raises:
        DataError: the split asked for has no rollouts.
    """
    split, notes, there = choose_split(reduced, assumptions.split)
    held_out = GroupTable(reduced, "eval") if split == "train" and "eval" in there else None
    table = GroupTable(reduced, split)
    run = Run(table, assumptions, held_out)
    warning = overdrawn(run)
    found_here, of_the_format = caveats(table)
    first = [*([warning] if warning else []), *notes, *found_here]
    totals, kinds = table.totals, _kinds(run)
    found = Audit(
        run=run_names(table),
        format=reduced.provenance.format,
        split=split,
        split_known=reduced.provenance.split_known,
        bitrate=__version__,
        counts={k: Estimate.exact(k, v, k, v) for k, v in totals.items()},
        ledger={key: run.line(key) for key in all_lines()},
        pass_rate=run.pass_rate,
        groups=kinds,
        constant_at=_constant_at(run),
        spent=spent(table, assumptions),
        cost=costs(run.line("received_bits"), table, assumptions),
        k_advice=at_group_sizes(run, kinds["constant"]),
        own_k=Estimate.exact(
            "rollouts per group",
            totals["rollouts"] / totals["groups"],
            "rollouts/group",
            totals["groups"],
            "each group" if len(table.sizes) == 1 else f"mean of {table.sizes[0]:,} to {table.sizes[-1]:,}",
        ),
        prompts=run.prompts.shares(),
        verifier=_verifier(run),
        change=change.overall(table, run.level),
        series=Series(
            steps=change.series(table, run.sides, run.level),
            pass_rates=run.prompts.histogram(),
            prompts=run.prompts.rows(PROMPTS_SHOWN),
            prompts_shown=min(PROMPTS_SHOWN, totals["prompts"]),
            prompts_total=totals["prompts"],
        ),
        advice=(),
        caveats=(*first, *of_the_format),
        caveats_on_figures=len(first),
        quarantine=tuple(reduced.set_aside),
    )
    return replace(found, advice=advise(found, run))


def run_names(table: GroupTable) -> str:
    """The runs by name, the first few where there are many."""
    names = table.runs()
    more = len(names) - RUNS_NAMED
    return ", ".join(names[:RUNS_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def choose_split(reduced: Groups, asked: str | None) -> tuple[str, list[str], dict[str, int]]:
    """The split to audit, a caveat where it is not the one expected, and the rollouts of all splits.

    Raises:
        DataError: no rollouts in the split asked for.
    """
    there = {s: int(n) for s, n in duck.run(reduced.con, "SELECT split, sum(n) FROM groups GROUP BY split")}
    split = asked or ("train" if "train" in there else "eval")
    if split not in there:
        have = ", ".join(f"{s} ({number_of(n, 'rollout')})" for s, n in sorted(there.items()))
        raise DataError(f"no rollouts in the split {split!r}; there are {have}", hint="leave --split out")
    notes = []
    if not asked and split == "eval":
        notes.append("Only evaluation rollouts were found; figures show what they would carry if trained on.")
    return split, notes, there


def _kinds(run: Run) -> dict[str, Estimate]:
    """Share of groups of each kind, and the reason where this reward does not tell it."""
    table, found = run.table, {}
    for kind in KINDS:
        name = f"{kind.replace('_', '-')} groups"
        if kind in table.kinds:
            found[kind] = share(table, table.kinds[kind], name, level=run.level)
        else:
            reason = ONE_ROLLOUT if table.sizes == [1] else NEITHER
            found[kind] = Estimate.missing(name, "share of groups", reason)
    return found


def _constant_at(run: Run) -> tuple[ConstantLevel, ...]:
    """Levels at which the groups of a graded reward are constant, those of most groups first, each with its share."""
    return tuple(
        ConstantLevel(held, int(which.sum()), share(run.table, which, f"groups constant at {held:g}", level=run.level))
        for held, which in run.table.constant_levels(LEVELS_SHOWN).items()
    )


def _verifier(run: Run) -> dict[str, Estimate]:
    """Signs of a verifier in trouble: one answer scored both ways, and rollouts cut off."""
    table, name = run.table, "groups in which one answer got inconsistent verdicts"
    if unknown := (answers_unknown(table) or (None if table.binary else NEITHER)):
        torn = Estimate.missing(name, "share of groups", unknown)
    else:
        torn = share(table, table.column["n_torn_answers"] > 0, name, level=run.level)
    marked, name, unit = table.known("n_truncated"), "rollouts cut off", "share of rollouts"
    if marked < table.totals["groups"]:
        groups = number_of(table.totals["groups"], "group")
        reason = f"whether a rollout was cut off is known in only {marked:,} of {groups}"
        cut = Estimate.missing(name, unit, reason if marked else "the files do not say it")
    else:
        sums = table.sums({"cut": table.column["n_truncated"] / table.n}, weight=table.n)
        cut = counted_share(table, sums, name, unit, level=run.level)
    return {"torn_groups": torn, "truncated": cut}
