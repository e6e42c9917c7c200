"""Read a path the way the audit does, and hand back plain rows to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bitrate.logs.engines import duck
from bitrate.logs.options import ReadOptions
from bitrate.logs.read import open_source
from bitrate.logs.reduce import reduce
from bitrate.logs.schema import Outcome, Provenance


@dataclass
class Reading:
    """What came of a path: groups and rollouts in a fixed order, and what was said about them."""

    groups: list[dict[str, Any]]
    rollouts: list[dict[str, Any]]
    known: Provenance
    outcome: Outcome
    set_aside: dict[str, int]
    where: dict[str, tuple[str, ...]]

    def note(self, part: str) -> bool:
        """Whether a caveat says this."""
        return any(part in c for c in self.known.caveats)

    def column(self, name: str) -> list[Any]:
        """One column of the groups."""
        return [g[name] for g in self.groups]


@pytest.fixture
def reading() -> Callable[..., Reading]:
    """A function from a path and options to its `Reading`."""

    def read(*paths: Path, **options: Any) -> Reading:
        con = duck.connect()
        source = open_source(con, list(paths), ReadOptions(**options))
        with reduce(source) as found:
            groups = (
                con.sql("SELECT * FROM groups ORDER BY run, split, step, prompt_id, group_id")
                .to_arrow_table()
                .to_pylist()
            )
            rollouts = con.sql(f"SELECT * FROM ({source.rows(source.files)}) ORDER BY ALL").to_arrow_table().to_pylist()
            aside = {s.reason: s.count for s in found.set_aside}
            where = {s.reason: s.where for s in found.set_aside}
            return Reading(groups, rollouts, found.provenance, found.outcome, aside, where)

    return read
