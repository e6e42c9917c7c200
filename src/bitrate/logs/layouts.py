"""Plain tables as an engine sees them: each file by its kind and its own columns, found by exact name.

DuckDB takes ``Reward`` and ``reward`` for one name, and a folder called ``step=7`` for a column. So columns are read by
their place, not by their name, and every value is typed by what the rollout column wants.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bitrate.logs import sql, values
from bitrate.logs.formats import FILE_NAME, NOT_JSON, all_null, jsonl
from bitrate.logs.names import split_of
from bitrate.logs.peek import Peek
from bitrate.logs.schema import ROLLOUT_COLUMNS

#: Rollout columns that a list in a row may give one value each of.
UNFOLDED = {
    "reward", "correct", "answer", "completion_tokens", "truncated", "advantage", "target_surprisal", "sample",
    "update",
}  # fmt: skip
IDS = {"prompt_id", "group_id"}
LAYOUTS = {"jsonl": "newline_delimited", "array": "array", "json": "unstructured"}
NUMBERS = re.compile(r"u?int\d+|float|double|halffloat|decimal.*")
TEXTS = re.compile(r"(large_)?string(_view)?|dictionary<values=(large_)?string.*")
LISTS = re.compile(r"(large_|fixed_size_)?list.*")


@dataclass(frozen=True)
class Raw:
    """SQL of a value as it is in the file, and its sort: text, number, bool, list, nested, json, other, or none."""

    sql: str
    sort: str

    @property
    def text(self) -> str:
        """SQL of the value as text."""
        if self.sort == "text":
            return self.sql
        if self.sort == "json":
            return f"({self.sql} ->> '$')"
        return f"to_json({self.sql})::VARCHAR" if self.sort in {"list", "nested"} else f"CAST({self.sql} AS VARCHAR)"


def value(target: str, raw: Raw) -> str:
    """SQL of a rollout column, or of a count, from what the file has."""
    kind = ROLLOUT_COLUMNS.get(target, "DOUBLE")
    typed = {"number": {"BIGINT", "DOUBLE"}, "bool": {"BOOLEAN"}}.get(raw.sort, set())
    if raw.sort == "none":
        return "NULL"
    if target in IDS:
        return values.ident(values.canonical(raw.text) if raw.sort in {"json", "list", "nested"} else raw.text)
    if kind in typed or kind.startswith("MAP"):
        return raw.sql
    if kind == "DOUBLE" and raw.sort == "bool":
        return f"CAST({raw.sql} AS DOUBLE)"
    readers = {"step": values.step, "policy_step": values.step, "split": split_of}
    by_kind = {"BIGINT": values.whole, "DOUBLE": values.number, "BOOLEAN": values.truth}
    return readers.get(target, by_kind.get(kind, str))(raw.text)


@dataclass
class Layout:
    """Files of one kind with the same columns.

    Args:
        files: the files.
        wanted: every name that is read of them.
        unfold: names whose lists hold a value for each rollout of a row; the first says how many there are.
        in_place: whether columns are read under their own names, and not under c0, c1 ... by their places.
    """

    files: list[Peek]
    wanted: tuple[str, ...]
    unfold: tuple[str, ...] = ()
    in_place: bool = False
    roots: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.roots = {name: self._root(name) for name in self.wanted}

    @property
    def kind(self) -> str:
        """The kind that all the files have."""
        return self.files[0].kind

    @property
    def names(self) -> list[str]:
        """The names in the files, in order; of JSON files those that are read."""
        first = self.files[0]
        if self.kind == "parquet":
            return [str(name) for name in first.schema.names]
        return first.header if self.kind == "csv" else list(dict.fromkeys(self.roots.values()))

    @cached_property
    def columns(self) -> set[str]:
        """Every column that was seen in any file."""
        return {c for f in self.files for c in f.columns}

    def _root(self, name: str) -> str:
        """The column that a name or a dotted path begins with."""
        known = self.columns
        if name in known or "." not in name:
            return name
        heads = [name[:i] for i, c in enumerate(name) if c == "."]
        return next((h for h in heads if h in known), name)

    def raw(self, name: str) -> Raw:
        """What a name, or a dotted path, gives in each row of `relation`."""
        root = self.roots[name]
        if root not in self.names:
            return Raw("NULL", "none")
        found = self._column(root)
        if name in self.unfold:
            return self._element(found)
        path = name[len(root) + 1 :]
        if not path:
            return found
        whole = found.sql if found.sort == "json" else f"to_json({found.sql})"
        steps = "".join(f'."{p}"' for p in path.split("."))
        return Raw(f"json_extract({whole}, {sql.text('$' + steps)})", "json")

    def _column(self, root: str) -> Raw:
        """A whole column."""
        place = sql.name(root) if self.in_place else f"c{self.names.index(root)}"
        if self.kind == "csv":
            return Raw(f"nullif(trim({place}), '')", "text")
        if self.kind != "parquet":
            return Raw(place, "json" if self._json_type(root) == "JSON" else "text")
        found = str(self.files[0].schema.field(self.names.index(root)).type)
        sorts = ((TEXTS, "text"), (NUMBERS, "number"), (re.compile("bool"), "bool"), (LISTS, "list"),
                 (re.compile("null"), "none"), (re.compile("struct.*|map.*"), "nested"))  # fmt: skip
        return Raw(place, next((sort for pattern, sort in sorts if pattern.fullmatch(found)), "other"))

    def _json_type(self, root: str) -> str:
        """A key is read as text, so that what cannot be used can be shown; as JSON where more is wanted of it."""
        if (kind := ROLLOUT_COLUMNS.get(root, "")).startswith("MAP"):
            return kind
        deep = root in self.nested or root in self.unfold or any(n != r for n, r in self.roots.items() if r == root)
        return "JSON" if deep else "VARCHAR"

    @cached_property
    def nested(self) -> set[str]:
        """Keys whose first value in any file is a list or an object."""
        found: set[str] = set()
        for file in self.files:
            first: dict[str, Any] = {}
            for record in file.records:
                for key, given in record.items():
                    if given is not None:
                        first.setdefault(key, given)
            found.update(key for key, given in first.items() if isinstance(given, (list, dict)))
        return found

    def _element(self, found: Raw) -> Raw:
        """The value of one rollout, where a row holds a list of them; what is no list is the value of each."""
        if found.sort == "list":
            return Raw(f"to_json({found.sql}[_i + 1])", "json")
        one = f"json_extract({found.sql}, '$[' || _i || ']')"
        return Raw(f"CASE json_type({found.sql}) WHEN 'ARRAY' THEN {one} ELSE {found.sql} END", "json")

    @property
    def relation(self) -> str:
        """FROM clause: each column by its place as c0, c1 ..., with ``_file``, and ``_line`` from 1 in each batch."""
        places = [f"c{i}" for i in range(len(self.names))]
        # Numbering rows takes one thread: it is done only where lists of rollouts need it.
        number = ", row_number() OVER () AS _line" if self.unfold else ""
        if self.kind == "parquet":
            listed = ", ".join([*places, "_row", "_file"])
            source = f"(SELECT *, _row + 1 AS _line FROM {self._parquet()} t({listed}))"
        elif self.kind == "csv":
            source = f"(SELECT *{number} FROM {self._csv(places)})"
        else:
            kinds = {n: self._json_type(n) for n in self.names}
            renamed = ", ".join(f"{sql.name(n)} AS {p}" for n, p in zip(self.names, places, strict=True))
            source = f"(SELECT {renamed}, _file{number} FROM {jsonl(self.files, kinds, layout=LAYOUTS[self.kind])})"
        if not self.unfold:
            return source
        head = self._column(self.roots[self.unfold[0]])
        length = f"len({head.sql})" if head.sort == "list" else f"json_array_length({head.sql})"
        return f"(SELECT *, unnest(range(greatest(coalesce({length}, 1), 1)::BIGINT)) AS _i FROM {source})"

    def _parquet(self) -> str:
        read = (
            f"read_parquet({sql.path_list(f.path for f in self.files)}, hive_partitioning=false, filename='{FILE_NAME}'"
        )
        if "file_row_number" in self.names:
            place = f"row_number() OVER (PARTITION BY {FILE_NAME}) - 1 AS _row"
            return f"(SELECT * EXCLUDE ({FILE_NAME}), {place}, {FILE_NAME} FROM {read}))"
        return f"{read}, file_row_number=true)"

    def _csv(self, places: Sequence[str]) -> str:
        first = self.files[0]
        blank = len(first.head) - len(first.head.lstrip("\r\n"))
        columns = ", ".join(f"{p}: 'VARCHAR'" for p in places)
        look = (
            f"delim={sql.text(first.delimiter)}, quote='\"', escape='\"', parallel=false, null_padding=true, "
            f"header=true, skip={first.head[:blank].count(chr(10))}, auto_detect=false, columns={{{columns}}}, "
            "filename='_file', hive_partitioning=false"
        )
        return f"read_csv({sql.path_list(f.path for f in self.files)}, {look})"

    @property
    def bad(self) -> str | None:
        """SQL of the reason for a line that could not be read."""
        if self.kind in {"parquet", "csv"}:
            return None
        return f"CASE WHEN {all_null([f'c{i}' for i in range(len(self.names))])} THEN {sql.text(NOT_JSON)} END"


def layouts(files: Iterable[Peek], wanted: Sequence[str], unfold: Sequence[str]) -> list[Layout]:
    """Files by kind and columns, in their order."""
    found: dict[tuple[object, ...], list[Peek]] = {}
    for file in files:
        key: tuple[object, ...] = (file.kind,)
        if file.kind == "parquet":
            key += (tuple((f.name, str(f.type)) for f in file.schema),)
        elif file.kind == "csv":
            key += (file.delimiter, tuple(file.header))
        found.setdefault(key, []).append(file)
    return [Layout(mine, tuple(wanted), tuple(unfold)) for mine in found.values()]
