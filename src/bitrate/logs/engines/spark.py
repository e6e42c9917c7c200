"""Spark, where one machine is not enough: the same text, on the user's own cluster or on this machine."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bitrate.errors import EngineError
from bitrate.files import written_folder


def reduce(rollouts: list[str], statements: dict[str, str], folder: Path) -> None:
    """Run each statement over the Parquet files as table ``rollouts``; its rows go to ``folder/<name>/``.

    The master is what the environment says (``SPARK_REMOTE``, ``spark-defaults.conf``, ``PYSPARK_SUBMIT_ARGS``, or the
    session that is already there), and this machine where it says nothing. What an earlier run finished is kept.

    Raises:
        EngineError: pyspark or Java is not there, or Spark failed.
    """
    with _session() as spark:
        try:
            table = spark.read.parquet(*(f"file://{Path(r).resolve()}" for r in rollouts))
            # Both groupings find their rows together; left alone Spark would move them twice, and spill in between.
            table.repartition(*(c for c in ("step", "prompt_id") if c in table.columns)).createOrReplaceTempView(
                "rollouts"
            )
            for name, statement in statements.items():
                _write(spark, statement, folder / name)
        except Exception as error:  # Spark raises its own, Py4J's and gRPC's families
            raise EngineError(
                f"Spark failed: {_first_line(error)}", hint="try --engine duckdb, which reads the same files"
            ) from error


def _write(spark: Any, statement: str, target: Path) -> None:
    if target.exists():
        return
    with written_folder(target) as part:
        spark.sql(statement).write.parquet(f"file://{part.resolve()}")


@contextlib.contextmanager
def _session() -> Iterator[Any]:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise EngineError(
            "pyspark is not installed", hint="pip install 'bitrate[spark]'; it needs Java 17 or newer"
        ) from None
    active = SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    settings: dict[str, Any] = {
        "spark.log.level": "ERROR",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    with _hushed() as said:
        try:
            spark = SparkSession.builder.appName("bitrate").config(map=settings).getOrCreate()
        except Exception as error:
            hint = f"is Java 17 or newer on the PATH? {said().strip()[-300:]}"
            raise EngineError(f"Spark did not start: {_first_line(error)}", hint=hint) from error
    try:
        yield spark
    finally:
        spark.stop()


@contextlib.contextmanager
def _hushed() -> Iterator[Callable[[], str]]:
    """Keep what Java writes to standard error while it starts, and for as long as it lives, off the screen."""
    with tempfile.TemporaryFile() as log, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.stderr.flush()
        screen = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield lambda: os.pread(log.fileno(), 1 << 16, 0).decode("utf-8", "replace")
        finally:
            os.dup2(screen, 2)
            os.close(screen)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]}"
