"""The group table: the groups of one split as arrays, and sums over them by prompt.

It is read from the engine once, ordered by prompt and within a prompt by step; all figures of an audit come from these
arrays, added in this order, so that they are the same to the last digit in every run.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.reduce import Groups
from bitrate.meter.stopping import stopping
from bitrate.stats import PassRates, ScoreTable, distinct, fit
from bitrate.types import Bools, Floats, Ints

#: Rewards this close are one reward: float residue is no variance.
RESIDUE = 1e-6

ONE_ROLLOUT = "every group holds one rollout: how pass rates spread cannot be told from chance"
GRADED = "the reward is graded; name a right-or-wrong column with --outcome"
STOPPED = "groups were sampled {}: their counts lean away from the pass rate"
NEITHER = "a graded reward calls no rollout right or wrong; name a column that does with --outcome"
#: Kinds of groups that an audit counts. Constant ones are all right or all wrong where a reward says right or wrong.
KINDS = ("mixed", "all_right", "all_wrong", "constant")

COLUMNS = (
    "step", "n", "n_correct", "n_answered", "n_distinct_answers", "n_right_answers", "n_torn_answers", "n_counted",
    "completion_tokens", "prompt_tokens", "n_truncated", "advantage_max",
)  # fmt: skip
LEVELS = ("level_min", "level_max")
TABLES = itertools.count()
SAME = "g.run IS NOT DISTINCT FROM p.run AND g.prompt_id IS NOT DISTINCT FROM p.prompt_id"


@dataclass(frozen=True)
class Sums:
    """Per prompt: its number, its total weight, and the weighted sum of each score."""

    who: Ints
    weight: Floats
    score: dict[str, Floats]


class GroupTable:
    """The groups of one split, an array a column, ordered by prompt, then step.

    Args:
        reduced: the reduced input; prompts are looked up in it while it lives.
        split: ``"train"`` or ``"eval"``.

    ``who`` numbers the prompts of all runs in the order of their names, from 0. A column that no group knows is all
    NaN; one that some groups do not know is NaN there.
    """

    def __init__(self, reduced: Groups, split: str) -> None:
        self.reduced, self.split = reduced, split
        self._names = f"prompts_{next(TABLES)}"
        here = f"split = {sql.text(split)}"
        self.ask(
            f"CREATE TEMP TABLE {self._names} AS SELECT *, row_number() OVER (ORDER BY run, prompt_id) - 1 AS who, "
            f"dense_rank() OVER (ORDER BY run) - 1 AS run_number "
            f"FROM (SELECT DISTINCT run, prompt_id FROM groups WHERE {here})"
        )
        columns = COLUMNS if reduced.outcome.binary else COLUMNS + LEVELS
        found = duck.arrays(
            reduced.con,
            f"SELECT who, run_number, {', '.join(columns)} FROM ({self._groups()}) g JOIN {self._names} p ON {SAME} "
            f"WHERE {here} ORDER BY who, step, group_id",
        )
        self.column = {name: _small(values) for name, values in found.items()}
        self.who, self.step, self.n = (self.column[c] for c in ("who", "step", "n"))

    def _groups(self) -> str:
        """SQL of the groups with the least and the greatest level of their scores, where the score is graded."""
        outcome = self.reduced.outcome
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
        """Rows of a query of the reduced input."""
        return duck.run(self.reduced.con, query)

    @property
    def binary(self) -> bool:
        """Whether every group has a count of right rollouts."""
        return self.reduced.outcome.binary

    @cached_property
    def stopped(self) -> str | None:
        """How the size of groups followed from their outcomes, e.g. ``"until one was right"``, or None."""
        return stopping(self.right.astype(np.int64), self.n.astype(np.int64)) if self.binary else None

    @property
    def no_rates(self) -> str | None:
        """Why counts of right rollouts do not tell pass rates, or None where they do."""
        return GRADED if not self.binary else STOPPED.format(self.stopped) if self.stopped else None

    @property
    def right(self) -> Ints:
        """Right rollouts of each group; only of a reward that says right or wrong."""
        return self.column["n_correct"]

    @cached_property
    def totals(self) -> dict[str, int]:
        """Rollouts, groups, prompts and steps."""
        return {
            "rollouts": int(self.n.sum()),
            "groups": self.n.size,
            "prompts": int(self.who[-1]) + 1 if self.who.size else 0,
            "steps": int(self.steps.size),
        }

    @cached_property
    def sizes(self) -> list[int]:
        """The group sizes found."""
        return [int(n) for n in np.unique(self.n)]

    @cached_property
    def steps(self) -> Ints:
        """The steps found, in order."""
        return np.unique(self.step)

    @cached_property
    def several(self) -> Bools:
        """Which groups hold two rollouts or more: only those tell how pass rates spread."""
        return np.asarray(self.n > 1)

    @cached_property
    def starts(self) -> Ints:
        """Where each prompt's groups start, with the number of groups at the end."""
        return np.append(np.flatnonzero(np.r_[True, self.who[1:] != self.who[:-1]]), self.who.size)

    @cached_property
    def followed(self) -> bool:
        """Whether a prompt keeps its identity over the run."""
        return self.reduced.provenance.prompt_id != "positional"

    @cached_property
    def run_count(self) -> int:
        """How many runs there are."""
        return int(self.column["run_number"].max(initial=-1)) + 1

    @cached_property
    def prompt(self) -> Ints:
        """The prompt of each ``who``: one number in all runs that have it, unless they ask it for different targets."""
        named = f"SELECT who, prompt_id, NULL AS target FROM {self._names}"
        if "target" in self.reduced.columns():
            named = (
                f"SELECT who, p.prompt_id, min(target) AS target FROM {self._names} p JOIN "
                f"({self.reduced.select(('run', 'prompt_id', 'target'))}) g ON {SAME} GROUP BY who, p.prompt_id"
            )
        query = f"SELECT dense_rank() OVER (ORDER BY prompt_id, target) - 1 AS prompt FROM ({named}) ORDER BY who"
        return np.asarray(duck.arrays(self.reduced.con, query)["prompt"], dtype=np.int64)

    @cached_property
    def run_of(self) -> Ints:
        """The number of each prompt's run, from 0."""
        return np.asarray(self.column["run_number"][self.starts[:-1]], dtype=np.int64)

    @cached_property
    def cell(self) -> Ints:
        """The step of its run at which each prompt was first drawn, numbered over all runs."""
        return self.run_of * self.steps.size + np.searchsorted(self.steps, self.step[self.starts[:-1]])

    @cached_property
    def visits(self) -> Ints:
        """How many groups each prompt has, shape [prompts]."""
        return np.diff(self.starts)

    @cached_property
    def visit(self) -> Ints:
        """The how-manieth group of its prompt each group is, from 1."""
        return np.asarray(np.arange(self.who.size) - self.starts[self.who] + 1)

    @cached_property
    def kinds(self) -> dict[str, Bools]:
        """The kinds of groups of two rollouts or more that this reward can tell apart.

        Only a reward that says right or wrong has groups that are all right or all wrong; a graded one, whichever
        level a group holds throughout, is constant.
        """
        if not self.binary:
            mixed = self.several & (self.column["level_max"] - self.column["level_min"] > RESIDUE)
            return {"mixed": mixed, "constant": self.several & ~mixed}
        right, wrong = (self.several & (self.right == held) for held in (self.n, 0))
        return {
            "mixed": self.several & ~right & ~wrong,
            "all_right": right,
            "all_wrong": wrong,
            "constant": right | wrong,
        }

    def constant_levels(self, most: int) -> dict[float, Bools]:
        """The levels that most constant groups of a graded reward hold, each with its groups, those of most first."""
        if self.binary:
            return {}
        held, constant = np.round(self.column["level_min"], 6) + 0.0, self.kinds["constant"]
        levels, counts = np.unique(held[constant], return_counts=True)
        order = np.lexsort((levels, -counts))[:most]
        return {float(levels[i]): constant & (held == levels[i]) for i in order}

    @cached_property
    def level_counts(self) -> Ints:
        """Rollouts of each group at each level of a graded reward, shape [groups, levels]."""
        return self.counts_at(sorted(self.reduced.outcome.levels or ()), "levels")

    def counts_at(self, levels: list[float], relation: str) -> Ints:
        """Rollouts of each group at each of these levels, in order, from SQL of rows like those of ``levels``."""
        keys = ("run", "split", "step", "prompt_id")
        same = " AND ".join(f"g.{c} IS NOT DISTINCT FROM l.{c}" for c in (*keys, "group_id"))
        found = duck.arrays(
            self.reduced.con,
            f"SELECT dense_rank() OVER (ORDER BY who, g.step, g.group_id) - 1 AS place, reward_level, n_level "
            f"FROM groups g JOIN {relation} l ON {same} JOIN {self._names} p ON {SAME} "
            f"WHERE g.split = {sql.text(self.split)}",
        )
        counts = np.zeros((self.n.size, len(levels)), np.int64)
        np.add.at(counts, (found["place"], np.searchsorted(levels, found["reward_level"])), found["n_level"])
        return counts

    def histogram(self, where: Bools | Ints | None = None, weight: Ints | None = None) -> tuple[Ints, Ints, Ints]:
        """(right, n, number of groups or their weight) of the counts that occur, by n and then by right."""
        right, size, index = self._counts
        here = slice(None) if where is None else where
        held = np.bincount(index[here], minlength=right.size)
        shown = held > 0
        if weight is not None:
            held = np.asarray(np.bincount(index[here], weights=weight[here], minlength=right.size)).astype(np.int64)
        return right[shown], size[shown], held[shown]

    @cached_property
    def rates(self) -> PassRates:
        """Population of pass rates of the groups of two rollouts or more."""
        return fit(*self.histogram(self.several))

    @cached_property
    def _counts(self) -> tuple[Ints, Ints, Ints]:
        """The (right, n) that occur, and which of them each group has."""
        right, size, index = distinct(self.right.astype(np.int64), self.n.astype(np.int64))
        return right, size, index

    def scores(self, table: ScoreTable) -> Floats:
        """The score of each group in a table made for the counts found; NaN for a group that it has no score for."""
        right, size, index = self._counts
        span = int(max(size.max(), table.n.max())) + 1
        there = np.isin(size * span + right, table.n * span + table.k)
        score = np.full(size.size, np.nan)
        score[there] = table.score[table.rows(right[there], size[there])]
        return score[index]

    def sums(
        self, score: Mapping[str, NDArray[Any]], where: Bools | Ints | None = None, weight: Ints | None = None
    ) -> Sums:
        """Sums by prompt of each group's weight and of scores times it, over some groups.

        Args:
            score: a figure a group, by name.
            where: which groups, as a mask or as numbers that rise; all by default.
            weight: of each group, a whole number; 1 by default.
        """
        here = np.arange(self.who.size) if where is None else np.flatnonzero(where) if where.dtype == bool else where
        who = self.who[here]
        first = np.flatnonzero(np.r_[True, who[1:] != who[:-1]]) if who.size else np.zeros(0, np.int64)
        each = np.ones(here.size) if weight is None else weight[here].astype(float)

        def added(values: Floats) -> Floats:
            return np.add.reduceat(values, first) if first.size else np.zeros(0)

        found = {name: added(each * values[here]) for name, values in score.items()}
        return Sums(who[first].astype(np.int64), added(each), found)

    def total(self, column: str, where: Bools | None = None) -> int:
        """Sum of a column of whole numbers over the groups that know it."""
        values = self.column[column]
        return int(np.nansum(values if where is None else values[where]))

    def known(self, column: str) -> int:
        """How many groups know a column."""
        values = self.column[column]
        return int(values.size - np.isnan(values).sum()) if values.dtype.kind == "f" else values.size

    def prompt_ids(self, who: Ints | None = None) -> list[str]:
        """Names of prompts; of all of them they may take more memory than all else."""
        some = "" if who is None else f" WHERE who IN ({', '.join(map(str, who))})"
        if who is not None and not who.size:
            return []
        names = dict(self.ask(f"SELECT who, prompt_id FROM {self._names}{some}"))
        return [str(names[int(i)]) for i in (range(len(names)) if who is None else who)]

    def runs(self) -> list[str]:
        """Names of the runs, in order."""
        return [str(r) for (r,) in self.ask(f"SELECT DISTINCT run FROM {self._names} ORDER BY run")]


def _small(values: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers in 32 bits where they fit, and no memory for a column of which nothing is known."""
    if values.dtype.kind == "f" and values.size and np.isnan(values).all():
        return np.asarray(np.broadcast_to(np.float64(np.nan), values.size))
    if values.dtype.kind == "i" and (not values.size or np.abs(values).max() < 2**31):
        return np.asarray(values.astype(np.int32))
    return values


def counted(table: GroupTable, kind: str) -> tuple[int, str]:
    """How many groups of two rollouts or more are of a kind, and in words ``"164 of 320"``."""
    found = int(table.kinds[kind].sum())
    return found, f"{found:,} of {int(table.several.sum()):,}"
