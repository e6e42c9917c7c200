"""Where to cut rollouts into chunks: between steps, which no group crosses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bitrate.logs.stage import RowGroup

#: Rows in a chunk of files in step order: few enough for a core's cache, enough that starting a query costs nothing.
CHUNK_ROWS = 1_000_000
#: Files out of order are read again for every chunk; above this many times, chunks are made as large as memory allows.
MOST_READS = 3.0


@dataclass(frozen=True)
class Chunk:
    """Some whole steps, or some prompts of one giant step, as a WHERE clause, and about how many rows."""

    where: str
    rows: int
    first: int | None = None
    last: int | None = None


def plan(steps: Mapping[int | None, int], row_groups: Sequence[RowGroup] | None, most: int, cores: int) -> list[Chunk]:
    """Chunks of whole steps.

    Args:
        steps: rows of each step, in order of the steps.
        row_groups: what the files say of the steps in each of their row groups, or None where they do not.
        most: rows that fit in memory for one chunk.
        cores: how many chunks are reduced side by side.
    """
    rows = sum(steps.values())
    if rows <= 2 * min(CHUNK_ROWS, most):
        return [Chunk("true", rows)]
    chunks = _cut(steps, min(CHUNK_ROWS, most))
    return chunks if _reads(chunks, row_groups) <= MOST_READS else _cut(steps, min(most, -(-rows // cores)))


def _cut(steps: Mapping[int | None, int], size: int) -> list[Chunk]:
    chunks: list[Chunk] = []
    first, last, rows = None, None, 0
    for step, count in ((s, c) for s, c in steps.items() if s is not None):
        if first is not None and rows + count > size:
            chunks += _by_prompt(first, last, rows, size)
            first, rows = None, 0
        first, last, rows = (step if first is None else first), step, rows + count
    if first is not None:
        chunks += _by_prompt(first, last, rows, size)
    return chunks or [Chunk("step IS NULL", 0)]


def _by_prompt(first: int, last: int | None, rows: int, size: int) -> list[Chunk]:
    """One chunk, or a giant step cut by prompt."""
    where = f"step BETWEEN {first} AND {last}"
    parts = -(-rows // (2 * size))
    if parts == 1:
        return [Chunk(where, rows, first, last)]
    return [Chunk(f"{where} AND hash(prompt_id) % {parts} = {i}", rows // parts, first, last) for i in range(parts)]


def _reads(chunks: Sequence[Chunk], row_groups: Sequence[RowGroup] | None) -> float:
    """How often each row is read, on average: a chunk reads every row group that may hold one of its steps."""
    if not row_groups or any(g.least is None or g.most is None for g in row_groups):
        return float(len(chunks))
    least, most = (
        np.array([int(x or 0) for x in side]) for side in zip(*((g.least, g.most) for g in row_groups), strict=True)
    )
    rows = np.array([g.rows for g in row_groups])
    read = sum(int(rows[(least <= (c.last or 0)) & (most >= (c.first or 0))].sum()) for c in chunks)
    return read / max(int(rows.sum()), 1)
