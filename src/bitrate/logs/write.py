"""Write rollouts as canonical Parquet: what `bitrate export` makes, and every engine reads."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from bitrate.errors import EngineError, InputError, OutputError
from bitrate.files import check, through, within, written
from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.origins import ORIGINS_KEY, described
from bitrate.logs.read import Source
from bitrate.logs.schema import PROVENANCE_KEY, ROWS_PER_GROUP, kept


def write_rollouts(source: Source, output: Path, progress: Callable[[str, float], None]) -> int:
    """Write every rollout of a source to one Parquet file, ordered by run and step; nothing half-written is left."""
    progress("writing", 0.0)
    order = "ORDER BY run, split, step, prompt_id, group_id, sample"
    known = source.provenance
    made_from = described(f.path for f in source.files)
    metadata = kept(known.format, known.prompt_id, known.group_id, known.filtered, known.caveats)
    how = (
        f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS_PER_GROUP}, "
        f"KV_METADATA {{{PROVENANCE_KEY}: {sql.text(metadata)}, {ORIGINS_KEY}: {sql.text(made_from)}}}, {duck.IN_PLACE}"
    )
    with written(output) as part:
        try:
            [(rows,)] = duck.run(source.con, f"COPY ({one_by_one(source)} {order}) TO {sql.text(part)} ({how})")
        except EngineError as error:
            why = re.search(rf"{part.name}\W+([\w ]+)", error.message)  # it is the output that fails, and not the input
            if not why:
                raise
            raise OutputError(f"cannot be written: {why[1]}", where=str(output)) from error
    progress("writing", 1.0)
    return int(rows)


def check_export(output: str | Path, inputs: Sequence[str | Path]) -> None:
    """Say before the work what would keep an export from being written, or make it an input of the next audit.

    Raises:
        InputError: the name does not end in .parquet; or it lies in a folder that is read, or is read itself.
        MissingInputError, OutputError: as of :func:`bitrate.files.check`.
    """
    check(output, "--output", inputs)
    if through(output):
        return
    if Path(output).suffix.lower() != ".parquet":
        raise InputError(f"cannot export to {Path(output).name!r}", hint="end the name in .parquet")
    folder = within(output, inputs)
    if folder:
        raise InputError(
            f"{output} lies in {folder}, which is read: the next audit would count these rollouts twice",
            hint=f"write beside the folder, e.g. -o {Path(os.path.realpath(folder)).name}.parquet",
        )


def one_by_one(source: Source) -> str:
    """SELECT of rollouts, a row each, also where a row of the files stands for several."""
    if not source.format.times:
        return source.rows(source.files)
    times, first = source.format.times
    rows = source.rows(source.files, extra=[f"{first} + unnest(range({times})) AS _number"])
    return f"SELECT * EXCLUDE (_number) REPLACE (_number AS sample) FROM ({rows})"
