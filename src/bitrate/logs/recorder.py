"""Record rollouts from inside a training loop, as Parquet parts that the audit reads."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitrate.errors import InputError
from bitrate.files import check_folder, written
from bitrate.logs.schema import PROVENANCE_KEY, ROLLOUT_COLUMNS, ROWS_PER_GROUP, kept

if TYPE_CHECKING:
    import pyarrow as pa

#: Beside the provenance of a part: the run that it belongs to.
RUN_KEY = "bitrate.run"


class Recorder:
    """Writes what a trainer knows of its rollouts into a folder, which is one run: ``bitrate audit FOLDER``.

    Each call of :meth:`record` becomes a part, a Parquet file of its own that takes its name when it is whole. So a
    kill at any moment leaves every recorded step readable and nothing half-written, and no more than one call is in
    memory. Parts are never merged: no file system puts one file in the place of many at once, and a kill in between
    would count rollouts twice or not at all.

    A part a step is small beside a step of a language model. For thousands of quick steps, ``rows`` holds rollouts back
    until there are so many; they are then all that a kill can lose.

    A part is named by process, first step and call: ``rollouts-0-000007.parquet``. A run that is resumed from a
    checkpoint replaces its parts of the steps that it does again; where ``rows`` puts several steps into a part, it
    needs a folder of its own. Several processes record side by side, each under its own rank.

    Args:
        folder: made where it is not there. It holds the parts of one run and nothing else.
        run: name of the run; by default the folder's.
        trainer: who made the rollouts, for the report.
        rank: number of this process; by default that of the launcher, ``RANK``, else 0.
        rows: rollouts that are held back until they become a part; 1 writes each call at once.

    Raises:
        InputError: the folder holds another run; another recorder is at work there under this rank; or ``rank`` or
            ``rows`` is no such number.
        OutputError: the folder cannot be written to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Recorder(folder, run="adder", trainer="my own") as recorder:
    ...         for step in range(2):
    ...             recorder.record(step, prompt_id="1+2", reward=[0.0, 1.0], answer=["4", "3"])
    ...     sorted(p.name for p in Path(folder).glob("*.parquet"))
    ['rollouts-0-000000.parquet', 'rollouts-0-000001.parquet']
    """

    def __init__(
        self, folder: str | Path, *, run: str | None = None, trainer: str = "a recorder", rank: int | None = None,
        rows: int = 1,
    ) -> None:  # fmt: skip
        from filelock import FileLock, Timeout

        self.folder, self.run, self.rows = Path(folder), run, rows
        self.rank = _rank(rank)
        if rows < 1:
            raise InputError(f"rows = {rows}; want 1 or more")
        self._metadata = {PROVENANCE_KEY: kept(trainer, "native", "native", "none", ()), RUN_KEY: json.dumps(run)}
        self._held: list[pa.Table] = []
        self._written: dict[int, int] = {}
        with contextlib.suppress(OSError):  # what is wrong with it is said next
            self.folder.mkdir(parents=True, exist_ok=True)
        check_folder(self.folder, "the folder of a recorder")
        self._lock = FileLock(self.folder / f".recorder-{self.rank}", timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout:
            said = f"another recorder is at work in {folder} with rank {self.rank}"
            raise InputError(said, hint="give each process a rank of its own") from None
        except (OSError, NotImplementedError):
            pass  # a file system without locks
        try:
            self._one_run()
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def record(self, step: int, **columns: Any) -> None:
        """Record rollouts of one step.

        Args:
            step: number of the update that they are for.
            columns: of ``bitrate.logs.schema.ROLLOUT_COLUMNS``: lists, NumPy or Arrow arrays of one length, or one
                value for all. ``prompt_id`` and ``reward`` or ``correct`` are needed; None where a rollout has no such
                value. ``components`` has a dict, name to score, for each.

        Raises:
            InputError: no such column, one that is needed and not there, lengths that differ, or values of another
                type.
            OutputError: the part cannot be written; its rollouts are held back, and written with the next.
        """
        table = _table({"step": step} | ({"run": self.run} if self.run is not None else {}) | columns)
        if table.num_rows:
            self._held.append(table)
        if sum(t.num_rows for t in self._held) >= self.rows:
            self.flush()

    def flush(self) -> None:
        """Write what is held back, as one part."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self._held:
            return
        # A column that no rollout of a part has is not in it: a split that nobody gave is not a split that is known.
        table = pa.concat_tables(self._held, promote_options="default")
        table = table.select([c for c in ROLLOUT_COLUMNS if c in table.column_names])
        table = table.replace_schema_metadata(self._metadata)
        with written(self._part(table["step"][0].as_py())) as part:
            pq.write_table(table, part, row_group_size=ROWS_PER_GROUP, compression="zstd")
        self._held = []

    def close(self) -> None:
        """Write what is held back and let another process record here."""
        try:
            self.flush()
        finally:
            self._lock.release()

    def _part(self, step: int) -> Path:
        """Where the next part goes. Those of a step that an earlier process of this rank recorded make way."""
        if step not in self._written:
            for path, _, number in self._parts(self.rank):
                if number == step:
                    path.unlink()
        call = self._written[step] = self._written.get(step, -1) + 1
        return self.folder / f"rollouts-{self.rank}-{step:06d}{f'-{call}' if call else ''}.parquet"

    def _parts(self, rank: int | None = None) -> Iterator[tuple[Path, int, int]]:
        """Parts that are there, with their rank and first step."""
        for path in self.folder.glob("rollouts-*.parquet"):
            found = re.fullmatch(r"rollouts-(\d+)-(-?\d+)(?:-\d+)?", path.stem)
            if found and rank in (None, int(found[1])):
                yield path, int(found[1]), int(found[2])

    def _one_run(self) -> None:
        """Refuse a folder that holds another run: its parts would be replaced."""
        import pyarrow.parquet as pq

        there = next(self._parts(), None)
        if there:
            metadata = pq.read_schema(there[0]).metadata or {}
            run = json.loads(metadata.get(RUN_KEY.encode(), b"null"))
            if run != self.run:
                raise InputError(
                    f"{self.folder} holds the run {run!r}; want {self.run!r}", hint="give each run a folder of its own"
                )


