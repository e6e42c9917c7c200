"""Change over a run: pass rates and bits, first against last, and series by step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bitrate.meter.clusters import prompt_ratio
from bitrate.meter.groups import KINDS, ONE_ROLLOUT, GroupTable
from bitrate.meter.pool import Pool
from bitrate.meter.received import CONTINUOUS, Side, smallest
from bitrate.stats import Functional, OutcomeEntropy, PassRate
from bitrate.types import Bools, Estimate, Floats, Ints

MOST_BINS = 60
RECEIVED = "received bits, at most"
ONE_STEP = "the run has one step, so nothing can change"


@dataclass(frozen=True)
class StepBin:
    """Some steps in a row: how many groups, the share of each kind, None where the reward does not tell it."""

    step_first: int
    step_last: int
    groups: int
    mixed: float | None
    all_right: float | None
    all_wrong: float | None
    constant: float | None
    received_bits: Estimate
    outcome_bits: Estimate
    pass_rate: Estimate


def paired_change(
    table: GroupTable, functional: Functional, first: Bools | Ints, last: Bools | Ints, *, level: float,
    less: tuple[Floats, float] | None = None,
) -> Estimate:  # fmt: skip
    """Mean over prompts of f(p) in their ``last`` groups less f(p) in their ``first`` ones, as masks or numbers.

    ``less``: what to subtract from the score of each group that is a last one, and its spread.
    """
    pools = [Pool(table, level, where, by_group=True) for where in (first, last)]
    if not all(p.groups for p in pools):
        return Estimate.missing("", functional.unit, "no prompt has both measurements with two rollouts or more")
    tables = [p.tables({"f": functional})["f"] for p in pools]
    scores = [table.scores(t) for t in tables]
    spread = math.hypot(*(p.averaged(t.spread) for p, t in zip(pools, tables, strict=True)))
    if less:
        scores[1], spread = scores[1] - less[0], spread + less[1]
    sums = [table.sums({"f": s}, p.where, p.weight) for s, p in zip(scores, pools, strict=True)]
    who, i, j = np.intersect1d(sums[0].who, sums[1].who, return_indices=True)
    before, after = sums[0].score["f"][i] / sums[0].weight[i], sums[1].score["f"][j] / sums[1].weight[j]
    bias = sum(p.averaged(t.bias) for p, t in zip(pools, tables, strict=True))
    return prompt_ratio(
        table, who, np.ones(who.size), after - before, bias, spread, name="", unit=functional.unit, level=level,
        method=f"mean over prompts of {functional.name}, last less first, minimax linear",
    )  # fmt: skip


def thirds(step: Ints) -> tuple[Bools, Bools] | None:
    """Which of these lie in the first and in the last third of their steps; None where there is one step."""
    steps = np.unique(step)
    if steps.size < 2:
        return None
    third = max(1, steps.size // 3)
    return step <= steps[third - 1], step >= steps[-third]


def overall(table: GroupTable, level: float) -> dict[str, Estimate]:
    """Pass rate and outcome bits, first third of the steps against the last."""
    signals: dict[str, Functional] = {"pass_rate": PassRate(), "outcome_bits": OutcomeEntropy()}
    names = {"pass_rate": ("pass rate", "share of rollouts"), "outcome_bits": ("outcome bits", "bits/rollout")}
    keys = ("pass_rate_first", "pass_rate_last", "pass_rate_change", "outcome_bits_change")
    units = ("share of rollouts",) * 3 + ("bits/rollout",)
    parts = thirds(table.step)
    if parts is None or table.no_rates:
        reason = table.no_rates or ONE_STEP
        return {k: Estimate.missing(k.replace("_", " "), u, reason) for k, u in zip(keys, units, strict=True)}
    pools = [Pool(table, level, where) for where in parts]
    first, last = (p.means(signals, names) for p in pools)
    return {
        "pass_rate_first": first["pass_rate"],
        "pass_rate_last": last["pass_rate"],
        "pass_rate_change": contrast(
            pools, PassRate(), "pass rate, last third of the steps less first", "share of rollouts"
        ),
        "outcome_bits_change": contrast(
            pools, OutcomeEntropy(), "outcome bits, last third of the steps less first", "bits/rollout"
        ),
    }


def contrast(pools: list[Pool], functional: Functional, name: str, unit: str) -> Estimate:
    """Mean of f in the second pool less the first, where a prompt may be in both.

    What a prompt adds to the difference is ``(s2 - R2 w2)/W2 - (s1 - R1 w1)/W1``; those are independent.
    """
    if not all(p.groups for p in pools):
        return Estimate.missing(name, unit, "every group holds one rollout")
    tables = [p.tables({"f": functional})["f"] for p in pools]
    sums = [p.sums({"f": t}) for t, p in zip(tables, pools, strict=True)]
    who = np.union1d(sums[0].who, sums[1].who)
    gap, parts, spread = 0.0, np.zeros(who.size), 0.0
    for sign, total, pool, table in zip((-1, 1), sums, pools, tables, strict=True):
        ratio = total.score["f"].sum() / total.weight.sum()
        gap += sign * ratio
        parts[np.searchsorted(who, total.who)] += sign * (total.score["f"] - ratio * total.weight) / total.weight.sum()
        effective = total.weight.sum() ** 2 / (total.weight @ total.weight)
        spread = math.hypot(spread, who.size * pool.averaged(table.spread) / effective)
    bias = sum(p.averaged(t.bias) for p, t in zip(pools, tables, strict=True))
    return prompt_ratio(
        pools[0].table, who, np.ones(who.size), who.size * parts + gap, bias, spread, name=name, unit=unit,
        level=pools[0].level, method="difference of minimax linear means, by prompt",
        within=(-functional.high, functional.high),
    )  # fmt: skip


def series(table: GroupTable, sides: list[Side], level: float) -> tuple[StepBin, ...]:
    """Received and outcome bits, pass rate and kinds of groups in up to 60 bins of steps."""
    parts = [p for p in np.array_split(table.steps, min(MOST_BINS, table.steps.size)) if p.size]
    bin_ = np.searchsorted([p[0] for p in parts], table.step, side="right") - 1
    groups, several = (np.bincount(bin_[where], minlength=len(parts)) for where in (slice(None), table.several))
    counts = {kind: np.bincount(bin_[where], minlength=len(parts)) for kind, where in table.kinds.items()}
    figures = _binned(table, bin_, len(parts), level) if not table.no_rates else {}
    rows = []
    for i, part in enumerate(parts):
        mixed, right, wrong, constant = (
            float(counts[k][i] / several[i]) if k in counts and several[i] else None for k in KINDS
        )
        shown = figures.get(i, _no_figures(table.no_rates or ONE_ROLLOUT))
        first, last, count = int(part[0]), int(part[-1]), int(groups[i])
        received = Estimate.missing(RECEIVED, "bits/rollout", CONTINUOUS)
        if sides:
            received = smallest(table, sides, level, bin_ == i).renamed(RECEIVED, "bits/rollout")
        bits, rate = shown["outcome_bits"], shown["pass_rate"]
        rows.append(StepBin(first, last, count, mixed, right, wrong, constant, received, bits, rate))
    return tuple(rows)


def _no_figures(reason: str) -> dict[str, Estimate]:
    return {
        "outcome_bits": Estimate.missing("outcome bits", "bits/rollout", reason),
        "pass_rate": Estimate.missing("pass rate", "share of rollouts", reason),
    }


def _binned(table: GroupTable, bin_: Ints, bins: int, level: float) -> dict[int, dict[str, Estimate]]:
    """Outcome bits and pass rate of every bin, with one table of scores for all."""
    pool = Pool(table, level)
    if not pool.groups:
        return {}
    names = {"outcome_bits": ("outcome bits", "bits/rollout"), "pass_rate": ("pass rate", "share of rollouts")}
    scored = pool.tables({"outcome_bits": OutcomeEntropy(), "pass_rate": PassRate()}, max(1, pool.groups // bins))
    scores = {name: table.scores(t) for name, t in scored.items()}
    home = bin_[pool.where]
    order = np.argsort(home, kind="stable")  # within a bin the groups stay in the order of their prompts
    ends = np.searchsorted(home[order], np.arange(bins + 1))
    found: dict[int, dict[str, Estimate]] = {}
    for i in np.flatnonzero(np.diff(ends)):
        sums = table.sums(scores, pool.where[order[ends[i] : ends[i + 1]]], pool.weight)
        found[int(i)] = {k: pool.mean(scored[k], sums, k, *names[k]) for k in scored}
    return found
