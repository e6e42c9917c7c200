"""Caveats: what a reader must know of how the figures were made, beside what the format says of its files."""

from __future__ import annotations

import numpy as np

from bitrate.meter.clusters import LEAST_RUNS
from bitrate.meter.groups import GroupTable
from bitrate.wording import number_of

#: Most groups are of one size where this share is.
USUAL_SHARE = 0.5
FILTERED = {
    "unknown": (
        "These files do not say whether constant groups were dropped before they were written: "
        "if so, bits per generated rollout are overstated."
    ),
    "known": (
        "Groups were dropped before these files were written (dynamic sampling): "
        "bits per generated rollout are overstated."
    ),
}
IDENTITY = {
    "hash": "Prompts are known by a hash of their text: the same text is one prompt.",
    "positional": (
        "Prompts are known by their place in a step only: none can be followed over the run, and intervals allow for "
        "the matching over steps by which prompts differ most."
    ),
}


def caveats(table: GroupTable) -> tuple[list[str], list[str]]:
    """Caveats that tell how these figures were made, then those that hold for every file of the format."""
    known = table.reduced.provenance
    notes = [c for c in known.caveats if c not in known.fixed]
    fixed = [c for c in known.caveats if c in known.fixed]
    if known.filtered == "known":
        notes.append(FILTERED["known"])
    if table.stopped:
        notes.append(
            f"Groups were sampled {table.stopped}, so their size depends on their outcomes: figures that take counts "
            f"for fair draws are left out, and what was received is counted rollout by rollout."
        )
    alone = int((~table.several).sum())
    if alone:
        one, several = "rollout is alone in its group: it counts", "rollouts are each alone in a group: they count"
        says = "says" if alone == 1 else "say"
        notes.append(f"{number_of(alone, one, several)}, but {says} nothing about how pass rates spread.")
    again = int(((np.diff(table.who) == 0) & (np.diff(table.step) == 0)).sum())
    if again:
        notes.append(
            f"{number_of(again, 'group is a further group', 'groups are further groups')} of a prompt in one step: "
            f"a prompt drawn twice, or a step written twice after a restart."
        )
    notes += _larger_groups(table)
    if table.run_count > 1:
        notes.append(_pooled(table))
    if known.prompt_id in IDENTITY:
        fixed.append(IDENTITY[known.prompt_id])
    if known.filtered == "unknown":
        fixed.append(FILTERED["unknown"])
    return notes, fixed


def _pooled(table: GroupTable) -> str:
    """What several runs mean for the figures and their intervals."""
    runs, prompts = table.run_count, int(np.unique(table.prompt).size)
    said = f"{runs:,} runs are pooled; a prompt is followed within its run."
    if table.followed and prompts < table.totals["prompts"]:
        said += f" Intervals count it once where several runs have it: there are {prompts:,} prompts."
    if runs < LEAST_RUNS:
        return f"{said} Intervals are for these runs: {runs:,} say too little of how another would differ."
    return f"{said} Intervals hold how runs differ."


def _larger_groups(table: GroupTable) -> list[str]:
    """A caveat where some groups are a multiple of the size that most have, as rollouts that were written twice are."""
    sizes, groups = np.unique(table.n, return_counts=True)
    most = int(np.argmax(groups))  # the least of those that most groups have
    usual, share = int(sizes[most]), groups[most] / groups.sum()
    if usual < 2 or share < USUAL_SHARE:
        return []
    large = (table.n > usual) & (table.n % usual == 0)
    if not large.any():
        return []
    steps = np.unique(np.stack([table.column["run_number"][large], table.step[large]]), axis=1).shape[1]
    groups_said, steps_said = (number_of(table.totals[f"{word}s"], word) for word in ("group", "step"))
    return [
        f"{int(large.sum()):,} of {groups_said} hold a multiple of the usual {usual} rollouts, in {steps:,} of "
        f"{steps_said} (the first is {table.step[large].min()}): rollouts that were written twice, a prompt drawn "
        "twice in one step, or another group size."
    ]
