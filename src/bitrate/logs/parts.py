"""Which rows of a table of several files belong together, where its columns do not say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.formats import jsonl
from bitrate.logs.layouts import LAYOUTS
from bitrate.logs.names import home, kind_of_name, split_in_name, step_in_name
from bitrate.logs.peek import Peek
from bitrate.wording import listed

if TYPE_CHECKING:
    from bitrate.logs.formats.table import Table

#: How much is read to see whether files hold rollouts of the same prompts.
LOOK_BYTES, LOOK_FILES, LOOK_ROWS = 256 << 20, 16, 200_000


@dataclass
class Parts:
    """What names tell, by path: run, split, and step as text; and what is to be said of it."""

    runs: dict[str, str] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def tell(form: Table, con: duck.Connection, files: Sequence[Peek]) -> None:
    """Fill ``form.parts``: steps and splits from names, then runs from folders and from what files have in common."""
    parts = form.parts
    _steps(form, con, files)
    bare = _without(form, con, files, "split")
    parts.splits = {str(f.path): s for f in bare if (s := split_in_name(f))}
    if len(_without(form, con, files, "run")) < len(files):
        return
    homes = _trials(form, files) or {str(f.path): home(f) for f in files}
    kinds = {str(f.path): kind_of_name(f) for f in files}
    shared = _shared(form, con, files, homes, kinds) if len(files) > 1 else []
    apart = {place for place, these, _ in shared if len({kinds[p] for p in these}) > 1}
    top = files[0].path.absolute().parents[files[0].inside.count("/")].name
    runs = {p: " ".join(filter(None, [h, kinds[p] if h in apart else ""])) or top for p, h in homes.items()}
    if len(set(runs.values())) > 1:
        parts.runs = runs
    inside = {str(f.path): f.inside for f in files}
    for place, paths, keys in shared:
        these = " and ".join(inside[p] for p in paths[:2]) + (" ..." if len(paths) > 2 else "")
        held = f"{these} hold rollouts of the same prompt{'' if keys == 1 else 's'} at the same step"
        if place in apart:
            parts.notes.append(f"{held}: they are taken for runs of their own. For one run: --columns run=\"'NAME'\".")
        else:
            parts.notes.append(
                f"{held} ({keys} in all): they are taken for parts of one group. If each is a run or a "
                "step of its own, a column or a name such as run_1 or step_1 tells it."
            )


def _steps(form: Table, con: duck.Connection, files: Sequence[Peek]) -> None:
    """Steps from names, where every file without a step has one in its name; one step for those that name none."""
    parts = form.parts
    bare = _without(form, con, files, "step")
    named = {str(f.path): step_in_name(f) for f in bare}
    if bare and all(step is not None for step in named.values()):
        parts.steps = {p: str(step) for p, step in named.items()}
        parts.notes.append("The step is the number in the names of files or folders.")
    elif bare and len(bare) < len(files):
        parts.steps = {str(f.path): "0" for f in bare}
        shown = listed([f.inside for f in bare], 3)
        parts.notes.append(f"{len(bare)} of {len(files)} files have no step ({shown}): their rollouts count as step 0.")
    elif bare:
        parts.notes.append("The table has no step: nothing can be said about change over the run.")


def _without(form: Table, con: duck.Connection, files: Sequence[Peek], target: str) -> list[Peek]:
    """Files in which no row says this; JSON files are read for it, as a key may come late."""
    bare = [f for f in files if target not in form.picks(f.columns)]
    late = [f for f in bare if f.kind == "jsonl" and f.size > len(f.head)]
    if not late:
        return bare
    column = next(iter(form.picks([target])[target].columns))
    source = jsonl(late, {column: "VARCHAR"}, layout=LAYOUTS["jsonl"])
    held = {p for (p,) in duck.run(con, f"SELECT DISTINCT _file FROM {source} WHERE trim({sql.name(column)}) <> ''")}
    return [f for f in bare if str(f.path) not in held]


def _trials(form: Table, files: Sequence[Peek]) -> dict[str, str]:
    """Homes of files that hold one object each: the outermost folders, where several of them have several prompts.

    A trial often has a folder of its own, which is no run.
    """
    if any(f.kind != "json" for f in files):
        return {}
    column = form.picks(files[0].columns)["prompt_id"].column
    tops: dict[str, set[str]] = {}
    for f in files:
        tops.setdefault(f.inside.partition("/")[0], set()).add(str(f.value(column) if column else ""))
    runs = len(tops) > 1 and all(len(ids) > 1 for ids in tops.values())
    return {str(f.path): f.inside.partition("/")[0] if runs else "" for f in files}


def _shared(
    form: Table, con: duck.Connection, files: Sequence[Peek], homes: dict[str, str], kinds: dict[str, str]
) -> list[tuple[str, list[str], int]]:
    """Homes in which files hold the same prompt at the same step: the home, some such files, and how many keys."""
    crowded = {h for h, count in Counter(homes.values()).items() if count > 1}
    files = [f for f in files if homes[str(f.path)] in crowded and f.kind != "json"]
    if not files or len(files) > LOOK_ROWS:
        return []
    if sum(f.size for f in files) <= LOOK_BYTES:
        rows = [_keys(form, con, files)]
    else:
        rows = [f"{_keys(form, con, [f])} LIMIT {LOOK_ROWS}" for f in files[:LOOK_FILES]]
    where = pa.table({"path": list(homes), "home": list(homes.values()), "kind": [kinds[p] for p in homes]})
    con.register("places", where)
    seen = " UNION ALL ".join(f"SELECT DISTINCT * FROM ({r})" for r in rows)
    # Rollouts with numbers of their own may lie in several files of one run: the reduction sets a second one aside.
    numbered = form.numbered(files)
    query = (
        "SELECT home, list(DISTINCT path ORDER BY path) AS paths, count(DISTINCT kind) AS kinds "
        f"FROM ({seen}) JOIN places ON path = _file WHERE prompt_id IS NOT NULL "
        f"GROUP BY home, split, step, prompt_id HAVING count(DISTINCT {'kind' if numbered else 'path'}) > 1"
    )
    by_home = (
        f"SELECT home, first(paths ORDER BY kinds DESC, paths), count(*) FROM ({query}) GROUP BY home ORDER BY home"
    )
    found = [(place, list(paths), int(keys)) for place, paths, keys in duck.run(con, by_home)]
    con.unregister("places")
    return found


def _keys(form: Table, con: duck.Connection, files: Sequence[Peek]) -> str:
    select = form.select(con, files)
    given = {"split": "'train'", "step": "'0'", "prompt_id": "NULL"}
    listed = ", ".join(
        f"coalesce(({select.columns.get(c, 'NULL')})::VARCHAR, {otherwise}) AS {c}" for c, otherwise in given.items()
    )
    return f"SELECT _file, {listed} FROM {select.source}"
