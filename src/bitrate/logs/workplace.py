"""A folder for work in progress that outlives a killed run and nothing else."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bitrate.errors import DataError

KEEP_UNFINISHED_SECONDS = 7 * 86400


def home() -> Path:
    """The folder of everything that bitrate keeps for a while."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bitrate"


@contextlib.contextmanager
def workplace(key: str) -> Iterator[Path]:
    """A folder for chunks that outlives a killed run and nothing else; a second process gets one of its own."""
    try:
        home().mkdir(parents=True, exist_ok=True)
        _sweep(home())
        folder = home() / key
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


def _sweep(place: Path) -> None:
    """Remove what an unfinished run left a week ago."""
    for folder in place.iterdir():
        with contextlib.suppress(OSError):
            if folder.is_dir() and time.time() - folder.stat().st_mtime > KEEP_UNFINISHED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
