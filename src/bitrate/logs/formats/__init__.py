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
from typing import ClassVar

from bitrate.errors import FormatError, InputError
from bitrate.logs import sql, values
from bitrate.logs.engines import duck
from bitrate.logs.expression import to_sql
from bitrate.logs.options import ReadOptions
from bitrate.logs.peek import LONGEST_LINE, Peek
from bitrate.logs.schema import MAPPABLE, SetAside
from bitrate.wording import listed, number_of

#: Text this long or shorter is kept as the answer; of longer text only a 64-bit hash is.
ANSWER_LENGTH = 64
#: What the engine calls a row's file, and names of our own beside a file's columns: these hide such a column.
FILE_NAME = "_bitrate_file"
RESERVED = {"_file", "_row", "_line", "_path", "_split", "_total", "_rows"}
#: How much of a prompt is kept to show in the report.
EXCERPT_LENGTH = 160


@dataclass
class Select:
    """How raw rows become rollouts: a FROM clause, and an expression for each column known.

    ``columns`` maps a rollout column to SQL over ``source``; ``where`` keeps rows; ``bad`` is SQL that gives the reason
    why a row cannot be measured, or null; ``position`` is SQL for a row's place in its file: a number from 1, or text.
    ``raw`` maps a rollout column to SQL of the text that was found there, to be shown where it cannot be used;
    ``text`` is SQL of a completion's whole text, where the files have it.
    """

    source: str
    columns: dict[str, str]
    where: str | None = None
    bad: str | None = None
    position: str = "row_number() OVER ()"
    raw: dict[str, str] = field(default_factory=dict)
    text: str | None = None


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
        also: names of formats whose files this one reads too, where its own lie among them.
        times: SQL over a selection's rows for how many rollouts each stands for, and for the number of the first of
            them in its group; None where a row is one rollout.
        fallback: asked only where no other format claims a file.
        optional_step: whether a log without any step is one step, and not one whose steps were lost.
    """

    name: ClassVar[str]
    trainer: ClassVar[str]
    files: ClassVar[str]
    prompt_id: str = "native"
    group_id: str = "native"
    filtered: str = "none"
    caveats: ClassVar[tuple[str, ...]] = ()
    beside: ClassVar[tuple[str, ...]] = ()
    also: ClassVar[tuple[str, ...]] = ()
    times: ClassVar[tuple[str, str] | None] = None
    fallback: ClassVar[bool] = False
    optional_step: ClassVar[bool] = False

    def __init__(self, options: ReadOptions) -> None:
        self.options = options
        self.notes: list[str] = list(self.caveats)
        self.set_aside: list[SetAside] = []

    def leave_out(self, files: Sequence[Peek], reason: str) -> None:
        """Set files aside, where there are any."""
        if files:
            self.set_aside.append(SetAside(reason, len(files), "files", tuple(str(f.path) for f in files)))

    def sniff(self, file: Peek) -> bool:
        """Whether this file is one of mine."""
        raise NotImplementedError

    def raw_columns(self, files: Sequence[Peek]) -> set[str]:
        """The names that ``--columns`` and ``--outcome`` may read from these files."""
        return {c for f in files for c in f.columns}

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Look over all files once, before any is read: drop those not to be read, and note why."""
        return files

    def split_known(self, files: Sequence[Peek]) -> bool:
        """Whether these files tell training from evaluation; a trainer's own files do."""
        return True

    def select(self, con: duck.Connection, files: Sequence[Peek]) -> Select:
        """How these files become rollouts."""
        raise NotImplementedError

    def direct(self, files: Sequence[Peek]) -> bool:
        """Whether rows can be read in place by any engine: Parquet whose columns only need other names."""
        return False

    def reconsider(self, con: duck.Connection) -> bool:
        """Whether the view ``groups`` shows that rows must be read another way; asked until it is not so."""
        return False

    def check_targets(self) -> None:
        """Refuse a mapping of what is no rollout column.

        Raises:
            InputError: there is one.
        """
        unknown = next((t for t in self.options.columns if t not in MAPPABLE), None)
        if unknown is not None:
            raise InputError(
                f"--columns sets {unknown!r}, which is no rollout column", hint=f"columns are {', '.join(MAPPABLE)}"
            )

    def chosen(self, select: Select) -> Select:
        """The selection with the user's own columns in place of the format's."""
        self.check_targets()
        for target, expression in self.options.columns.items():
            select.columns[target] = to_sql(expression).text
        if self.options.outcome_column:
            select.columns["correct"] = sql.name(self.options.outcome_column)
        return select


