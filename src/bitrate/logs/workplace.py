"""A folder for work in progress that outlives a killed run and nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from bitrate import __version__
from bitrate.errors import DataError
from bitrate.files import PRIVATE, home, private

__all__ = ["State", "code", "home", "states", "workplace"]

KEEP_UNFINISHED_SECONDS = 7 * 86400
#: What bitrate makes in its cache: a folder for each key, those of the lab, and scratch. No other is removed.
OURS = re.compile(r"[0-9a-f]{24}|training|weights|spill-\w+")
#: The clock of a file system ticks every 1 to 10 ms: within one tick a second change leaves no trace.
TICK_SECONDS = 0.02

#: Size, times of the last change of content and of anything, and which file it is.
State = tuple[int, int, int, int, int]


def states(files: Iterable[Path], beside: Iterable[str] = ()) -> dict[str, State]:
    """What the system says of files, and of the files read beside them: any change to one changes this.

    Args:
        files: files of rollouts.
        beside: names of files that are read where they lie in the same folder, the one above, or a checkpoint there.
    """
    paths = list(files)
    folders = {folder for file in paths for folder in (file.parent, file.parent.parent)}
    named = {
        side for folder in folders for name in beside for side in (folder / name, *folder.glob(f"checkpoint-*/{name}"))
    }
    found = {str(path.absolute()): _state(path) for path in [*paths, *sorted(named)]}
    # What changes from here on shall bear another time than what was seen.
    age = time.time() - max((s[2] for s in found.values()), default=0) / 1e9
    if 0 <= age < TICK_SECONDS:
        time.sleep(TICK_SECONDS - age)
    return found


def _state(path: Path) -> State:
    try:
        s = path.stat()
    except OSError:
        return (-1, 0, 0, 0, 0)
    return s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino, s.st_dev


@cache
def code() -> str:
    """What reads and reduces: the package's version and its sources here, and the engine's version."""
    import duckdb

    said = hashlib.sha256(f"{__version__} {duckdb.__version__}".encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        said.update(source.read_bytes())
    return said.hexdigest()


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
