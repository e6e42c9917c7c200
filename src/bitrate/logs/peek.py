"""Look at files without reading them: where they are, what kind, which columns."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from bitrate.errors import FormatError, MissingInputError

KINDS = {".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".json": "json", ".eval": "eval"}
PICKLES = {".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt"}
#: What a file is by its first bytes, whatever its name says.
MAGIC = {
    b"PAR1": "Parquet",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "a zip",
    b"\x80": "a pickle",
}
ARRAY = "one JSON array, not one JSON object a line"
LINES = "several JSON values, though its name says json"
FIRST_LINES = 20
HEAD_BYTES = 4 << 20


@dataclass(frozen=True)
class Peek:
    """One file seen from outside: enough for a format to say "mine".

    ``path`` is where it is; ``inside`` its path relative to what the user named, with ``/`` between folders.
    """

    path: Path
    inside: str

    @cached_property
    def kind(self) -> str:
        """parquet, jsonl, csv, json, eval, pickle, or other."""
        suffixes = [s.lower() for s in self.path.suffixes]
        if suffixes and suffixes[-1] in {".gz", ".zst"}:
            suffixes.pop()
        last = suffixes[-1] if suffixes else ""
        return "pickle" if last in PICKLES else KINDS.get(last, "other")

    @cached_property
    def size(self) -> int:
        """Bytes on disk."""
        return self.path.stat().st_size

    @cached_property
    def columns(self) -> dict[str, str]:
        """Column or key names with a type name; empty when the file cannot be opened as its kind."""
        try:
            if self.kind == "parquet":
                import pyarrow.parquet as pq

                return {f.name: str(f.type) for f in pq.read_schema(self.path)}
            if self.kind == "csv":
                header = self.head.splitlines()[:1]
                return dict.fromkeys(next(csv.reader(header), []), "text")
            return {k: type(v).__name__ for record in reversed(self.records) for k, v in record.items()}
        except Exception:  # an unreadable file has no columns; `trouble` says why
            return {}

    @cached_property
    def metadata(self) -> dict[str, str]:
        """The texts that a Parquet file carries beside its rows."""
        import pyarrow.parquet as pq

        found = pq.read_schema(self.path).metadata or {}
        return {k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in found.items()}

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """The first JSON objects of a JSONL file, or a JSON file's own object when it is small."""
        if self.kind == "json":
            return [r for r in [_parse(self.path.read_text("utf-8", "replace"))] if isinstance(r, dict)]
        if self.kind != "jsonl":
            return []
        parsed = (_parse(line) for line in self.head.split("\n")[:FIRST_LINES])
        return [r for r in parsed if isinstance(r, dict)]

    @cached_property
    def head(self) -> str:
        """The start of a text file, decoded leniently."""
        with open_lines(self.path) as stream:
            return stream.read(HEAD_BYTES).decode("utf-8-sig", "replace")

    @cached_property
    def trouble(self) -> str | None:
        """Why the file cannot be read at all, or None."""
        if self.size == 0:
            return "empty file"
        if self.kind in {"jsonl", "csv", "json"} and self.disguise:
            return f"{self.disguise} by its first bytes, though its name says {self.kind}"
        try:
            return self._shape()
        except json.JSONDecodeError as error:
            return LINES if error.msg == "Extra data" else f"not readable as json ({error})"
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            return f"not readable as {self.kind} ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
        except Exception as error:  # pyarrow and zstandard raise their own families
            return f"not readable as {self.kind} ({type(error).__name__})"

    def _shape(self) -> str | None:
        """Open the file as its kind; what is wrong with its shape, if anything."""
        array = False
        if self.kind == "parquet":
            import pyarrow.parquet as pq

            pq.read_metadata(self.path)
        elif self.kind == "eval":
            with zipfile.ZipFile(self.path) as archive:
                archive.namelist()
        elif self.kind == "json":
            array = isinstance(json.loads(self.path.read_text("utf-8")), list)
        elif self.kind in {"jsonl", "csv"}:
            array = self.head.lstrip("\ufeff \n\r").startswith("[") and self.kind == "jsonl"
        return ARRAY if array else None

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
        if self.trouble == ARRAY:
            return "write one object a line, for example with: jq -c '.[]'"
        if self.trouble == LINES:
            return "rename it to end in .jsonl"
        if "by its first bytes" in (self.trouble or ""):
            return "rename it to what it is; a pickle is never loaded, as it can run code"
        return "was it cut short? copy it again"

    def has(self, *names: str) -> bool:
        """Whether every one of these columns is there."""
        return all(n in self.columns for n in names)


def _parse(text: str) -> Any:
    try:
        return json.load(io.StringIO(text))
    except (ValueError, RecursionError):
        return None


def open_lines(path: Path) -> IO[bytes]:
    """The bytes of a text file, unpacked where its name says so."""
    if path.suffix.lower() == ".zst":
        import zstandard

        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(path.open("rb"), closefd=True))
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def find_files(paths: Iterable[str | Path]) -> list[Peek]:
    """Every file under the paths, in natural order of their names.

    Raises:
        MissingInputError: a path that does not exist, or nothing below it.
        FormatError: nothing but pickles, which are never loaded.
    """
    found: list[Peek] = []
    for given in map(Path, paths):
        if not given.exists():
            raise MissingInputError("no such file or folder", where=str(given), hint="check the path")
        if given.is_file():
            found.append(Peek(given, given.name))
        else:
            below = (f for f in given.rglob("*") if f.is_file() and not _hidden(f.relative_to(given)))
            found += [Peek(f, f.relative_to(given).as_posix()) for f in below]
    named = " ".join(map(str, paths))
    if not found:
        raise MissingInputError(
            "the folder is empty", where=named, hint="point at the folder the trainer writes rollouts to"
        )
    if all(f.kind == "pickle" for f in found):
        raise FormatError(
            f"{found[0].path.name} is a pickle; a pickle can run code when opened, so it is never loaded",
            where=named,
            hint="where you trust the file, load it yourself and write rows: "
            "pandas.DataFrame(rows).to_parquet('rollouts.parquet'), then use --columns",
        )
    return sorted(found, key=lambda f: _natural(f.path.as_posix()))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which step_2 comes before step_10."""
    import re

    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in re.split(r"(\d+)", name) if p]
