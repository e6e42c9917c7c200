"""What trainers write, one file a format.

To add a format, write one module in this folder with one subclass of :class:`Format`; it is found by itself and
checked by ``tests/logs/test_formats.py``. See docs/extending.md.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from bitrate.errors import FormatError, InputError
from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.expression import to_sql
from bitrate.logs.peek import Peek
from bitrate.logs.schema import MAPPABLE, ROLLOUT_COLUMNS, SetAside

if TYPE_CHECKING:
    import duckdb

#: Text this long or shorter is kept as the answer; of longer text only a 64-bit hash is.
ANSWER_LENGTH = 64
#: Bytes of the longest JSON line that is read. Above this DuckDB keeps a buffer of twice the size for every file.
LONGEST_LINE = 16 << 20
#: How much of a prompt is kept to show in the report.
EXCERPT_LENGTH = 160


@dataclass
class Select:
    """How raw rows become rollouts: a FROM clause, and an expression for each column known.

    ``columns`` maps a rollout column to SQL over ``source``; ``where`` keeps rows; ``bad`` is SQL that gives the reason
    why a row cannot be measured, or null; ``position`` is SQL for a row's place in its file: a number from 1, or text.
    """

    source: str
    columns: dict[str, str]
    where: str | None = None
    bad: str | None = None
    position: str = "row_number() OVER ()"


@dataclass(frozen=True)
class Options:
    """What the user said about the files."""

    columns: dict[str, str] = field(default_factory=dict)
    outcome: str | None = None
    run: str | None = None

    def raw_names(self) -> dict[str, str]:
        """Raw columns that the user named, with the type their target wants."""
        named = {}
        for target, expression in self.columns.items():
            for column in to_sql(expression).columns:
                named[column] = ROLLOUT_COLUMNS.get(target, "DOUBLE")
        if self.outcome:
            named[self.outcome] = "DOUBLE"
        return named


class Format:
    """One trainer's files. Subclass it in a module of its own; the docstring says what is read and what is lost.

    Class attributes:
        name: what ``bitrate formats`` calls it.
        trainer: the software and version whose files were read to write this.
        files: the file names it takes.
        prompt_id: how a prompt's lasting identity is known: native, hash, or positional.
        group_id: how the rollouts of one group are known: native, hash, or positional.
        filtered: whether groups were dropped before writing: none, unknown, or known.
        caveats: what these files cannot tell, in sentences.
        beside: names of files that are read for what they say about the rows, and hold none.
        fallback: asked only where no other format claims a file.
    """

    name: ClassVar[str]
    trainer: ClassVar[str]
    files: ClassVar[str]
    prompt_id: str = "native"
    group_id: str = "native"
    filtered: str = "none"
    caveats: ClassVar[tuple[str, ...]] = ()
    beside: ClassVar[tuple[str, ...]] = ()
    fallback: ClassVar[bool] = False

    def __init__(self, options: Options) -> None:
        self.options = options
        self.notes: list[str] = list(self.caveats)
        self.set_aside: list[SetAside] = []

    def sniff(self, file: Peek) -> bool:
        """Whether this file is one of mine."""
        raise NotImplementedError

    def raw_columns(self, files: Sequence[Peek]) -> set[str]:
        """The names that ``--columns`` and ``--outcome`` may read from these files."""
        return {c for f in files for c in f.columns}

    def survey(self, con: duckdb.DuckDBPyConnection, files: list[Peek]) -> list[Peek]:
        """Look over all files once, before any is read: drop those not to be read, and note why."""
        return files

    def select(self, con: duckdb.DuckDBPyConnection, files: Sequence[Peek]) -> Select:
        """How these files become rollouts."""
        raise NotImplementedError

    def direct(self, files: Sequence[Peek]) -> bool:
        """Whether rows can be read in place by any engine: Parquet whose columns only need other names."""
        return False

    def chosen(self, select: Select) -> Select:
        """The selection with the user's own columns in place of the format's."""
        for target, expression in self.options.columns.items():
            if target not in MAPPABLE:
                raise InputError(
                    f"--columns sets {target!r}, which is no rollout column",
                    hint=f"columns are {', '.join(MAPPABLE)}",
                )
            select.columns[target] = to_sql(expression).text
        if self.options.outcome:
            select.columns["correct"] = sql.name(self.options.outcome)
        return select


def parquet(files: Sequence[Peek], *, positions: bool = True) -> str:
    """FROM clause for Parquet files; with positions each row has ``_file`` and ``_row`` (from 0)."""
    paths = sql.text_list(f.path for f in files)
    if not positions:
        return f"read_parquet({paths}, union_by_name=true)"
    return (
        f"(SELECT * RENAME (filename AS _file, file_row_number AS _row) FROM "
        f"read_parquet({paths}, filename=true, file_row_number=true, union_by_name=true))"
    )


def jsonl(files: Sequence[Peek], columns: dict[str, str], extra: dict[str, str] | None = None) -> str:
    """FROM clause for JSONL files with these columns and types; bad lines come back as rows of nulls.

    Types are never detected: a 7 and a "7" in one column must stay one value.
    """
    wanted = {**columns, **{k: v for k, v in (extra or {}).items() if k not in columns}}
    listed = ", ".join(f"{sql.name(k)}: {sql.text(v)}" for k, v in wanted.items())
    paths = sql.text_list(f.path for f in files)
    return (
        f"(SELECT * RENAME (filename AS _file) FROM read_json({paths}, format='newline_delimited', "
        f"columns={{{listed}}}, ignore_errors=true, filename=true, maximum_object_size={LONGEST_LINE}))"
    )


def last_written(source: str, keys: Sequence[str]) -> str:
    """FROM clause with only the last of the rows of one file that share these keys; ``_line`` is a row's place."""
    known = " AND ".join(f"{k} IS NOT NULL" for k in keys)
    last = f"row_number() OVER (PARTITION BY _file, {', '.join(keys)} ORDER BY _line DESC) = 1"
    return f"(SELECT * FROM (SELECT *, row_number() OVER () AS _line FROM {source}) QUALIFY NOT ({known}) OR {last})"


