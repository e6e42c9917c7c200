"""Rollouts that were written again: of rows with one run, split, step, prompt, group and sample number the last stands.

A resumed run writes its last steps again, and a copy of a file brings every row twice. Left in, they would double the
size of groups. Groups that hold more rollouts than sample numbers are found in the group table, at no cost; only their
rows are read once more.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.lines import lines
from bitrate.logs.read import Source
from bitrate.logs.schema import REDUCED_COLUMNS, SetAside
from bitrate.logs.stage import Staged

REASON = "written again by a later row with the same run, step, prompt and sample number"
NO_NUMBER = (
    "The column sample holds one value in most groups: it does not number their rollouts, and cannot tell whether any "
    "was written twice."
)
SAME_GROUP = " AND ".join(f"r.{k} IS NOT DISTINCT FROM g.{k}" for k in sql.KEYS)


def look(con: duck.Connection) -> tuple[bool, str | None]:
    """Whether a sample number comes twice in some groups of the view ``groups``, or why numbers cannot tell."""
    crowded = "n_numbered > sample_max - sample_min + 1"
    [(several, numbered, doubled)] = duck.run(
        con,
        "SELECT count(*) FILTER (n_numbered > 1), count(*) FILTER (sample_max > sample_min), "
        f"count(*) FILTER ({crowded}) FROM groups",
    )
    if not doubled:
        return False, None
    if 2 * numbered < several:
        return False, NO_NUMBER
    con.execute(f"CREATE OR REPLACE TEMP TABLE doubled AS SELECT {', '.join(sql.KEYS)} FROM groups WHERE {crowded}")
    return True, None


def without(source: Source, staged: Staged, folder: Path, score: str) -> tuple[Staged, SetAside]:
    """The rollouts without those that a later row replaces, and what was left out.

    ``doubled`` must be there, from `look`; ``score`` is the column that is measured.
    """
    place = folder / "repeats"
    place.mkdir(exist_ok=True)
    con = source.con
    columns = ", ".join(REDUCED_COLUMNS)
    rest, rows, kept = (place / f"{name}.parquet" for name in ("rest", "rows", "kept"))
    others = f"SELECT {columns} FROM ({staged.relation}) r ANTI JOIN doubled g ON {SAME_GROUP}"
    duck.call(con, partial(duck.write, query=others, path=rest))
    with duck.in_order(con):  # which row is the later one must not depend on threads
        parts = []
        for i, batch in enumerate(source.batches()):
            read = source.rows(batch, REDUCED_COLUMNS, ("_file",))
            numbered = f"SELECT *, row_number() OVER () AS _order FROM ({read})"
            lined = f"SELECT *, _order - min(_order) OVER (PARTITION BY _file) + 1 AS _line FROM ({numbered})"
            parts.append(place / f"rows-{i:05d}.parquet")
            query = f"SELECT r.*, {i} AS _batch FROM ({lined}) r SEMI JOIN doubled g ON {SAME_GROUP}"
            duck.call(con, partial(duck.write, query=query, path=parts[-1]))
    # A row without a score replaces none: it is set aside for its own reason.
    measured = f"coalesce({sql.sound(score)}, false)"
    ranked = (
        f"SELECT *, sample IS NULL OR NOT {measured} OR row_number() OVER (PARTITION BY {', '.join(sql.KEYS)}, sample, "
        f"{measured} ORDER BY _batch DESC, _order DESC) = 1 AS _last FROM read_parquet({sql.path_list(parts)})"
    )
    duck.call(con, partial(duck.write, query=ranked, path=rows))
    source_rows = f"read_parquet({sql.path(rows)})"
    duck.call(con, partial(duck.write, query=f"SELECT {columns} FROM {source_rows} WHERE _last", path=kept))
    [(count,)] = duck.run(con, f"SELECT count(*) FROM {source_rows} WHERE NOT _last")
    first = duck.run(con, f"SELECT _file, _line FROM {source_rows} WHERE NOT _last ORDER BY _batch, _order LIMIT 3")
    by_path = {str(f.path): f for f in source.files}
    aside = SetAside(REASON, int(count), "rows", tuple(f"{p}:{lines(by_path[p], [row])[0]}" for p, row in first))
    paths = (str(rest), str(kept))
    relation = f"SELECT * FROM read_parquet({sql.path_list(paths)})"
    return Staged(paths, relation, {c: c for c in REDUCED_COLUMNS}, staged.fixed, True), aside
