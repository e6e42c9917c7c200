"""A data set as files on disk."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from model import Dataset, Doc, Row

ENDINGS = {"jsonl": ".jsonl", "csv": ".csv", "tsv": ".tsv", "parquet": ".parquet", "array": ".json", "object": ".json"}


def write(data: Dataset, folder: Path) -> list[Path]:
    """Write all files below ``folder``; the paths to be audited."""
    root = Path(os.fsdecode(os.fsencode(str(folder / data.root))))
    for doc in data.docs:
        path = root / doc.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(render(doc))
    for name, content in data.beside.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, target in data.links:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(root / target if target != ".." else "..", target_is_directory=(root / target).is_dir())
    return [root / p if p else root for p in data.paths]


def render(doc: Doc) -> bytes:
    """The bytes of a file."""
    content = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet, "array": _array, "object": _object, "eval": _eval,
               "log": _log}[doc.kind](doc)  # fmt: skip
    if doc.bom:
        content = b"\xef\xbb\xbf" + content
    if doc.pack:
        content = gzip.compress(content, 1) if doc.pack == ".gz" else zstandard.compress(content)
    return content if doc.cut is None else content[: max(1, int(len(content) * doc.cut))]


def _join(doc: Doc, lines: list[bytes]) -> bytes:
    end = doc.newline.encode()
    return end.join(lines) + (end if doc.final_newline and lines else b"")


def _line(doc: Doc, row: Row) -> bytes:
    if row.line is not None:
        return row.line
    text = json.dumps(row.raw)
    if doc.doubled_key and doc.doubled_key in row.raw:
        text = "{" + f"{json.dumps(doc.doubled_key)}: 0, " + text[1:]
    return text.encode()


def _jsonl(doc: Doc) -> bytes:
    return _join(doc, [_line(doc, r) for r in doc.rows])


def names(doc: Doc) -> list[str]:
    """The columns of a table, in the order in which they come up."""
    return list(dict.fromkeys(k for r in doc.rows for k in r.raw))


def _csv(doc: Doc) -> bytes:
    header = names(doc)
    lines = [_fields(doc, header)]
    for row in doc.rows:
        lines.append(row.line if row.line is not None else _fields(doc, [_cell(row.raw.get(k)) for k in header]))
    return _join(doc, lines)


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value)
    return "" if value is None else str(value)


def _fields(doc: Doc, values: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=doc.delimiter, lineterminator="\r\n").writerow(values)
    return out.getvalue()[:-2].encode("utf-8", "surrogatepass")


def _parquet(doc: Doc) -> bytes:
    rows = [r.raw for r in doc.rows]
    columns = {n: _column([r.get(n) for r in rows], doc.types.get(n)) for n in names(doc)}
    table = pa.table(columns)
    if doc.metadata:
        table = table.replace_schema_metadata(doc.metadata)
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=max(1, len(rows) // 2))
    return out.getvalue()


def _column(values: list[Any], kind: Any) -> pa.Array:
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        return pa.array([None if v is None else _cell(v).encode("utf-8", "replace").decode() for v in values])


def _array(doc: Doc) -> bytes:
    return json.dumps([r.raw for r in doc.rows]).encode()


def _object(doc: Doc) -> bytes:
    return json.dumps(doc.rows[0].raw, indent=1).encode()


def _log(doc: Doc) -> bytes:
    return json.dumps(doc.head | {"samples": [r.raw for r in doc.rows]}).encode()


def _eval(doc: Doc) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(doc.head))
        for i, row in enumerate(doc.rows):
            archive.writestr(f"samples/{i}_epoch_1.json", _line(doc, row))
    return out.getvalue()
