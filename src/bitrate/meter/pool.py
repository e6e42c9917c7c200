"""Groups to figures: means over groups of a function of a prompt's pass rate, and shares, with intervals by prompt."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bitrate.meter.clusters import prompt_ratio
from bitrate.meter.groups import ONE_ROLLOUT, GroupTable, Sums
from bitrate.stats import Functional, ScoreTable, score_table, score_tables
from bitrate.types import Bools, Estimate, Floats, Ints


class Pool:
    """Minimax linear means over the rollouts of some groups, all signals in one pass, intervals by prompt.

    Args:
        table: groups with counts of right rollouts.
        level: coverage of the intervals.
        where: which groups, as a mask or as numbers; those of a single rollout are left out.
        by_group: weigh every group alike, and not every rollout.
    """

    def __init__(
        self, table: GroupTable, level: float, where: Bools | Ints | None = None, *, by_group: bool = False
    ) -> None:
        self.table, self.level = table, level
        here = np.arange(table.n.size) if where is None else np.flatnonzero(where) if where.dtype == bool else where
        self.where = here[table.several[here]]
        self.weight = None if by_group else table.n
        self.k, self.n, self.rollouts = table.histogram(self.where, self.weight)
        self.groups = self.where.size

    def tables(self, signals: Mapping[str, Functional], units: int | None = None) -> dict[str, ScoreTable]:
        """The score table of each signal at the counts found; for so many groups, these by default."""
        found = score_tables(list(signals.values()), self.n, self.groups if units is None else units, self.k)
        return dict(zip(signals, found, strict=True))

    def sums(self, tables: Mapping[str, ScoreTable], where: Ints | None = None) -> Sums:
        """Sums by prompt of the scores, over these groups or some of them."""
        scores = {name: self.table.scores(t) for name, t in tables.items()}
        return self.table.sums(scores, self.where if where is None else where, self.weight)

    def mean(self, table: ScoreTable, sums: Sums, key: str, name: str, unit: str) -> Estimate:
        """One estimate from sums by prompt."""
        functional = table.functional
        return prompt_ratio(
            self.table, sums.who, sums.weight, sums.score[key], self.averaged(table.bias), self.averaged(table.spread),
            name=name, unit=unit, level=self.level, method="minimax linear, by prompt",
            within=(functional.low, functional.high),
            each=(self.averaged(table.low), self.averaged(table.high)),
        )  # fmt: skip

    def averaged(self, column: Floats) -> float:
        """Mean over the rollouts of a column of a score table."""
        return float((self.rollouts * column).sum() / self.rollouts.sum())

    def means(self, signals: Mapping[str, Functional], names: Mapping[str, tuple[str, str]]) -> dict[str, Estimate]:
        """Mean of each signal; ``names`` gives each key its (name, unit)."""
        if not self.groups:
            return {key: Estimate.missing(*names[key], ONE_ROLLOUT, self.table.totals["groups"]) for key in signals}
        tables = self.tables(signals)
        sums = self.sums(tables)
        return {key: self.mean(tables[key], sums, key, *names[key]) for key in signals}


def share(table: GroupTable, which: Bools, name: str, *, level: float) -> Estimate:
    """Share of the groups of two rollouts or more that are of a kind, interval by prompt."""
    unit = "share of groups"
    if not table.several.any():
        return Estimate.missing(name, unit, ONE_ROLLOUT)
    return counted_share(table, table.sums({"": which}, table.several), name, unit, level=level)


def counted_share(table: GroupTable, sums: Sums, name: str, unit: str, *, level: float) -> Estimate:
    """The share that sums by prompt count, their only score over their weight."""
    [score] = sums.score.values()
    return prompt_ratio(
        table, sums.who, sums.weight, score, 0.0, 1.0, name=name, unit=unit, level=level, within=(0.0, 1.0),
        method="counted, by prompt", each=(0.0, 1.0),
    )  # fmt: skip


def graded_entropy(table: GroupTable, functional: Functional, counts: Ints, *, level: float) -> Estimate:
    """Mean entropy of a graded reward.

    Over its levels the sum of -p log2 p, each minimax linear in that level's count; ``counts`` [groups, levels].
    """
    name, unit = "outcome bits per rollout", "bits/rollout"
    many = np.flatnonzero(table.several)
    if not many.size:
        return Estimate.missing(name, unit, ONE_ROLLOUT, table.totals["groups"])
    levels = counts.shape[1]
    group, which = np.nonzero(counts * table.several[:, None])
    who, n, drawn = table.who[group], table.n[group].astype(np.int64), counts[group, which]
    sizes = table.n[many].astype(np.int64)
    # A level that a group did not draw scores as one drawn 0 times.
    some, none = np.unique(sizes), 0 * np.unique(sizes)
    scores = score_table(functional, np.concatenate([some, n]), many.size, np.concatenate([none, drawn]))
    undrawn = scores.rows(0 * sizes, sizes)
    bias, spread, low, high = (
        levels * float((sizes * c[undrawn]).sum() / sizes.sum())
        for c in (scores.bias, scores.spread, scores.low, scores.high)
    )
    above = n * (scores.score[scores.rows(drawn, n)] - scores.score[scores.rows(0 * drawn, n)])
    bits = np.zeros(table.n.size)
    bits[many] = levels * scores.score[undrawn]
    sums = table.sums({"bits": bits}, many, table.n)
    more = np.bincount(who, weights=above, minlength=table.totals["prompts"])
    return prompt_ratio(
        table, sums.who, sums.weight, sums.score["bits"] + more[sums.who], bias, spread,
        name=name, unit=unit, level=level, within=(0.0, float(np.log2(levels))), each=(low, high),
        method=f"minimax linear over {levels} reward levels, by prompt",
    )  # fmt: skip
