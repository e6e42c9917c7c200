"""Every file that bitrate writes, whole or not at all; and the folder of what it keeps for a while.

An output is written beside its place under a name that nobody can guess, and moved there when it is whole. What is no
regular file (a device, a pipe, ``/dev/stdout``) is written through and never replaced; a link stays a link, and what it
points at is written.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from bitrate.errors import InputError, MissingInputError, OutputError

#: A user's files are open to others as far as the umask allows; what is kept in the cache is not.
OPEN, PRIVATE = 0o666, 0o600
#: As many links as Linux follows.
MOST_LINKS = 40
#: A new file cannot take the place of an old one that may be written all the same: a mounted file, another's in /tmp.
FIXED = {errno.EACCES, errno.EPERM, errno.EBUSY, errno.EROFS, errno.EXDEV, errno.ENOENT}
#: What to do about what the system says.
HINTS = {
    errno.ENOSPC: "free some space there, or write elsewhere",
    errno.EROFS: "the file system is read-only: write elsewhere",
    errno.EACCES: "write to a file and folder of your own",
    errno.EPERM: "write to a file and folder of your own",
    errno.EBADF: "it is closed, or open for reading only",
}
#: What an earlier audit or comparison wrote is known by its keys, or by its title.
EARLIER = ({"run", "bitrate", "ledger"}, {"a", "b", "differences"})
TITLE = b": bitrate</title>"
MOST_FIGURES = 256 << 20


def check(target: str | Path, named: str, inputs: Iterable[str | Path] = ()) -> None:
    """Say before the work what would keep an output from being written after it.

    Args:
        target: the file to write.
        named: what the user calls it, e.g. ``"--json"``.
        inputs: files and folders that are read, and must come out as they are.

    Raises:
        InputError: not the name of a file, or one of the inputs.
        MissingInputError: the folder to write to is not there.
        OutputError: the system does not let it be written.

    >>> check("", "--json")
    Traceback (most recent call last):
    bitrate.errors.InputError: --json '' names no file
    """
    if not os.fspath(target) or os.fspath(target).endswith("/"):
        raise InputError(f"{named} {os.fspath(target)!r} names no file")
    with _told(target):
        path, descriptor = _followed(target)
        if descriptor is not None:
            os.write(descriptor, b"")
            return
        found = _found(path)
        if found and stat.S_ISDIR(found.st_mode):
            raise InputError(f"{named} {os.fspath(target)!r} is a folder; want a file")
        if not path.parent.is_dir():
            folder = path.parent if Path(target).is_symlink() else Path(target).parent
            raise MissingInputError("no such folder to write to", where=str(folder), hint="make the folder first")
        if found and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if found and not stat.S_ISREG(found.st_mode):
            return
        if found:
            _refuse_input(target, found, named, inputs)
        part = _beside(path, found, OPEN)
        if part:
            part.unlink()


def check_folder(folder: Path, named: str) -> None:
    """The same for a folder that files are written to, and that is made where it is not there.

    Raises:
        InputError: it, or a part of the way to it, is a file.
        OutputError: nothing may be written there.
    """
    with _told(folder):
        there = folder.absolute()
        while not os.path.lexists(there):
            there = there.parent
        if not there.is_dir():
            raise InputError(f"{named} {os.fspath(folder)!r}: {there} is a file; want a folder")
        _created(there, OPEN).unlink()


def same(a: str | Path, b: str | Path) -> bool:
    """Whether two outputs are one regular file, there or to be made."""
    with _told(b):
        (one, first), (two, second) = _followed(a), _followed(b)
        if first is not None or second is not None:
            return False
        found = _found(one), _found(two)
        if found[0] and found[1]:
            return stat.S_ISREG(found[0].st_mode) and os.path.samestat(found[0], found[1])
        return one == two


def within(target: str | Path, folders: Iterable[str | Path]) -> Path | None:
    """The first of these folders that an output would lie in, at any depth."""
    with _told(target):
        path, _ = _followed(target)
    return next((Path(f) for f in folders if Path(f).is_dir() and Path(os.path.realpath(f)) in path.parents), None)


def through(target: str | Path) -> bool:
    """Whether an output is a device, a pipe or an open descriptor, whose name says nothing of what is written there.

    >>> through("report.html")
    False
    """
    with _told(target):
        path, descriptor = _followed(target)
        found = _found(path)
    plain = found is None or stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return descriptor is not None or not plain


def write(target: str | Path, data: str | bytes, mode: int = OPEN) -> None:
    """Write a text, in UTF-8, or bytes, as of :func:`written`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(Path(folder, "a"), "whole")
    ...     Path(folder, "a").read_text("utf-8"), len(os.listdir(folder))
    ('whole', 1)
    """
    with written(target, mode) as part, _told(target):
        part.write_bytes(data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data)


@contextlib.contextmanager
def written(target: str | Path, mode: int = OPEN) -> Iterator[Path]:
    """An empty file to fill, which takes the target's place when the block ends well and is gone when it does not.

    Args:
        target: where to write. A file that is there keeps its permissions.
        mode: permissions of a new file, before the umask.

    Raises:
        OutputError: the system does not let it be written.
    """
    with _told(target):
        path, descriptor = _followed(target)
        found = None if descriptor is not None else _found(path)
        if found and stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        regular = descriptor is None and (found is None or stat.S_ISREG(found.st_mode))
        part = _beside(path, found, mode) if regular else None
    if part is None:
        with tempfile.TemporaryDirectory(prefix="bitrate-") as own:
            part = _created(Path(own), PRIVATE)
            yield part
            with _told(target):
                _pour(part, path, descriptor)
        return
    try:
        yield part
        with _told(target):
            try:
                part.replace(path)
            except OSError as error:
                if found is None or error.errno not in FIXED:
                    raise
                _pour(part, path, None)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def written_folder(target: Path) -> Iterator[Path]:
    """The path of a folder to make and fill, which is moved to the target when the block ends well.

    Of two processes that make the same folder at the same time, the slower one finds it made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bitrate-", dir=target.parent) as own:
        made = Path(own, target.name)
        yield made
        try:
            made.rename(target)
        except OSError:
            if not target.exists():
                raise


