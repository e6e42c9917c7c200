"""DuckDB in this process: bounded memory, several queries side by side, and Ctrl-C stops them at once."""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from bitrate import files
from bitrate.errors import EngineError, InputError, Interrupted
from bitrate.logs import sql

if TYPE_CHECKING:
    import pyarrow as pa

POLL_SECONDS = 0.05
#: A query that was interrupted and is not done after this will not be: DuckDB 2.0 may wait for itself in a COPY.
GRACE_SECONDS = 5.0
UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
SIZE = re.compile(r"\s*\d[\d.]*\s*[A-Za-z%]*\s*", re.ASCII)
CONNECTIONS = itertools.count()
#: A worker with less than this would spend its time spilling.
LEAST_BYTES = 256 << 20
#: For COPY: our own file is the temporary one, and DuckDB makes none of its own beside it.
IN_PLACE = "USE_TMP_FILE false"

#: What to do about what DuckDB says of files.
HINTS = {
    "maximum_object_size": "leave token ids and logprobs out of the log: one of its lines is too long to read",
    "CSV": "a CSV file has commas, UTF-8 text, and double quotes around text with a comma, a quote or a line end",
}


class OutOfMemory(EngineError):
    """A query that did not fit."""


Connection = duckdb.DuckDBPyConnection
Work = Callable[[Connection], None]


def connect(memory: str = "2GB", scratch: Path | None = None, threads: int | None = None) -> Connection:
    """A private in-memory database that spills to ``scratch`` and never loads an extension by itself.

    Args:
        memory: the most memory to use, e.g. ``"2GB"``.
        scratch: folder for what does not fit; one of this process's own, made when it is needed, by default.
        threads: how many threads a query may use; all cores by default.

    Raises:
        InputError: the memory is not a size.
    """
    con = duckdb.connect(":memory:")
    try:
        if not SIZE.fullmatch(str(memory)):  # to DuckDB a negative size is no limit at all
            raise duckdb.Error
        con.execute(f"SET memory_limit = {sql.text(memory)}")
    except duckdb.Error:
        raise InputError(f"memory = {memory!r}; want a size such as 2GB or 500MB") from None
    con.execute("SET autoinstall_known_extensions = false")
    con.execute("SET autoload_known_extensions = false")
    con.execute("SET enable_progress_bar = false")
    # A Parquet file's least and greatest value leave NaN out, and this would believe them: isnan(x) becomes false.
    # A long IN is made a join, and a join on several threads loses the order of a file's rows.
    con.execute("SET disabled_optimizers = 'statistics_propagation,in_clause'")
    if scratch:
        scratch.mkdir(parents=True, exist_ok=True)
    # Left alone it would spill to `.tmp` in the user's folder. Two connections never share a folder.
    own = scratch or files.scratch() / f"{os.getpid()}-{next(CONNECTIONS)}"
    con.execute(f"SET temp_directory = {sql.text(own)}")
    if threads:
        con.execute(f"SET threads = {threads}")
    return con


def memory_bytes(con: Connection) -> int:
    """The memory limit of a connection."""
    [(limit,)] = con.execute("SELECT current_setting('memory_limit')").fetchall()
    number, unit = limit.split()
    return int(float(number) * UNITS[unit])


def workers(memory: int) -> int:
    """How many single-threaded connections to run side by side: one a core, if each gets enough memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, memory // LEAST_BYTES))


def write(con: Connection, query: str, path: Path) -> None:
    """Write a query's rows as Parquet for this user's eyes; a half-written file is never seen under the final name."""
    with files.written(path, files.PRIVATE) as part:
        con.execute(f"COPY ({query}) TO {sql.text(part)} (FORMAT parquet, COMPRESSION snappy, {IN_PLACE})")


def run(con: Connection, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query; Ctrl-C interrupts the engine instead of waiting for it.

    Raises:
        Interrupted: the user pressed Ctrl-C.
        EngineError: the engine refused the query or ran out of memory.
    """
    rows: list[tuple[Any, ...]] = []
    call(con, lambda own: rows.extend(own.execute(query).fetchall()))
    return rows


def table(con: Connection, query: str) -> pa.Table:
    """The rows of a query as an Arrow table; otherwise as `run`."""
    tables: list[pa.Table] = []
    call(con, lambda own: tables.append(own.sql(query).to_arrow_table()))
    return tables[0]


