"""What happens to files on their way to a reader, each with what is right afterwards.

A fault is a function of ``draw`` and a data set: it changes both the files and the truth, and returns a few words for
the story, or None where it does not apply.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from model import Dataset, Doc, Row

Draw = st.DrawFn
Fault = Callable[[Draw, Dataset], str | None]
VALUES: dict[str, Fault] = {}
LINES: dict[str, Fault] = {}
FILES: dict[str, Fault] = {}
PLACES: dict[str, Fault] = {}
NAN, INF = float("nan"), float("inf")
MISSING = object()


def fault(layer: dict[str, Fault]) -> Callable[[Fault], Fault]:
    """Note a fault under its name."""

    def register(one: Fault) -> Fault:
        layer[one.__name__] = one
        return one

    return register


def sound_rows(data: Dataset, *kinds: str) -> list[tuple[Doc, Row]]:
    """Rows that still hold what was drawn."""
    return [(d, r) for d in data.live for r in d.rows if r.truth and r.line is None and (not kinds or d.kind in kinds)]


def put(raw: dict[str, Any], way: tuple[str | int, ...], value: Any) -> None:
    """Set, or take away, what lies at the end of a way of keys."""
    place: Any = raw
    for key in way[:-1]:
        place = place[key]
    if value is MISSING:
        del place[way[-1]]
    else:
        place[way[-1]] = value


def spoil(row: Row) -> None:
    """The row can no longer be counted."""
    row.truth, row.aside = (), 1
