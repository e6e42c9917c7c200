"""The public functions: audit, read, export, compare, formats, claims, check.

Glue between the rooms; no room imports it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitrate import files
from bitrate.errors import InputError
from bitrate.logs.engines import check as check_engine
from bitrate.logs.engines import duck
from bitrate.logs.formats import Options, all_formats
from bitrate.logs.read import Source, open_source
from bitrate.logs.reduce import Groups, reduce
from bitrate.meter import audit as audits
from bitrate.meter.assumptions import Assumptions
from bitrate.meter.measure import measure

if TYPE_CHECKING:
    import pyarrow as pa

    from bitrate.lab.claim import Claim, Verdict

Paths = str | Path | Sequence[str | Path]
Progress = Callable[[str, float], None]


class Audit(audits.Audit):
    __doc__ = audits.Audit.__doc__

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

            write_html(self.to_dict(), path)
        else:
            files.write(path, json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")
        return Path(path)


def _paths(path: Paths) -> list[str | Path]:
    return [path] if isinstance(path, (str, Path)) else list(path)


@contextmanager
def _opened(
    path: Paths,
    columns: Mapping[str, str] | None,
    outcome: str | None,
    format: str | None,
    memory: str,
    unscored: str = "aside",
) -> Iterator[Source]:
    con = duck.connect(memory)
    try:
        yield open_source(con, _paths(path), Options(dict(columns or {}), outcome, unscored=unscored), format)
    finally:
        duck.close(con)


@contextmanager
def reduced(
    path: Paths,
    *,
    columns: Mapping[str, str] | None = None,
    outcome: str | None = None,
    format: str | None = None,
    engine: str = "duckdb",
    memory: str = "2GB",
    unscored: str = "aside",
    progress: Progress | None = None,
) -> Iterator[Groups]:
    """The group table of some files, alive inside the ``with`` block; for those who want more than an audit."""
    check_engine(engine)
    with (
        _opened(path, columns, outcome, format, memory, unscored) as source,
        reduce(source, engine=engine, progress=progress or (lambda *_: None)) as groups,
    ):
        yield groups


def audit(
    path: Paths,
    *,
    columns: Mapping[str, str] | None = None,
    outcome: str | None = None,
    split: str | None = None,
    model_params: float | None = None,
    price_per_hour: float | None = None,
    flops_per_second: float | None = None,
    verifier_noise: float = 0.0,
    format: str | None = None,
    engine: str = "duckdb",
    memory: str = "2GB",
    unscored: str = "aside",
    level: float = 0.95,
    progress: Progress | None = None,
    command: str | None = None,
) -> Audit:
    """Read the rollouts a trainer wrote and fill the ledger: how many bits a rollout carried, and what they cost.

    Args:
        path: a file, a folder, or several of them.
        columns: rollout column -> column of the file, e.g. ``{"reward": "score"}``.
        outcome: the file's column that says right or wrong, where the reward is shaped.
        split: ``"train"`` or ``"eval"``; train where there is any, by default.
        model_params: parameters of the model, for FLOPs.
        price_per_hour: dollars an hour of the hardware, with ``flops_per_second`` for dollars.
        flops_per_second: FLOPs the hardware really does in a second.
        verifier_noise: rate in [0, 0.5) at which the verifier flips an outcome.
        format: name of a format, where two could read the files.
        engine: duckdb, spark or ray.
        memory: the most memory the embedded engine may use.
        unscored: what a rollout without a verdict counts as: ``"aside"``, or ``"wrong"`` as some benchmarks have it.
        level: coverage of the intervals.
        progress: called with what is being done and the share done.
        command: how the audit was called, to print in the report.

    Returns:
        The audit; ``.to_dict()`` holds its figures, ``.save("report.html")`` writes the report.

    Raises:
        BitrateError: bad paths, files that cannot be read, options that cannot be used.

    Reference: DESIGN.md section 4, THEORY.md section 4.

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
    assumptions = Assumptions(
        split=split,
        model_params=model_params,
        price_per_hour=price_per_hour,
        flops_per_second=flops_per_second,
        verifier_noise=verifier_noise,
        level=level,
    )
    with reduced(
        path,
        columns=columns,
        outcome=outcome,
        format=format,
        engine=engine,
        memory=memory,
        unscored=unscored,
        progress=progress,
    ) as groups:
        found = measure(groups, assumptions)
    asked = tuple(_paths(path))
    told = {"command": command or "bitrate audit " + " ".join(map(str, asked)), "inputs": asked}
    return Audit(**{f.name: getattr(found, f.name) for f in fields(found)} | told)


def read(
    path: Paths,
    *,
    columns: Mapping[str, str] | None = None,
    outcome: str | None = None,
    format: str | None = None,
    memory: str = "2GB",
    unscored: str = "aside",
) -> pa.Table:
    """The rollouts of some files as one Arrow table with bitrate's columns, in their order; for what fits in memory.

    Raises:
        BitrateError: bad paths, or files that cannot be read.
    """
    from bitrate.logs.write import one_by_one

    with _opened(path, columns, outcome, format, memory, unscored) as source, duck.in_order(source.con):
        return duck.table(source.con, one_by_one(source))


def export(
    path: Paths,
    output: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    outcome: str | None = None,
    format: str | None = None,
    memory: str = "2GB",
    unscored: str = "aside",
    progress: Progress | None = None,
) -> int:
    """Write the rollouts of some files as one canonical Parquet file, ordered by run and step.

    Returns:
        The number of rollouts written.

    Raises:
        BitrateError: bad paths, files that cannot be read, or an output that does not end in .parquet, cannot be
            written, or is or would be one of the inputs.
    """
    from bitrate.logs.write import check_export, write_rollouts

    check_export(output, _paths(path))
    with _opened(path, columns, outcome, format, memory, unscored) as source:
        return write_rollouts(source, Path(output), progress or (lambda *_: None))


def compare(a: Paths, b: Paths, **options: Any) -> dict[str, Any]:
    """Two runs side by side: paired by prompt where they share prompts, each difference with its interval.

    Args:
        a: the first run's files.
        b: the second run's files.
        options: as for :func:`audit`, used for both.

    Raises:
        BitrateError: as for :func:`audit`.
    """
    from bitrate.meter.compare import compare_groups, side

    known = {
        k: options.pop(k) for k in ("columns", "outcome", "format", "engine", "memory", "unscored") if k in options
    }
    assumptions = Assumptions(**options)
    sides = []
    for path in (a, b):
        with reduced(path, **known) as groups:
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

    Reference: DESIGN.md section 4.
    """
    from bitrate.lab.claims import find
    from bitrate.lab.judge import judge

    return judge(find(id), seed, full=full)
