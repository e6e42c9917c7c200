"""Look at files without reading them: what kind, which columns."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

KINDS = {
    ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv",
    ".json": "json", ".eval": "eval",
}  # fmt: skip
PICKLES = {".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt"}
#: Kinds that hold rows; of these a file that cannot be opened is counted and named.
ROWS = {"parquet", "jsonl", "csv", "eval", "json", "array"}
#: What a file is by its first bytes, whatever its name says.
MAGIC = {
    b"PAR1": "Parquet",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "a zip",
    b"\x80": "a pickle",
}
#: At least this many JSON objects are looked at, and as many as fit into HEAD_BYTES.
FIRST_RECORDS, HEAD_BYTES = 32, 64 << 10
#: How far to look for the rest of them, and for the first: past blank and bad lines, and through the longest lines.
FARTHEST_BYTES, LONGEST_LINE = 4 << 20, 16 << 20
DELIMITERS = ",\t;|"
NEVER_CLOSED = "not readable as csv: a double quote is opened and never closed"


@dataclass(frozen=True)
class Peek:
    """One file seen from outside: enough for a format to say "mine".

    ``path`` is where it is; ``inside`` its path relative to what the user named, with ``/`` between folders.
    """

    path: Path
    inside: str

    @cached_property
    def kind(self) -> str:
        """parquet, jsonl, csv, json (one object), array (of JSON objects), eval, pickle, or other."""
        ending = _ending(self.path)
        named = "pickle" if ending in PICKLES else KINDS.get(ending, "other")
        return self._json_kind(named) if named in {"json", "jsonl"} else named

    def _json_kind(self, named: str) -> str:
        """What a JSON file holds, whatever its ending says: one object, an array, or an object a line."""
        try:
            start = self.head.lstrip()
        except Exception:  # what cannot be opened keeps its name's kind; `trouble` says why
            return named
        first, _, rest = start.partition("\n")
        alone = _parse(first)
        if start.startswith("[") and (named == "json" or alone is None or _is_rows(alone)):
            return "array"
        if named == "json" and isinstance(alone, dict) and isinstance(_parse(rest.lstrip().partition("\n")[0]), dict):
            return "jsonl"
        return named

    @cached_property
    def door(self) -> Path:
        """What an engine opens: the file, or a copy of it with mended lines in their places (see `mend`)."""
        return self.path

    @cached_property
    def size(self) -> int:
        """Bytes on disk."""
        return self.path.stat().st_size

    @cached_property
    def columns(self) -> dict[str, str]:
        """Column or key names with a type name; empty when the file cannot be opened as its kind."""
        try:
            if self.kind == "parquet":
                return {f.name: str(f.type) for f in self.schema}
            if self.kind == "csv":
                return dict.fromkeys(self.header, "text")
            return {k: type(v).__name__ for record in reversed(self.records) for k, v in record.items()}
        except Exception:  # an unreadable file has no columns; `trouble` says why
            return {}

    @cached_property
    def schema(self) -> Any:
        """The Arrow schema of a Parquet file."""
        import pyarrow.parquet as pq

        return pq.read_schema(self.path)

    @cached_property
    def delimiter(self) -> str:
        """What parts the fields of a CSV file, by its header."""
        first = re.sub(r'"[^"]*"', "", self.head.lstrip("\r\n").partition("\n")[0])
        return max(DELIMITERS, key=first.count)

    @cached_property
    def header(self) -> list[str]:
        """The names in a CSV file's header, without white space around them."""
        lines = io.StringIO(self.head.lstrip("\r\n"), newline="")
        return [name.strip() for name in next(csv.reader(lines, delimiter=self.delimiter, skipinitialspace=True), [])]

    @cached_property
    def metadata(self) -> dict[str, str]:
        """The texts that a Parquet file carries beside its rows."""
        found = self.schema.metadata or {}
        return {k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in found.items()}

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """The first JSON objects of a file of them, or a JSON file's own object when it is small."""
        if self.kind == "json":
            found: Iterable[Any] = [_parse(self.head)]
        elif self.kind == "array":
            found = _elements(self.head)
        elif self.kind == "jsonl":
            found = map(_parse, self.head.split("\n"))
        else:
            return []
        return [r for r in found if isinstance(r, dict)]

    @cached_property
    def head(self) -> str:
        """The start of a text file, decoded leniently: for JSON lines so much of it that it holds some objects."""
        with open_lines(self.path) as stream:
            if _ending(self.path) not in {".jsonl", ".ndjson"}:
                return stream.read(FARTHEST_BYTES).decode("utf-8-sig", "replace")
            lines, taken, objects = [], 0, 0
            while line := stream.readline(LONGEST_LINE):
                lines.append(line)
                taken += len(line)
                objects += line.lstrip(b"\xef\xbb\xbf \t").startswith(b"{")
                far = FARTHEST_BYTES if objects else 4 * LONGEST_LINE
                if taken >= far or (objects >= FIRST_RECORDS and taken >= HEAD_BYTES):
                    break
            return b"".join(lines).decode("utf-8-sig", "replace")

    @cached_property
    def trouble(self) -> str | None:
        """Why the file cannot be read at all, or None."""
        try:
            if self.kind in {"jsonl", "csv", "json", "array"} and self.disguise:
                return f"{self.disguise} by its first bytes, though its name says {KINDS[_ending(self.path)]}"
            return self._shape()
        except json.JSONDecodeError as error:
            return f"not readable as json ({error})"
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            return f"not readable as {self.kind} ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
        except Exception as error:  # pyarrow and zstandard raise their own families, deep nesting a RecursionError
            return f"not readable as {self.kind} ({type(error).__name__})"

    def _shape(self) -> str | None:
        """Open the file as its kind; what is wrong with its shape, if anything."""
        if self.size == 0:
            return "empty file"
        if self.kind == "parquet":
            import pyarrow.parquet as pq

            pq.read_metadata(self.path)
        elif self.kind == "eval":
            with zipfile.ZipFile(self.path) as archive:
                archive.namelist()
        elif self.kind == "json" and self.size < FARTHEST_BYTES:
            json.loads(self.head)
        elif self.kind in {"jsonl", "csv", "json", "array"}:
            _ = self.head
        return self._unclosed() if self.kind == "csv" else None

    def _unclosed(self) -> str | None:
        """Where a quote is opened and never closed, if that is so: the engine would drop the rest without a word."""
        with open_lines(self.path) as stream:
            quotes = sum(block.count(b'"') for block in iter(lambda: stream.read(1 << 20), b""))
        if quotes % 2 == 0:
            return None
        with open_lines(self.path) as stream:
            text = io.TextIOWrapper(stream, "utf-8-sig", "replace", newline="")
            reader, start = csv.reader(text, delimiter=self.delimiter, strict=True), 1
            try:
                for _ in reader:
                    start = reader.line_num + 1
            except csv.Error as error:
                return f"{NEVER_CLOSED} (line {start})" if "end of data" in str(error) else None
        return None

    @property
    def disguise(self) -> str | None:
        """What the first bytes say, where that is not what the name says."""
        with self.path.open("rb") as stream:
            start = stream.read(4)
        packed = self.path.suffix.lower() in {".gz", ".zst"}
        return next((what for magic, what in MAGIC.items() if start.startswith(magic)), None) if not packed else None

    @property
    def remedy(self) -> str:
        """What to do about the trouble."""
        if NEVER_CLOSED in (self.trouble or ""):
            return "double a quote within a text, and put double quotes around a text with a comma or a line end"
        if "by its first bytes" in (self.trouble or ""):
            return "rename it to what it is; a pickle is never loaded, as it can run code"
        return "was it cut short? copy it again"

    def has(self, *names: str) -> bool:
        """Whether every one of these columns is there."""
        return all(n in self.columns for n in names)

    def mentions(self, key: str) -> bool:
        """Whether a JSONL file has this key in an object later than those that were looked at."""
        sign = json.dumps(key).encode()
        if self.kind != "jsonl" or self.size <= len(self.head):
            return False
        with open_lines(self.path) as stream:
            return any(sign in line and key in (_parse(line.decode("utf-8", "replace")) or {}) for line in stream)

    @property
    def seen(self) -> bool:
        """Whether the whole of a text file was looked at, so that its columns are all there are."""
        return self.size <= len(self.head) and self.path.suffix.lower() not in {".gz", ".zst"}

    def value(self, name: str) -> Any:
        """The first value under a name, or a dotted path of names, that is not null; None where there is none."""
        return next((v for r in self.records if (v := _reach(r, name)) is not None), None)

    @cached_property
    def nested(self) -> list[str]:
        """Dotted names of the values within objects, as ``--columns`` takes them."""
        if self.kind == "parquet":
            return [n for f in self.schema for n in _parts(f)]
        return list(dict.fromkeys(n for r in self.records[:8] for k, v in r.items() for n in _names(k, v)))