def home(below: str = "") -> Path:
    """The folder of what bitrate keeps for a while, or one below it: the user's alone, made where it is not there.

    ``XDG_CACHE_HOME``, or else where the system has such folders. Where there is none, or others may write to it, a
    temporary folder that ends with this process.
    """
    try:
        folder = private(_named_home())
        return private(folder / below) if below else folder
    except (OSError, RuntimeError, UnicodeError):  # RuntimeError: a user without a home
        return private(_spare() / below)


@cache
def scratch() -> Path:
    """A folder for what does not fit in memory, of this process alone and gone when it ends."""
    return _fleeting("spill-", home())


@contextlib.contextmanager
def some_home() -> Iterator[None]:
    """For libraries that ask where the user's home is while they are imported, and end where there is none."""
    try:
        Path.home()
        added = False
    except RuntimeError:
        os.environ["HOME"] = str(home())
        added = True
    try:
        yield
    finally:
        if added:
            del os.environ["HOME"]


def private(folder: Path) -> Path:
    """A folder that belongs to this user alone, made where it is not there.

    Raises:
        OSError: there is none, or somebody else owns it or may write to it.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.name == "posix":
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise PermissionError(errno.EACCES, "a folder of somebody else, or that others may write to", str(folder))
        if found.st_mode & 0o077:
            folder.chmod(0o700)
    return folder


def _named_home() -> Path:
    named = os.environ.get("XDG_CACHE_HOME")
    if named:
        place = Path(named).absolute() / "bitrate"
    else:
        import platformdirs

        place = platformdirs.user_cache_path("bitrate", appauthor=False)
    if not place.is_absolute():  # the tilde stayed
        raise FileNotFoundError(errno.ENOENT, "no home folder")
    os.fspath(place).encode()  # an engine takes no other names
    place.parent.mkdir(parents=True, exist_ok=True)
    # A link to where there is more room is the user's to make.
    if place.is_symlink() and os.name == "posix" and place.lstat().st_uid == os.geteuid():
        return place.resolve()
    return place


@cache
def _spare() -> Path:
    return _fleeting("bitrate-", None)


def _fleeting(prefix: str, within: Path | None) -> Path:
    folder = tempfile.mkdtemp(prefix=prefix, dir=within)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@contextlib.contextmanager
def _told(target: str | Path) -> Iterator[None]:
    """What the system says of an output, as an error that names it; a reader that went away is no error of ours."""
    try:
        yield
    except (InputError, MissingInputError, OutputError, BrokenPipeError):
        raise
    except OSError as error:
        hint = HINTS.get(error.errno or 0)
        raise OutputError(f"cannot be written: {error.strerror or error}", where=os.fspath(target), hint=hint) from None


def _followed(target: str | Path) -> tuple[Path, int | None]:
    """Where a path leads when its links are followed, and the number of the open descriptor that it stands for."""
    here = Path(target).absolute()
    open_here = {os.path.realpath(f) for f in ("/dev/fd", "/proc/self/fd")}
    for _ in range(MOST_LINKS):
        folder = os.path.realpath(here.parent)
        here = Path(folder, here.name)
        if folder in open_here and here.name.isdecimal():
            return here, int(here.name)
        if not here.is_symlink() or folder.startswith("/proc/"):  # another process's descriptor is no link by name
            return here, None
        here = Path(folder, here.readlink())
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _found(path: Path) -> os.stat_result | None:
    """What is there behind the links, or None where nothing is."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _beside(path: Path, found: os.stat_result | None, mode: int) -> Path | None:
    """A new file beside a path, with the permissions and the owner of what is there; None where that cannot be."""
    try:
        part = _created(path.parent, mode if found is None else found.st_mode & 0o777)
    except OSError as error:
        if found is None or error.errno not in FIXED:
            raise
        return None
    if found is None or os.name != "posix":
        return part
    try:
        own = part.stat()
        if (own.st_uid, own.st_gid) != (found.st_uid, found.st_gid):
            os.chown(part, found.st_uid, found.st_gid)
        part.chmod(found.st_mode & 0o777)
    except OSError:
        part.unlink()
        return None
    return part


