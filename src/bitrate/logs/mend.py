"""JSON lines that every other reader takes and the engine does not, written again so that it does.

Three kinds are known. Half a surrogate pair, as ``json.dumps`` writes the half of an emoji that a model broke off: the
engine refuses the line; here it becomes U+FFFD. A key twice in one object: the engine takes the first value where
JSON readers take the last. A byte order mark
before the first line. Each line keeps its place, so that ``path:line`` stays true.
"""

from __future__ import annotations

import codecs
import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bitrate.files import PRIVATE, write, written
from bitrate.logs.peek import Peek, open_lines

JSON_KINDS = {"jsonl", "json", "array"}
#: An escaped backslash, a whole surrogate pair, or half of one.
HIGH, LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
ESCAPES = re.compile(rb"\\\\|" + HIGH + LOW + rb"|" + HIGH + rb"|" + LOW)


def mend(files: Sequence[Peek], folder: Path) -> bool:
    """Point the door of each JSON file that needs it at a mended copy in the folder; whether any did."""
    mended = False
    for i, file in enumerate(files):
        if file.kind in JSON_KINDS and file.door == file.path and needs_mending(file):
            target = folder / f"{i:05d}.json"
            if _write(file, target):
                file.__dict__["door"] = target
                mended = True
    return mended


def needs_mending(file: Peek) -> bool:
    """Whether a line of the file is one that the engine refuses or reads in another way."""
    if repeats_keys(file):
        return True
    with open_lines(file.path) as stream:
        first = stream.readline()
        lines = itertools.chain([first], stream)
        return first.startswith(codecs.BOM_UTF8) or any(
            b"\\u" in line and any(m[0] != b"\\\\" and len(m[0]) == 6 for m in ESCAPES.finditer(line)) for line in lines
        )


def repeats_keys(file: Peek) -> bool:
    """Whether an object among the first lines, or in a small file that is one JSON value, has a key twice."""
    whole = [file.head] if file.kind in {"json", "array"} else []
    return any(map(_twice, file.head.split("\n") if file.kind == "jsonl" else whole))


def _write(file: Peek, target: Path) -> bool:
    """Write the file with its lines mended; False, and nothing written, where none needed it."""
    twice, changed = repeats_keys(file), False
    if twice and file.kind != "jsonl":
        write(target, json.dumps(json.loads(file.head)), PRIVATE)
        return True
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_lines(file.path) as stream, written(target, PRIVATE) as part, part.open("wb") as out:
        for number, line in enumerate(stream):
            if number == 0 and line.startswith(codecs.BOM_UTF8):
                line, changed = line[len(codecs.BOM_UTF8) :], True  # noqa: PLW2901
            better = ESCAPES.sub(_whole, line) if b"\\u" in line else line
            if twice and _twice(better.decode("utf-8", "replace")):
                better = json.dumps(json.loads(better)).encode() + b"\n"
            changed = changed or better != line
            out.write(better)
    if not changed:
        target.unlink()
    return changed


def _whole(found: re.Match[bytes]) -> bytes:
    """Half a surrogate pair as the replacement character; what is whole stays."""
    text = found[0]
    return text if text == b"\\\\" or len(text) > 6 else b"\\ufffd"


def _twice(line: str) -> bool:
    """Whether a JSON object has a key twice."""
    if line.count('":') < 2:
        return False
    seen = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        kept = dict(pairs)
        seen.append(len(kept) < len(pairs))
        return kept

    try:
        json.loads(line, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return False
    return any(seen)
