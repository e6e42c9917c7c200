"""From paths that the user named to the files below them, each once, however many ways lead to it."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bitrate.errors import FormatError, InputError, MissingInputError
from bitrate.logs.peek import Peek
from bitrate.wording import listed, number_of


@dataclass
class Found:
    """Files in natural order of their names, and what is to be said of the way there."""

    files: list[Peek]
    notes: list[str] = field(default_factory=list)
    #: Holds links to files whose names an engine cannot be told; it goes when this does.
    links: tempfile.TemporaryDirectory[str] | None = None
    #: Holds mended copies of files, likewise.
    mended: tempfile.TemporaryDirectory[str] | None = None


def find_files(paths: Iterable[str | Path]) -> Found:
    """Every file under the paths, once: a path named twice, within another, or through a link leads to one file.

    Folders that links lead to are looked through as well; they, and folders that may not be read, are named.

    Raises:
        MissingInputError: a path that does not exist, or nothing below it.
        InputError: a path that is neither a file nor a folder.
        FormatError: nothing but pickles, which are never loaded.
    """
    given = [Path(p) for p in paths]
    for path in given:
        if not path.exists():
            raise MissingInputError("no such file or folder", where=str(path), hint="check the path")
        if not (path.is_file() or path.is_dir()):
            raise InputError(
                f"{path} is neither a file nor a folder", hint="write what it gives to a file, and name that"
            )
    walk = Walk()
    base = _base(given)
    best: dict[tuple[int, int], tuple[Path, str]] = {}
    for path in given:
        for file in [path] if path.is_file() else walk.below(path):
            state = file.stat()
            inside = Path(_absolute(file)).relative_to(base).as_posix()
            key = (state.st_dev, state.st_ino)
            if key not in best or _is_link(best[key][0]) > _is_link(file):
                best[key] = (file, inside)
    named = " ".join(map(str, given))
    if not best:
        raise MissingInputError(
            "the folder is empty", where=named, hint="point at the folder the trainer writes rollouts to"
        )
    found = Found([Peek(p, inside) for p, inside in best.values()], walk.notes())
    if all(f.kind == "pickle" for f in found.files):
        raise FormatError(
            f"{found.files[0].path.name} is a pickle; a pickle can run code when opened, so it is never loaded",
            where=named,
            hint="where you trust the file, load it yourself and write rows: "
            "pandas.DataFrame(rows).to_parquet('rollouts.parquet'), then use --columns",
        )
    found.files.sort(key=lambda f: _natural(f.path.as_posix()))
    _rename(found)
    return found


class Walk:
    """A walk through folders, which enters each once and remembers where it was not let in."""

    def __init__(self) -> None:
        self.entered: set[tuple[int, int]] = set()
        self.closed: list[str] = []
        self.links: list[str] = []
        self.broken: list[str] = []

    def below(self, top: Path) -> Iterator[Path]:
        """Files below a folder; names that start with a dot are left out."""
        state = top.stat()
        if (state.st_dev, state.st_ino) in self.entered:
            return
        self.entered.add((state.st_dev, state.st_ino))
        try:
            with os.scandir(top) as entries:
                names = sorted(entries, key=lambda e: _natural(e.name))
        except OSError as error:
            self.closed.append(f"{top} ({error.strerror})")
            return
        linked = []
        for entry in names:
            path = top / entry.name
            try:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir() and entry.is_symlink():
                    linked.append(path)
                elif entry.is_dir():
                    yield from self.below(path)
                elif entry.is_file():
                    yield path
                elif entry.is_symlink() and not path.exists():
                    self.broken.append(str(path))
            except OSError as error:
                self.closed.append(f"{path} ({error.strerror})")
        for path in linked:  # last: a folder that is met without a link bears its own name
            before = len(self.entered)
            yield from self.below(path)
            if len(self.entered) > before:
                self.links.append(f"{path} to {os.path.realpath(path)}")

    def notes(self) -> list[str]:
        """What was met on the way, in sentences."""
        kinds = (
            (self.links, "folder was reached by a link", "folders were reached by links"),
            (self.broken, "link leads nowhere", "links lead nowhere"),
            (self.closed, "folder or file could not be opened", "folders or files could not be opened"),
        )
        return [
            f"{number_of(len(met), one, many)}: {listed([*map(printable, met)], 3)}." for met, one, many in kinds if met
        ]


def _is_link(file: Path) -> bool:
    """Whether a file is reached through a link: its own name tells more."""
    return os.path.realpath(file) != _absolute(file)


def _base(given: Sequence[Path]) -> str:
    """The folder that all paths have in common."""
    homes = [_absolute(p if p.is_dir() else p.parent) for p in given]
    try:
        return os.path.commonpath(homes)
    except ValueError:  # several drives
        return _absolute(Path(os.sep))


def _absolute(path: Path) -> str:
    """The path from the root, without "..", links not resolved."""
    return os.path.abspath(path)  # noqa: PTH100 - Path.absolute keeps "..", and Path.resolve follows links


def _rename(found: Found) -> None:
    """Reach files whose names are not UTF-8 through links: an engine is told names as text."""
    odd = [i for i, f in enumerate(found.files) if printable(str(f.path)) != str(f.path)]
    if not odd:
        return
    found.links = tempfile.TemporaryDirectory(prefix="bitrate-links-")
    for i in odd:
        file = found.files[i]
        link = Path(found.links.name, str(i), printable(file.inside))
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(_absolute(file.path))
        found.files[i] = Peek(link, printable(file.inside))
    names = [found.files[i].inside for i in odd]
    found.notes.append(f"{len(odd)} file name(s) are not UTF-8 text; what is not is shown as ?: {listed(names, 3)}.")


def printable(name: str) -> str:
    """A file name as UTF-8 text; bytes that are none become ``?``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\ufffd", "?")


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which step_2 comes before step_10."""
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in re.split(r"(\d+)", name) if p]
