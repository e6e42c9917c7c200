"""The public functions: audit, read, export, compare, formats, claims, check.

Glue between the rooms; no room imports it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from bitrate import files
from bitrate.errors import InputError
from bitrate.logs.engines import duck
from bitrate.logs.formats import all_formats
from bitrate.logs.options import ReadKeywords, ReadOptions, ReduceKeywords, ReduceOptions
from bitrate.logs.read import Source, open_source
from bitrate.logs.reduce import Groups, reduce
from bitrate.meter import audit as audits
from bitrate.meter.assumptions import AssumptionKeywords, Assumptions
from bitrate.meter.measure import measure
from bitrate.options import takes

if TYPE_CHECKING:
    import pyarrow as pa

    from bitrate.lab.claim import Claim, Verdict

Paths = str | Path | Sequence[str | Path]
Progress = Callable[[str, float], None]


class AuditKeywords(ReduceKeywords, AssumptionKeywords, total=False):
    """All options of an audit, for type checkers."""


class Audit(audits.Audit):
    __doc__ = audits.Audit.__doc__

    def __str__(self) -> str:
        """The report of the terminal, as ``bitrate audit`` prints it."""
        from bitrate.report.terminal import text_of

        return text_of(self)

    def save(self, path: str | Path) -> Path:
        """Write a report: ``.html`` for people, ``.json`` for programs.

        Raises:
            InputError: another ending, or a file that was read.
            OutputError: the system does not let it be written.
        """
        kind = Path(path).suffix.lower()
        if kind not in {".html", ".json"}:
            raise InputError(f"cannot save an audit as {Path(path).name!r}", hint="end the name in .html or .json")
        files.check(path, "path =", self.inputs)
        if kind == ".html":
            from bitrate.report.html import write_html

            write_html(self, path)
        else:
            files.write(path, json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")
        return Path(path)


def _paths(path: Paths) -> list[str | Path]:
    return [path] if isinstance(path, (str, Path)) else list(path)


@contextmanager
def _opened(path: Paths, options: ReadOptions) -> Iterator[Source]:
    con = duck.connect(options.memory)
    try:
        yield open_source(con, _paths(path), options)
    finally:
        duck.close(con)


@contextmanager
def _reduced(path: Paths, options: ReduceOptions, progress: Progress | None = None) -> Iterator[Groups]:
    with (
        _opened(path, options) as source,
        reduce(source, engine=options.engine, progress=progress or (lambda *_: None)) as groups,
    ):
        yield groups


@takes(ReduceOptions)
def reduced(
    path: Paths, *, progress: Progress | None = None, **options: Unpack[ReduceKeywords]
) -> AbstractContextManager[Groups]:
    """The group table of some files, alive inside the ``with`` block; for those who want more than an audit."""
    return _reduced(path, ReduceOptions.among(options), progress)


@takes(ReduceOptions, Assumptions)
def audit(
    path: Paths, *, progress: Progress | None = None, command: str | None = None, **options: Unpack[AuditKeywords]
) -> Audit:
    """Read the rollouts a trainer wrote and fill the ledger: how many bits a rollout carried, and what they cost.

    Args:
        path: a file, a folder, or several of them.
        options: those of ``ReduceOptions`` and ``Assumptions``.
        progress: called with what is being done and the share done.
        command: how the audit was called, to print in the report.

    Returns:
        The audit; ``.to_dict()`` holds its figures, ``.save("report.html")`` writes the report.

    Raises:
        BitrateError: bad paths, files that cannot be read, options that cannot be used.

    Reference: docs/ledger.md, docs/theory.md#logs.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = ["prompt_id,n,n_correct"] + [f"{i},8,{i % 9}" for i in range(90)]
    ...     file = pathlib.Path(folder, "counts.csv")
    ...     _ = file.write_text("\\n".join(rows))
    ...     found = audit(file).to_dict()
    >>> counts = found["counts"]
    >>> rollouts = counts["rollouts"]
    >>> rollouts["value"]
    720.0
    """
    assumptions = Assumptions.among(options)
    with _reduced(path, ReduceOptions.among(options), progress) as groups:
        found = measure(groups, assumptions)
    asked = tuple(_paths(path))
    told = {"command": command or "bitrate audit " + " ".join(map(str, asked)), "inputs": asked}
    return Audit(**{f.name: getattr(found, f.name) for f in fields(found)} | told)


@takes(ReadOptions)
def read(path: Paths, **options: Unpack[ReadKeywords]) -> pa.Table:
    """The rollouts of some files as one Arrow table with bitrate's columns, in their order; for what fits in memory.

    Args:
        path: a file, a folder, or several of them.
        options: those of ``ReadOptions``.

    Raises:
        BitrateError: bad paths, or files that cannot be read.
    """
    from bitrate.logs.write import one_by_one

    with _opened(path, ReadOptions.among(options)) as source, duck.in_order(source.con):
        return duck.table(source.con, one_by_one(source))


@takes(ReadOptions)
def export(
    path: Paths, output: str | Path, *, progress: Progress | None = None, **options: Unpack[ReadKeywords]
) -> int:
    """Write the rollouts of some files as one canonical Parquet file, ordered by run and step.

    Args:
        path: a file, a folder, or several of them.
        output: the Parquet file to write.
        options: those of ``ReadOptions``.
        progress: called with what is being done and the share done.

    Returns:
        The number of rollouts written.

    Raises:
        BitrateError: bad paths, files that cannot be read, or an output that does not end in .parquet, cannot be
            written, or is or would be one of the inputs.
    """
    from bitrate.logs.write import check_export, write_rollouts

    check_export(output, _paths(path))
    with _opened(path, ReadOptions.among(options)) as source:
        return write_rollouts(source, Path(output), progress or (lambda *_: None))


@takes(ReduceOptions, Assumptions)
def compare(a: Paths, b: Paths, **options: Unpack[AuditKeywords]) -> dict[str, Any]:
    """Two runs side by side: paired by prompt where they share prompts, each difference with its interval.

    Args:
        a: the first run's files.
        b: the second run's files.
        options: those of ``ReduceOptions`` and ``Assumptions``, used for both.

    Raises:
        BitrateError: as for :func:`audit`.
    """
    from bitrate.meter.compare import compare_groups, side

    assumptions, reading = Assumptions.among(options), ReduceOptions.among(options)
    sides = []
    for path in (a, b):
        with _reduced(path, reading) as groups:
            sides.append(side(groups, assumptions))
    return compare_groups(*sides, level=assumptions.level)


def formats() -> list[dict[str, Any]]:
    """What can be read: name, trainer, files, how ids are known, and what the format cannot tell."""
    return [
        {
            "name": f.name,
            "trainer": f.trainer,
            "files": f.files,
            "prompt_id": f.prompt_id,
            "group_id": f.group_id,
            "caveats": list(f.caveats),
        }
        for f in all_formats()
    ]


def claims() -> tuple[Claim, ...]:
    """Every claim of the sources, then our own, in the order of their ids.

    >>> claims()[0].id
    'S0.1'
    """
    from bitrate.lab.claims import all_claims

    return all_claims()


def check(id: str, seed: int = 0, *, full: bool = False) -> Verdict:
    """Put one claim to the test: predict, simulate a run or train, measure its files, compare.

    Args:
        id: e.g. ``"S1.8"``.
        seed: all randomness comes from it.
        full: of a claim that needs training, all runs of the published verdict, and not just a quick look.

    Returns:
        The verdict; ``.outcome`` says how the statement fared, ``.points`` holds every case.

    Raises:
        InputError: no such claim.
    """
    from bitrate.lab import runner
    from bitrate.lab.claims import find

    return runner.check(find(id), seed, full=full)
