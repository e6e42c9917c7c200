"""Write rollouts as canonical Parquet: what `bitrate export` and every run of the lab make, and every engine reads."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bitrate.errors import EngineError, InputError, OutputError
from bitrate.files import check, through, within, written
from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.formats.table import PROVENANCE_KEY
from bitrate.logs.origins import ORIGINS_KEY, described
from bitrate.logs.read import Source
from bitrate.logs.schema import ROLLOUT_COLUMNS

ROWS_PER_GROUP = 122_880


def write_rollouts(source: Source, output: Path, progress: Callable[[str, float], None]) -> int:
    """Write every rollout of a source to one Parquet file, ordered by run and step; nothing half-written is left."""
    progress("writing", 0.0)
    order = "ORDER BY run, split, step, prompt_id, group_id, sample"
    known = source.provenance
    made_from = described(f.path for f in source.files)
    kept = _kept(known.format, known.prompt_id, known.group_id, known.filtered, known.caveats)
    how = (
        f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS_PER_GROUP}, "
        f"KV_METADATA {{{PROVENANCE_KEY}: {sql.text(kept)}, {ORIGINS_KEY}: {sql.text(made_from)}}}, {duck.IN_PLACE}"
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


def write_columns(batches: Sequence[Mapping[str, Any]], output: Path, *, trainer: str) -> int:
    """Write batches of a trainer's own rollouts, whose ids are native and none of which was left out, as Parquet.

    Args:
        batches: each maps rollout columns to NumPy or Arrow arrays of one length; a column that a batch lacks is null.
        output: the file; nothing half-written is left.
        trainer: who made the rollouts.

    Returns:
        The number of rollouts written.

    Raises:
        InputError: a column that no rollout has, or no batch.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata = {PROVENANCE_KEY: _kept(trainer, "native", "native", "none", ())}
    writer, rows = None, 0
    columns = dict.fromkeys(c for batch in batches for c in batch)
    if unknown := sorted(set(columns) - set(ROLLOUT_COLUMNS)):
        raise InputError(f"no rollout column {unknown[0]!r}; there are {', '.join(ROLLOUT_COLUMNS)}")
    kinds = {c: _typed(next(b[c] for b in batches if c in b), ROLLOUT_COLUMNS[c]).type for c in columns}
    with written(output) as part, contextlib.ExitStack() as stack:
        for batch in batches:
            length = len(next(iter(batch.values())))
            filled = {
                c: _typed(batch[c], ROLLOUT_COLUMNS[c]) if c in batch else pa.nulls(length, kinds[c]) for c in columns
            }
            table = pa.table(filled, metadata=metadata)
            writer = writer or stack.enter_context(pq.ParquetWriter(part, table.schema, compression="zstd"))
            writer.write_table(table, ROWS_PER_GROUP)
            rows += table.num_rows
        if writer is None:
            raise InputError("no batch of rollouts to write")
    return rows


def _typed(values: Any, kind: str) -> Any:
    """An Arrow array of the rollout column's type."""
    import pyarrow as pa

    types = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_()}
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return array.cast(types[kind]) if kind in types else array


def _kept(format: str, prompt_id: str, group_id: str, filtered: str, caveats: Iterable[str]) -> str:
    """What a table's reader should know of where the rows came from."""
    known = {"format": format, "prompt_id": prompt_id, "group_id": group_id, "filtered": filtered}
    return json.dumps(known | {"caveats": list(caveats)})
