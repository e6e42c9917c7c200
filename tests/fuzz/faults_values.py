"""What becomes of single values: rewards, ids, steps, columns, texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fault import INF, MISSING, NAN, VALUES, Draw, fault, put, sound_rows, spoil
from hypothesis import strategies as st
from model import Dataset


@fault(VALUES)
def reward_that_is_none(draw: Draw, data: Dataset) -> str | None:
    """Null, NaN, infinite, text, a list or nothing at all in place of a reward."""
    if data.loose:
        return None
    doc, row = draw(st.sampled_from(sound_rows(data)))
    if doc.kind == "parquet":
        values: list[Any] = [None, NAN, INF] if data.format == "table" else [None, NAN]
    elif doc.kind == "csv":
        values = [None, "NaN", "inf", "good", "1e300", "-"]
    else:
        values = [None, NAN, INF, -INF, 1e300, 10**12, "good", "", "nan", "Infinity", {}, MISSING]
    if data.format == "counts":
        values = [None, -1, 2.5, 0] if doc.kind != "parquet" else [None, 0]
    if data.format == "inspect-ai":
        values = [None, NAN, "good", ""]
    if data.format == "trl":
        values = [None, NAN]
    value = draw(st.sampled_from(values))
    put(row.raw, data.reward, value)
    spoil(row)
    return f"a reward of {'nothing' if value is MISSING else repr(value)}"


@fault(VALUES)
def reward_in_other_words(draw: Draw, data: Dataset) -> str | None:
    """Right and wrong in words, in every row."""
    if not data.table or not data.binary or data.loose:
        return None
    pairs = [("yes", "no"), ("pass", "fail"), ("passed", "failed"), ("correct", "incorrect"), ("C", "I"),
             ("true", "false"), ("True", "False"), ("TRUE", "FALSE"), ("1.0", "0.0")]  # fmt: skip
    right, wrong = draw(st.sampled_from(pairs))
    for _, row in sound_rows(data):
        row.raw["reward"] = right if row.truth[0].reward else wrong
    return f"rewards {right} and {wrong}"


@fault(VALUES)
def id_that_is_none(draw: Draw, data: Dataset) -> str | None:
    """Null, blank or nothing in place of a prompt id."""
    if "id" not in data.columns:
        return None
    doc, row = draw(st.sampled_from(sound_rows(data)))
    values = {"parquet": [None], "csv": [None, " "]}.get(doc.kind, [None, NAN, "", "  ", MISSING])
    value = draw(st.sampled_from(values))
    put(row.raw, ("prompt_id",), value)
    spoil(row)
    return f"a prompt_id of {'nothing' if value is MISSING else repr(value)}"


@fault(VALUES)
def ids_as_other_numbers(draw: Draw, data: Dataset) -> str | None:
    """3, 3.0 and "3" are one prompt."""
    rows = sound_rows(data)
    if not data.table or not all(
        isinstance(r.raw["prompt_id"], int) and abs(r.raw["prompt_id"]) < 2**53 for _, r in rows
    ):
        return None
    for doc, row in rows:
        spell: list[Callable[[Any], Any]] = [int, float] if doc.kind == "parquet" else [int, float, str]
        row.raw["prompt_id"] = draw(st.sampled_from(spell))(row.raw["prompt_id"])
    return "ids as 3, 3.0 and '3'"


@fault(VALUES)
def step_that_is_none(draw: Draw, data: Dataset) -> str | None:
    """A step that is no whole number, where other rows have one."""
    if not data.columns.get("step") or len(sound_rows(data)) < 2:
        return None
    doc, row = draw(st.sampled_from(sound_rows(data)))
    if not any(r.raw.get("step") is not None for _, r in sound_rows(data) if r is not row):
        return None
    values = {"parquet": [None], "csv": [None, "late", "1.5", "1e30", "9223372036854775808", "NaN"]}
    value = draw(st.sampled_from(values.get(doc.kind, [None, "late", 1.5, 1e30, 2**63, NAN, "", MISSING, [], {}])))
    put(row.raw, ("step",), value)
    spoil(row)
    return f"a step of {'nothing' if value is MISSING else repr(value)}"


@fault(VALUES)
def step_in_words(draw: Draw, data: Dataset) -> str | None:
    """The step's number within a text, in every row or in one."""
    if not data.columns.get("step") or any(d.kind == "parquet" for d in data.live):
        return None
    form, rows = draw(st.sampled_from(["{}", "{}.0", "step {}", "checkpoint-{}", "global_step_{}"])), sound_rows(data)
    for _, row in rows if draw(st.booleans()) else rows[:1]:
        if isinstance(row.raw.get("step"), int):
            row.raw["step"] = form.format(row.raw["step"])
    return f"steps as {form.format(7)!r}"


@fault(VALUES)
def no_step_anywhere(draw: Draw, data: Dataset) -> str | None:
    """A step column that is null throughout is no step column."""
    rows = sound_rows(data)
    if not data.columns.get("step") or len({r.step for _, row in rows for r in row.truth}) > 1 or data.renamed:
        return None
    ours = {id(row) for _, row in rows}
    if any(row.raw.get("step") not in (None, "") for d in data.live for row in d.rows if id(row) not in ours):
        return None  # a row that another fault has spoilt has a step, or says something in its place
    blank = draw(st.sampled_from([None, ""])) if all(d.kind != "parquet" for d in data.live) else None
    for _, row in rows:
        row.raw["step"] = blank
    before = data.ident
    data.ident = lambda r: (*before(r)[:2], 0, before(r)[3])
    # a step in the file's name may stand in for it
    return f"steps of {blank!r} throughout" if not data.named else _loosen(data, "steps of null throughout")


def _loosen(data: Dataset, story: str) -> str:
    data.loose = True
    return story


@fault(VALUES)
def other_columns(draw: Draw, data: Dataset) -> str | None:
    """Columns that are none of bitrate's business, though their names look like it."""
    if data.format in {"inspect-ai"}:
        return None
    choices: list[tuple[str, Any]] = [
        ("filename", "x.py"), ("Reward", 9), ("REWARD", None), ("Prompt_ID", "z"), ("_file", "f"), ("_row", 7),
        ("_line", 1), ("own", "x"), ("position", 3), ("file_row_number", 2), ("extra", {"a": [{"b": None}] * 3}),
        ("", 1), ('qu"ote', 1), ("select", 1), ("columns", [1]), ("time", "2026-01-01T00:00:00"), ("_n", 1),
        ("_sound", True), ("level", 2),
    ]  # fmt: skip
    name, value = draw(st.sampled_from(choices))
    if data.format != "table" and name in {"_file", "_row", "_line", "filename"} and data.format == "trl":
        value = None if name == "_row" else value
    for doc in [draw(st.sampled_from(data.live))] if draw(st.booleans()) else data.live:
        for row in doc.rows:
            if row.line is None and name not in row.raw:
                row.raw[name] = value
    return f"a column {name!r}"


@fault(VALUES)
def odd_text(draw: Draw, data: Dataset) -> str | None:
    """Half a surrogate pair, a zero byte, a terminal's escape or a long text within a text."""
    text = draw(st.sampled_from(["half \ud83d", "zero \x00 byte", "\x1b[31mred", "long " * 30_000, "\ud83d"]))
    rows = [(d, r) for d, r in sound_rows(data) if d.kind not in {"parquet", "csv"}]
    if not rows:
        return None
    _, row = draw(st.sampled_from(rows))
    column = draw(st.sampled_from(["note", "completion"])) if data.table else "note"
    row.raw[column] = text
    return f"text {text[:12]!r} in {column}"
