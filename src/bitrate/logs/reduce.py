"""Rollouts to groups, in chunks of steps: bounded memory, exact progress, and a killed run goes on where it stopped."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bitrate.errors import DataError, EngineError
from bitrate.logs import repeats, sql
from bitrate.logs.chunks import Chunk, plan
from bitrate.logs.engines import duck
from bitrate.logs.lines import lines
from bitrate.logs.peek import Peek
from bitrate.logs.read import Source
from bitrate.logs.schema import REWARD_LIMIT, Outcome, Provenance, SetAside
from bitrate.logs.stage import Progress, Staged, stage
from bitrate.logs.workplace import State, states, workplace
from bitrate.wording import listed

#: More score levels than this are a continuous reward.
MOST_LEVELS = 64
#: Rows looked at to guess the levels.
SAMPLE_ROWS = 100_000
#: Memory that a row of a chunk takes while it is reduced, about.
BYTES_A_ROW = 96
#: A chunk of fewer rows than this is not worth a query.
LEAST_ROWS = 10_000


@dataclass
class Groups:
    """The group table of one input, as views ``groups`` and ``levels`` of ``con``, and what is known about it."""

    con: duck.Connection
    provenance: Provenance
    outcome: Outcome
    rows: int
    #: SQL of the rollouts that were counted, with the columns that the reduction reads.
    scores: str = ""
    set_aside: list[SetAside] = field(default_factory=list)
    excerpts: Callable[[Sequence[str]], dict[str, str]] = lambda ids: {}
    #: SQL of the rollouts themselves with these columns, for what counts cannot tell.
    select: Callable[[Sequence[str]], str] = lambda columns: ""
    #: Rollout columns that the files hold.
    columns: Callable[[], frozenset[str]] = frozenset
    #: The same with ``completion``, the whole text of each rollout, which is null where the files do not hold it.
    completions: Callable[[Sequence[str]], str] = lambda columns: ""
    #: How ``--outcome`` names a component of the reward, or None where it cannot.
    outcome_of: Callable[[str], str | None] = lambda component: None


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
    before = states((f.path for f in source.files), source.format.beside)
    with workplace(source.key(engine)) as folder:
        source.con.execute(f"SET temp_directory = {sql.text(folder / 'spill')}")
        source.con.execute("SET preserve_insertion_order = false")
        with _blamed(source, engine):
            steps, outcome, scores = _measured(source, engine, folder, progress)
            [(kept,)] = duck.run(source.con, "SELECT coalesce(sum(n), 0) FROM groups")
        if note := source.several_texts():
            source.format.notes.append(note)
        _say_what_changed(source, before)
        rows = sum(steps.values())
        set_aside = source.format.set_aside + _set_aside(source, outcome, rows - int(kept))
        if not kept:
            raise _nothing(source, set_aside)
        yield Groups(
            source.con, source.provenance, outcome, rows, scores, source.shown(set_aside), source.excerpts,
            partial(source.rows, source.files), source.columns, source.completions, source.outcome_of,
        )  # fmt: skip


def _measured(
    source: Source, engine: str, folder: Path, progress: Progress
) -> tuple[dict[int | None, int], Outcome, str]:
    """Stage and reduce; the rows of each step, how a score becomes right or wrong, and SQL of the rollouts."""
    folder.mkdir(exist_ok=True)
    if source.format.options.unscored == "wrong" and not source.unscored:
        source.count_unscored_as_wrong()
    staged = stage(source, folder, progress)
    by_step = f"SELECT step, {sql.rollouts(staged.times)} FROM ({staged.relation}) GROUP BY step ORDER BY step"
    steps: dict[int | None, int] = dict(duck.run(source.con, by_step))
    if not steps:
        raise _nothing(source, source.format.set_aside)
    if set(steps) == {None} and source.format.optional_step and not source.holds("step"):
        source.format.notes.append("The table has no step: nothing can be said about change over the run.")
        source.one_step, staged, steps = True, staged.of_one_step(), {0: steps[None]}
    outcome = _run(source, staged, steps, engine, folder, progress)
    if source.format.reconsider(source.con):
        return _measured(source, engine, folder / "again", progress)
    doubled, note = repeats.look(source.con)
    if note:
        source.format.notes.append(note)
    if not doubled:
        return steps, outcome, staged.relation
    staged, aside = repeats.without(source, staged, folder, outcome.column)
    source.format.set_aside.append(aside)
    steps = dict(duck.run(source.con, f"SELECT step, count(*) FROM ({staged.relation}) GROUP BY step ORDER BY step"))
    return steps, _run(source, staged, steps, engine, folder / "once", progress), staged.relation


def _say_what_changed(source: Source, before: Mapping[str, State]) -> None:
    """Add a caveat where a file changed while it was read; its chunks lie under a key that no later state has."""
    after = states((f.path for f in source.files), source.format.beside)
    changed = {Path(p) for p in {**before, **after} if before.get(p) != after.get(p)}
    # A file's size is kept from when it was first looked at.
    changed |= {p for f in source.files if (p := f.path.absolute()) and before[str(p)][0] != f.size}
    if changed:
        more = f" and {len(changed) - 1} other file(s)" if len(changed) > 1 else ""
        source.format.notes.append(
            f"{min(changed).name}{more} changed while being read: figures may mix old rows and new ones. "
            f"Run the audit again when nothing writes there."
        )


@contextlib.contextmanager
def _blamed(source: Source, engine: str) -> Iterator[None]:
    """Name the file that an engine could not read."""
    try:
        yield
    except EngineError as error:
        if engine == "duckdb" and error.where is None and not isinstance(error, duck.OutOfMemory):
            error.where = source.culprit()
        raise


def _nothing(source: Source, set_aside: Sequence[SetAside]) -> DataError:
    reasons = "; ".join(s.reason for s in set_aside) or "the files hold no rows"
    first = source.files[0]
    inner = [n for n in first.nested if n.rpartition(".")[0] in {"reward", "correct", "score"}]
    hint = f"name one of the values inside: --columns reward={inner[0]}" if inner else None
    return DataError(f"no rollout can be measured: {reasons}", where=str(first.path), hint=hint)


def _run(
    source: Source, staged: Staged, steps: dict[int | None, int], engine: str, folder: Path, progress: Progress
) -> Outcome:
    """Guess the reward's levels, reduce, and see from the groups whether the guess was right; if not, reduce again."""
    outcome = _guess(source, staged)
    while True:
        fixed = {c: value for c, value in staged.fixed.items() if c != outcome.column}
        statements = {"groups": sql.groups_sql(outcome, fixed, staged.times)}
        if not outcome.binary and outcome.levels is not None:
            statements["levels"] = sql.levels_sql(outcome, fixed, staged.times)
        if engine == "duckdb":
            place = _in_chunks(source, staged, steps, statements, folder, progress)
        else:
            place = _elsewhere(engine, source, staged, statements, folder, progress)
        for name in statements:
            source.con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet({_written(place / name)})")
        found = _found(source.con, outcome)
        if found.threshold == outcome.threshold and (found.levels or not found.binary):
            return found
        outcome = found


