"""Any table of rollouts: Parquet, JSONL or CSV whose columns bear bitrate's names, or are mapped with --columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from bitrate.errors import InputError
from bitrate.logs import sql
from bitrate.logs.formats import Format, Options, Select, all_null, jsonl, parquet
from bitrate.logs.peek import Peek
from bitrate.logs.schema import ROLLOUT_COLUMNS

if TYPE_CHECKING:
    import duckdb

TEXT = {"run", "split", "prompt_id", "group_id", "answer", "prompt", "target", "update"}
#: Where `bitrate export` keeps, in the Parquet file, what was known of the rows.
PROVENANCE_KEY = "bitrate"
#: Other names that mean the same and are safe to take without asking.
ALIASES = {"step": ("visit",), "sample": ("sample_idx",)}


def known_columns(file: Peek, options: Options) -> dict[str, str]:
    """Rollout columns this file gives, each with the SQL that reads it, before the user's own mapping."""
    known = {c: sql.name(c) for c in ROLLOUT_COLUMNS if c in file.columns}
    for column, others in ALIASES.items():
        found = [o for o in others if o in file.columns]
        if column not in known and found:
            known[column] = sql.name(found[0])
    return known


class Table(Format):
    """Rows with ``prompt_id`` and ``reward`` (or ``correct``); every other column is read where present."""

    name: ClassVar[str] = "table"
    trainer: ClassVar[str] = "any; also what `bitrate export` writes"
    files: ClassVar[str] = "*.parquet, *.jsonl, *.csv with prompt_id and reward, or --columns"
    fallback: ClassVar[bool] = True
    filtered: str = "unknown"
    needs: ClassVar[tuple[str, ...]] = ("prompt_id",)
    one_of: ClassVar[tuple[str, ...]] = ("reward", "correct")

    def given(self, file: Peek) -> set[str]:
        """Target columns that the file or the user provides."""
        outcome = {"correct"} if self.options.outcome else set()
        return {*known_columns(file, self.options), *self.options.columns, *outcome}

    def sniff(self, file: Peek) -> bool:
        """A table with the columns needed, by name or by the user's mapping."""
        if file.kind not in {"parquet", "jsonl", "csv"} or not file.columns:
            return False
        given = self.given(file)
        if {"n", "n_correct"} <= {*given, *file.columns}:
            return False
        return set(self.needs) <= given and bool(given & set(self.one_of))

    def survey(self, con: duckdb.DuckDBPyConnection, files: list[Peek]) -> list[Peek]:
        """Check that the columns the user named are there."""
        for file in files:
            absent = [c for c in self.options.raw_names() if c not in file.columns]
            if absent:
                raise InputError(
                    f"no column {absent[0]!r}; the file has {', '.join(file.columns)}",
                    where=str(file.path),
                    hint="check the right-hand sides of --columns and --outcome",
                )
        self.remember(files)
        if "step" not in self.given(files[0]):
            self.notes.append("The table has no step: nothing can be said about change over the run.")
        return files

    def remember(self, files: Sequence[Peek]) -> None:
        """Take over what an exported table says about where its rows came from."""
        kept = [k for f in files if f.kind == "parquet" if (k := f.metadata.get(PROVENANCE_KEY))]
        if len(kept) != len(files) or len(set(kept)) != 1:
            return
        known = json.loads(kept[0])
        self.prompt_id, self.group_id, self.filtered = known["prompt_id"], known["group_id"], known["filtered"]
        self.notes += [f"Exported from {known['format']} files.", *known["caveats"]]

    def direct(self, files: Sequence[Peek]) -> bool:
        """Parquet is read in place."""
        return all(f.kind == "parquet" for f in files)

    def select(self, con: duckdb.DuckDBPyConnection, files: Sequence[Peek]) -> Select:
        """Columns under their own names, the user's mapping over them."""
        columns = known_columns(files[0], self.options)
        return self.chosen(Select(self.source(files, columns), columns, bad=self.unreadable(files[0], columns)))

    def source(self, files: Sequence[Peek], columns: dict[str, str]) -> str:
        """FROM clause by kind of file."""
        if files[0].kind == "parquet":
            return parquet(files)
        raw = {r: ("VARCHAR" if c in TEXT else _raw_type(c)) for c, q in columns.items() for r in [q.strip('"')]}
        raw |= self.options.raw_names()
        if files[0].kind == "jsonl":
            return jsonl(files, raw)
        paths = sql.text_list(f.path for f in files)
        layout = "delim=',', quote='\"', escape='\"', parallel=false, null_padding=true, header=true, all_varchar=true"
        return (
            f"(SELECT * RENAME (filename AS _file) FROM read_csv({paths}, {layout}, filename=true, union_by_name=true))"
        )

    def unreadable(self, file: Peek, columns: dict[str, str]) -> str | None:
        """SQL reason for a JSONL line of nulls."""
        if file.kind != "jsonl":
            return None
        raw = [q.strip('"') for q in columns.values()] + list(self.options.raw_names())
        return f"CASE WHEN {all_null(raw)} THEN 'line is not a JSON object with these columns' END" if raw else None