def arrays(con: Connection, query: str) -> dict[str, NDArray[Any]]:
    """The columns of a query as NumPy arrays, whole numbers with a null as floats with NaN; otherwise as `run`."""
    found: dict[str, NDArray[Any]] = {}
    call(con, lambda own: found.update(own.execute(query).fetchnumpy()))  # Arrow's own way loads pandas where it is
    return {name: _plain(values) for name, values in found.items()}


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if values.dtype.kind == "O":
        return np.asarray(np.ma.filled(values, None))
    return np.asarray(np.ma.filled(values.astype(np.float64), np.nan) if values.mask.any() else values.data)


@contextlib.contextmanager
def in_order(con: Connection) -> Iterator[None]:
    """Within this, rows come as their files hold them, and in the same order each time: a join on one thread."""
    held = con.execute("SELECT current_setting('threads'), current_setting('preserve_insertion_order')").fetchone()
    con.execute("SET threads = 1; SET preserve_insertion_order = true")
    try:
        yield
    finally:
        threads, order = held or (1, True)
        con.execute(f"SET threads = {threads}; SET preserve_insertion_order = {order}")


def call(con: Connection, work: Work) -> None:
    """Do one piece of work on a connection, as `run` does."""
    _share_out([work], [con], lambda _: None)


def run_each(works: Sequence[Work], memory: int, scratch: Path, finished: Callable[[int], None]) -> None:
    """Do each piece of work on one of several single-threaded connections, side by side.

    Chunks side by side beat one chunk on many threads, each of which builds a table of the same groups, to be merged.

    Args:
        works: what to do with a connection; in this order, but not one after another.
        memory: the most memory to use, in bytes, by all together.
        scratch: folder for what does not fit.
        finished: called with the place of each piece of work that is done.

    Raises:
        Interrupted, EngineError: as for `run`.
    """
    count = min(workers(memory), len(works))
    connections = [connect(f"{memory // max(count, 1)} bytes", scratch / str(i), threads=1) for i in range(count)]
    try:
        for con in connections:
            con.execute("SET preserve_insertion_order = false; SET parquet_metadata_cache = true")
            con.execute(
                "SET disabled_optimizers = ''"
            )  # the reduction's own text is proof against NaN, and a sixth faster
        _share_out(works, connections, finished)
    finally:
        for con in connections:
            close(con)


def close(con: Connection) -> None:
    """Close a connection; one that still is in the hands of a query that cannot be interrupted is left to it."""
    with contextlib.suppress(duckdb.Error):
        con.close()


def _share_out(works: Sequence[Work], connections: Sequence[Connection], finished: Callable[[int], None]) -> None:
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, BaseException | None]] = queue.SimpleQueue()
    stop = threading.Event()
    for i in range(len(works)):
        todo.put(i)

    def work(con: Connection) -> None:
        while not stop.is_set():
            try:
                i = todo.get_nowait()
            except queue.Empty:
                return
            try:
                works[i](con)
                done.put((i, None))
            except BaseException as error:  # handed to the waiting thread below
                done.put((i, error))

    threads = [threading.Thread(target=work, args=(con,), daemon=True) for con in connections]
    try:
        for thread in threads:
            thread.start()
        for _ in works:
            i, error = done.get()
            if error:
                raise _translated(error) from error
            finished(i)
    except KeyboardInterrupt:
        raise Interrupted("stopped", hint="finished chunks are kept: run the same command again to go on") from None
    finally:
        stop.set()
        _end(threads, connections)


def _end(threads: Sequence[threading.Thread], connections: Sequence[Connection]) -> None:
    """Interrupt until every thread is done, or give up: a query that starts after an interrupt would not hear it."""
    until = time.monotonic() + GRACE_SECONDS
    for thread, con in zip(threads, connections, strict=True):
        while thread.is_alive() and time.monotonic() < until:
            thread.join(POLL_SECONDS)
            if thread.is_alive():
                con.interrupt()


def _translated(error: BaseException) -> EngineError:
    said = f"{type(error).__name__}: " + " ".join(str(error).splitlines()[:3])
    if isinstance(error, duckdb.OutOfMemoryException):
        return OutOfMemory(said, hint="allow more with --memory 4GB, or use --engine spark")
    return EngineError(said, hint=next((hint for sign, hint in HINTS.items() if sign in said), None))
