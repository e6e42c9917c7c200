"""What folders and row order tell where a file does not say it: runs, splits, and the size of a block of rollouts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from math import gcd
from typing import TYPE_CHECKING

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.peek import Peek

if TYPE_CHECKING:
    import duckdb

EVAL_FOLDER = re.compile(r"(^|[^a-z])(val|valid|validation|eval|evaluation|test)([^a-z]|$)", re.IGNORECASE)


def in_eval_folder(file: Peek) -> bool:
    """Whether the file's own folder, or one between it and what the user named, is called val, eval or the like."""
    return any(EVAL_FOLDER.search(folder) for folder in {*file.inside.split("/")[:-1], file.path.parent.name})


def run_names(files: Iterable[Peek], home: Callable[[Peek], str]) -> dict[str, str]:
    """The run of each file by its home folder; empty where one home holds them all."""
    found = {str(f.path): home(f) or "." for f in files}
    return found if len(set(found.values())) > 1 else {}


def by_file(values: Mapping[str, str], files: Iterable[Peek], otherwise: str) -> str:
    """SQL for a text known by file; ``otherwise`` is SQL for files without one."""
    paths: dict[str, list[str]] = {}
    for file in files:
        if str(file.path) in values:
            paths.setdefault(values[str(file.path)], []).append(sql.text(file.path))
    cases = [f"WHEN _file IN ({', '.join(p)}) THEN {sql.text(v)}" for v, p in paths.items()]
    return f"CASE {' '.join(cases)} ELSE {otherwise} END" if cases else otherwise


def block_sizes(con: duckdb.DuckDBPyConnection, source: str, prompt: str, place: str, split: str) -> dict[str, int]:
    """Size K of a block of rollouts of one prompt, by split; a split without blocks is left out.

    K is the greatest common divisor of how many rows in succession have the same prompt, so a prompt drawn twice in
    succession does not double it. ``prompt``, ``place`` (from 0 in each file) and ``split`` are SQL over ``source``.
    """
    query = f"""
    WITH marked AS (SELECT _file, {split} AS split, {place} AS place, hash({prompt}) AS prompt FROM {source}
                    WHERE ({place}) IS NOT NULL AND ({prompt}) IS NOT NULL),
    starts AS (SELECT _file, split, place, max(place) OVER (PARTITION BY _file) + 1 AS rows
               FROM marked QUALIFY prompt IS DISTINCT FROM lag(prompt) OVER (PARTITION BY _file ORDER BY place)),
    lengths AS (SELECT split, lead(place, 1, rows) OVER (PARTITION BY _file ORDER BY place) - place AS length
                FROM starts)
    SELECT split, list(DISTINCT length::BIGINT) FROM lengths GROUP BY split"""
    sizes = {name: gcd(*lengths) for name, lengths in duck.run(con, query)}
    return {name: size for name, size in sizes.items() if size > 1}


def block_group(sizes: Mapping[str, int], place: str, split: str, prompt_id: str) -> str:
    """SQL for a group: the block a row lies in, or the prompt in a split without blocks."""
    cases = [
        f"WHEN {split} = {sql.text(s)} THEN 'block ' || (({place})::BIGINT // {k})" for s, k in sorted(sizes.items())
    ]
    return f"CASE {' '.join(cases)} ELSE {prompt_id} END" if cases else prompt_id


def block_notes(sizes: Mapping[str, int], splits: Iterable[str]) -> list[str]:
    """How groups were found, in sentences."""
    notes = [
        f"Groups of the {s} split are blocks of {k} rows with one prompt; the files name no group."
        for s, k in sorted(sizes.items())
    ]
    lost = sorted(set(splits) - set(sizes))
    return notes + [
        f"Rows of the {s} split are not in blocks: a step's rollouts of one prompt are taken for one group."
        for s in lost
    ]
