"""Rollouts to groups, in chunks of steps: bounded memory, exact progress, and a killed run goes on where it stopped."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bitrate.errors import DataError
from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.read import Source
from bitrate.logs.schema import REDUCED_COLUMNS, REWARD_LIMIT, Outcome, Provenance, SetAside

if TYPE_CHECKING:
    import duckdb

#: Rows reduced at a time: large enough to keep two cores busy, small enough for a few hundred MB.
CHUNK_ROWS = 2_000_000
#: More score levels than this are a continuous reward.
MOST_LEVELS = 64
KEEP_UNFINISHED_SECONDS = 7 * 86400
VERSION = 1

Progress = Callable[[str, float], None]


@dataclass
class Groups:
    """The group table of one input, as views ``groups`` and ``levels`` of ``con``, and what is known about it."""

    con: duckdb.DuckDBPyConnection
    provenance: Provenance
    outcome: Outcome
    rows: int
    set_aside: list[SetAside] = field(default_factory=list)
    excerpts: str | None = None

    def histogram(self) -> list[tuple[int, int | None, int | None, int]]:
        """(n, n_correct, n_distinct_answers, number of groups), most frequent first."""
        return duck.run(self.con, sql.HISTOGRAM_SQL + " ORDER BY n_groups DESC, n, n_correct")


def _no_progress(what: str, share: float) -> None:
    """Say nothing."""


@contextlib.contextmanager
def reduce(source: Source, *, engine: str = "duckdb", progress: Progress = _no_progress) -> Iterator[Groups]:
    """Reduce a source to its group table; the table lives as long as the ``with`` block.

    Args:
        source: from :func:`bitrate.logs.read.open_source`.
        engine: duckdb, spark or ray; all run the same text.
        progress: called with what is being done and the share done in [0, 1].

    Raises:
        DataError: no row has a prompt and a reward.
        EngineError: the engine is not installed or failed.
        Interrupted: Ctrl-C; finished chunks are kept for the next try.
    """
    with _workplace(source.key(engine, VERSION)) as folder:
        source.con.execute(f"SET temp_directory = {sql.text(folder / 'spill')}")
        source.con.execute("SET preserve_insertion_order = false")
        relation = _stage(source, folder, progress)
        outcome, chunks, rows = _survey(source, relation)
        statements = {"groups": sql.groups_sql(outcome)}
        if not outcome.binary and outcome.levels is not None:
            statements["levels"] = sql.levels_sql(outcome)
        if engine == "duckdb":
            _chunks_by_duckdb(source.con, relation, chunks, statements, folder, progress)
        else:
            _whole_by(engine, source, relation, statements, folder, progress)
        for name in statements:
            source.con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet({sql.text(folder / name / '*.parquet')})")
        [(kept,)] = duck.run(source.con, "SELECT coalesce(sum(n), 0) FROM groups")
        set_aside = source.format.set_aside + _set_aside(source, outcome, rows - int(kept))
        if not kept:
            reasons = "; ".join(s.reason for s in set_aside) or "the files hold no rows"
            raise DataError(f"no rollout can be measured: {reasons}", where=str(source.files[0].path))
        yield Groups(source.con, source.provenance, outcome, rows, set_aside)


def _stage(source: Source, folder: Path, progress: Progress) -> str:
    """SQL of all rollouts. Files that cannot be read in place are first written as narrow Parquet, batch by batch."""
    if source.format.direct(source.files):
        return source.rows(source.files, REDUCED_COLUMNS)
    staged = folder / "staged"
    staged.mkdir(exist_ok=True)
    total = sum(f.size for f in source.files) or 1
    done = 0
    for i, batch in enumerate(source.batches()):
        progress("reading", done / total)
        _write(source.con, source.rows(batch, REDUCED_COLUMNS), staged / f"{i:05d}.parquet")
        done += sum(f.size for f in batch)
    return f"SELECT * FROM read_parquet({sql.text(staged / '*.parquet')})"


@dataclass(frozen=True)
class Chunk:
    """Some whole steps of some whole runs, as a WHERE clause, and their number of rows."""

    where: str
    rows: int


def _survey(source: Source, relation: str) -> tuple[Outcome, list[Chunk], int]:
    """One pass over scores and steps: which outcome this is, and where to cut."""
    con = source.con
    column = "reward"
    select = source.format.chosen(source.format.select(con, source.files))
    if "correct" in select.columns:
        [(present,)] = duck.run(con, f"SELECT count(correct) > 0 FROM ({relation})")
        column = "correct" if present else "reward"
    score = f"CASE WHEN {column} > -{REWARD_LIMIT:.0f} AND {column} < {REWARD_LIMIT:.0f} THEN round({column}, 6) END"
    many = f"SELECT count(DISTINCT s) FROM (SELECT {score} AS s FROM ({relation}) LIMIT 100000)"
    continuous = duck.run(con, many)[0][0] > MOST_LEVELS
    level = "NULL" if continuous else score
    steps: dict[tuple[str, int | None], int] = {}
    levels: dict[float, int] = {}
    for run, step, value, count in duck.run(
        con, f"SELECT run, step, {level} AS level, count(*) FROM ({relation}) GROUP BY ALL ORDER BY ALL"
    ):
        steps[run, step] = steps.get((run, step), 0) + count
        if value is not None:
            levels[value] = levels.get(value, 0) + count
    graded = continuous or len(levels) > MOST_LEVELS
    outcome = Outcome(column, None if graded else levels, None if graded else _threshold(levels))
    return outcome, _cut(steps), sum(steps.values())


def _threshold(levels: dict[float, int]) -> float | None:
    """What parts right from wrong: the middle of two levels; one level alone is right when above 0 and no loss."""
    values = sorted(levels)
    if len(values) == 2:
        return (values[0] + values[1]) / 2
    if len(values) == 1 and values[0] in {-1.0, 0.0, 1.0}:
        return 0.5 if values[0] >= 0 else 0.0
    return None


def _cut(steps: dict[tuple[str, int | None], int]) -> list[Chunk]:
    """Whole steps, about CHUNK_ROWS at a time; small inputs are one chunk; a giant step is cut by prompt."""
    if sum(steps.values()) <= 2 * CHUNK_ROWS:
        return [Chunk("true", sum(steps.values()))]
    chunks: list[Chunk] = []
    for run in dict.fromkeys(run for run, _ in steps):
        here = f"run = {sql.text(run)} AND "
        first, last, rows = None, None, 0
        for step, count in ((s, c) for (r, s), c in steps.items() if r == run and s is not None):
            if first is not None and rows + count > CHUNK_ROWS:
                chunks += _by_prompt(f"{here}step BETWEEN {first} AND {last}", rows)
                first, rows = None, 0
            first, last, rows = (step if first is None else first), step, rows + count
        if first is not None:
            chunks += _by_prompt(f"{here}step BETWEEN {first} AND {last}", rows)
    return chunks


def _by_prompt(where: str, rows: int) -> list[Chunk]:
    parts = -(-rows // (2 * CHUNK_ROWS))
    if parts == 1:
        return [Chunk(where, rows)]
    return [Chunk(f"{where} AND hash(prompt_id) % {parts} = {i}", rows // parts) for i in range(parts)]


def _chunks_by_duckdb(
    con: duckdb.DuckDBPyConnection, relation: str, chunks: list[Chunk], statements: dict[str, str], folder: Path, progress: Progress
) -> None:
    total = sum(c.rows for c in chunks) or 1
    done = 0
    for i, chunk in enumerate(chunks):
        progress("reducing", done / total)
        con.execute(f"CREATE OR REPLACE TEMP VIEW rollouts AS SELECT * FROM ({relation}) WHERE {chunk.where}")
        for name, statement in statements.items():
            (folder / name).mkdir(exist_ok=True)
            _write(con, statement, folder / name / f"{i:05d}.parquet")
        done += chunk.rows
    progress("reducing", 1.0)


def _whole_by(engine: str, source: Source, relation: str, statements: dict[str, str], folder: Path, progress: Progress) -> None:
    """Hand the whole to a cluster engine, which reads canonical Parquet and runs the same text."""
    from importlib import import_module

    module = import_module(f"bitrate.logs.engines.{engine}")
    rollouts = folder / "canonical.parquet"
    progress("handing over", 0.0)
    _write(source.con, relation, rollouts)
    progress(f"reducing on {engine}", 0.5)
    module.reduce([str(rollouts)], statements, folder)
    progress(f"reducing on {engine}", 1.0)


def _write(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write a query's rows unless an earlier run did; a half-written file is never seen under the final name."""
    if path.exists():
        return
    part = path.with_suffix(".part")
    duck.run(con, f"COPY ({query}) TO {sql.text(part)} (FORMAT parquet, COMPRESSION snappy)")
    part.replace(path)