def parquet(files: Sequence[Peek]) -> str:
    """FROM clause for Parquet files; each row has ``_file`` and ``_row`` (from 0)."""
    read = f"read_parquet({sql.path_list(f.path for f in files)}, union_by_name=true, hive_partitioning=false"
    there = {c for f in files for c in f.columns}
    ours = sorted(c for c in there if c.lower() in RESERVED)
    rest = f"* EXCLUDE ({', '.join(map(sql.name, ours))})" if ours else "*"
    if "file_row_number" in there:
        place = f"row_number() OVER (PARTITION BY {FILE_NAME}) - 1 AS _row"
        return f"(SELECT {rest} RENAME ({FILE_NAME} AS _file), {place} FROM {read}, filename='{FILE_NAME}'))"
    named = f"RENAME ({FILE_NAME} AS _file, file_row_number AS _row)"
    return f"(SELECT {rest} {named} FROM {read}, filename='{FILE_NAME}', file_row_number=true))"


def jsonl(
    files: Sequence[Peek],
    columns: dict[str, str],
    extra: dict[str, str] | None = None,
    layout: str = "newline_delimited",
) -> str:
    """FROM clause for JSON files with these columns and types; bad lines come back as rows of nulls.

    Types are never detected: a 7 and a "7" in one column must stay one value. ``layout`` is newline_delimited, array
    (of objects), or unstructured (one object).
    """
    wanted = {**columns, **{k: v for k, v in (extra or {}).items() if k not in columns}}
    listed = ", ".join(f"{sql.name(k)}: {sql.text(v)}" for k, v in wanted.items())
    mended = "".join(f" WHEN {sql.text(f.door)} THEN {sql.text(f.path)}" for f in files if f.door != f.path)
    known = f"* REPLACE (CASE _file{mended} ELSE _file END AS _file)" if mended else "*"
    return (
        f"(SELECT {known} FROM read_json({sql.path_list(f.door for f in files)}, format={sql.text(layout)}, "
        f"columns={{{listed}}}, records=true, ignore_errors=true, filename='_file', hive_partitioning=false, "
        f"maximum_object_size={LONGEST_LINE}))"
    )


def numbered(source: str) -> str:
    """FROM clause of the same rows, with ``_line``, their place among those that are read."""
    return f"(SELECT *, row_number() OVER () AS _line FROM {source})"


def json_number(value: str) -> str:
    """SQL for a JSON value as a number: true and pass are 1, false and fail are 0, what is no number is null."""
    return values.number(f"trim({value}::VARCHAR, '\"')")


#: Why a line of which no column could be read cannot be measured.
NOT_JSON = "line is not a JSON object with these columns"


def all_null(columns: Sequence[str]) -> str:
    """SQL for "this line could not be read": every one of these raw columns is null."""
    return " AND ".join(f"{sql.name(c)} IS NULL" for c in columns)


def answer_key(column: str) -> str:
    """SQL for an answer to compare: short text as it is, without outer white space; long text by its hash."""
    trimmed = f"trim({column}, ' \t\r\n')"
    long = f"WHEN {column} IS NOT NULL THEN 'hash:' || hash({column})::VARCHAR"
    return f"CASE WHEN length({column}) <= {ANSWER_LENGTH} THEN {trimmed} {long} END"


def largest(list_of_numbers: str) -> str:
    """SQL for the number of a list that is farthest from 0."""
    high, low = f"list_max({list_of_numbers})", f"list_min({list_of_numbers})"
    return f"CASE WHEN {high} >= -{low} THEN {high} ELSE {low} END"


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
    # A module that was loaded again, as notebooks do, has its class twice: each file would be read once for each.
    named = {c.name: c for c in _subclasses(Format) if "name" in vars(c)}
    return tuple(sorted(named.values(), key=lambda c: c.name))


