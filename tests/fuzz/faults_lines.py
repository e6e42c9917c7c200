"""What becomes of lines: blank, cut short, rubbish, ends of other systems, twice."""

from __future__ import annotations

import copy
import json
from typing import Any

from fault import LINES, Draw, fault, put, sound_rows, spoil
from hypothesis import strategies as st
from model import Dataset, Row, with_reward


@fault(LINES)
def lines_of_nothing(draw: Draw, data: Dataset) -> str | None:
    """Blank lines, at the start or anywhere."""
    docs = [d for d in data.live if d.text]
    if not docs:
        return None
    doc = draw(st.sampled_from(docs))
    many, at_start = draw(st.sampled_from([1, 3, 40])), draw(st.booleans())
    blank = draw(st.sampled_from([b"", b"  ", b"\t"])) if doc.kind == "jsonl" and doc.delimiter == "," else b""
    place = 0 if at_start and doc.kind == "jsonl" else draw(st.integers(0, len(doc.rows)))
    doc.rows[place:place] = [Row({}, line=blank) for _ in range(many)]
    return f"{many} lines of {blank!r} from line {place + 1}"


@fault(LINES)
def lines_of_rubbish(draw: Draw, data: Dataset) -> str | None:
    """Lines that hold no row."""
    docs = [d for d in data.live if d.kind == "jsonl"]
    if not docs:
        return None
    doc = draw(st.sampled_from(docs))
    choices = [b"nonsense", b'{"a": ', b"[]", b"3", b"null", b'"x"', b"\xff\xfe", b"{}", b"\0\0\0", b"[1, 2]", b"}",
               b"{,}", b'{"loss": 0.5}', b"NaN", b"<html>", b"// end"]  # fmt: skip
    place = draw(st.integers(0, len(doc.rows)))
    found = draw(st.lists(st.sampled_from(choices), min_size=1, max_size=3))
    doc.rows[place:place] = [Row({}, aside=1, line=line) for line in found]
    return f"lines {found} at line {place + 1}"


@fault(LINES)
def last_line_cut(draw: Draw, data: Dataset) -> str | None:
    """A line that the writer did not finish."""
    docs = [d for d in data.live if d.kind == "jsonl" and d.rows and d.rows[-1].line is None and d.rows[-1].truth]
    if not docs:
        return None
    doc = draw(st.sampled_from(docs))
    text = json.dumps(doc.rows[-1].raw).encode()
    doc.rows[-1].line = text[: draw(st.integers(1, len(text) - 1))]
    doc.final_newline = draw(st.booleans())
    spoil(doc.rows[-1])
    return "the last line cut short"


@fault(LINES)
def line_ends(draw: Draw, data: Dataset) -> str | None:
    """A byte order mark, Windows line ends, no newline at the end."""
    docs = [d for d in data.live if d.text]
    if not docs:
        return None
    doc = draw(st.sampled_from(docs))
    doc.bom, doc.final_newline = draw(st.booleans()), draw(st.booleans())
    doc.newline = draw(st.sampled_from(["\n", "\r\n"]))
    if doc.bom and doc.kind == "jsonl" and doc.rows:  # the mark may cost the first line, as it is no JSON
        first = doc.rows[0]
        first.truth, first.doubt = (), first.truth
        data.exact_aside = data.exact_aside and first.line is None
    return f"bom {doc.bom}, line end {doc.newline!r}, the last {doc.final_newline}"


@fault(LINES)
def keys_twice(draw: Draw, data: Dataset) -> str | None:
    """A key twice in one object: the last stands."""
    if not any(d.kind == "jsonl" for d in data.live) or data.format == "counts":
        return None
    for doc in data.live:
        doc.doubled_key = str(data.reward[0])
    return f"{data.reward[0]} twice in each line"


@fault(LINES)
def csv_lines(draw: Draw, data: Dataset) -> str | None:
    """A line with too few fields, or the header once more."""
    docs = [d for d in data.live if d.kind == "csv" and data.table]
    if not docs:
        return None
    doc = draw(st.sampled_from(docs))
    header = list(dict.fromkeys(k for r in doc.rows for k in r.raw))
    line = draw(st.sampled_from(["x", doc.delimiter.join(header)])).encode()
    doc.rows.insert(draw(st.integers(0, len(doc.rows))), Row({}, aside=1, line=line))
    return f"a line {line!r}"


@fault(LINES)
def line_twice(draw: Draw, data: Dataset) -> str | None:
    """A rollout written twice: by its sample the later stands, else it is one rollout more only with a word."""
    sample = data.columns.get("sample")
    rows = [(d, r) for d, r in sound_rows(data, "jsonl", "csv", "parquet", "array") if len(r.truth) == 1]
    if not rows or not (data.table or sample) or data.format == "counts":
        return None
    doc, row = draw(st.sampled_from(rows))
    again = copy.deepcopy(row)
    groups: dict[Any, set[int]] = {}
    for r in data.rollouts:
        groups.setdefault((*data.ident(r), r.prompt), set()).add(r.sample)
    if sample and 2 * sum(len(g) > 1 for g in groups.values()) <= len(groups):  # it may be no number of a rollout
        again.truth, again.doubt = (), row.truth
        data.words.append(("twice", "again", "sample"))
    elif sample:
        if data.binary and data.table is False and draw(st.booleans()):
            reward = 1.0 - row.truth[0].reward
            put(again.raw, data.reward, reward)
            again.truth = (with_reward(row.truth[0], reward),)
        spoil(row)
    elif "completion" in row.raw:
        again.truth, again.doubt = (), row.truth
        data.words.append(("twice", "again", "same", "equal", "copy", "more than", "repeat", "alike"))
    else:
        again.truth = row.truth  # nothing tells it from another rollout with the same reward
    place = len(doc.rows) if sample else draw(st.integers(doc.rows.index(row) + 1, len(doc.rows)))
    doc.rows.insert(place, again)
    return f"a line twice, {'known by its sample' if sample else 'without a sample'}"
