"""What folders, file names and row order tell where a row does not: runs, splits, steps written again, blocks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.peek import Peek
from bitrate.wording import listed

#: Files told apart in one expression, which is worked out for each row; more of them are joined.
MOST_CASES = 16
EVAL_FOLDER = re.compile(r"(^|[^a-z])(val|valid|validation|eval|evaluation|test)([^a-z]|$)", re.IGNORECASE)
#: A JSON file beside rollouts that is larger than this says nothing that is worth its size.
BESIDE_BYTES = 1 << 20


def in_eval_folder(file: Peek) -> bool:
    """Whether the file's own folder, or one between it and what the user named, is called val, eval or the like."""
    return any(EVAL_FOLDER.search(folder) for folder in {*file.inside.split("/")[:-1], file.path.parent.name})


def run_names(files: Iterable[Peek], home: Callable[[Peek], str]) -> dict[str, str]:
    """The run of each file by its home folder; empty where one home holds them all."""
    found = {str(f.path): home(f) or "." for f in files}
    return found if len(set(found.values())) > 1 else {}


def by_file(values: Mapping[str, str], files: Iterable[Peek], otherwise: str) -> str:
    """SQL for a text known by file; ``otherwise`` is SQL for files without one."""
    known = [f for f in files if str(f.path) in values]
    told = {str(f.path): sql.text(values[str(f.path)]) for f in known}
    if len(told) <= MOST_CASES:
        return sql_by_file(told, known, otherwise)
    rows = ", ".join(f"({sql.text(path)}, {value})" for path, value in told.items())
    found = f"(SELECT _value FROM (VALUES {rows}) AS known(_path, _value) WHERE _path = _file)"
    return f"coalesce({found}, {otherwise})"


def sql_by_file(values: Mapping[str, str], files: Iterable[Peek], otherwise: str) -> str:
    """SQL that is another one in each file, as `by_file`; ``values`` are SQL too."""
    paths: dict[str, list[str]] = {}
    for file in files:
        if str(file.path) in values:
            paths.setdefault(values[str(file.path)], []).append(sql.text(file.path))
    cases = [f"WHEN _file IN ({', '.join(p)}) THEN {v}" for v, p in paths.items()]
    return f"CASE {' '.join(cases)} ELSE {otherwise} END" if cases else otherwise


