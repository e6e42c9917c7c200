"""The rollouts of a run as a view that signals query: the reader that users run, and only rows with a score."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bitrate.logs.engines import duck
from bitrate.logs.read import open_source
from bitrate.logs.reduce import Groups, reduce

if TYPE_CHECKING:
    import duckdb

#: Intervals of the lab: with hundreds of cases, a true prediction must not be refuted by chance.
LEVEL = 0.9999


@contextmanager
def rollouts(folder: Path, where: str = "reward IS NOT NULL") -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the view ``rollouts``: scored rollouts, or others, all columns of the rollout table.

    ``world`` is the prompt of the run, ``first`` and ``last`` mark its first and last step.
    """
    con = duck.connect("2GB")
    try:
        source = open_source(con, [folder])
        con.execute(
            f"CREATE TEMP TABLE rollouts AS SELECT *, run || '/' || prompt_id AS world, "
            f"step = min(step) OVER (PARTITION BY run, prompt_id) AS first, "
            f"step = max(step) OVER (PARTITION BY run, prompt_id) AS last "
            f"FROM ({source.rows(source.files)}) WHERE {where}"
        )
        yield con
    finally:
        duck.close(con)


@contextmanager
def reduced(folder: Path) -> Iterator[Groups]:
    """The group table of a run, as the audit gets it."""
    con = duck.connect("2GB")
    try:
        with reduce(open_source(con, [folder])) as groups:
            yield groups
    finally:
        duck.close(con)
