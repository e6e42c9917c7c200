"""What becomes of files: other kinds, packed, cut short, copied, damaged, and others beside them."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from math import isfinite

from fault import FILES, Draw, fault
from hypothesis import strategies as st
from model import Dataset


@fault(FILES)
def other_kind(draw: Draw, data: Dataset) -> str | None:
    """One of several files is of another kind."""
    docs = [d for d in data.live if d.kind in {"jsonl", "csv", "parquet"} and all(r.line is None for r in d.rows)]
    if not data.table or data.loose or len(docs) < 2:
        return None
    doc = draw(st.sampled_from(docs))
    kind = draw(st.sampled_from([k for k in ("jsonl", "csv", "parquet") if k != doc.kind]))
    plain = all(
        isinstance(v, str | int) or (isinstance(v, float) and isfinite(v)) for r in doc.rows for v in r.raw.values()
    )
    plain = plain and all(r.truth and not r.aside for r in doc.rows) and doc.newline == "\n" and not doc.bom
    if not plain or "\x00" in json.dumps([r.raw for r in doc.rows]).encode().decode("unicode_escape", "ignore"):
        return None
    stem = doc.path.rsplit(".", 1)[0]
    doc.kind, doc.delimiter, doc.path, doc.doubled_key = kind, ",", f"{stem}.{kind}", ""
    data.refusable = True
    return f"one file as {kind}"


@fault(FILES)
def packed(draw: Draw, data: Dataset) -> str | None:
    """Files of lines packed as gzip or zstd."""
    docs = [d for d in data.live if d.text]
    if not docs or data.format in {"lm-eval", "tinker", "open-instruct"}:  # these know their files by a plain ending
        return None
    for doc in docs if draw(st.booleans()) else [draw(st.sampled_from(docs))]:
        if not doc.pack:
            doc.pack = draw(st.sampled_from([".gz", ".zst"]))
            doc.path += doc.pack
    return "packed"


@fault(FILES)
def cut_short(draw: Draw, data: Dataset) -> str | None:
    """A Parquet file, a packed file or a zip that was not written to its end."""
    docs = [d for d in data.live if d.kind in {"parquet", "eval"} or d.pack]
    if not docs:
        return None
    doc = draw(st.sampled_from(docs))
    doc.cut = draw(st.sampled_from([0.1, 0.5, 0.9]))
    doc.dead = True
    data.refusable = True
    data.words.append((doc.path.rsplit("/", 1)[-1], "not read", "cut"))
    if doc.pack:  # what stands before the cut may be counted
        doc.dead = False
        for row in doc.rows:
            row.truth, row.doubt, row.aside = (), row.truth, 0
        data.exact_aside = False
    return f"{doc.path} cut to {doc.cut:.0%}"


@fault(FILES)
def copied(draw: Draw, data: Dataset) -> str | None:
    """A file once more, under another name: set aside, or a run of its own and said so."""
    docs = [d for d in data.live if d.kind != "object"]
    if not docs or data.format in {"verl-v0", "verl-v1", "areal", "nemo-rl", "trl", "lm-eval", "open-instruct"}:
        return None
    doc = draw(st.sampled_from(docs))
    twin = copy.deepcopy(doc)
    stem, dot, ending = doc.path.rpartition("/")[2].partition(".")
    folder = doc.path.rpartition("/")[0]
    backup = draw(st.sampled_from(["", "backup/", "old/"])) if data.format != "prime-rl rollouts" else "backup/"
    name = f"{stem} copy{dot}{ending}" if not backup and data.table else f"{stem}{dot}{ending}"
    twin.path = f"{folder}/{backup}{name}".lstrip("/")
    if twin.path == doc.path:
        return None
    twin.dead = True
    data.docs.append(twin)
    data.words.append(("same bytes", "twice", "again", "copy", "same", "runs"))
    more = [replace(r, run=r.run + 10) for row in doc.rows for r in row.truth]
    data.others.append([*data.rollouts, *more])
    data.exact_aside = False
    return f"{doc.path} copied to {twin.path}"


@fault(FILES)
def file_without_a_column(draw: Draw, data: Dataset) -> str | None:
    """One of several files lacks a column that the others have."""
    docs = [d for d in data.live if d.kind in {"jsonl", "csv", "parquet"}]
    if not data.table or len(docs) < 2 or data.loose:
        return None
    column = draw(st.sampled_from([c for c in ("prompt_id", "reward", data.columns.get("step")) if c]))
    doc = draw(st.sampled_from(docs))
    for row in doc.rows:
        row.raw.pop(column, None)
        row.truth, row.doubt, row.aside = (), row.truth, row.aside
    data.words.append((column, "not read", "step", doc.path.rsplit("/", 1)[-1]))
    data.exact_aside, data.refusable = False, True
    data.others.append(data.rollouts)
    # without its own step a file may take one from its name, or none: rollouts of it are counted or not
    if column == "step":
        data.loose = True
    return f"{doc.path} without {column}"


@fault(FILES)
def other_files(draw: Draw, data: Dataset) -> str | None:
    """Files beside that hold no rollouts."""
    choices = {
        "README.md": b"# run\n", "plot.png": b"\x89PNG\r\n", "train.log": b"step 1 reward 0.5\n", "empty.jsonl": b"",
        "config.json": b'{"lr": 1e-5}', "deep.json": b"[" * 100_000, "broken.json": b'{"a": ', "model.pt": b"\x80\x04.",
        "metrics.csv": b"epoch,loss\n1,0.5\n", "metrics.jsonl": b'{"loss": 0.5}\n', "metadata.json": b"[" * 100_000,
        "trainer_state.json": b'{"log_history": 5}', "results.json": b"\xff\xfe", "notes.parquet": b"PAR1",
        ".hidden.jsonl": b'{"prompt_id": 1, "reward": 1}\n', "samples_number.json": b'{"samples": 5}',
        "rows.json": b"7",
    }  # fmt: skip
    name = draw(st.sampled_from(sorted(choices)))
    if name in data.beside or (data.format == "inspect-ai" and name == "samples_number.json"):
        return None
    folders = sorted({d.path.rpartition("/")[0] for d in data.docs})
    folder = draw(st.sampled_from(folders))
    data.beside[f"{folder}/{name}".lstrip("/")] = choices[name]
    data.exact_aside = data.exact_aside and not name.startswith("metrics.jsonl")
    return f"{name} beside"


@fault(FILES)
def side_file_damaged(draw: Draw, data: Dataset) -> str | None:
    """A file that is read for what it says about the rows says nothing sensible."""
    if not data.beside or data.format not in {"trl", "verifiers", "open-instruct"}:
        return None
    name = draw(st.sampled_from(sorted(data.beside)))
    rubbish = [
        b"", b"[]", b"null", b"5", b'"x"', b"[" * 50_000, b"\xff\xfe\x00", b'{"log_history": 7}',
        b'{"log_history": [5, null, {"step": "x"}], "logging_steps": "all"}',
        b'{"log_history": [{"step": 1, "completions/mean_length": NaN, "rewards/exact_reward/mean": "x"}]}',
        b'{"rollouts_per_example": "four", "num_examples": null}',
    ]  # fmt: skip
    data.beside[name] = draw(st.sampled_from(rubbish))
    return f"{name} is {data.beside[name][:40]!r}"


@fault(FILES)
def parquet_metadata(draw: Draw, data: Dataset) -> str | None:
    """Metadata under the key that exports use."""
    docs = [d for d in data.live if d.kind == "parquet"]
    if not docs:
        return None
    known = {"prompt_id": "native", "group_id": "native", "filtered": "none", "format": "t", "caveats": [1]}
    odd = [b"not json", b"{}", b"[]", b"5", b"\xff", b'{"prompt_id": 1, "group_id": [], "caveats": 3}']
    value = draw(st.sampled_from([*odd, json.dumps(known).encode()]))
    for doc in docs:
        doc.metadata = {draw(st.sampled_from([b"bitrate", b"\xff", b"pandas"])): value}
    return f"Parquet metadata {value!r}"