def json_object(path: Path, most: int = BESIDE_BYTES) -> dict[str, Any]:
    """The JSON object in a file beside rollouts; empty where there is none that can be read.

    What such a file says is worth knowing, but no rollout is lost for want of it: text that is no JSON, or is nested
    too deeply, or is longer than ``most`` bytes, is as good as no file.
    """
    try:
        if path.stat().st_size > most:
            return {}
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def number(value: Any) -> float | None:
    """A finite number that JSON gave, or None; true and false are none.

    >>> [number(v) for v in (2, 0.5, True, "2", None, float("nan"), 10**400)]
    [2.0, 0.5, None, None, None, None, None]
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e300 else None


@dataclass(frozen=True)
class Again:
    """Steps of one run and split that more than one file holds, though a trainer writes a step to one file."""

    files: dict[tuple[str, str, int], list[Peek]]

    @classmethod
    def among(cls, steps: Iterable[tuple[Peek, str, str, int]]) -> Again:
        """From what each file holds: the file, its run, its split, and one of its steps."""
        held: dict[tuple[str, str, int], dict[Peek, None]] = {}
        for file, run, split, step in steps:
            held.setdefault((run, split, step), {})[file] = None
        return cls({key: list(files) for key, files in sorted(held.items()) if len(files) > 1})

    @property
    def notes(self) -> list[str]:
        """What to say of it: the steps and the files."""
        if not self.files:
            return []
        named = [
            f"step {step} of the {split} split in {listed([f.inside for f in files])}"
            for (_, split, step), files in self.files.items()
        ]
        more = f"; and {len(named) - 3} more" if len(named) > 3 else ""
        return [
            f"{len(named)} step(s) were written to more than one file, as a resumed run writes them again "
            f"({'; '.join(named[:3])}{more}): both are counted, each with groups of its own. "
            "Move away the files that should not count."
        ]

    def apart(self, group: str, files: Iterable[Peek]) -> str:
        """SQL for a group that keeps the rows of such files apart."""
        where = {str(f.path): f.inside for held in self.files.values() for f in held}
        file = by_file(where, files, "NULL")
        return group if file == "NULL" else f"{group} || coalesce(' in ' || {file}, '')"


def steps_held(con: duck.Connection, source: str, step: str) -> dict[str, dict[int, int]]:
    """In how many stretches each step stands in each file: ``{path: {step: stretches}}``.

    Rows of one step stand together in what a trainer writes once; a run that starts again appends earlier steps anew.
    """
    number = f"try_cast({step} AS DOUBLE)"
    whole = f"abs({number}) < 1e15 AND {number} = round({number})"
    rows = f"SELECT _file, try_cast({number} AS BIGINT) AS step FROM {source} WHERE {whole}"
    held: dict[str, dict[int, int]] = {}
    for path, at in duck.run(con, f"SELECT DISTINCT _file, step FROM ({rows}) ORDER BY ALL"):
        held.setdefault(path, {})[at] = 1
    several = [sql.text(path) for path, steps in held.items() if len(steps) > 1]
    if several:
        numbered = f"SELECT *, row_number() OVER () AS line FROM ({rows}) WHERE _file IN ({', '.join(several)})"
        starts = (
            f"SELECT _file, step FROM ({numbered}) "
            "QUALIFY step IS DISTINCT FROM lag(step) OVER (PARTITION BY _file ORDER BY line)"
        )
        for path, at, count in duck.run(con, f"SELECT _file, step, count(*) FROM ({starts}) GROUP BY ALL"):
            held[path][at] = count
    return held


def appended_notes(held: Mapping[str, Mapping[int, int]], files: Iterable[Peek]) -> list[str]:
    """Files whose steps come back after later ones; rows in no order of steps at all say nothing."""
    notes = []
    for file in files:
        steps = held.get(str(file.path), {})
        again = sorted(s for s, stretches in steps.items() if stretches > 1)
        if again and sum(steps.values()) <= 2 * len(steps):
            notes.append(
                f"{file.inside} holds step(s) {listed(again)} again after later ones, as a run that was resumed "
                "writes them: groups of these steps may hold the rollouts of both times."
            )
    return notes


def shard_notes(held: Mapping[str, Mapping[int, int]], shards: Iterable[Peek]) -> list[str]:
    """Shards that go back to earlier steps; one that goes on with the last step of the shard before it is as meant."""
    notes = []
    latest: int | None = None
    for file in shards:
        steps = held.get(str(file.path), {})
        again = sorted(s for s in steps if latest is not None and s < latest)
        if again:
            notes.append(
                f"{file.inside} holds step(s) {listed(again)}, earlier than the shard before it, as a run that was "
                "resumed writes them again: groups of these steps may hold the rollouts of both times."
            )
        latest = max([*steps, *([] if latest is None else [latest])], default=None)
    return notes


@dataclass(frozen=True)
class _Runs:
    """How many rows in succession have one prompt, in one file: the lengths but the last, the last, how many."""

    body: tuple[int, ...]
    last: int
    count: int

    @property
    def own(self) -> int:
        """The largest block that all of the file is made of."""
        return gcd(*self.body, self.last)

    def fits(self, size: int) -> bool:
        """Whether the file is made of blocks of this size, the last of which may have been cut short."""
        return all(n % size == 0 for n in self.body) and (self.last % size == 0 or bool(self.body))


def block_sizes(
    con: duck.Connection, source: str, prompt: str, place: str, stretches: Iterable[Sequence[Peek]]
) -> dict[str, int]:
    """Size K of a block of rollouts of one prompt, by path; a file without blocks is left out.

    Within a file K is the greatest common divisor of how many rows in succession have the same prompt, so a prompt
    drawn twice in succession does not double it. A file that says too little by itself (one prompt; every prompt
    drawn twice; cut short) has the K of the files before and after it. ``stretches`` are the files of one run and
    split each, in order; K may change within one, as when a run is resumed with another. ``prompt`` and ``place``
    (from 0 in each file) are SQL over ``source``.
    """
    query = f"""
    WITH marked AS (SELECT _file, {place} AS place, hash({prompt}) AS prompt FROM {source}
                    WHERE ({place}) IS NOT NULL AND ({prompt}) IS NOT NULL),
    starts AS (SELECT _file, place, max(place) OVER (PARTITION BY _file) + 1 AS rows
               FROM marked QUALIFY prompt IS DISTINCT FROM lag(prompt) OVER (PARTITION BY _file ORDER BY place)),
    lengths AS (SELECT _file, lead(place) OVER w IS NULL AS at_end,
                       (coalesce(lead(place) OVER w, rows) - place)::BIGINT AS length
                FROM starts WINDOW w AS (PARTITION BY _file ORDER BY place))
    SELECT _file, coalesce(list(DISTINCT length) FILTER (NOT at_end), []), max(length) FILTER (at_end), count(*)
    FROM lengths GROUP BY _file"""
    seen = {path: _Runs(tuple(body), last, count) for path, body, last, count in duck.run(con, query)}
    sizes: dict[str, int] = {}
    for files in stretches:
        paths = [str(f.path) for f in files if str(f.path) in seen]
        sizes |= zip(paths, _settle([seen[p] for p in paths]), strict=True)
    return {path: size for path, size in sizes.items() if size > 1}


def _settle(seen: Sequence[_Runs]) -> list[int]:
    """The block size of each file of a stretch, from its own rows and from its neighbours."""
    sure = [r.own if r.count > 1 else 1 for r in seen]
    if all(size == 1 for size in sure):  # one prompt a file throughout: how many rows it has is all there is
        sure = [r.own for r in seen]
    after = [1] * len(seen)
    for i in range(len(seen) - 2, -1, -1):
        after[i] = sure[i + 1] if sure[i + 1] > 1 else after[i + 1]
    sizes: list[int] = []
    before = 1
    for runs, own, later in zip(seen, sure, after, strict=True):
        sizes.append(_size(runs, own, before, later))
        before = sizes[-1] if own > 1 else before
    return sizes


def _size(runs: _Runs, own: int, before: int, later: int) -> int:
    """One file's block size, ``before`` and ``later`` being those of its neighbours (1 where there is none)."""
    nearby = [size for size in dict.fromkeys((before, later)) if size > 1]
    alone = runs.count == 1 and len(nearby) == 1  # a single prompt at either end says little
    cut = [size for size in nearby if own < size and runs.fits(size)]
    if own == 1 or alone or cut or (before == later > 1):
        agreed = next((size for size in nearby if runs.fits(size)), None)
        return agreed or runs.own
    return own


