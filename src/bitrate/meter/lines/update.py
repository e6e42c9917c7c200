"""In the update: what was left after the advantage was computed."""

from __future__ import annotations

import numpy as np

from bitrate.meter.groups import RESIDUE, GroupTable
from bitrate.meter.lines import Line
from bitrate.meter.received import Side, smallest, tightest
from bitrate.meter.run import Run
from bitrate.types import Estimate

#: A size this close, relatively, is the form's: trainers add up to 1e-4 to a standard deviation.
CLOSE, NEARLY_ALL = 2e-3, 0.95
REWARD = "the reward itself"


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
    kept = smallest(run.table, sides(run), run.level)
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
    """What the trainer's advantage does with constant groups: ``erased``, ``kept`` or ``assumed``; and how we know.

    Only an advantage that is zero on all right and on all wrong takes one for the other. A reward without baseline is
    zero on all wrong alone, and keeps what came in.
    """
    advantage = table.column["advantage_max"]
    zero = {}
    for kind in ("all_right", "all_wrong"):
        shown = advantage[table.kinds[kind]]
        if (~np.isnan(shown)).any():
            zero[kind] = (int((shown <= RESIDUE).sum()), int((shown > RESIDUE).sum()))
    form = advantage_form(table)
    seen = f"in mixed groups it is {form}" if form else "mixed groups show no form of it that is known"
    if not zero and not form:
        return "assumed", "a group-normalised advantage is assumed: the files show none; given the rollouts"
    said = [f"{none:,} of {none + some:,} {kind.replace('_', '-')} groups" for kind, (none, some) in zero.items()]
    of = f"the advantage is zero on {' and '.join(said)}; {seen}" if said else f"the advantage: {seen}"
    # Where one kind of constant group is missing, the form tells what it would be.
    survives = any(some > none for none, some in zero.values()) or (len(zero) < 2 and form == REWARD)
    if survives:
        return "kept", f"{of}: nothing is erased"
    return "erased", f"{of}; given the rollouts"


def advantage_form(table: GroupTable) -> str | None:
    """What nearly all mixed groups of three or more show the advantage to be, by its greatest size in the group."""
    level, n, k = (np.asarray(x, float) for x in (table.column["advantage_max"], table.n, table.right))
    here = table.kinds["mixed"] & (table.n > 2) & ~np.isnan(level)
    if not here.any():
        return None
    level, n, k = level[here], n[here], k[here]
    levels = sorted(table.reduced.outcome.levels or (0.0, 1.0))
    gap, more = levels[-1] - levels[0], np.maximum(k, n - k)
    odds = np.sqrt(more / (n - more))
    forms = {
        REWARD: np.full(n.size, max(map(abs, levels))),
        "the reward less the group's mean": gap * more / n,
        "the reward less the mean of the others": gap * more / (n - 1),
        "(reward - mean) / standard deviation": odds,
        "(reward - mean) / standard deviation of a sample": odds * np.sqrt((n - 1) / n),
    }
    fit = [form for form, size in forms.items() if (np.abs(level - size) <= CLOSE * size).mean() >= NEARLY_ALL]
    return fit[0] if len(fit) == 1 else None


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
