"""Two runs side by side: paired by prompt where they share prompts, every difference with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitrate.logs.reduce import Groups
from bitrate.meter.assumptions import Assumptions
from bitrate.meter.clusters import by_prompt
from bitrate.meter.costs import token_count
from bitrate.meter.groups import ONE_ROLLOUT, GroupTable, Sums
from bitrate.meter.lines import all_lines
from bitrate.meter.measure import choose_split, run_names
from bitrate.meter.pool import Pool
from bitrate.meter.run import Run
from bitrate.stats import Functional, PassRate, cluster_ratio, difference
from bitrate.types import Estimate, Floats
from bitrate.wording import number_of

#: Weight and weighted score of every prompt, greatest bias, spread of an unseen prompt, and range of a score, if known.
Part = tuple[Floats, Floats, float, float, tuple[float, float] | None]
OTHERS = {
    "mixed": ("mixed groups", "share of groups"),
    "bits_per_kilotoken": ("received bits per thousand tokens, at most", "bits/kilotoken"),
}
LEAST_SHARED = 20


@dataclass(frozen=True)
class Side:
    """One run's sums by prompt for each figure that is paired with the most it can be, and the lines that are not."""

    run: str
    prompts: list[str]
    followed: bool
    parts: dict[str, Part]
    reason: dict[str, str]
    lines: dict[str, Estimate]
    most: dict[str, float]
    caveats: list[str]


def side(groups: Groups, assumptions: Assumptions) -> Side:
    """What a comparison needs of one run, so that both need not be in memory."""
    split, notes, there = choose_split(groups, assumptions.split)
    held_out = GroupTable(groups, "eval") if split == "train" and "eval" in there else None
    table = GroupTable(groups, split)
    run = Run(table, assumptions, held_out)
    names = table.prompt_ids()
    ids = list(dict.fromkeys(names))
    place = {name: i for i, name in enumerate(ids)}
    home = np.array([place[name] for name in names], dtype=np.int64)

    def over(sums: Sums, key: str, weight: Floats | None = None) -> tuple[Floats, Floats]:
        """Weight and score of every id, 0 for one without such a group; without lasting ids, of the worst clusters."""
        each = sums.weight if weight is None else weight
        if not table.followed:
            return by_prompt(table, sums.who, each, sums.score[key])[:2]
        where = home[sums.who]
        found = (np.bincount(where, values, len(ids)) for values in (each, sums.score[key]))
        return tuple(np.asarray(values, float) for values in found)  # type: ignore[return-value]

    lines = {key: run.line(key) for key in all_lines()}
    parts: dict[str, Part] = {}
    most: dict[str, float] = {}
    reason = {key: figure.reason for key, figure in lines.items() if figure.reason}
    parts["mixed"] = (*over(table.sums({"": table.kinds["mixed"]}, table.several), ""), 0.0, 1.0, (0.0, 1.0))
    for key, line in all_lines().items():
        if line.of_groups and (way := line.of_groups(run)):
            of_prompt = table.sums({"bits": way.bits, "n": table.n})
            parts[key] = (*over(of_prompt, "bits", of_prompt.score["n"]), 0.0, way.unseen, None)
            most[key] = way.most
    tokens, how = token_count(table)
    if tokens and "received_bits" in parts:
        weight, score, bias, spread, _ = parts["received_bits"]
        each = tokens / table.totals["rollouts"] / 1000
        parts["bits_per_kilotoken"] = (weight, score / each, bias / each, spread / each, None)
    else:
        reason["bits_per_kilotoken"] = reason.get("received_bits", how)
    pool = None if table.no_rates else Pool(table, assumptions.level)
    if pool is None or not pool.groups:
        reason |= dict.fromkeys({"pass_rate", *_functionals()}, table.no_rates or ONE_ROLLOUT)
        return Side(run_names(table), ids, table.followed, parts, reason, lines, most, notes)
    tables = pool.tables({"pass_rate": PassRate(), **_functionals()})
    sums = pool.sums(tables)
    for key, scores in tables.items():
        bias, spread, low, high = (pool.averaged(c) for c in (scores.bias, scores.spread, scores.low, scores.high))
        parts[key] = (*over(sums, key), bias, spread, (low, high))
    return Side(run_names(table), ids, table.followed, parts, reason, lines, most, notes)


def names() -> dict[str, tuple[str, str]]:
    """Name and unit of the figures that are paired by prompt, by key."""
    means = {k: (line.title, line.unit) for k, line in all_lines().items() if line.functional or line.of_groups}
    return {"pass_rate": ("pass rate", "share of rollouts"), **means, **OTHERS}


def _functionals() -> dict[str, Functional]:
    return {key: line.functional for key, line in all_lines().items() if line.functional}