def repeated(con: duckdb.DuckDBPyConnection, source: str, keys: Sequence[str], reason: str) -> list[SetAside]:
    """How many rows `last_written` leaves out, and in which files."""
    known = " AND ".join(f"{k} IS NOT NULL" for k in keys)
    extra = f"count(*) - count(DISTINCT ({', '.join(keys)}))"
    found = duck.run(
        con, f"SELECT _file, {extra} AS n FROM {source} WHERE {known} GROUP BY _file HAVING n > 0 ORDER BY _file"
    )
    return [SetAside(reason, sum(n for _, n in found), "rows", tuple(f for f, _ in found[:3]))] if found else []


def json_number(value: str) -> str:
    """SQL for a JSON value as a number: true is 1, false is 0, anything that is no number is null."""
    text = f"trim({value}::VARCHAR, '\"')"
    return f"CASE {text} WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 ELSE try_cast({text} AS DOUBLE) END"


def all_null(columns: Sequence[str]) -> str:
    """SQL for "this line could not be read": every one of these raw columns is null."""
    return " AND ".join(f"{sql.name(c)} IS NULL" for c in columns)


def answer_key(column: str) -> str:
    """SQL for an answer to compare: short text as it is, without outer white space; long text by its hash."""
    trimmed = f"trim({column}, ' \t\r\n')"
    long = f"WHEN {column} IS NOT NULL THEN 'hash:' || hash({column})::VARCHAR"
    return f"CASE WHEN length({column}) <= {ANSWER_LENGTH} THEN {trimmed} {long} END"


def text_id(*columns: str) -> str:
    """SQL for an identity by content; null where any part is null."""
    return f"'{'#'}' || substr(md5({' || chr(31) || '.join(columns)}), 1, 16)"


def excerpt(column: str) -> str:
    """SQL for the start of a text, to show."""
    return f"left({column}, {EXCERPT_LENGTH})"


@cache
def all_formats() -> tuple[type[Format], ...]:
    """Every format in this folder, by name."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return tuple(sorted((c for c in _subclasses(Format) if "name" in vars(c)), key=lambda c: c.name))


def _subclasses(cls: type[Format]) -> list[type[Format]]:
    return [c for direct in cls.__subclasses__() for c in (direct, *_subclasses(direct))]


def match(files: Sequence[Peek], options: Options, only: str | None = None) -> tuple[Format, list[Peek]]:
    """The one format that reads these files, and the files it claims.

    Raises:
        FormatError: no format claims a file, or more than one does; it says what was looked at.
    """
    candidates = [f(options) for f in all_formats() if only is None or f.name == only]
    if not candidates:
        raise InputError(
            f"no format is called {only!r}", hint=f"formats are {', '.join(f.name for f in all_formats())}"
        )
    claims: dict[str, list[Peek]] = {}
    for file in files:
        owners = [f for f in candidates if not f.fallback and f.sniff(file)]
        owners = owners or [f for f in candidates if f.fallback and f.sniff(file)]
        for owner in owners:
            claims.setdefault(owner.name, []).append(file)
    if len(claims) == 1:
        [(found, mine)] = claims.items()
        return next(f for f in candidates if f.name == found), mine
    looked = "\n".join(f"  {_describe(f)}" for f in files[:8]) + ("\n  ..." if len(files) > 8 else "")
    if not claims:
        raise FormatError(
            f"no format reads these {len(files)} file(s). Looked at:\n{looked}",
            hint="for any table name its columns: --columns prompt_id=question_id,reward=score; see `bitrate formats`",
        )
    found = ", ".join(f"{k} ({len(v)} file(s), e.g. {v[0].inside})" for k, v in claims.items())
    raise FormatError(
        f"more than one format reads these files: {found}", hint="point at one of them, or say --format NAME"
    )


def _describe(file: Peek) -> str:
    if file.trouble:
        return f"{file.inside}: {file.trouble}"
    names = list(file.columns)
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"{file.inside}: {file.kind}" + (f" with {shown}" if names else "")
