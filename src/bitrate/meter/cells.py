"""The groups of one split, and sums over them by prompt: the only place where the meter asks the engine.

The engine counts; scores are applied here, to counts in a fixed order. Sums of whole numbers are the same in any order,
and an engine with several threads adds in any: sums of fractions would differ in the last digit from run to run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bitrate.logs.engines import duck
from bitrate.logs.reduce import Groups
from bitrate.stats import ScoreTable
from bitrate.types import Floats, Ints

#: Rewards this close are one reward: float residue is no variance.
RESIDUE = 1e-6
MIXED = f"level_max - level_min > {RESIDUE}"

ONE_ROLLOUT = "every group holds one rollout: how pass rates spread cannot be told from chance"
GRADED = "the reward is graded; name a right-or-wrong column with --outcome"
#: Kinds of groups that an audit counts. Constant ones are all right or all wrong where a reward says right or wrong.
KINDS = ("mixed", "all_right", "all_wrong", "constant")
NEITHER = "a graded reward calls no rollout right or wrong; name a column that does with --outcome"


@dataclass
class Cells:
    """Groups of one split, as a view ``cells`` with a dense prompt number ``who``.

    Args:
        groups: the reduced input.
        split: train or eval.
        where: further SQL condition on groups.
    """

    groups: Groups
    split: str
    where: str = "true"

    def __post_init__(self) -> None:
        self.ask(
            f"CREATE OR REPLACE TEMP TABLE cells AS SELECT *, dense_rank() OVER (ORDER BY run, prompt_id) - 1 AS who, "
            f"row_number() OVER (PARTITION BY run, prompt_id ORDER BY step, group_id) AS visit, "
            f"count(*) OVER (PARTITION BY run, prompt_id) AS visits FROM ({self._groups()}) "
            f"WHERE split = '{self.split}' AND ({self.where})"
        )

    def _groups(self) -> str:
        """SQL of the groups with the least and the greatest level of their scores, where the score is graded."""
        outcome = self.groups.outcome
        if outcome.binary:
            return "SELECT * FROM groups"
        if outcome.levels is None:
            return "SELECT *, reward_min AS level_min, reward_max AS level_max FROM groups"
        keys = ("run", "split", "step", "prompt_id", "group_id")
        same = " AND ".join(f"g.{k} IS NOT DISTINCT FROM l.{k}" for k in keys)
        return (
            f"SELECT g.*, level_min, level_max FROM groups g JOIN (SELECT {', '.join(keys)}, "
            f"min(reward_level) AS level_min, max(reward_level) AS level_max FROM levels GROUP BY ALL) l ON {same}"
        )

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query over ``cells``."""
        return duck.run(self.groups.con, query)

    def one(self, query: str) -> tuple[Any, ...]:
        """The only row of a query over ``cells``."""
        [row] = self.ask(query)
        return row

    def columns(self, query: str) -> dict[str, NDArray[Any]]:
        """Columns of a query over ``cells``, nulls as NaN."""
        table = duck.table(self.groups.con, query)
        wide = {f.name: f.with_type(pa.float64()) for f in table.schema if pa.types.is_decimal(f.type)}
        table = table.cast(pa.schema([wide.get(f.name, f) for f in table.schema]))
        return {name: table[name].to_numpy() for name in table.column_names}

    @cached_property
    def binary(self) -> bool:
        """Whether every group has a count of right rollouts."""
        return self.groups.outcome.binary

    @cached_property
    def totals(self) -> dict[str, int]:
        """Rollouts, groups, prompts and steps."""
        row = self.one("SELECT sum(n), count(*), max(who) + 1, count(DISTINCT step) FROM cells")
        return dict(zip(("rollouts", "groups", "prompts", "steps"), (int(x or 0) for x in row), strict=True))

    @cached_property
    def sizes(self) -> list[int]:
        """The group sizes found."""
        return [int(n) for (n,) in self.ask("SELECT DISTINCT n FROM cells ORDER BY n")]

    def sums(self, tables: Mapping[str, ScoreTable], where: str = "true", weight: str = "n", by: str = "0") -> Sums:
        """Weighted sums by prompt of scores that depend on (n, n_correct).

        Args:
            tables: for each name its score table; all over the same counts, those of the cells.
            where: which cells.
            weight: SQL weight of a cell, a whole number.
            by: SQL number that parts the cells, e.g. into bins of steps; sums are by part and prompt.
        """
        first = next(iter(tables.values()))
        found = self.counted({"part": by, "n": "n", "k": "n_correct"}, {"w": f"sum({weight})"}, where)
        row = first.rows(found["k"], found["n"])
        return by_prompt(found, {name: found["w"] * t.score[row] for name, t in tables.items()})

    def measure(self, columns: Mapping[str, str], where: str = "true", weight: str = "1") -> Sums:
        """Sums by prompt of SQL expressions over a cell and of its weight, all whole numbers."""
        listed = {f"t{i}": f"sum({e})" for i, e in enumerate(columns.values())}
        found = self.counted({}, {"w": f"sum({weight})", **listed}, where)
        return by_prompt(found, {name: found[f"t{i}"] for i, name in enumerate(columns)})

    def counted(self, keys: Mapping[str, str], sums: Mapping[str, str], where: str = "true") -> dict[str, Ints]:
        """Sums of whole numbers over the cells of each prompt that agree on some keys, in the order of the keys.

        Args:
            keys: name -> SQL of a whole number over a cell.
            sums: name -> SQL of a sum that is a whole number.
            where: which cells.
        """
        listed = ", ".join(f"({e})::BIGINT AS {name}" for name, e in {**keys, "who": "who", **sums}.items())
        order = ", ".join(str(i + 1) for i in range(len(keys) + 1))
        found = self.columns(f"SELECT {listed} FROM cells WHERE {where} GROUP BY {order} ORDER BY {order}")
        return {name: np.asarray(column, dtype=np.int64) for name, column in found.items()}

    def histogram(self, where: str = "true") -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """(n_correct, n, number of groups) of the cells."""
        found = self.columns(
            f"SELECT n_correct AS k, n, count(*) AS c FROM cells WHERE {where} GROUP BY ALL ORDER BY n, k"
        )
        return tuple(np.asarray(found[c], dtype=np.int64) for c in ("k", "n", "c"))  # type: ignore[return-value]


