"""Read a data set as a user does, and hold what comes back against the independent count."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model import Dataset, Groups, count
from render import write

from bitrate.api import reduced
from bitrate.errors import BitrateError
from bitrate.meter.assumptions import Assumptions
from bitrate.meter.measure import measure

HANG_SECONDS = 20.0


class Wrong(AssertionError):
    """What came is not right; ``kind`` is a few words to sort by."""

    def __init__(self, kind: str, told: str) -> None:
        super().__init__(f"{kind}\n{told}")
        self.kind = kind


@dataclass
class Observed:
    """What bitrate made of a data set."""

    groups: Groups = field(default_factory=Counter)
    aside: int = 0
    said: str = ""
    error: BitrateError | None = None
    rollouts: float | None = None
    split: str | None = None


def observe(paths: list[Path], options: dict[str, Any], figures: bool) -> Observed:
    """The groups, what was set aside and what was said; with ``figures`` also the audit's own count."""
    try:
        with reduced([str(p) for p in paths], **options) as found:
            query = "SELECT split, step, prompt_id, n, reward_sum, n_correct FROM groups"
            groups: Groups = Counter()
            for split, step, prompt, n, total, right in found.con.sql(query).fetchall():
                groups[split, step, prompt, n, None if total is None else round(total, 6), right] += 1
            aside = sum(s.count for s in found.set_aside if s.unit == "rows")
            said = " ".join([*(s.reason for s in found.set_aside), *found.provenance.caveats])
            seen = Observed(groups, aside, said)
            if figures:
                audit = measure(found, Assumptions())
                seen.rollouts, seen.split = audit["rollouts"].value, audit.split
                seen.said = " ".join([said, *map(str, audit.caveats)])
                json.dumps(audit.to_dict(), allow_nan=False)
            return seen
    except BitrateError as error:
        return Observed(error=error, said=str(error))


def in_time(work: Callable[[], Observed]) -> Observed:
    """What ``work`` gives, if it ends in time."""
    result: list[Observed] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            failed.append(error)

    began = time.monotonic()
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(HANG_SECONDS)
    if thread.is_alive():
        raise Wrong("hang", f"no end within {HANG_SECONDS:.0f} s")
    if failed:
        raise failed[0]
    assert time.monotonic() - began < HANG_SECONDS
    return result[0]


def compare(data: Dataset, seen: Observed) -> None:
    """The properties that hold of every input, harmed or not."""
    story = "; ".join(data.story)
    if seen.error is not None:
        _named(data, str(seen.error))
        nothing = not data.rollouts
        if not (data.refusable or nothing):
            raise Wrong("refused", f"{story}\n{seen.error}")
        return
    counted = sum(n * times for (_, _, _, n, _, _), times in seen.groups.items())
    if counted > data.written:
        raise Wrong("more rollouts than were written", f"{story}\n{counted} of {data.written}")
    if seen.rollouts is not None:
        own = sum(n * times for (split, _, _, n, _, _), times in seen.groups.items() if split == seen.split)
        if own != seen.rollouts:
            raise Wrong("the audit counts otherwise than its groups", f"{story}\n{seen.rollouts}, groups hold {own}")
    if data.words and not any(w.lower() in seen.said.lower() for words in data.words for w in words):
        raise Wrong("said nothing", f"{story}\nwanted one of {data.words}, said: {seen.said}")
    least, most = len(data.rollouts), len(data.rollouts) + len(data.doubtful)
    others = [len(o) for o in data.others]
    if not data.loose and not least <= counted <= most and counted not in others:
        raise Wrong(
            "rollouts", f"{story}\ncounted {counted}, wrote {least} to {most}, set aside {seen.aside}: {seen.said}"
        )
    if data.loose:
        return
    if not data.doubtful:
        _same_groups(data, seen, story)
    if counted not in others and (why := _lost(data, seen.aside + counted - least)):
        raise Wrong("set aside", f"{story}\ncounted {counted}, {why}: {seen.said}")


def _lost(data: Dataset, missing: int) -> str | None:
    """Whether each row that was not counted was set aside, and no other; ``missing``: set aside or in doubt."""
    wanted = data.aside + len(data.doubtful)
    if data.exact_aside:
        fits = wanted <= missing <= wanted + data.unread
    else:
        fits = missing > 0 or not data.aside or bool(data.words)
    return None if fits else f"set aside or in doubt {missing} rows, not {wanted}"


def _same_groups(data: Dataset, seen: Observed, story: str) -> None:
    found = _comparable(data, seen.groups)
    rights = [_comparable(data, count(r, data.ident)) for r in [data.rollouts, *data.others]]
    if found not in rights:
        extra, lost = found - rights[0], rights[0] - found
        told = f"{story}\n(split, step, prompt, n, sum, right)\nnot right: {dict(extra)}\nlost:      {dict(lost)}"
        raise Wrong("groups", f"{told}\nset aside {seen.aside}: {seen.said}")


def _comparable(data: Dataset, groups: Groups) -> Groups:
    """Without what the format leaves open: the split of a table without one, an id made of a hash."""
    splits = any(s is None for *_, s in (data.ident(r)[:2] for r in data.rollouts))
    shown = any(data.ident(r)[3] is None for r in data.rollouts)
    found: Groups = Counter()
    for (split, step, prompt, n, total, right), times in groups.items():
        found[None if splits else split, step, None if shown else prompt, n, total, right] += times
    return found


def _named(data: Dataset, message: str) -> None:
    names = [data.root, *(d.path.rpartition("/")[2] for d in data.docs)]
    if not any(n.encode("utf-8", "replace").decode() in message or n in message for n in names):
        raise Wrong("an error without a file", message)


def in_process(data: Dataset, folder: Path, figures: bool = False) -> None:
    """Write, read and compare, within this process."""
    paths = write(data, folder)
    compare(data, in_time(lambda: observe(paths, data.options, figures)))


def by_command(data: Dataset, folder: Path) -> None:
    """The same through the command: an exit code of 0 or 2, no traceback, and the same number of rollouts."""
    paths = write(data, folder)
    figures = folder / "figures.json"
    command = [sys.executable, "-m", "bitrate", "audit", "--json", os.fspath(figures), "--", *map(os.fspath, paths)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=3 * HANG_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Wrong("hang", f"no end within {3 * HANG_SECONDS:.0f} s") from None
    err = done.stderr.decode("utf-8", "replace")
    if "Traceback" in err or done.returncode not in {0, 2}:
        raise Wrong("traceback", f"{'; '.join(data.story)}\nexit code {done.returncode}\n{err[-2000:]}")
    if done.returncode == 2:
        if not data.refusable and data.rollouts:
            raise Wrong("refused", f"{'; '.join(data.story)}\n{err}")
        return
    audit = json.loads(figures.read_text("utf-8"))
    counted = audit["counts"]["rollouts"]["value"]
    splits = [data.ident(r)[1] for r in data.rollouts]
    own = sum(s in {None, audit["split"]} for s in splits)
    exact = not (data.loose or data.doubtful or data.others)
    if counted > data.written or (exact and counted != own):
        raise Wrong("rollouts", f"{'; '.join(data.story)}\ncounted {counted}, not {own}")
