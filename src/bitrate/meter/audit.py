"""One audit: the group table in, every figure of the contract out."""

from __future__ import annotations

from typing import Any

from bitrate import __version__
from bitrate.errors import DataError
from bitrate.logs.engines import duck
from bitrate.logs.reduce import Groups
from bitrate.meter import change
from bitrate.meter.advice import advise
from bitrate.meter.cells import Cells, group_classes
from bitrate.meter.costs import Assumptions, costs, spent, token_count
from bitrate.meter.ledger import TARGETS, answer_bound, answers_are_targets, at_most, capacity, outcome_lines, tighter
from bitrate.meter.prompts import Prompts
from bitrate.meter.signals import shares
from bitrate.stats import cluster_ratio
from bitrate.types import Estimate

__all__ = ["Assumptions", "measure"]

PROMPTS_SHOWN = 1000
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
    found = {
        "run": ", ".join(r for (r,) in cells.ask("SELECT DISTINCT run FROM cells ORDER BY run LIMIT 4")),
        "format": groups.provenance.format,
        "split": split,
        "bitrate": __version__,
        **figures,
        "advice": [a.to_dict() for a in advise(figures, cells)],
        "caveats": [*([warning] if warning else []), *notes, *_caveats(groups, cells)],
        "quarantine": [s.to_dict() for s in groups.set_aside],
    }
    return {key: _plain(value) for key, value in found.items()}


def choose_split(groups: Groups, asked: str | None) -> tuple[str, list[str]]:
    """The split to audit, and a caveat where it is not the one expected.

    Raises:
        DataError: no rollouts in the split asked for.
    """
    there = {s: int(n) for s, n in duck.run(groups.con, "SELECT split, sum(n) FROM groups GROUP BY split")}
    split = asked or ("train" if "train" in there else "eval")
    if split not in there:
        have = ", ".join(f"{s} ({n} rollouts)" for s, n in sorted(there.items()))
        raise DataError(f"no rollouts in the split {split!r}; there are {have}", hint="leave --split out")
    notes = []
    if not asked and split == "eval":
        notes.append(
            "There are evaluation rollouts only: they taught nothing, and the figures say what they would carry."
        )
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
    names = {k: f"{k.replace('_', '-')} groups" for k in classes}
    return {
        "counts": {k: Estimate.exact(k, v, k, v) for k, v in cells.totals.items()},
        "ledger": {
            "capacity_bits": capacity(cells, assumptions.verifier_noise),
            "outcome_bits": lines.outcome,
            "answer_bound_bits": bound,
            "update_bits": at_most(
                lines.update, received, "the tighter bound: an update holds no more than was received"
            ),
            "key_bits": prompts.key_bits(),
            "absorbed_bits": change.absorbed(cells, prompts, received, level),
            "generalised_bits": held_out or change.generalised_first_visits(cells, prompts, level),
        },
        "received": received,
        "pass_rate": lines.pass_rate,
        "groups": shares(cells, classes, names, level=level, unit="share of groups"),
        "spent": spent(cells, assumptions, classes),
        "cost": cost,
        "k_advice": lines.k_advice,
        "own_k": Estimate.exact(
            "rollouts per group",
            cells.totals["rollouts"] / cells.totals["groups"],
            "rollouts/group",
            cells.totals["groups"],
            "mean",
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


def _verifier(cells: Cells, level: float) -> dict[str, Estimate]:
    """Signs of a verifier in trouble: one answer scored both ways, and rollouts cut off."""
    known, marked = cells.one("SELECT count(n_distinct_answers), count(n_truncated) FROM cells")
    name, unit = "groups in which one answer was scored both ways", "share of groups"
    found = {"torn_groups": Estimate.missing(name, unit, "final answers are not in these files")}
    if answers_are_targets(cells):
        found = {"torn_groups": Estimate.missing(name, unit, TARGETS)}
    elif known == cells.totals["groups"] and cells.binary:
        found = shares(cells, {"torn_groups": "n_torn_answers > 0"}, {"torn_groups": name}, level=level, unit=unit)
    name, unit = "rollouts cut off", "share of rollouts"
    if marked < cells.totals["groups"]:
        reason = f"whether a rollout was cut off is known in {marked} of {cells.totals['groups']} groups only"
        return found | {"truncated": Estimate.missing(name, unit, reason if marked else "the files do not say it")}
    sums = cells.measure({"cut": "n_truncated / n"}, weight="n")
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


def _caveats(groups: Groups, cells: Cells) -> list[str]:
    known = groups.provenance
    notes = list(known.caveats)
    if known.prompt_id in IDENTITY:
        notes.append(IDENTITY[known.prompt_id])
    if known.filtered in FILTERED:
        notes.append(FILTERED[known.filtered])
    alone = int(cells.one("SELECT coalesce(sum(n), 0) FROM cells WHERE n = 1")[0])
    if alone:
        notes.append(
            f"{alone} rollouts are alone in their group: "
            f"they count as rollouts and say nothing about how pass rates spread."
        )
    again = int(cells.one("SELECT count(*) - count(DISTINCT (run, step, prompt_id)) FROM cells")[0])
    if again:
        notes.append(
            f"{again} groups are further groups of a prompt in one step: "
            f"a prompt drawn twice, or a step written twice after a restart."
        )
    notes += _larger_groups(cells)
    runs = int(cells.one("SELECT count(DISTINCT run) FROM cells")[0])
    if runs > 1:
        notes.append(f"{runs} runs are pooled; prompts of different runs are different prompts.")
    return notes


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
        f"{large} of {cells.totals['groups']} groups hold a multiple of the usual {usual} rollouts, in {steps} of "
        f"{cells.totals['steps']} steps (the first is {first}): rollouts that were written twice, a prompt drawn twice "
        "in one step, or another group size."
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