def _written(folder: Path) -> str:
    """SQL list of the Parquet files that were written to a folder."""
    return sql.path_list(sorted(p for p in folder.iterdir() if p.suffix == ".parquet"))


def _guess(source: Source, staged: Staged) -> Outcome:
    """The outcome that the first rows and the files' statistics suggest."""
    column = "correct" if source.format.options.outcome else "reward"
    if column == "reward" and "correct" not in staged.fixed:
        known = duck.run(source.con, f"SELECT 1 FROM ({staged.relation}) WHERE correct IS NOT NULL LIMIT 1")
        column = "correct" if known else "reward"
    first = f"SELECT {column} FROM ({staged.relation}) LIMIT {SAMPLE_ROWS}"
    seen = duck.run(source.con, f"SELECT DISTINCT {sql.level(column)} FROM ({first}) WHERE {sql.sound(column)}")
    if len(seen) > MOST_LEVELS:
        return Outcome(column, None, None)
    bounds = {float(x) for g in staged.row_groups(source.con, column) or () for x in (g.least, g.most) if x is not None}
    told = {round(x, 6) + 0.0 for x in bounds if abs(x) < REWARD_LIMIT}
    levels = {level for (level,) in seen} | told
    return Outcome(column, dict.fromkeys(sorted(levels), 0), _threshold(levels))


def _found(con: duck.Connection, outcome: Outcome) -> Outcome:
    """The outcome that the groups show."""
    if outcome.levels is None:
        return outcome
    if not outcome.binary:
        levels = dict(
            duck.run(con, "SELECT reward_level, CAST(sum(n_level) AS BIGINT) FROM levels GROUP BY ALL ORDER BY ALL")
        )
        return (
            Outcome(outcome.column, levels, _threshold(levels))
            if len(levels) <= MOST_LEVELS
            else Outcome(outcome.column, None, None)
        )
    [(off, n, right)] = duck.run(con, "SELECT count(*) FILTER (n_correct > n), sum(n), sum(n_correct) FROM groups")
    if off or not n:
        return Outcome(outcome.column, {}, None)
    counts = {x: right if x > (outcome.threshold or 0.0) else n - right for x in outcome.levels}
    shown = {x: int(c) for x, c in counts.items() if c}
    # A level that only rows set aside have does not make the other one right or wrong.
    return Outcome(outcome.column, shown, outcome.threshold if len(shown) > 1 else _threshold(shown))


def _threshold(levels: Iterable[float]) -> float | None:
    """What parts right from wrong: the middle of two levels; one level alone is right when above 0 and no loss."""
    values = sorted(levels)
    if len(values) == 2:
        return (values[0] + values[1]) / 2
    if len(values) == 1 and values[0] in {-1.0, 0.0, 1.0}:
        return 0.5 if values[0] >= 0 else 0.0
    return None