def _parts(field: Any, depth: int = 3) -> Iterator[str]:
    """Dotted names within an Arrow struct."""
    import pyarrow as pa

    if pa.types.is_struct(field.type) and depth:
        for part in field.type:
            yield f"{field.name}.{part.name}"
            yield from (f"{field.name}.{n}" for n in _parts(part, depth - 1))


def _names(name: str, value: Any, depth: int = 3) -> Iterator[str]:
    """Dotted names within a JSON object."""
    if isinstance(value, dict) and depth:
        for key, inner in value.items():
            yield f"{name}.{key}"
            yield from _names(f"{name}.{key}", inner, depth - 1)


def _reach(record: Any, name: str) -> Any:
    """What a record holds under a name, or a dotted path of names."""
    if not isinstance(record, dict):
        return None
    if name in record:
        return record[name]
    places = [i for i, c in enumerate(name) if c == "."]
    return next((v for i in places if (v := _reach(record.get(name[:i]), name[i + 1 :])) is not None), None)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(x, dict) for x in value)


def _elements(text: str) -> Iterator[Any]:
    """The elements of a JSON array as far as the text goes."""
    decoder, at = json.JSONDecoder(), text.find("[") + 1
    blank = re.compile(r"[\s,]*")
    while at < len(text):
        at = blank.match(text, at).end()  # type: ignore[union-attr]
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield value


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _ending(path: Path) -> str:
    """The ending that says the kind, without that of the packing."""
    suffixes = ["", *(s.lower() for s in path.suffixes)]
    return suffixes[-2] if suffixes[-1] in {".gz", ".zst"} else suffixes[-1]


def open_lines(path: Path) -> IO[bytes]:
    """The bytes of a text file, unpacked where its name says so."""
    if path.suffix.lower() == ".zst":
        import zstandard

        reader = zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True, closefd=True)
        return io.BufferedReader(reader)
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]
