"""Rollouts as Parquet that every engine reads: the trainer's own files where they will do, else written narrow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.mend import mend, repeats_keys
from bitrate.logs.peek import Peek
from bitrate.logs.read import Source
from bitrate.logs.schema import REDUCED_COLUMNS, ROLLOUT_COLUMNS

Progress = Callable[[str, float], None]

#: Arrow types of a Parquet column that needs no conversion.
SAME_TYPE = {
    "VARCHAR": re.compile(r"(large_)?string(_view)?|dictionary<values=string,.*"),
    "BIGINT": re.compile(r"int64"),
    "DOUBLE": re.compile(r"double"),
    "BOOLEAN": re.compile(r"bool"),
}
#: Names and paths that every engine reads alike; a quote, a backslash or a bracket may mean something there.
PLAIN_TEXT = re.compile(r"[\w /.+@:=-]*")


@dataclass(frozen=True)
class RowGroup:
    """What a Parquet file says of one column in some of its rows; None where it says nothing."""

    rows: int
    least: str | None
    most: str | None
    nulls: int | None


@dataclass(frozen=True)
class Staged:
    """All rollouts of a source as Parquet.

    Args:
        files: the Parquet files.
        relation: SQL of the rollouts for DuckDB, with every reduced column.
        plain: rollout column -> the files' column that holds it unchanged.
        fixed: rollout column -> SQL of the one value it has in every row.
        in_place: whether any engine may read the files as they are.
        times: whether a column ``times`` says how many rollouts a row stands for.
    """

    files: tuple[str, ...]
    relation: str
    plain: dict[str, str]
    fixed: dict[str, str]
    in_place: bool
    times: bool = False

    def row_groups(self, con: duck.Connection, column: str) -> list[RowGroup] | None:
        """What the files say of a rollout column, without reading it; None where it is not in the files as it is."""
        if column not in self.plain:
            return None
        return _row_groups(con, self.files, [self.plain[column]])[self.plain[column]]

    def of_one_step(self) -> Staged:
        """The same rollouts, all of step 0."""
        relation = f"SELECT * REPLACE (CAST(0 AS BIGINT) AS step) FROM ({self.relation})"
        plain = {c: raw for c, raw in self.plain.items() if c != "step"}
        return replace(self, relation=relation, plain=plain, fixed=self.fixed | {"step": "CAST(0 AS BIGINT)"})


def stage(source: Source, folder: Path, progress: Progress) -> Staged:
    """Bring a source to Parquet, batch by batch; what an earlier, killed run wrote is kept."""
    if source.format.direct(source.files):
        return _in_place(source)
    staged = folder / "staged"
    staged.mkdir(exist_ok=True)
    total = sum(f.size for f in source.files) or 1
    done = 0
    files = []
    for i, batch in enumerate(source.batches()):
        progress("reading", done / total)
        files.append(staged / f"{i:05d}.parquet")
        if not files[-1].exists():
            _write(source, batch, files[-1], folder / "mended" / f"{i:05d}")
        done += sum(f.size for f in batch)
    paths = tuple(map(str, files))
    groups = _row_groups(source.con, paths, REDUCED_COLUMNS)
    empty = [c for c in REDUCED_COLUMNS if c not in {"prompt_id", "step"} and all(g.nulls == g.rows for g in groups[c])]
    relation = f"SELECT * FROM read_parquet({sql.path_list(paths)}, hive_partitioning=false)"
    return Staged(
        paths, relation, {c: c for c in REDUCED_COLUMNS}, {c: _null(c) for c in empty}, True, bool(source.format.times)
    )


def _write(source: Source, batch: Sequence[Peek], target: Path, mended: Path) -> None:
    """One batch as Parquet; once more where the engine refused lines that can be mended."""
    times = [f"{source.format.times[0]} AS times"] if source.format.times else []
    if any(map(repeats_keys, batch)):
        mend(batch, mended)
    duck.call(source.con, partial(duck.write, query=source.rows(batch, REDUCED_COLUMNS, times), path=target))
    [lost] = [
        sum(g.nulls or 0 for g in found) for found in _row_groups(source.con, [str(target)], ["prompt_id"]).values()
    ]
    if lost and mend(batch, mended):
        duck.call(source.con, partial(duck.write, query=source.rows(batch, REDUCED_COLUMNS, times), path=target))


def _in_place(source: Source) -> Staged:
    """Parquet as the trainer wrote it."""
    select = source.selection(source.files)
    paths = tuple(str(f.path) for f in source.files)
    plain = {c: raw for c in REDUCED_COLUMNS if (raw := _plain(c, select.columns.get(c), source.files)) is not None}
    if select.bad or source.unscored:
        plain = {c: raw for c, raw in plain.items() if c not in {"reward", "correct"}}
    known = _row_groups(source.con, paths, [plain[c] for c in ("run", "split") if c in plain])
    plain = {c: raw for c, raw in plain.items() if all(g.nulls == 0 for g in known.get(raw, ()))}
    converted = [c for c in REDUCED_COLUMNS if c not in plain]
    relation = source.rows(source.files, converted, [f"{sql.name(raw)} AS {c}" for c, raw in plain.items()])
    absent = [c for c in converted if c not in select.columns]
    given = {"run": sql.text(source.run), "split": "'train'", "step": "CAST(0 AS BIGINT)"}
    fixed = {c: given.get(c, _null(c)) for c in absent if c != "prompt_id"}
    ours = set(converted) == set(fixed) and all(c == raw for c, raw in plain.items())
    in_place = ours and not select.where and all(PLAIN_TEXT.fullmatch(t) for t in (source.run, *paths))
    return Staged(paths, relation, plain, fixed, in_place)


def _plain(column: str, expression: str | None, files: Sequence[Peek]) -> str | None:
    """The files' column that an expression only names, where it has the rollout column's type in every file."""
    kind = SAME_TYPE[ROLLOUT_COLUMNS[column]]
    for raw, found in files[0].columns.items():
        if expression == sql.name(raw) and kind.fullmatch(found):
            same = all(kind.fullmatch(f.columns.get(raw, "")) for f in files)
            return raw if same else None
    return None


def _null(column: str) -> str:
    kind = ROLLOUT_COLUMNS[column].replace("VARCHAR", "STRING")
    return f"CAST(NULL AS {kind})"


def _row_groups(con: duck.Connection, files: Sequence[str], columns: Iterable[str]) -> dict[str, list[RowGroup]]:
    """Row groups of these columns, in the order of the files."""
    found: dict[str, list[RowGroup]] = {c: [] for c in columns}
    if found:
        query = (
            "SELECT path_in_schema, row_group_num_rows, coalesce(stats_min_value, stats_min), "
            "coalesce(stats_max_value, stats_max), stats_null_count "
            f"FROM parquet_metadata({sql.path_list(files)}) "
            f"WHERE path_in_schema IN ({', '.join(map(sql.text, found))})"
        )
        for column, *facts in duck.run(con, query):
            found[column].append(RowGroup(*facts))
    return found
