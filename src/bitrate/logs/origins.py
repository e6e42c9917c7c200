"""What an exported file was made from, so that it is not counted once more beside its sources."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bitrate.logs.peek import Peek

#: Key of an exported Parquet file's metadata.
ORIGINS_KEY = "bitrate_made_from"
#: A file is known by its first bytes and by the last of those that were there: a log that grows stays the same log.
MARK_BYTES = 1 << 16


@dataclass(frozen=True)
class Origin:
    """A file that was exported: its name, its bytes at the time, and a hash of the ends of them."""

    name: str
    bytes: int
    mark: str

    def is_in(self, path: Path) -> bool:
        """Whether a file begins with what was exported."""
        try:
            return path.stat().st_size >= self.bytes and mark(path, self.bytes) == self.mark
        except OSError:
            return False


def mark(path: Path, size: int) -> str:
    """Hash of the ends of a file's first ``size`` bytes."""
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(min(size, MARK_BYTES)))
        file.seek(max(0, size - MARK_BYTES))
        digest.update(file.read(min(size, MARK_BYTES)))
    return digest.hexdigest()[:16]


def described(files: Iterable[Path]) -> str:
    """The text that an export keeps of its files, one entry for each."""
    sizes = ((file, file.stat().st_size) for file in files)
    return json.dumps([[file.name, size, mark(file, size)] for file, size in sizes])


def made_from(metadata: Mapping[str, str]) -> tuple[Origin, ...]:
    """The files that a Parquet file's metadata says it was exported from; none where it says nothing that we wrote.

    >>> made_from({"bitrate_made_from": '[["a.jsonl", 9, "0123456789abcdef"]]'})
    (Origin(name='a.jsonl', bytes=9, mark='0123456789abcdef'),)
    >>> made_from({"bitrate_made_from": "of clay"})
    ()
    """
    try:
        return tuple(Origin(str(name), int(size), str(end)) for name, size, end in json.loads(metadata[ORIGINS_KEY]))
    except (KeyError, TypeError, ValueError, RecursionError):
        return ()


def counted_twice(files: Sequence[Peek]) -> dict[Path, str]:
    """Files whose rows are there once more, as an export or as what it was made from, each with the reason.

    An export beside all its sources adds nothing to them. Where some of its sources are gone, it is read, and those
    that are left are not.
    """
    exports = {f: origins for f in files if f.kind == "parquet" and (origins := _origins(f))}
    by_size, by_name = defaultdict[int, list[Peek]](list), defaultdict[str, list[Peek]](list)
    for file in files if exports else ():
        by_size[file.size].append(file)
        by_name[file.path.name].append(file)
    found: dict[Path, str] = {}
    for export, origins in exports.items():
        held = [{f for f in (*by_size[o.bytes], *by_name[o.name]) if f != export and o.is_in(f.path)} for o in origins]
        if all(held):
            found[export.path] = "exported from files that are read here"
        else:
            found |= {
                f.path: f"its rows are in {export.path.name}, which was exported from it" for f in set().union(*held)
            }
    return found


def _origins(file: Peek) -> tuple[Origin, ...]:
    try:
        return made_from(file.metadata)
    except Exception:  # what cannot be opened says nothing; `trouble` says why
        return ()
