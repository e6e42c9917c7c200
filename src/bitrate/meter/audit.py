"""One audit: the group table in, every figure of the contract out."""

from __future__ import annotations

from typing import Any

from bitrate import __version__
from bitrate.errors import DataError
from bitrate.logs.engines import duck
from bitrate.logs.reduce import Groups
from bitrate.meter import change
from bitrate.meter.advice import advise
from bitrate.meter.cells import KINDS, NEITHER, ONE_ROLLOUT, Cells, constant_levels, group_classes
from bitrate.meter.costs import Assumptions, costs, spent, token_count
from bitrate.meter.ledger import answer_bound, answers_unknown, capacity, outcome_lines, tighter
from bitrate.meter.prompts import Prompts
from bitrate.meter.signals import shares
from bitrate.stats import cluster_ratio
from bitrate.types import Estimate
from bitrate.wording import number_of

__all__ = ["Assumptions", "measure"]

PROMPTS_SHOWN, LEVELS_SHOWN, RUNS_NAMED = 1000, 6, 4
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
    "positional": "Prompts are known by their place in a step only: none can be followed over the run.",
}


def measure(groups: Groups, assumptions: Assumptions) -> dict[str, Any]:
    """Every figure of an audit as plain JSON values.

    Raises:
        DataError: the split asked for has no rollouts.
    """
    split, notes = choose_split(groups, assumptions.split)
    held_out = change.generalised_held_out(Cells(groups, "eval"), assumptions.level) if split == "train" else None
    cells = Cells(groups, split)
    prompts = Prompts(cells, assumptions.level)
    figures = _figures(cells, prompts, assumptions, held_out)
    warning = change.overdrawn(figures["ledger"]["absorbed_bits"], figures["received"], cells)
    found_here, of_the_format = _caveats(groups, cells)
    first = [*([warning] if warning else []), *notes, *found_here]
    found = {
        "run": run_names(cells),
        "format": groups.provenance.format,
        "split": split,
        "split_known": groups.provenance.split_known,
        "bitrate": __version__,
        **figures,
        "advice": [a.to_dict() for a in advise(figures, cells)],
        "caveats": [*first, *of_the_format],
        "caveats_on_figures": len(first),
        "quarantine": [s.to_dict() for s in groups.set_aside],
    }
    return {key: _plain(value) for key, value in found.items()}


