"""Files and stretches of lines that stand there once more: copies, backups, and what a resumed run repeats."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.formats import Format
from bitrate.logs.names import home, split_in_name, step_in_name
from bitrate.logs.peek import Peek, open_lines
from bitrate.logs.schema import SetAside
from bitrate.wording import number_of

#: Files up to this size together are compared line by line; larger ones as wholes only.
COMPARED_BYTES = 16 << 20
#: Lines can tell a copy where a column of texts is unlike in most of them: a line that only holds 0 or 1 cannot.
UNLIKE, LEAST_LINES, LOOKED_AT = 0.9, 4, 64
#: Columns that are alike in all rollouts of a prompt, and so tell no rollout from another.
OF_PROMPTS = {
    "prompt_id", "task_id", "question_id", "problem_id", "example_id", "group_id", "run", "split", "prompt", "question",
    "problem", "task", "input", "target", "gts", "step",
}  # fmt: skip
#: Words of a name that say that a file is a second one.
SECOND = re.compile(
    r"\(\d+\)|(?<![a-z])(?:copy|backup|bak|old|orig|original|prev|previous|snapshot|tmp|duplicate)"
    r"(?:[ _-]?\d+)?(?![a-z])",
    re.IGNORECASE,
)


def without_copies(form: Format, files: list[Peek]) -> list[Peek]:
    """Leave out a file that is another one under a new name, or an earlier state of it; note lines that come twice."""
    kept = _without_equals(form, files)
    rows = [
        f
        for f in kept
        if f.kind in {"jsonl", "csv", "parquet", "array"} and f.path.suffix.lower() not in {".gz", ".zst"}
    ]
    if sum(f.size for f in rows) > COMPARED_BYTES:
        return kept
    told = {str(f.path): _told_apart(f) for f in rows}
    rows = [f for f in rows if told[str(f.path)]]
    lines = {str(f.path): _hashes(f) for f in rows}
    parts = _parts_of([f for f in rows if told[str(f.path)] >= LEAST_LINES], lines)
    for path, whole in parts.items():
        form.set_aside.append(SetAside(f"every line is also in {whole.inside}", 1, "files", (path,)))
    again = {f.inside: n for f in rows if str(f.path) not in parts and (n := lines[str(f.path)].repeated)}
    if again:
        first, *more = again
        where = first + (f" and {number_of(len(more), 'other file')}" if more else "")
        form.notes.append(
            f"{number_of(sum(again.values()), 'line')} of {where} stand there once more, letter for letter: rollouts "
            "that were written again, as a resumed run does, or equal answers. Where no column numbers the rollouts "
            "of a group, all are counted."
        )
    return [f for f in kept if str(f.path) not in parts]


def _without_equals(form: Format, files: list[Peek]) -> list[Peek]:
    """Leave out a file that is byte for byte another one, where its lines or its name say that it is a copy.

    Files of zeros and ones may well be equal: those of two steps, two runs or two ranks.
    """
    sizes: dict[int, list[Peek]] = {}
    for file in files:
        sizes.setdefault(file.size, []).append(file)
    copies: dict[str, str] = {}
    for same in sizes.values():
        seen: dict[bytes, list[Peek]] = {}
        for file in sorted(same, key=_rank) if len(same) > 1 else []:
            with file.path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").digest()
            firsts = seen.setdefault(digest, [])
            original = next((f for f in firsts if _same_place(f, file) or _told_apart(file) >= LEAST_LINES), None)
            if original is None:
                firsts.append(file)
            else:
                copies[str(file.path)] = original.path.name
    for copy, name in copies.items():
        form.set_aside.append(SetAside(f"the same bytes as {name}", 1, "files", (copy,)))
    return [f for f in files if str(f.path) not in copies]


def _rank(file: Peek) -> tuple[bool, int, str]:
    """Which of equal files comes first: no copy by its name, the least deep, the first by name."""
    return bool(SECOND.search(file.inside)), file.inside.count("/"), file.inside


def _same_place(a: Peek, b: Peek) -> bool:
    """Whether two names differ at most in words that say that one is a copy, so that both are of one step and run."""
    words = [_words(SECOND.sub(" ", f.inside.split(".")[0])) for f in (a, b)]
    bare = any(SECOND.search(f.inside) and not w for f, w in zip((a, b), words, strict=True))
    told = [(step_in_name(f), split_in_name(f)) for f in (a, b)]
    return told[0] == told[1] and (words[0] == words[1] or bare)


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+", name.lower())


def _told_apart(file: Peek) -> int:
    """How many of the first rows were looked at, where a column of texts is unlike in most of them; else 0.

    Then equal rows are one rollout, most likely: surely enough for a word, and for setting a copy aside in a file of a
    few lines or more.
    """
    rows: list[dict[str, Any]] = file.records[:LOOKED_AT]
    if file.kind == "eval":
        return LEAST_LINES
    if file.kind == "csv":
        text = io.StringIO(file.head, newline="")
        rows = [*itertools.islice(csv.DictReader(text, delimiter=file.delimiter), LOOKED_AT)]
        # A cell of texts may look like a number; a column of nothing else holds scores and counts.
        words = {k for r in rows for k, v in r.items() if isinstance(v, str) and v and not _is_number(v)}
        rows = [{k: v for k, v in r.items() if k in words} for r in rows]
    elif file.kind == "parquet":
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(file.path) as found:
                rows = next((b.to_pylist() for b in found.iter_batches(LOOKED_AT)), [])
        except (OSError, ValueError):  # a damaged page: reading the rows says so, and where
            return 0
    texts: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            if name not in OF_PROMPTS and isinstance(value, (str, list, dict)) and value:
                texts.setdefault(name, set()).add(repr(value))
    alike = max(1.0, (1 - UNLIKE) * len(rows))
    return len(rows) if any(len(v) >= len(rows) - alike for v in texts.values()) else 0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Lines:
    """The lines of a file as hashes in order, and the set of them; a CSV file without its header."""

    order: NDArray[np.int64]
    all: frozenset[int]

    @property
    def repeated(self) -> int:
        """How many lines stand there once more."""
        return int(self.order.size) - len(self.all)


def _hashes(file: Peek) -> Lines:
    if file.kind == "parquet":
        con = duck.connect()
        rows = f"read_parquet({sql.path(file.path)}, hive_partitioning=false) t"
        found = [h for (h,) in duck.run(con, f"SELECT (hash(t) >> 1)::BIGINT FROM {rows}")]
        duck.close(con)
    elif file.kind == "array":
        found = [hash(json.dumps(row)) for row in _rows(file)]
    else:
        with open_lines(file.path) as stream:
            found = [hash(text) for line in stream if (text := line.strip())]
    order = np.array(found[1:] if file.kind == "csv" else found, dtype=np.int64)
    return Lines(order, frozenset(order.tolist()))


def _run(file: Peek) -> list[str]:
    """The words of the folder that makes a run, without those that say that it holds copies."""
    return _words(SECOND.sub(" ", home(file)))


def _rows(file: Peek) -> list[Any]:
    """The elements of a JSON array; none where it cannot be read, as reading it says."""
    try:
        found = json.loads(file.path.read_text("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def _parts_of(files: Sequence[Peek], lines: dict[str, Lines]) -> dict[str, Peek]:
    """Files all of whose lines are in a file of their run that is no smaller, and that one."""
    found: dict[str, Peek] = {}
    homes: dict[int, list[Peek]] = {}
    for file in files:
        for line in lines[str(file.path)].all:
            homes.setdefault(line, []).append(file)
    for file in files:
        mine = lines[str(file.path)]
        # Only files that hold a file's rarest line can hold all of them.
        for other in min((homes[line] for line in mine.all), key=len, default=[]):
            theirs = lines[str(other.path)]
            larger = theirs.order.size > mine.order.size or (
                theirs.order.size == mine.order.size and _rank(other) < _rank(file)
            )
            same_run = other.kind == file.kind and _run(other) == _run(file)
            if same_run and larger and str(other.path) not in found and mine.all <= theirs.all:
                found[str(file.path)] = other
                break
    return found