def compare_groups(a: Side, b: Side, *, level: float) -> dict[str, Any]:
    """Figures of both runs and their differences, ``b - a``; by the prompts they share where there are enough."""
    shared = sorted(set(a.prompts) & set(b.prompts)) if a.followed and b.followed else []
    paired = len(shared) >= LEAST_SHARED
    found: dict[str, Any] = {
        "a": {"run": a.run},
        "b": {"run": b.run},
        "shared_prompts": Estimate.exact("shared prompts", len(shared), "prompts", len(shared)).to_dict(),
        "paired": paired,
        "differences": {},
        "a_figures": {},
        "b_figures": {},
        "noise": {},
        "caveats": [*dict.fromkeys(a.caveats + b.caveats), *_caveats(a, b, len(shared), paired)],
    }
    chosen = [_positions(s.prompts, shared) if paired else None for s in (a, b)]
    for key, (name, unit) in names().items():
        why = a.reason.get(key) or b.reason.get(key)
        if why or key not in a.parts or key not in b.parts:
            gone = Estimate.missing(name, unit, why or "not known in both runs").to_dict()
            found["differences"][key] = found["a_figures"][key] = found["b_figures"][key] = found["noise"][key] = gone
            continue
        parts = [_chosen(s.parts[key], c) for s, c in zip((a, b), chosen, strict=True)]
        for label, part, of in zip(("a_figures", "b_figures"), parts, (a, b), strict=True):
            found[label][key] = _figure(part, name, unit, level, of.most.get(key, math.inf)).to_dict()
        gap = _difference(parts, paired, f"{name}, second run less first", unit, level)
        found["differences"][key] = gap.to_dict()
        found["noise"][key] = _noise(gap, name, unit).to_dict()
    for key, line in all_lines().items():
        if key not in names():
            one, other = a.lines[key], b.lines[key]
            gap = difference(one, other, name=f"{line.title}, second run less first")
            found["differences"][key], found["noise"][key] = gap.to_dict(), _noise(gap, line.title, line.unit).to_dict()
            found["a_figures"][key], found["b_figures"][key] = one.to_dict(), other.to_dict()
    return found


def _positions(ids: list[str], shared: list[str]) -> np.ndarray:
    place = {p: i for i, p in enumerate(ids)}
    return np.array([place[p] for p in shared], dtype=np.int64)


def _chosen(part: Part, rows: np.ndarray | None) -> Part:
    return part if rows is None else (part[0][rows], part[1][rows], *part[2:])


def _figure(part: Part, name: str, unit: str, level: float, most: float) -> Estimate:
    weight, score, bias, spread, each = part
    return cluster_ratio(
        weight, score, bias, spread, name=name, unit=unit, level=level, method="by prompt", within=(0.0, most),
        each=each,
    )  # fmt: skip


def _difference(parts: list[Any], paired: bool, name: str, unit: str, level: float) -> Estimate:
    """Every prompt's share of the difference; a prompt in both runs is one unit, so what it shares cancels."""
    shares, gap, bias, spread = [], 0.0, 0.0, 0.0
    size = parts[0][0].size if paired else parts[0][0].size + parts[1][0].size
    for sign, (weight, score, worst, typical, _) in zip((-1, 1), parts, strict=True):
        total = weight.sum()
        if not total:
            return Estimate.missing(name, unit, "a run has no group of two rollouts or more among these prompts")
        ratio = score.sum() / total
        gap += sign * ratio
        shares.append(sign * (score - ratio * weight) / total)
        bias += worst
        spread = math.hypot(spread, size * typical * (weight @ weight) / total**2)
    each = shares[0] + shares[1] if paired else np.concatenate(shares)
    method = "paired by prompt" if paired else "runs taken as independent"
    return cluster_ratio(
        np.ones(size), size * each + gap, bias, spread, name=name, unit=unit, level=level, method=method
    )


def _noise(gap: Estimate, name: str, unit: str) -> Estimate:
    """How far two runs of one recipe would differ by the sampling of rollouts alone: the interval's half-width."""
    name = f"{name}: difference by sampling alone"
    if gap.known is None:
        return gap.renamed(name, unit)
    low, _, high = gap.known
    return Estimate.exact(name, (high - low) / 2, unit, gap.n, f"half the width of the {gap.level:.0%} interval")


def _caveats(a: Side, b: Side, shared: int, paired: bool) -> list[str]:
    notes = []
    if paired:
        notes.append(
            f"Figures are over the {number_of(shared, 'prompt')} both runs share, paired: "
            f"the first run has {len(a.prompts):,}, the second {len(b.prompts):,}."
        )
    elif not (a.followed and b.followed):
        notes.append(
            "One of the runs gives prompts no lasting identity: "
            "the runs are compared as a whole, and a difference may come from the prompts."
        )
    else:
        notes.append(
            f"The runs share {number_of(shared, 'prompt')}, fewer than {LEAST_SHARED}: "
            f"they are compared as a whole, and a difference may come from the prompts."
        )
    notes.append(
        "The intervals hold the noise of sampling prompts and rollouts. "
        "Two runs of one recipe also differ by their seeds, which one run each cannot show: "
        "repeat with other seeds before you believe a small difference."
    )
    return notes
