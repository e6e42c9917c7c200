"""Where the one reduction text runs: DuckDB inside this process, Spark, or Daft on Ray.

An engine is one module with ``reduce(rollouts, statements, folder)``: read the Parquet files ``rollouts`` as a table
called ``rollouts``, run each statement, and write its rows as Parquet below ``folder/<name>/``.
"""

from __future__ import annotations

from bitrate.errors import InputError

ENGINES = ("duckdb", "spark", "ray")


def check(engine: str) -> str:
    """The engine's name, if there is such an engine.

    Raises:
        InputError: there is none.

    >>> check("duckdb")
    'duckdb'
    """
    if engine not in ENGINES:
        raise InputError(f"no engine is called {engine!r}", hint=f"engines are {', '.join(ENGINES)}")
    return engine
