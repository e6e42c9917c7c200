"""Groups to figures: each signal is a function of a prompt's pass rate, estimated from counts with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from bitrate.meter.cells import ONE_ROLLOUT, Cells, Sums
from bitrate.stats import Functional, ScoreTable, cluster_ratio, score_table
from bitrate.types import Estimate


def tabulate(signal: Functional | Callable[[int], Functional], sizes: list[int], units: int) -> ScoreTable:
    """Scores of a functional, or of one that depends on the size of the group itself, at every group size."""
    if isinstance(signal, Functional):
        return score_table(signal, sizes, units)
    parts = [score_table(signal(n), [n], units) for n in sizes]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(t, name) for t in parts]) for name in ("n", "k", "score", "bias", "spread")
    }
    return replace(parts[0], **arrays)


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
        rows = cells.ask(f"SELECT n, sum({weight}), count(*) FROM cells WHERE {self.where} GROUP BY n ORDER BY n")
        self.sizes = [int(n) for n, _, _ in rows]
        self.groups = int(sum(count for _, _, count in rows))
        total = float(sum(w for _, w, _ in rows)) or 1.0
        self.share = {int(n): float(w) / total for n, w, _ in rows}

    def tables(self, signals: Mapping[str, Functional | Callable[[int], Functional]]) -> dict[str, ScoreTable]:
        """The score table of each signal at the sizes found."""
        return {key: tabulate(signal, self.sizes, self.groups) for key, signal in signals.items()}

    def mean(self, table: ScoreTable, sums: Sums, key: str, name: str, unit: str, **more: Any) -> Estimate:
        """One estimate from sums by prompt."""
        functional = table.functional
        return cluster_ratio(
            sums.weight,
            sums.score[key],
            self.averaged(table, table.bias),
            self.averaged(table, table.spread),
            name=name,
            unit=unit,
            level=self.level,
            method=more.pop("method", "minimax linear, by prompt"),
            within=more.pop("within", (functional.low, functional.high)),
        )

    def averaged(self, table: ScoreTable, column: np.ndarray) -> float:
        """Mean of a per-size column over the rollouts."""
        by_size = dict(zip(table.n.tolist(), column.tolist(), strict=True))
        return float(sum(share * by_size[n] for n, share in self.share.items()))

    def means(
        self,
        signals: Mapping[str, Functional | Callable[[int], Functional]],
        names: Mapping[str, tuple[str, str]],
    ) -> dict[str, Estimate]:
        """Mean of each signal; ``names`` gives each key its (name, unit)."""
        if not self.sizes:
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
    pool = Pool(cells, level)
    if not pool.sizes:
        return Estimate.missing(name, unit, ONE_ROLLOUT, cells.totals["groups"])
    table = score_table(functional, pool.sizes, pool.groups)
    none = {int(n): float(s) for n, k, s in zip(table.n, table.k, table.score, strict=True) if k == 0}
    absent = [none[int(n)] for n in table.n]
    cells.groups.con.register("score_table", pa.table({"n": table.n, "k": table.k, "s": table.score, "s0": absent}))
    same = " AND ".join(f"c.{c} = l.{c}" for c in ("run", "split", "step", "prompt_id"))
    sums = cells.arrays(
        f"WITH per_group AS (SELECT c.who, c.n, sum(s.s - s.s0) + {len(levels)} * any_value(s.s0) AS bits FROM cells c "
        f"JOIN levels l ON {same} AND c.group_id IS NOT DISTINCT FROM l.group_id "
        f"JOIN score_table s ON s.n = c.n AND s.k = l.n_level WHERE c.n > 1 GROUP BY c.who, c.n, c.step, c.group_id) "
        f"SELECT who, sum(n) AS w, sum(n * bits) AS t0 FROM per_group GROUP BY who ORDER BY who",
        ["bits"],
    )
    return cluster_ratio(
        sums.weight,
        sums.score["bits"],
        len(levels) * pool.averaged(table, table.bias),
        len(levels) * pool.averaged(table, table.spread),
        name=name,
        unit=unit,
        level=level,
        within=(0.0, float(np.log2(len(levels)))),
        method=f"minimax linear over {len(levels)} reward levels, by prompt",
    )
