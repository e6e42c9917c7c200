"""Files and stretches of lines that stand there once more: copies, backups, and what a resumed run repeats."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitrate.logs.formats import Format
from bitrate.logs.peek import Peek, open_lines
from bitrate.logs.schema import SetAside

#: Text files up to this size together are compared line by line; larger ones as wholes only.
COMPARED_BYTES = 16 << 20
#: A file's lines can tell a copy where most of them are unlike each other: a line that only holds 0 or 1 cannot.
UNLIKE, LEAST_LINES = 0.9, 4


def without_copies(form: Format, files: list[Peek]) -> list[Peek]:
    """Leave out a file that is another one under a new name, or an earlier state of it; note lines that come twice."""
    kept = _without_equals(form, files)
    texts = [f for f in kept if f.kind in {"jsonl", "csv"} and f.path.suffix.lower() not in {".gz", ".zst"}]
    if sum(f.size for f in texts) > COMPARED_BYTES:
        return kept
    lines = {str(f.path): _hashes(f) for f in texts}
    parts = _parts_of(texts, lines)
    for path, whole in parts.items():
        form.set_aside.append(SetAside(f"every line is also in {whole.inside}", 1, "files", (path,)))
    for file in texts:
        if str(file.path) not in parts and (again := _stretch(lines[str(file.path)])):
            form.notes.append(
                f"{again} lines of {file.inside} stand in it twice, letter for letter, one stretch after another, as a "
                "resumed run writes them: where no column numbers the rollouts of a group, both are counted."
            )
    return [f for f in kept if str(f.path) not in parts]


def _without_equals(form: Format, files: list[Peek]) -> list[Peek]:
    """Leave out a file that is byte for byte another one."""
    sizes: dict[int, list[Peek]] = {}
    for file in files:
        sizes.setdefault(file.size, []).append(file)
    copies: dict[str, str] = {}
    for same in sizes.values():
        seen: dict[bytes, Peek] = {}
        for file in same if len(same) > 1 else []:
            with file.path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").digest()
            first = seen.setdefault(digest, file)
            if first is not file:
                copies[str(file.path)] = first.path.name
    for copy, original in copies.items():
        form.set_aside.append(SetAside(f"the same bytes as {original}", 1, "files", (copy,)))
    return [f for f in files if str(f.path) not in copies]


@dataclass(frozen=True)
class Lines:
    """The lines of a file as hashes in order, and the set of them; a CSV file without its header."""

    order: NDArray[np.int64]
    all: frozenset[int]

    @property
    def telling(self) -> bool:
        """Whether there are enough lines, and most are unlike each other."""
        return self.order.size >= LEAST_LINES and len(self.all) >= UNLIKE * self.order.size


def _hashes(file: Peek) -> Lines:
    with open_lines(file.path) as stream:
        found = [hash(text) for line in stream if (text := line.strip())]
    order = np.array(found[1:] if file.kind == "csv" else found, dtype=np.int64)
    return Lines(order, frozenset(order.tolist()))


def _parts_of(files: Sequence[Peek], lines: dict[str, Lines]) -> dict[str, Peek]:
    """Files all of whose lines are in a file that is no smaller, and that one."""
    found: dict[str, Peek] = {}
    homes: dict[int, list[Peek]] = {}
    for file in files:
        for line in lines[str(file.path)].all:
            homes.setdefault(line, []).append(file)
    for file in files:
        mine = lines[str(file.path)]
        # Only files that hold a file's rarest line can hold all of them.
        for other in min((homes[line] for line in mine.all), key=len) if mine.telling else []:
            theirs = lines[str(other.path)]
            larger = theirs.order.size > mine.order.size or (
                theirs.order.size == mine.order.size and str(other.path) < str(file.path)
            )
            if other.kind == file.kind and larger and str(other.path) not in found and mine.all <= theirs.all:
                found[str(file.path)] = other
                break
    return found


def _stretch(lines: Lines) -> int:
    """How many lines repeat earlier ones in stretches of the same order; one repeated here and there is none."""
    order = lines.order
    if order.size < 2 * LEAST_LINES or len(lines.all) == order.size:
        return 0
    first: dict[int, int] = {}
    away = np.array([i - first.setdefault(int(h), i) for i, h in enumerate(order)])
    again = away > 0
    together = np.flatnonzero(np.diff(np.concatenate(([0], away))) != 0)
    lengths = np.diff(np.concatenate((together, [order.size])))
    starts = away[together]
    held = lengths[(starts >= LEAST_LINES) & (lengths >= LEAST_LINES) & (lengths <= starts)]
    telling = len({int(h) for h in order[again]}) >= UNLIKE * int(again.sum())
    return int(held.sum()) if telling else 0
