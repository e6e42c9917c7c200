"""DuckDB in this process: a connection with bounded memory, and queries that Ctrl-C stops at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import duckdb

from bitrate.errors import EngineError, Interrupted

POLL_SECONDS = 0.05


def connect(memory: str = "2GB", scratch: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A private in-memory database that spills to ``scratch`` and never loads an extension by itself.

    Args:
        memory: the most memory to use, e.g. ``"2GB"``.
        scratch: folder for what does not fit.
    """
    con = duckdb.connect(":memory:")
    con.execute(f"SET memory_limit = '{memory}'")
    con.execute("SET autoinstall_known_extensions = false")
    con.execute("SET autoload_known_extensions = false")
    con.execute("SET enable_progress_bar = false")
    if scratch:
        con.execute(f"SET temp_directory = '{str(scratch).replace(chr(39), chr(39) * 2)}'")
    return con


def run(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query; Ctrl-C interrupts the engine instead of waiting for it.

    Raises:
        Interrupted: the user pressed Ctrl-C.
        EngineError: the engine refused the query or ran out of memory.
    """
    rows: list[tuple[Any, ...]] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            rows.extend(con.execute(query).fetchall())
        except BaseException as error:  # handed to the waiting thread below
            failed.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while worker.is_alive():
            worker.join(POLL_SECONDS)
    except KeyboardInterrupt:
        con.interrupt()
        worker.join(5)
        raise Interrupted("stopped", hint="finished chunks are kept: run the same command again to go on") from None
    if failed:
        raise EngineError(_first_lines(failed[0]), hint=_hint(failed[0])) from failed[0]
    return rows


def _first_lines(error: BaseException) -> str:
    return f"{type(error).__name__}: " + " ".join(str(error).splitlines()[:2])


def _hint(error: BaseException) -> str | None:
    if isinstance(error, duckdb.OutOfMemoryException):
        return "allow more with --memory 4GB, or use --engine spark"
    return None