def _subclasses(cls: type[Format]) -> list[type[Format]]:
    return [c for direct in cls.__subclasses__() for c in (direct, *_subclasses(direct))]


def match(files: Sequence[Peek], options: ReadOptions) -> tuple[Format, list[Peek]]:
    """The one format that reads these files, and the files it claims.

    Raises:
        FormatError: no format claims a file, or more than one does; it says what was looked at.
    """
    candidates = [f(options) for f in all_formats() if options.format in {None, f.name}]
    if not candidates:
        raise InputError(
            f"no format is called {options.format!r}", hint=f"formats are {', '.join(f.name for f in all_formats())}"
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
    for form in candidates:
        if form.name in claims and claims.keys() <= {form.name, *form.also}:
            taken = {f for mine in claims.values() for f in mine}
            return form, [f for f in files if f in taken]
    looked = "\n".join(f"  {_describe(f)}" for f in files[:8]) + (
        f"\n  and {len(files) - 8:,} more" if len(files) > 8 else ""
    )
    if not claims:
        absent = [n for n in options.raw_names() if not any(n in f.columns or n in f.nested for f in files)]
        if absent and (there := dict.fromkeys(n for f in files for n in (*f.columns, *f.nested))):
            raise InputError(
                f"no column {absent[0]!r}; there are {', '.join(list(there)[:40])}",
                where=str(next(f.path for f in files if f.columns)),
                hint="check the right-hand sides of --columns and --outcome",
            )
        raise FormatError(
            f"no format reads these files. Looked at:\n{looked}",
            hint=suggest(files, options),
        )
    found = ", ".join(f"{k} ({number_of(len(v), 'file')}, e.g. {v[0].inside})" for k, v in claims.items())
    raise FormatError(
        f"more than one format reads these files: {found}", hint="point at one of them, or say --format NAME"
    )


#: What others call the two columns that a table needs, the surest first.
SYNONYMS = {
    "prompt_id": (
        "prompt_id", "question_id", "task_id", "problem_id", "example_id", "qid", "_ng_task_index", "task_hash",
        "doc_id", "sample_id", "idx", "index", "id", "uid", "question", "problem", "task", "query", "instruction",
        "prompt", "input",
    ),
    "reward": (
        "reward", "correct", "score", "scores", "passed", "is_correct", "is_resolved", "resolved", "acc", "accuracy",
        "success", "solved", "pass", "verdict", "grade", "label", "result", "rewards", "total_reward",
    ),
}  # fmt: skip


def suggest(files: Sequence[Peek], options: ReadOptions) -> str:
    """What to type for these files, made of the names that were seen in them."""
    seen = next((f for f in files if f.columns and f.kind in {"parquet", "csv", "jsonl", "json", "array"}), None)
    if seen is None:
        return "point at the folder that the trainer writes rollouts to; see `bitrate formats`"
    names = [*seen.columns, *seen.nested]
    wanted = {}
    for target, others in SYNONYMS.items():
        fitting = [n for o in others for n in names if n == o or n.lower() == o or n.rpartition(".")[2].lower() == o]
        wanted[target] = next((n for n in fitting if not isinstance(seen.value(n), dict)), None)
    lists = [k for k in seen.columns if isinstance(v := seen.value(k), list) and v and isinstance(v[0], dict)]
    if lists and None in wanted.values():
        inner = ", ".join(list(seen.value(lists[0])[0])[:6])
        return (
            f"{seen.inside} holds a list of objects under {lists[0]!r} ({inner}), which --columns cannot reach into: "
            f"write an object a line, e.g. jq -c '.{lists[0]}[]'"
        )
    told = {t: n for t, n in wanted.items() if n and t not in options.columns and n != t}
    if told:
        return f"--columns {','.join(f'{t}={n}' for t, n in told.items())}" + "".join(
            f" (and {t}=COLUMN: none of the names looks like it)" for t, n in wanted.items() if not n
        )
    return f"name two of these columns: --columns prompt_id=COLUMN,reward=COLUMN ({', '.join(names[:12])})"


def _describe(file: Peek) -> str:
    if file.trouble:
        return f"{file.inside}: {file.trouble}"
    names = list(file.columns)
    return f"{file.inside}: {file.kind}" + (f" with {listed(names, 12)}" if names else "")