def _created(folder: Path, mode: int) -> Path:
    """A new empty file, as of mkstemp, but with the permissions that the umask leaves: asking for that is not safe."""
    part = folder / f".bitrate-{os.urandom(8).hex()}.part"
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    return part


def _pour(part: Path, path: Path, descriptor: int | None) -> None:
    """Write a finished file into what is there."""
    if descriptor is None:
        number = os.open(path, os.O_WRONLY | os.O_TRUNC | getattr(os, "O_BINARY", 0))
    else:
        for stream in (sys.stdout, sys.stderr):
            if stream:
                stream.flush()
        number = os.dup(descriptor)
    with os.fdopen(number, "wb") as out, part.open("rb") as source:
        shutil.copyfileobj(source, out)


def _refuse_input(target: str | Path, found: os.stat_result, named: str, inputs: Iterable[str | Path]) -> None:
    """Inputs come out as they are, whatever other name the output calls one by; our own earlier report is none."""
    earlier: bool | None = None
    for given in map(Path, inputs):
        with contextlib.suppress(OSError):
            if not given.is_dir():
                clash = os.path.samestat(found, given.stat())
            else:
                earlier = _earlier(Path(target)) if earlier is None else earlier
                clash = not earlier and any(os.path.samestat(found, s) for s in _files_below(given))
            if clash:
                raise InputError(
                    f"{named} {os.fspath(target)!r} is one of the inputs", hint="write to a file that is not read"
                )


def _files_below(folder: Path) -> Iterator[os.stat_result]:
    """What every file below a folder is, in folders behind links too."""
    seen: set[tuple[int, int]] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        known = Path(here).stat()
        if (known.st_dev, known.st_ino) in seen:
            folders.clear()
            continue
        seen.add((known.st_dev, known.st_ino))
        for name in names:
            with contextlib.suppress(OSError):
                yield Path(here, name).stat()


def _earlier(path: Path) -> bool:
    """Whether a file is a report or the figures that bitrate wrote, which may lie in the folder that they tell of."""
    try:
        if path.suffix.lower() != ".json":
            with path.open("rb") as file:
                return TITLE in file.read(1 << 16)
        figures = json.loads(path.read_bytes()) if path.stat().st_size < MOST_FIGURES else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(figures, dict) and any(keys <= figures.keys() for keys in EARLIER)
