"""SQL for texts that may be chat messages in JSON: one identity however a writer ordered their keys, and what was said.

Each function takes SQL of a text (VARCHAR).
"""

from __future__ import annotations


def one_text(text: str) -> str:
    """SQL for a text as an identity: what the messages of a JSON list say, in whatever order their keys come.

    >>> import duckdb
    >>> lists = ['[{"role": "user", "content": "2+3="}]', '[{"content": "2+3=", "role": "user"}]', "[1, 2]", "2+3="]
    >>> values = ", ".join(f"('{x}')" for x in lists)
    >>> found = [row[0] for row in duckdb.sql(f"SELECT {one_text('x')} FROM (VALUES {values}) t(x)").fetchall()]
    >>> found[0] == found[1], found[2:]
    (True, ['[1, 2]', '2+3='])
    """
    role, content, calls = (f"json_extract({text}, '$[*].{key}')" for key in ("role", "content", "tool_calls"))
    # Content in parts (text, images): the texts in order, then all values in an order of our own.
    texts, values = (f"json_extract({text}, '$[*].content[*].{key}')" for key in ("text", "*"))
    plain = f"list_filter({content}, lambda c: json_type(c) <> 'ARRAY')"
    parts = f"{plain}::VARCHAR || {texts}::VARCHAR || list_sort({values}::VARCHAR[])::VARCHAR"
    said = f"CASE WHEN len({values}) > 0 THEN {parts} ELSE {content}::VARCHAR END"
    whole = " || ' ' || ".join([f"{role}::VARCHAR", said, f"{calls}::VARCHAR"])
    return (
        f"CASE WHEN {text} NOT LIKE '[%{{%' OR NOT json_valid({text}) OR len({role}) <> json_array_length({text}) "
        f"THEN {text} ELSE {whole} END"
    )


def object_text(json: str) -> str:
    """SQL for a JSON object as an identity: its keys in order, each with its value by `one_text`.

    >>> import duckdb
    >>> same = ['{"b": [{"role": "u", "content": "x"}], "a": 2}', '{"a": 2, "b": [{"content": "x", "role": "u"}]}']
    >>> values = ", ".join(f"('{x}'::JSON)" for x in same)
    >>> rows = duckdb.sql(f"SELECT {object_text('x')} FROM (VALUES {values}) t(x)").fetchall()
    >>> rows[0] == rows[1]
    True
    """
    value = one_text(f"json_extract_string({json}, '$.' || to_json(k)::VARCHAR)")
    pairs = f"list_transform(list_sort(json_keys({json})), lambda k: k || ':' || coalesce({value}, 'null'))"
    return f"CASE WHEN json_type({json}) = 'OBJECT' THEN {pairs}::VARCHAR ELSE {json}::VARCHAR END"


def last_said(text: str) -> str:
    """SQL for a text, or what the last of its messages says; an empty list says nothing.

    >>> import duckdb
    >>> texts = ['[{"role": "user", "content": "2+3="}, {"role": "assistant", "content": "5"}]', "[]", "[5]", "5"]
    >>> values = ", ".join(f"('{x}')" for x in texts)
    >>> [row[0] for row in duckdb.sql(f"SELECT {last_said('x')} FROM (VALUES {values}) t(x)").fetchall()]
    ['5', None, '[5]', '5']
    """
    last = f"json_extract({text}, '$[#-1]')"
    said = f"CASE json_type({last}) WHEN 'OBJECT' THEN json_extract_string({last}, '$.content') ELSE {text} END"
    messages = f"{text} LIKE '[%' AND json_valid({text})"
    return f"CASE WHEN {text} = '[]' THEN NULL WHEN {messages} THEN {said} ELSE {text} END"