def block_group(sizes: Mapping[str, int], place: str, prompt_id: str, files: Sequence[Peek]) -> str:
    """SQL for a group: the block a row lies in, or the prompt in a file without blocks."""
    blocks = {path: f"'block ' || (({place})::BIGINT // {size})" for path, size in sizes.items()}
    here = {blocks.get(str(f.path)) for f in files}
    if len(here) == 1:
        return here.pop() or prompt_id
    return sql_by_file(blocks, files, prompt_id)


def block_notes(sizes: Mapping[str, int], splits: Mapping[str, str], files: Iterable[Peek]) -> list[str]:
    """How groups were found, in sentences; ``splits`` tells the split of each path."""
    notes = []
    held: dict[str, dict[int, list[str]]] = {}
    for file in files:
        size = sizes.get(str(file.path), 1)
        held.setdefault(splits.get(str(file.path), "train"), {}).setdefault(size, []).append(file.inside)
    for split, by_size in sorted(held.items()):
        loose = by_size.pop(1, [])
        if len(by_size) == 1:
            [size] = by_size
            notes.append(f"Groups of the {split} split are blocks of {size} rows with one prompt; no file names them.")
        elif by_size:
            each = "; ".join(f"{size} rows in {len(names)} file(s) ({_ends(names)})" for size, names in by_size.items())
            notes.append(f"Groups of the {split} split are blocks of rows with one prompt, of several sizes: {each}.")
        if loose:
            where = f" of {len(loose)} file(s) ({_ends(loose)})" if by_size else ""
            notes.append(
                f"Rows of the {split} split{where} are not in blocks: "
                "a step's rollouts of one prompt are taken for one group."
            )
    return notes


def _ends(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