def _rank(rank: int | None) -> int:
    """The number of this process, as told or from the launcher."""
    said = os.environ.get("RANK", "0") if rank is None else str(rank)
    if not said.isdecimal():
        raise InputError(f"rank = {said}; want a whole number from 0", hint="does RANK hold another thing?")
    return int(said)


def _table(columns: dict[str, Any]) -> pa.Table:
    """Rollouts of one call, typed."""
    import pyarrow as pa

    if unknown := sorted(columns.keys() - ROLLOUT_COLUMNS.keys()):
        raise InputError(f"no rollout column {unknown[0]!r}", hint=f"there are {', '.join(ROLLOUT_COLUMNS)}")
    if "prompt_id" not in columns or not columns.keys() & {"reward", "correct"}:
        raise InputError(f"only {', '.join(columns)} given; want prompt_id, and reward or correct")
    lengths = {c: len(v) for c, v in columns.items() if not _single(v)}
    if len(set(lengths.values())) != 1:
        said = ", ".join(f"{c} {n}" for c, n in lengths.items()) or "one value a column"
        raise InputError(f"lengths differ: {said}; want a value for each rollout")
    rows = next(iter(lengths.values()))
    return pa.table({c: _typed(c, v, rows) for c, v in columns.items()})


def _single(values: Any) -> bool:
    """Whether this is one value for all rollouts."""
    alone = values is None or isinstance(values, str | bytes | dict) or getattr(values, "ndim", None) == 0
    return alone or not hasattr(values, "__len__")


def _typed(column: str, values: Any, rows: int) -> pa.Array:
    """An Arrow array of the rollout column's type."""
    import pyarrow as pa

    kind = {
        "VARCHAR": pa.string(),
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "BOOLEAN": pa.bool_(),
        "MAP(VARCHAR, DOUBLE)": pa.map_(pa.string(), pa.float64()),
    }[ROLLOUT_COLUMNS[column]]
    try:
        if _single(values):
            values = [values] * rows
        if isinstance(values, pa.Array | pa.ChunkedArray):
            return values.cast(kind)
        if pa.types.is_map(kind):
            return pa.array([v if v is None else list(v.items()) for v in values], kind)
        return pa.array(values).cast(kind)
    except (TypeError, ValueError, AttributeError, OverflowError, NotImplementedError) as error:  # Arrow's are of these
        first = str(error).partition("\n")[0]
        raise InputError(f"{column} cannot be recorded as {ROLLOUT_COLUMNS[column]}: {first}") from error
