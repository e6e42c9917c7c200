"""Two runs side by side: paired by prompt where they share prompts, every difference with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitrate.logs.reduce import Groups
from bitrate.meter.audit import choose_split, run_names
from bitrate.meter.cells import GRADED, ONE_ROLLOUT, Cells, Sums, group_classes
from bitrate.meter.costs import Assumptions, token_count
from bitrate.meter.signals import Pool
from bitrate.stats import OutcomeEntropy, OwnUpdateBits, PassRate, cluster_ratio
from bitrate.types import Estimate, Floats
from bitrate.wording import number_of

SIGNALS: dict[str, Any] = {"pass_rate": PassRate(), "outcome_bits": OutcomeEntropy(), "update_bits": OwnUpdateBits()}
NAMES = {
    "pass_rate": ("pass rate", "share of rollouts"),
    "outcome_bits": ("outcome bits per rollout", "bits/rollout"),
    "update_bits": ("outcome bits kept per rollout", "bits/rollout"),
    "mixed": ("mixed groups", "share of groups"),
    "bits_per_kilotoken": ("outcome bits per thousand tokens", "bits/kilotoken"),
}
#: Figures made of counts of right rollouts in groups of several.
FROM_COUNTS = tuple(key for key in NAMES if key != "mixed")
LEAST_SHARED = 20


@dataclass(frozen=True)
class Side:
    """One run's sums by prompt.

    For each figure a weight and a weighted score a prompt, with greatest bias and spread.
    """

    run: str
    prompts: list[str]
    followed: bool
    parts: dict[str, tuple[Floats, Floats, float, float]]
    reason: dict[str, str]
    caveats: list[str]


def side(groups: Groups, assumptions: Assumptions) -> Side:
    """What a comparison needs of one run, so that both need not be in memory."""
    split, notes = choose_split(groups, assumptions.split)
    cells = Cells(groups, split)
    run = run_names(cells)
    ids = [str(i) for (i,) in cells.ask("SELECT any_value(prompt_id) FROM cells GROUP BY who ORDER BY who")]
    followed = groups.provenance.prompt_id != "positional"
    parts: dict[str, tuple[Floats, Floats, float, float]] = {}
    reason: dict[str, str] = {}
    mixed = cells.measure({"mixed": f"({group_classes(cells)['mixed']})::INT"}, "n > 1")
    parts["mixed"] = (*_over(ids, mixed, "mixed"), 0.0, 1.0)
    if not cells.binary:
        reason |= dict.fromkeys(FROM_COUNTS, GRADED)
        return Side(run, ids, followed, parts, reason, notes)
    pool = Pool(cells, assumptions.level, "true")
    if not pool.groups:
        reason |= dict.fromkeys(FROM_COUNTS, ONE_ROLLOUT)
        return Side(run, ids, followed, parts, reason, notes)
    tables = pool.tables(SIGNALS)
    sums = cells.sums(tables, pool.where)
    for key, table in tables.items():
        parts[key] = (*_over(ids, sums, key), pool.averaged(table.bias), pool.averaged(table.spread))
    tokens, how = token_count(cells)
    if tokens:
        weight, score, bias, spread = parts["outcome_bits"]
        each = tokens / cells.totals["rollouts"] / 1000
        parts["bits_per_kilotoken"] = (weight, score / each, bias / each, spread / each)
    else:
        reason["bits_per_kilotoken"] = how
    return Side(run, ids, followed, parts, reason, notes)


def _over(ids: list[str], sums: Sums, key: str) -> tuple[Floats, Floats]:
    """Weight and score of every prompt, 0 for one without such a group."""
    weight, score = np.zeros(len(ids)), np.zeros(len(ids))
    weight[sums.who], score[sums.who] = sums.weight, sums.score[key]
    return weight, score


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
    for key, (name, unit) in NAMES.items():
        why = a.reason.get(key) or b.reason.get(key)
        if why or key not in a.parts or key not in b.parts:
            gone = Estimate.missing(name, unit, why or "not known in both runs").to_dict()
            found["differences"][key] = found["a_figures"][key] = found["b_figures"][key] = found["noise"][key] = gone
            continue
        parts = [_chosen(s.parts[key], c) for s, c in zip((a, b), chosen, strict=True)]
        for label, part in zip(("a_figures", "b_figures"), parts, strict=True):
            found[label][key] = _figure(part, name, unit, level).to_dict()
        gap = _difference(parts, paired, f"{name}, second run less first", unit, level)
        found["differences"][key] = gap.to_dict()
        found["noise"][key] = _noise(gap, name, unit).to_dict()
    return found


def _positions(ids: list[str], shared: list[str]) -> np.ndarray:
    place = {p: i for i, p in enumerate(ids)}
    return np.array([place[p] for p in shared], dtype=np.int64)


def _chosen(part: tuple[Floats, Floats, float, float], rows: np.ndarray | None) -> tuple[Floats, Floats, float, float]:
    weight, score, bias, spread = part
    return part if rows is None else (weight[rows], score[rows], bias, spread)


def _figure(part: tuple[Floats, Floats, float, float], name: str, unit: str, level: float) -> Estimate:
    weight, score, bias, spread = part
    return cluster_ratio(
        weight, score, bias, spread, name=name, unit=unit, level=level, method="by prompt", within=(0.0, math.inf)
    )


def _difference(parts: list[Any], paired: bool, name: str, unit: str, level: float) -> Estimate:
    """Every prompt's share of the difference; a prompt in both runs is one unit, so what it shares cancels."""
    shares, gap, bias, spread = [], 0.0, 0.0, 0.0
    size = parts[0][0].size if paired else parts[0][0].size + parts[1][0].size
    for sign, (weight, score, worst, typical) in zip((-1, 1), parts, strict=True):
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