def _in_chunks(
    source: Source,
    staged: Staged,
    steps: dict[int | None, int],
    statements: dict[str, str],
    folder: Path,
    progress: Progress,
) -> Path:
    """DuckDB, in chunks that fit in memory; smaller ones where rows turn out to take more of it than thought."""
    memory = duck.memory_bytes(source.con)
    row_groups = staged.row_groups(source.con, "step")
    cores = duck.workers(memory)
    most = memory // cores // BYTES_A_ROW
    while True:
        try:
            return _side_by_side(plan(steps, row_groups, most, cores), staged, statements, memory, folder, progress)
        except duck.OutOfMemory:
            most //= 4
            if most < LEAST_ROWS:
                raise


def _side_by_side(
    chunks: Sequence[Chunk], staged: Staged, statements: dict[str, str], memory: int, folder: Path, progress: Progress
) -> Path:
    """Reduce chunks, several at a time; those that an earlier run finished are not done again."""
    place = folder / hashlib.sha256(repr((statements, chunks)).encode()).hexdigest()[:16]
    for name in statements:
        (place / name).mkdir(parents=True, exist_ok=True)
    paths = [{name: place / name / f"{i:06d}.parquet" for name in statements} for i in range(len(chunks))]
    todo = [i for i, each in enumerate(paths) if not all(p.exists() for p in each.values())]
    done, total = sum(c.rows for c in chunks) - sum(chunks[i].rows for i in todo), sum(c.rows for c in chunks) or 1
    progress("reducing", done / total)

    def work(i: int) -> duck.Work:
        def reduce_chunk(con: duck.Connection) -> None:
            con.execute(
                f"CREATE OR REPLACE TEMP VIEW rollouts AS SELECT * FROM ({staged.relation}) WHERE {chunks[i].where}"
            )
            for name, path in paths[i].items():
                duck.write(con, statements[name], path)

        return reduce_chunk

    def finished(place_in_todo: int) -> None:
        nonlocal done
        done += chunks[todo[place_in_todo]].rows
        progress("reducing", done / total)

    duck.run_each([work(i) for i in todo], memory, folder / "spill", finished)
    return place


def _elsewhere(
    engine: str, source: Source, staged: Staged, statements: dict[str, str], folder: Path, progress: Progress
) -> Path:
    """Hand the whole to a cluster engine, which reads the Parquet files and runs the same text."""
    from importlib import import_module

    module = import_module(f"bitrate.logs.engines.{engine}")
    files = list(staged.files)
    if not staged.in_place:
        progress("writing Parquet that every engine reads", 0.0)
        files = [str(folder / "rollouts.parquet")]
        if not Path(files[0]).exists():
            duck.call(source.con, partial(duck.write, query=staged.relation, path=Path(files[0])))
    place = folder / hashlib.sha256(repr(statements).encode()).hexdigest()[:16]
    progress(f"reducing on {engine}", 0.0)
    module.reduce(files, statements, place)
    progress(f"reducing on {engine}", 1.0)
    return place


def _set_aside(source: Source, outcome: Outcome, missing: int) -> list[SetAside]:
    """Why rows were left out, and where the first of each kind are."""
    if missing <= 0:
        return []
    counts: dict[str, int] = {}
    homes: dict[str, list[Peek]] = {}
    shown: dict[str, dict[str, None]] = {}
    for batch in source.batches():
        if sum(counts.values()) >= missing:
            break
        bad = source.why_bad(batch, outcome.column, placed=False)
        held = duck.run(
            source.con,
            "SELECT _file, reason, count(*), list_sort(list_distinct(list(shown)))[:4] "
            f"FROM ({bad}) WHERE reason IS NOT NULL GROUP BY ALL",
        )
        order = {str(f.path): (i, f) for i, f in enumerate(batch)}
        for path, reason, count, values in sorted(held, key=lambda x: (order[x[0]][0], x[1])):
            counts[reason] = counts.get(reason, 0) + count
            homes.setdefault(reason, []).append(order[path][1])
            shown.setdefault(reason, {}).update(dict.fromkeys(v for v in values or () if v and v.strip()))
    refused = {r: f": {listed([*map(repr, values)], 3)}" if values else "" for r, values in shown.items()}
    return [
        SetAside(r + refused[r], c, "rows", _places(source, outcome, r, homes[r]))
        for r, c in sorted(counts.items(), key=lambda x: -x[1])
    ]


def _places(source: Source, outcome: Outcome, reason: str, files: Sequence[Peek]) -> tuple[str, ...]:
    """``path:line`` of the first three rows that are bad for this reason."""
    places: list[str] = []
    for file in files[:3]:
        bad = source.why_bad([file], outcome.column)
        first = f"SELECT position FROM ({bad}) WHERE reason = {sql.text(reason)} ORDER BY position LIMIT 3"
        rows = [p for (p,) in duck.run(source.con, first)]
        places += [f"{file.path}:{p}" for p in lines(file, rows)]
    return tuple(places[:3])
