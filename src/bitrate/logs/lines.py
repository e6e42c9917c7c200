"""Where in a file a row stands."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence

from bitrate.logs.peek import Peek, open_lines


def lines(file: Peek, rows: Sequence[int | str]) -> list[int | str]:
    """Lines in the file of the n-th rows: blank lines hold no row, and a CSV row may take several lines."""
    if file.kind not in {"jsonl", "csv"}:
        return list(rows)
    found: list[int | str] = []
    with open_lines(file.path) as stream:
        starts: Iterator[int]
        if file.kind == "jsonl":
            starts = (number for number, line in enumerate(stream, 1) if line.strip())
        else:
            starts = itertools.islice(
                _csv_starts(io.TextIOWrapper(stream, "utf-8-sig", "replace", newline="")), 1, None
            )
        for row, number in enumerate(starts, 1):
            if row in rows:
                found.append(number)
            if len(found) == len(rows):
                break
    return found


def _csv_starts(text: Iterable[str]) -> Iterator[int]:
    """The line on which each row starts, that of the header first."""
    reader, start = csv.reader(text), 1
    for row in reader:
        if row:
            yield start
        start = reader.line_num + 1
