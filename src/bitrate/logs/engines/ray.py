"""Daft on Ray, where one machine is not enough: the same text, on the user's own cluster or on this machine."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from bitrate.errors import EngineError
from bitrate.files import written_folder


def reduce(rollouts: list[str], statements: dict[str, str], folder: Path) -> None:
    """Run each statement over the Parquet files as table ``rollouts``; its rows go to ``folder/<name>/``.

    The cluster is the one at ``RAY_ADDRESS``, and this machine where that is not set. What an earlier run finished is
    kept.

    Raises:
        EngineError: daft or ray is not there, or failed.
    """
    daft = _daft()
    try:
        table = daft.read_parquet(rollouts)
        for name, statement in statements.items():
            target = folder / name
            if not target.exists():
                with written_folder(target) as part:
                    daft.sql(statement, rollouts=table, register_globals=False).write_parquet(str(part))
    except Exception as error:  # Daft raises its own and Ray's families
        first = (str(error).strip() or "no message").splitlines()[0]
        raise EngineError(
            f"Daft on Ray failed: {type(error).__name__}: {first}",
            hint="try --engine duckdb, which reads the same files",
        ) from error


def _daft() -> Any:
    os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
    try:
        import daft
        import ray
    except ImportError:
        raise EngineError("daft or ray is not installed", hint="pip install 'bitrate[ray]'") from None
    address = os.environ.get("RAY_ADDRESS")
    if not ray.is_initialized():
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    daft.set_runner_ray(address, noop_if_initialized=True)
    return daft
