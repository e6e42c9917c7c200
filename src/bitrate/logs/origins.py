"""What an exported file was made from, so that it is not counted once more beside its sources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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


def sources_beside(export: Mapping[str, str], files: Sequence[Path]) -> tuple[list[Path], bool]:
    """Those of some files whose rows an export holds already, and whether they are all that it was made from.

    Where they are all, the export adds nothing and is to be set aside; where some are gone, those that are left are.

    Args:
        export: the exported file's metadata.
        files: the files beside it.
    """
    origins = made_from(export)
    by_size: dict[int, list[Path]] = {}
    by_name: dict[str, list[Path]] = {}
    for file in files if origins else ():
        by_size.setdefault(file.stat().st_size, []).append(file)
        by_name.setdefault(file.name, []).append(file)
    held = [[f for f in {*by_size.get(o.bytes, ()), *by_name.get(o.name, ())} if o.is_in(f)] for o in origins]
    return sorted({f for found in held for f in found}), bool(held) and all(held)
