"""A folder for work in progress that outlives a killed run and nothing else."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bitrate.errors import DataError
from bitrate.files import PRIVATE, home, private

__all__ = ["home", "workplace"]

KEEP_UNFINISHED_SECONDS = 7 * 86400
#: What bitrate makes in its cache: a folder for each key, those of the lab, and scratch. No other is removed.
OURS = re.compile(r"[0-9a-f]{24}|training|weights|spill-\w+")


@contextlib.contextmanager
def workplace(key: str) -> Iterator[Path]:
    """A folder for chunks that outlives a killed run and nothing else; a second process gets one of its own."""
    from filelock import FileLock

    place = home()
    _sweep(place)
    lock = FileLock(place / key / "lock", timeout=0, mode=PRIVATE)
    try:
        folder = private(place / key)
        lock.acquire()  # that it is taken is an OSError too
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
        with contextlib.suppress(OSError):
            lock.release()


def _sweep(place: Path) -> None:
    """Remove what an unfinished run left a week ago."""
    for folder in place.iterdir():
        with contextlib.suppress(OSError):
            old = time.time() - folder.lstat().st_mtime > KEEP_UNFINISHED_SECONDS
            if old and OURS.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)
