"""Write rollouts as canonical Parquet: what `bitrate export` makes and every engine reads in place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from bitrate.errors import InputError, MissingInputError
from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.formats.table import PROVENANCE_KEY
from bitrate.logs.read import Source

ROWS_PER_GROUP = 122_880


def write_rollouts(source: Source, output: Path, progress: Callable[[str, float], None]) -> int:
    """Write every rollout of a source to one Parquet file, ordered by run and step; nothing half-written is left.

    Raises:
        InputError: the name does not end in .parquet.
        MissingInputError: the folder to write to is not there.
    """
    if output.suffix != ".parquet":
        raise InputError(f"cannot export to {output.name!r}", hint="end the name in .parquet")
    if not output.parent.exists():
        raise MissingInputError("no such folder to write to", where=str(output.parent))
    part = output.with_name(output.name + ".part")
    progress("writing", 0.0)
    order = "ORDER BY run, split, step, prompt_id, group_id, sample"
    known = source.provenance
    kept = json.dumps(
        {
            "format": known.format,
            "prompt_id": known.prompt_id,
            "group_id": known.group_id,
            "filtered": known.filtered,
            "caveats": known.caveats,
        }
    )
    how = (
        f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS_PER_GROUP}, "
        f"KV_METADATA {{{PROVENANCE_KEY}: {sql.text(kept)}}}"
    )
    query = f"COPY ({source.rows(source.files)} {order}) TO {sql.text(part)} ({how})"
    try:
        [(rows,)] = duck.run(source.con, query)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
    progress("writing", 1.0)
    return int(rows)