def _set_aside(source: Source, outcome: Outcome, missing: int) -> list[SetAside]:
    """Why rows were left out, and where the first of each kind are."""
    if missing <= 0:
        return []
    counts: dict[str, int] = {}
    places: dict[str, list[str]] = {}
    for file in source.files:
        if sum(counts.values()) >= missing:
            break
        why = f"SELECT reason, count(*), (list(position ORDER BY position))[:3] FROM ({source.why_bad([file], outcome.column)}) WHERE reason IS NOT NULL GROUP BY reason"
        for reason, count, positions in duck.run(source.con, why):
            counts[reason] = counts.get(reason, 0) + count
            lines = _line_numbers(file.path, positions) if file.kind == "jsonl" else positions
            places.setdefault(reason, []).extend(f"{file.path}:{p + (file.kind == 'csv')}" for p in lines)
    return [SetAside(r, c, "rows", tuple(places[r][:3])) for r, c in sorted(counts.items(), key=lambda x: -x[1])]


def _line_numbers(path: Path, positions: list[int]) -> list[int]:
    """Lines in the file of the n-th rows: blank lines hold no row."""
    if path.suffix != ".jsonl":
        return positions
    wanted, found, row = set(positions), [], 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            row += bool(line.strip())
            if line.strip() and row in wanted:
                found.append(number)
            if len(found) == len(wanted):
                break
    return found


@contextlib.contextmanager
def _workplace(key: str) -> Iterator[Path]:
    """A folder for chunks that outlives a killed run and nothing else; a second process gets one of its own."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bitrate"
    try:
        home.mkdir(parents=True, exist_ok=True)
        _sweep(home)
        folder = home / key
        folder.mkdir(exist_ok=True)
        lock = (folder / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        with tempfile.TemporaryDirectory(prefix="bitrate-") as own:
            yield Path(own)
        return
    try:
        yield folder
    except BaseException as error:
        if isinstance(error, DataError):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        _unlock(lock)


def _unlock(lock: IO[str]) -> None:
    with contextlib.suppress(OSError):
        lock.close()


def _sweep(home: Path) -> None:
    """Remove what an unfinished run left a week ago."""
    for folder in home.iterdir():
        with contextlib.suppress(OSError):
            if folder.is_dir() and time.time() - folder.stat().st_mtime > KEEP_UNFINISHED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