def _raw_type(column: str) -> str:
    """Whole numbers are read as DOUBLE, so that a step of 10.7 is seen and not rounded to 11."""
    kind = ROLLOUT_COLUMNS.get(column, "DOUBLE")
    return "DOUBLE" if kind == "BIGINT" else kind


class Counts(Table):
    """Rows that already count a group: ``prompt_id``, ``n`` rollouts, ``n_correct`` of them right."""

    name: ClassVar[str] = "counts"
    trainer: ClassVar[str] = "any; one row a group"
    files: ClassVar[str] = "*.parquet, *.jsonl, *.csv with prompt_id, n, n_correct, or --columns"
    caveats: ClassVar[tuple[str, ...]] = (
        "The file holds counts, not rollouts: answers, advantages and single rewards are not known.",
    )

    def sniff(self, file: Peek) -> bool:
        """A table with counts."""
        if file.kind not in {"parquet", "jsonl", "csv"} or not file.columns:
            return False
        return {"prompt_id", "n", "n_correct"} <= {*self.given(file), *file.columns}

    def direct(self, files: Sequence[Peek]) -> bool:
        """Counts are unfolded into rollouts first."""
        return False

    def select(self, con: duckdb.DuckDBPyConnection, files: Sequence[Peek]) -> Select:
        """Each count unfolds into its rollouts, so that it takes the same way as any other row."""
        counts = {c: self.options.columns.get(c, c) for c in ("n", "n_correct")}
        columns = known_columns(files[0], self.options) | {c: sql.name(c) for c in counts if c in files[0].columns}
        columns = self.chosen(Select("", columns)).columns
        n, c = (f"try_cast({columns.pop(k)} AS DOUBLE)" for k in ("n", "n_correct"))
        sound = (
            f"({n} >= 1 AND {n} < 1e6 AND {n} = round({n}) "
            f"AND {c} >= 0 AND {c} <= {n} AND abs({c} - round({c})) < 1e-4)"
        )
        source = self.source(
            files,
            {**known_columns(files[0], self.options), **{k: sql.name(k) for k in counts if k in files[0].columns}},
        )
        unfolded = (
            f"(SELECT *, {n} AS _n, round({c}) AS _c, coalesce({sound}, false) AS _sound, "
            f"unnest(range(CASE WHEN {sound} THEN {n}::BIGINT ELSE 1 END)) AS _i "
            f"FROM (SELECT *, row_number() OVER () AS _group FROM {source}))"
        )
        columns = (
            {"group_id": "_group"} | columns | {"sample": "_i", "reward": "CASE WHEN _i < _c THEN 1.0 ELSE 0.0 END"}
        )
        columns.pop("correct", None)
        unsound = "CASE WHEN NOT _sound THEN 'n and n_correct are not counts with 0 <= n_correct <= n' END"
        unreadable = self.unreadable(files[0], columns=known_columns(files[0], self.options)) or "NULL"
        return Select(unfolded, columns, bad=f"coalesce({unreadable}, {unsound})", position="_group")