@dataclass(frozen=True)
class Sums:
    """Per prompt (and part): its number, its total weight, and the weighted sum of each score."""

    who: NDArray[np.int64]
    weight: Floats
    score: dict[str, Floats]
    part: NDArray[np.int64]


def by_prompt(found: Mapping[str, Ints], score: Mapping[str, NDArray[Any]]) -> Sums:
    """Sums by part and prompt of the rows' weight ``w`` and of scores, added in the order of the rows."""
    who = found["who"]
    part = found.get("part", np.zeros(who.size, dtype=np.int64))
    span = int(who.max(initial=0)) + 1
    places, index = np.unique(part * span + who, return_inverse=True)
    weight, *added = (
        np.asarray(np.bincount(index, weights=column.astype(float), minlength=places.size), dtype=np.float64)
        for column in (found["w"], *score.values())
    )
    return Sums(places % span, weight, dict(zip(score, added, strict=True)), places // span)


def group_classes(cells: Cells) -> dict[str, str]:
    """SQL conditions for the kinds of groups of two rollouts or more that this reward can tell apart.

    Only a reward that says right or wrong has groups that are all right or all wrong; a graded one, whichever level a
    group holds throughout, is constant.
    """
    if cells.binary:
        return {
            "mixed": "n > 1 AND n_correct > 0 AND n_correct < n",
            "all_right": "n > 1 AND n_correct = n",
            "all_wrong": "n > 1 AND n_correct = 0",
            "constant": "n > 1 AND n_correct IN (0, n)",
        }
    return {"mixed": f"n > 1 AND {MIXED}", "constant": f"n > 1 AND NOT ({MIXED})"}


def constant_levels(cells: Cells, most: int) -> tuple[dict[float, int], dict[float, str]]:
    """The levels that most constant groups of a graded reward hold: groups and SQL condition of each, most first."""
    if cells.binary:
        return {}, {}
    constant, level = group_classes(cells)["constant"], "round(level_min, 6) + 0.0"
    rows = cells.ask(
        f"SELECT {level} AS held, count(*) AS c FROM cells WHERE {constant} GROUP BY held ORDER BY c DESC, held "
        f"LIMIT {most}"
    )
    counts = {float(held): int(c) for held, c in rows}
    return counts, {held: f"{constant} AND {level} = {held!r}::DOUBLE" for held in counts}
