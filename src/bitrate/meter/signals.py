"""Groups to figures: each signal is a function of a prompt's pass rate, estimated from counts with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bitrate.meter.cells import ONE_ROLLOUT, Cells, Sums, by_prompt
from bitrate.stats import Functional, ScoreTable, cluster_ratio, score_table, score_tables
from bitrate.types import Estimate, Floats


class Pool:
    """Minimax linear means over the rollouts of some cells, all signals in one pass, intervals by prompt.

    Args:
        cells: binary groups.
        level: coverage of the intervals.
        where: which cells.
        weight: SQL weight of a cell; its rollouts, by default.
    """

    def __init__(self, cells: Cells, level: float, where: str = "true", weight: str = "n") -> None:
        self.cells, self.level, self.weight = cells, level, weight
        self.where = f"({where}) AND n > 1"
        found = cells.columns(
            f"SELECT n, n_correct AS k, sum({weight})::BIGINT AS w, count(*) AS c FROM cells WHERE {self.where} "
            f"GROUP BY n, k ORDER BY n, k"
        )
        self.n, self.k, self.rollouts, count = (np.asarray(found[c], dtype=np.int64) for c in ("n", "k", "w", "c"))
        self.groups = int(count.sum())

    def tables(self, signals: Mapping[str, Functional]) -> dict[str, ScoreTable]:
        """The score table of each signal at the counts found."""
        found = score_tables(list(signals.values()), self.n, self.groups, self.k)
        return dict(zip(signals, found, strict=True))

    def mean(self, table: ScoreTable, sums: Sums, key: str, name: str, unit: str, **more: Any) -> Estimate:
        """One estimate from sums by prompt."""
        functional = table.functional
        return cluster_ratio(
            sums.weight,
            sums.score[key],
            self.averaged(table.bias),
            self.averaged(table.spread),
            name=name,
            unit=unit,
            level=self.level,
            method=more.pop("method", "minimax linear, by prompt"),
            within=more.pop("within", (functional.low, functional.high)),
        )

    def averaged(self, column: Floats) -> float:
        """Mean over the rollouts of a column of a score table."""
        return float((self.rollouts * column).sum() / self.rollouts.sum())

    def means(
        self,
        signals: Mapping[str, Functional],
        names: Mapping[str, tuple[str, str]],
    ) -> dict[str, Estimate]:
        """Mean of each signal; ``names`` gives each key its (name, unit)."""
        if not self.groups:
            return {key: Estimate.missing(*names[key], ONE_ROLLOUT, self.cells.totals["groups"]) for key in signals}
        tables = self.tables(signals)
        sums = self.cells.sums(tables, self.where, self.weight)
        return {key: self.mean(tables[key], sums, key, *names[key]) for key in signals}


def shares(
    cells: Cells, classes: Mapping[str, str], names: Mapping[str, str], *, level: float, unit: str, where: str = "n > 1"
) -> dict[str, Estimate]:
    """Share of groups in each class, interval by prompt."""
    sums = cells.measure({k: f"CASE WHEN {c} THEN 1 ELSE 0 END" for k, c in classes.items()}, where)
    if not sums.weight.sum():
        return {k: Estimate.missing(names[k], unit, ONE_ROLLOUT) for k in classes}
    return {
        k: cluster_ratio(
            sums.weight,
            sums.score[k],
            0.0,
            1.0,
            name=names[k],
            unit=unit,
            level=level,
            within=(0.0, 1.0),
            method="counted, by prompt",
        )
        for k in classes
    }


def graded_entropy(cells: Cells, functional: Functional, levels: list[float], *, level: float) -> Estimate:
    """Mean entropy of a graded reward.

    Over its levels the sum of -p log2 p, each minimax linear in that level's count.
    """
    name, unit = "outcome bits per rollout", "bits/rollout"
    every = cells.counted({"n": "n"}, {"w": "sum(n)", "c": "count(*)"}, "n > 1")
    if not every["n"].size:
        return Estimate.missing(name, unit, ONE_ROLLOUT, cells.totals["groups"])
    same = " AND ".join(f"c.{c} = l.{c}" for c in ("run", "split", "step", "prompt_id"))
    drawn = cells.columns(
        f"SELECT who, n, n_level AS k, count(*) AS c FROM cells c "
        f"JOIN levels l ON {same} AND c.group_id IS NOT DISTINCT FROM l.group_id "
        f"WHERE n > 1 GROUP BY ALL ORDER BY who, n, k"
    )
    who, n, k, times = (np.asarray(drawn[c], dtype=np.int64) for c in ("who", "n", "k", "c"))
    # A level that a group did not draw scores as one drawn 0 times.
    sizes, none = every["n"], 0 * every["n"]
    table = score_table(functional, np.concatenate([sizes, n]), int(every["c"].sum()), np.concatenate([none, k]))
    undrawn = table.rows(none, sizes)
    bias, spread = (float((every["w"] * c[undrawn]).sum() / every["w"].sum()) for c in (table.bias, table.spread))
    above = table.score[table.rows(k, n)] - table.score[table.rows(0 * k, n)]
    drawn_bits = by_prompt({"who": who, "w": times * n}, {"bits": times * n * above})
    sums = by_prompt(every, {"bits": len(levels) * every["w"] * table.score[undrawn]})
    sums.score["bits"][np.searchsorted(sums.who, drawn_bits.who)] += drawn_bits.score["bits"]
    return cluster_ratio(
        sums.weight,
        sums.score["bits"],
        len(levels) * bias,
        len(levels) * spread,
        name=name,
        unit=unit,
        level=level,
        within=(0.0, float(np.log2(len(levels)))),
        method=f"minimax linear over {len(levels)} reward levels, by prompt",
    )