def run_names(cells: Cells) -> str:
    """The runs by name, the first few where there are many."""
    names = [str(r) for (r,) in cells.ask("SELECT DISTINCT run FROM cells ORDER BY run")]
    more = len(names) - RUNS_NAMED
    return ", ".join(names[:RUNS_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def choose_split(groups: Groups, asked: str | None) -> tuple[str, list[str]]:
    """The split to audit, and a caveat where it is not the one expected.

    Raises:
        DataError: no rollouts in the split asked for.
    """
    there = {s: int(n) for s, n in duck.run(groups.con, "SELECT split, sum(n) FROM groups GROUP BY split")}
    split = asked or ("train" if "train" in there else "eval")
    if split not in there:
        have = ", ".join(f"{s} ({number_of(n, 'rollout')})" for s, n in sorted(there.items()))
        raise DataError(f"no rollouts in the split {split!r}; there are {have}", hint="leave --split out")
    notes = []
    if not asked and split == "eval":
        notes.append("Only evaluation rollouts were found; figures show what they would carry if trained on.")
    return split, notes


def _figures(cells: Cells, prompts: Prompts, assumptions: Assumptions, held_out: Estimate | None) -> dict[str, Any]:
    level = assumptions.level
    lines = outcome_lines(cells, assumptions)
    bound = answer_bound(cells, lines.outcome, level)
    received = tighter(lines.outcome, bound)
    classes = group_classes(cells)
    cost = costs(received, cells, assumptions)
    tokens, how = token_count(cells)
    for row in lines.k_advice:
        row["update_bits_per_kilotoken"] = _per_kilotoken(row["update_bits"], tokens, how, cells)
    kinds = _kinds(cells, classes, level)
    for row in lines.k_advice:  # at the run's own K the share is counted, and is the same on every page
        if row["dead_groups"].value is not None and [row["k"]] == [n for n in cells.sizes if n > 1]:
            row["dead_groups"] = kinds["constant"].renamed(row["dead_groups"].name)
    return {
        "counts": {k: Estimate.exact(k, v, k, v) for k, v in cells.totals.items()},
        "ledger": {
            "capacity_bits": capacity(cells, assumptions.verifier_noise),
            "outcome_bits": lines.outcome,
            "answer_bound_bits": bound,
            "update_bits": lines.update.capped(
                received, "the tighter bound: an update holds no more than was received"
            ),
            "key_bits": prompts.key_bits(),
            "absorbed_bits": change.absorbed(cells, prompts, received, level),
            "generalised_bits": held_out or change.generalised_first_visits(cells, prompts, level),
        },
        "received": received,
        "pass_rate": lines.pass_rate,
        "groups": kinds,
        "constant_at": _constant_at(cells, level),
        "spent": spent(cells, assumptions, classes),
        "cost": cost,
        "k_advice": lines.k_advice,
        "own_k": Estimate.exact(
            "rollouts per group",
            cells.totals["rollouts"] / cells.totals["groups"],
            "rollouts/group",
            cells.totals["groups"],
            "each group" if len(cells.sizes) == 1 else f"mean of {cells.sizes[0]:,} to {cells.sizes[-1]:,}",
        ),
        "prompts": prompts.shares(),
        "verifier": _verifier(cells, level),
        "change": change.overall(cells, level),
        "series": {
            "steps": change.series(cells, level),
            "pass_rates": prompts.histogram(),
            "prompts": prompts.rows(PROMPTS_SHOWN),
            "prompts_shown": min(PROMPTS_SHOWN, cells.totals["prompts"]),
            "prompts_total": cells.totals["prompts"],
        },
    }


def _kinds(cells: Cells, classes: dict[str, str], level: float) -> dict[str, Estimate]:
    """Share of groups of each kind, and the reason where this reward does not tell it."""
    names, unit = {k: f"{k.replace('_', '-')} groups" for k in KINDS}, "share of groups"
    found = shares(cells, classes, names, level=level, unit=unit)
    reason = ONE_ROLLOUT if cells.sizes == [1] else NEITHER
    return {k: found.get(k) or Estimate.missing(names[k], unit, reason) for k in KINDS}


def _constant_at(cells: Cells, level: float) -> list[dict[str, Any]]:
    """Levels at which the groups of a graded reward are constant, those of most groups first, each with its share."""
    counts, classes = constant_levels(cells, LEVELS_SHOWN)
    if not counts:
        return []
    found = shares(
        cells,
        {f"at{i}": where for i, where in enumerate(classes.values())},
        {f"at{i}": f"groups constant at {held:g}" for i, held in enumerate(classes)},
        level=level,
        unit="share of groups",
    )
    return [
        {"level": held, "groups": count, "share": found[f"at{i}"]} for i, (held, count) in enumerate(counts.items())
    ]


def _verifier(cells: Cells, level: float) -> dict[str, Estimate]:
    """Signs of a verifier in trouble: one answer scored both ways, and rollouts cut off."""
    name, unit = "groups in which one answer got inconsistent verdicts", "share of groups"
    if unknown := (answers_unknown(cells) or (None if cells.binary else NEITHER)):
        found = {"torn_groups": Estimate.missing(name, unit, unknown)}
    else:
        found = shares(cells, {"torn_groups": "n_torn_answers > 0"}, {"torn_groups": name}, level=level, unit=unit)
    [marked] = cells.one("SELECT count(n_truncated) FROM cells")
    name, unit = "rollouts cut off", "share of rollouts"
    if marked < cells.totals["groups"]:
        groups = number_of(cells.totals["groups"], "group")
        reason = f"whether a rollout was cut off is known in only {marked:,} of {groups}"
        return found | {"truncated": Estimate.missing(name, unit, reason if marked else "the files do not say it")}
    sums = cells.measure({"cut": "n_truncated"}, weight="n")
    cuts = cluster_ratio(
        sums.weight,
        sums.score["cut"],
        0.0,
        1.0,
        name=name,
        unit=unit,
        level=level,
        within=(0.0, 1.0),
        method="counted, by prompt",
    )
    return found | {"truncated": cuts}


def _per_kilotoken(bits: Estimate, tokens: int | None, how: str, cells: Cells) -> Estimate:
    name, unit = bits.name.replace("per rollout", "per thousand tokens"), "bits/kilotoken"
    if not tokens:
        return Estimate.missing(name, unit, bits.reason or how)
    return bits.scaled(1000 * cells.totals["rollouts"] / tokens, name, unit, how)


def _caveats(groups: Groups, cells: Cells) -> tuple[list[str], list[str]]:
    """Caveats that tell how these figures were made, then those that hold for every file of the format."""
    known = groups.provenance
    notes = [c for c in known.caveats if c not in known.fixed]
    fixed = [c for c in known.caveats if c in known.fixed]
    if known.filtered == "known":
        notes.append(FILTERED["known"])
    alone = int(cells.one("SELECT coalesce(sum(n), 0) FROM cells WHERE n = 1")[0])
    if alone:
        one, several = "rollout is alone in its group: it counts", "rollouts are each alone in a group: they count"
        says = "says" if alone == 1 else "say"
        notes.append(f"{number_of(alone, one, several)}, but {says} nothing about how pass rates spread.")
    again = int(cells.one("SELECT count(*) - count(DISTINCT (run, step, prompt_id)) FROM cells")[0])
    if again:
        notes.append(
            f"{number_of(again, 'group is a further group', 'groups are further groups')} of a prompt in one step: "
            f"a prompt drawn twice, or a step written twice after a restart."
        )
    notes += _larger_groups(cells)
    runs = int(cells.one("SELECT count(DISTINCT run) FROM cells")[0])
    if runs > 1:
        notes.append(f"{runs:,} runs are pooled; prompts of different runs are different prompts.")
    if known.prompt_id in IDENTITY:
        fixed.append(IDENTITY[known.prompt_id])
    if known.filtered == "unknown":
        fixed.append(FILTERED["unknown"])
    return notes, fixed


def _larger_groups(cells: Cells) -> list[str]:
    """A caveat where some groups are a multiple of the size that most have, as rollouts that were written twice are."""
    usual, share = cells.one(
        "SELECT n, c / sum(c) OVER () FROM (SELECT n, count(*) AS c FROM cells GROUP BY n) ORDER BY c DESC, n LIMIT 1"
    )
    if usual < 2 or share < USUAL_SHARE:
        return []
    large, steps, first = cells.one(
        f"SELECT count(*), count(DISTINCT (run, step)), min(step) FROM cells WHERE n > {usual} AND n % {usual} = 0"
    )
    if not large:
        return []
    return [
        f"{large:,} of {number_of(cells.totals['groups'], 'group')} hold a multiple of the usual {usual} rollouts, in "
        f"{steps:,} of {number_of(cells.totals['steps'], 'step')} (the first is {first}): rollouts that were written "
        "twice, a prompt drawn twice in one step, or another group size."
    ]


def _plain(value: Any) -> Any:
    """Estimates as dicts, all the way down."""
    if isinstance(value, Estimate):
        return value.to_dict()
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value
