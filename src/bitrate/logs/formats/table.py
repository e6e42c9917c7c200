"""Any table of rollouts: Parquet, JSON or CSV whose columns bear bitrate's names, or are mapped with --columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import ClassVar

from bitrate.errors import DataError
from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.expression import Expression, to_sql
from bitrate.logs.formats import Format, Select, parquet
from bitrate.logs.layout import by_file
from bitrate.logs.layouts import LAYOUTS, LISTS, UNFOLDED, Layout, layouts, value
from bitrate.logs.options import ReadOptions
from bitrate.logs.parts import Parts, tell
from bitrate.logs.peek import Peek
from bitrate.logs.schema import PROVENANCE_KEY, ROLLOUT_COLUMNS
from bitrate.logs.values import dubious

TABLES = {"parquet", "csv", *LAYOUTS}
#: Rollouts of the largest count: sums of what a score off its levels adds, 2^32 a rollout, stay below 2^63.
MOST_COUNTED = 100_000_000
#: Other names that mean the same and are safe to take without asking.
ALIASES = {
    "prompt_id": ("task_id", "question_id", "problem_id", "example_id"),
    "step": ("visit",),
    "sample": ("sample_idx", "trial"),
}
#: What a file says of itself beside a rollout's own columns: shown where it cannot be used.
SHOWN = ("prompt_id", "step", "reward", "correct", "n", "n_correct")


class Table(Format):
    """Rows with ``prompt_id`` and ``reward`` (or ``correct``); every other column is read where present.

    A file may be Parquet, CSV (with commas, tabs or semicolons), an object a line, an array of objects, or one object.
    A row whose reward is a list holds a rollout for each of its values. Where there is no such column, a run comes from
    the folder, and step and split from the names of files and folders.
    """

    name: ClassVar[str] = "table"
    trainer: ClassVar[str] = "any; also what `bitrate export` writes"
    files: ClassVar[str] = "*.parquet, *.jsonl, *.json, *.csv, *.tsv with prompt_id and reward, or --columns"
    fallback: ClassVar[bool] = True
    optional_step: ClassVar[bool] = True
    filtered: str = "unknown"
    needs: ClassVar[tuple[str, ...]] = ("prompt_id",)
    one_of: ClassVar[tuple[str, ...]] = ("reward", "correct")
    takes_counts: ClassVar[bool] = False
    names: ClassVar[tuple[str, ...]] = tuple(ROLLOUT_COLUMNS)

    def __init__(self, options: ReadOptions) -> None:
        super().__init__(options)
        self.picked: dict[tuple[str, ...], dict[str, Expression]] = {}

    def picks(self, columns: Iterable[str]) -> dict[str, Expression]:
        """What each rollout column is made of in a file with these columns: the user's word, its own name, an alias."""
        names = tuple(columns)
        if names not in self.picked:
            self.picked[names] = self._picks(names)
        return self.picked[names]

    def _picks(self, columns: tuple[str, ...]) -> dict[str, Expression]:
        there, found = set(columns), {}
        for target in self.names:
            name = next((n for n in (target, *ALIASES.get(target, ())) if n in there), None)
            if name:
                found[target] = Expression(None, name)
        given = {t: to_sql(e) for t, e in self.options.columns.items()}
        if self.options.outcome_column:
            given["correct"] = Expression(None, self.options.outcome_column)
        return found | given

    def sniff(self, file: Peek) -> bool:
        """A table with the columns needed, by name or by the user's mapping."""
        if file.kind not in TABLES or not file.columns:
            return False
        found = {t for t, e in self.picks(file.columns).items() if all(self.there(file, c) for c in e.columns)}
        if {"n", "n_correct"} <= {*found, *file.columns}:
            return self.takes_counts and set(self.needs) <= {*found, *file.columns}
        return not self.takes_counts and set(self.needs) <= found and bool(found & set(self.one_of))

    @staticmethod
    def there(file: Peek, name: str) -> bool:
        """Whether a column, or a dotted path into its objects, is in a file; a map of Parquet may have any key."""
        in_map = file.columns.get(name.partition(".")[0], "").startswith("map<")
        return name in file.columns or name in file.nested or in_map or file.mentions(name)

    def raw_columns(self, files: Sequence[Peek]) -> set[str]:
        """The columns of the files, and the paths into their objects."""
        named = {n for n in self.options.raw_names() if any(self.there(f, n) for f in files)}
        return super().raw_columns(files) | {n for f in files for n in f.nested} | named

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Find what names and folders tell, and what no file says."""
        self.as_text = False
        self.parts = Parts()
        self._one_name_each(files)
        self.remember(files)
        self.unfold = self._lists(files)
        there = {c for f in files for c in f.columns}
        self.notes += [
            f"{target} is read from the column {expression.column}."
            for target, expression in self.picks(there).items()
            if expression.column in ALIASES.get(target, ()) and target not in self.options.columns
        ]
        tell(self, con, files)
        self.notes += self.parts.notes
        return files

    def numbered(self, files: Sequence[Peek]) -> bool:
        """Whether each file numbers the rollouts of a group."""
        return all("sample" in self.picks(f.columns) for f in files)

    def _one_name_each(self, files: Sequence[Peek]) -> None:
        """Refuse a file in which a column that is read has its name twice."""
        for file in files:
            names = file.header if file.kind == "csv" else file.schema.names if file.kind == "parquet" else []
            used = {c for e in self.picks(names).values() for c in e.columns}
            if twice := sorted({n for n in names if names.count(n) > 1} & used):
                raise DataError(
                    f"two columns are called {twice[0]!r}", where=str(file.path), hint="give each a name of its own"
                )

    def remember(self, files: Sequence[Peek]) -> None:
        """Take over what an exported table says about where its rows came from."""
        kept = [k for f in files if f.kind == "parquet" if (k := f.metadata.get(PROVENANCE_KEY))]
        if not kept:
            return
        try:
            known = [json.loads(k) for k in kept]
            told = {(k["format"], k["prompt_id"], k["group_id"], k["filtered"], *map(str, k["caveats"])) for k in known}
        except (ValueError, TypeError, KeyError, RecursionError):
            self.notes.append(f"The Parquet metadata called {PROVENANCE_KEY} is not bitrate's own: it is not used.")
            return
        if len(kept) == len(files) and len(told) == 1:
            [(format, self.prompt_id, self.group_id, self.filtered, *caveats)] = told
            self.notes += [f"Exported from {format} files.", *caveats]

    def _lists(self, files: Sequence[Peek]) -> tuple[str, ...]:
        """Columns that hold a list with a value for each rollout, that of the score first; none where it is no list."""
        found: list[str] = []
        for file in files:
            for target, expression in self.picks(file.columns).items():
                column = expression.column
                if target in UNFOLDED and column and self._is_list(file, column):
                    found.insert(0 if target in self.one_of else len(found), column)
        scores = {e.column for f in files for t, e in self.picks(f.columns).items() if t in self.one_of}
        return tuple(dict.fromkeys(found)) if found and found[0] in scores else ()

    @staticmethod
    def _is_list(file: Peek, column: str) -> bool:
        if file.kind == "parquet":
            return bool(LISTS.fullmatch(file.columns.get(column, "")))
        return isinstance(file.value(column), list)

    def direct(self, files: Sequence[Peek]) -> bool:
        """Parquet is read in place, where all files have the columns that are read under the same names and types."""
        if self.as_text or self.unfold or any(f.kind != "parquet" for f in files):
            return False
        picks = self.picks(files[0].columns)
        used = {c for e in picks.values() for c in e.columns}
        return all(
            len({n.lower() for n in f.columns}) == len(f.columns)
            and self.picks(f.columns) == picks
            and all(f.columns.get(c) == files[0].columns.get(c) for c in used)
            for f in files
        )

    def reconsider(self, con: duck.Connection) -> bool:
        """Whether the groups hold ids that stand for no id, or 3 beside 3.0: then ids are looked at one by one."""
        if self.as_text:
            return False
        self.as_text = bool(duck.run(con, f"SELECT 1 FROM groups WHERE {dubious('prompt_id')} LIMIT 1"))
        return self.as_text

    def split_known(self, files: Sequence[Peek]) -> bool:
        """Whether a column or a name says it of any file."""
        return bool(self.parts.splits) or "split" in self.options.columns or any("split" in f.columns for f in files)

    def select(self, con: duck.Connection, files: Sequence[Peek]) -> Select:
        """Each file by its kind and its own columns; the user's mapping over them."""
        if self.direct(files):
            return self._in_place(files)
        return self._selected(files, layouts(files, self._wanted(files), self.unfold))

    def chosen(self, select: Select) -> Select:
        """The user's columns are in the selection already; only what they may set is checked."""
        self.check_targets()
        return select

    def _wanted(self, files: Sequence[Peek]) -> list[str]:
        """Every name that is read; of JSON all that bitrate knows, as a key may come later than anyone looks."""
        there = {c for f in files for c in f.columns}
        if not there or any(f.kind in LAYOUTS and not f.seen for f in files):
            there |= {n for n in self.names if not there & set(ALIASES.get(n, ()))}
        return list(dict.fromkeys(c for e in self.picks(there).values() for c in e.columns))

    def _in_place(self, files: Sequence[Peek]) -> Select:
        """Columns under their own names, converted only where their type wants it."""
        layout = Layout(list(files), tuple(self._wanted(files)), in_place=True)
        columns, raw = self._picked(layout, files[0].columns)
        return Select(parquet(files), columns | self._from_names(files, columns), position="_row + 1", raw=raw)

    def _picked(self, layout: Layout, there: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
        """SQL of each rollout column of a file with these columns, and of the text that is shown of it."""
        columns, raw = {}, {}
        for target, expression in self.picks(there).items():
            found = layout.raw(expression.column) if expression.column else None
            if found is None:
                columns[target] = expression.literal or "NULL"
            elif found.sort != "none" or layout.in_place:
                text = found.sort == "text" and ROLLOUT_COLUMNS.get(target) == "VARCHAR" and target != "split"
                typed = f"({value('reward', found)}){expression.sum}" if expression.sum else value(target, found)
                columns[target] = found.sql if layout.in_place and text else typed
                if target in SHOWN:
                    raw[target] = found.text
        return columns, raw

    def _selected(self, files: Sequence[Peek], parts: Sequence[Layout]) -> Select:
        """Rows of all layouts, each typed for itself and then put together."""
        self.check_targets()
        texts, targets, shown, placed = [], dict[str, None](), dict[str, None](), True
        for part in parts:
            there = [*part.names, *part.files[0].nested] if part.kind not in LAYOUTS else self._wanted(part.files)
            columns, raw = self._picked(part, there)
            if part.unfold and "group_id" not in columns:
                columns["group_id"] = "'line ' || _line"
            columns |= self._from_names(part.files, columns)
            placed = placed and (bool(part.unfold) or part.kind == "parquet")
            line = "_line" if part.unfold or part.kind == "parquet" else "NULL"
            listed = [
                *(f"{e} AS {sql.name(t)}" for t, e in columns.items()),
                *(f"left({e}, 60) AS {sql.name('raw ' + t)}" for t, e in raw.items()),
                f"{part.bad or 'NULL'}::VARCHAR AS _bad", f"{line} AS _line", "_file",
            ]  # fmt: skip
            texts.append(f"SELECT {', '.join(listed)} FROM {part.relation}")
            targets |= dict.fromkeys(columns)
            shown |= dict.fromkeys(raw)
        return Select(
            f"({' UNION ALL BY NAME '.join(texts)})",
            {t: sql.name(t) for t in targets},
            bad="_bad" if any(p.bad for p in parts) else None,
            position="_line" if placed else "row_number() OVER ()",
            raw={t: sql.name("raw " + t) for t in shown},
        )

    def _from_names(self, files: Sequence[Peek], columns: dict[str, str]) -> dict[str, str]:
        """Run, split and step from the names of these files, where a row does not say it."""
        found = {}
        for target, told in (("run", self.parts.runs), ("split", self.parts.splits), ("step", self.parts.steps)):
            mine = {str(f.path): told[str(f.path)] for f in files if str(f.path) in told}
            if mine:
                typed = by_file(mine, files, "NULL")
                typed = f"try_cast({typed} AS BIGINT)" if target == "step" else typed
                found[target] = f"coalesce({columns[target]}, {typed})" if target in columns else typed
        return found


class Counts(Table):
    """Rows that already count a group: ``prompt_id``, ``n`` rollouts, ``n_correct`` of them right."""

    name: ClassVar[str] = "counts"
    trainer: ClassVar[str] = "any; one row a group"
    files: ClassVar[str] = "*.parquet, *.jsonl, *.json, *.csv, *.tsv with prompt_id, n, n_correct, or --columns"
    caveats: ClassVar[tuple[str, ...]] = (
        "The file holds counts, not rollouts: answers, advantages and single rewards are not known.",
    )
    takes_counts: ClassVar[bool] = True
    names: ClassVar[tuple[str, ...]] = (*ROLLOUT_COLUMNS, "n", "n_correct")
    times: ClassVar[tuple[str, str] | None] = ("_part.times", "_part.first")

    def direct(self, files: Sequence[Peek]) -> bool:
        """A count is two rows, of right and of wrong rollouts."""
        return False

    def select(self, con: duck.Connection, files: Sequence[Peek]) -> Select:
        """A count is a row for its right rollouts and a row for the others, whose number the row says."""
        read = self._selected(files, layouts(files, self._wanted(files), ()))
        n, c = (f"try_cast({read.columns.pop(k, 'NULL')} AS DOUBLE)" for k in ("n", "n_correct"))
        sound = (
            f"({n} >= 1 AND {n} <= {MOST_COUNTED} AND {n} = round({n}) "
            f"AND {c} >= 0 AND {c} <= {n} AND abs({c} - round({c})) < 1e-4)"
        )
        # Right rollouts are the first samples of a group. A row that is no count stands for itself alone.
        parts = (
            f"CASE WHEN NOT coalesce({sound}, false) THEN [{{'right': false, 'first': 0::BIGINT, 'times': 1::BIGINT}}] "
            f"ELSE list_filter([{{'right': true, 'first': 0::BIGINT, 'times': round({c})::BIGINT}}, {{'right': false, "
            f"'first': round({c})::BIGINT, 'times': ({n} - round({c}))::BIGINT}}], lambda x: x.times > 0) END"
        )
        counted = (
            f"(SELECT *, coalesce({sound}, false) AS _sound, {n} > {MOST_COUNTED} AS _large, unnest({parts}) AS _part "
            f"FROM (SELECT *, row_number() OVER () AS _group FROM {read.source}))"
        )
        columns = {"group_id": "_group"} | read.columns
        columns["reward"] = "CASE WHEN _part.right THEN 1.0 ELSE 0.0 END"
        for unknown in ("correct", "sample"):
            columns.pop(unknown, None)
        unsound = (
            f"CASE WHEN _sound THEN NULL "
            f"WHEN _large THEN 'n is above {MOST_COUNTED:,}: give such a group in several rows' "
            f"ELSE 'n and n_correct are not counts with 0 <= n_correct <= n' END"
        )
        bad = f"coalesce({read.bad}, {unsound})" if read.bad else unsound
        return Select(counted, columns, bad=bad, position="_group", raw=read.raw)
