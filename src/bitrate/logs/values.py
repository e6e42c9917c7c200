"""SQL for values that people write in more than one way: verdicts, whole numbers, steps, and ids.

Each function takes SQL of a text (VARCHAR) and gives SQL of a value; what cannot be read is null, and is counted later.
"""

from __future__ import annotations

from bitrate.logs import sql

#: Words for right and wrong. Any other word is no verdict: null, never 0.
RIGHT = ("true", "yes", "pass", "passed", "correct", "right", "c")
WRONG = ("false", "no", "fail", "failed", "incorrect", "wrong", "i")
#: How an absent id reaches a file as text.
ABSENT = ("", "nan", "null", "none", "<na>", "nat")
#: A text with one number in it, which a word may stand before: checkpoint-100, step 3, global_step_7/actor.
ONE_NUMBER = r"(?:[^0-9]*[^0-9.])?([0-9]{1,15})(?:[^0-9A-Za-z.][^0-9]*)?"


def number(text: str) -> str:
    """SQL for a number; words for right and wrong are 1 and 0.

    >>> import duckdb
    >>> words = "(VALUES ('0.5'), (' True'), ('fail'), ('C'), ('good'), (NULL)) t(x)"
    >>> [row[0] for row in duckdb.sql(f"SELECT {number('x')} FROM {words}").fetchall()]
    [0.5, 1.0, 0.0, 1.0, None, None]
    """
    word = f"lower(trim({text}))"
    right, wrong = (", ".join(map(sql.text, words)) for words in (RIGHT, WRONG))
    words = f"CASE WHEN {word} IN ({right}) THEN 1.0 WHEN {word} IN ({wrong}) THEN 0.0 END"
    return f"coalesce({_real(text)}, {words})"


def _real(text: str) -> str:
    """SQL for a number as a file has it; 1_000 is a number to the engine alone."""
    return f"CASE WHEN NOT contains({text}, '_') THEN try_cast({text} AS DOUBLE) END"


def whole(text: str) -> str:
    """SQL for a whole number that fits in 64 bits; 10.7 is none, and is not rounded to one."""
    real = _real(text)
    exact = f"CASE WHEN {text} NOT LIKE '%.%' AND NOT contains({text}, '_') THEN try_cast({text} AS BIGINT) END"
    return f"coalesce({exact}, CASE WHEN {real} = round({real}) THEN try_cast({real} AS BIGINT) END)"


def step(text: str) -> str:
    """SQL for a step: a whole number, or the only number in a text such as ``checkpoint-100``.

    >>> import duckdb
    >>> texts = "(VALUES ('7'), ('7.0'), ('0.5'), ('checkpoint-100'), ('2026-01-31'), ('100k'), ('')) t(x)"
    >>> [row[0] for row in duckdb.sql(f"SELECT {step('x')} FROM {texts}").fetchall()]
    [7, 7, None, 100, None, None, None]
    """
    named = f"try_cast(nullif(regexp_extract({text}, {sql.text(f'^{ONE_NUMBER}$')}, 1), '') AS BIGINT)"
    return f"CASE WHEN {_real(text)} IS NULL THEN {named} ELSE {whole(text)} END"


def truth(text: str) -> str:
    """SQL for yes or no."""
    return f"CASE {number(text)} WHEN 1 THEN true WHEN 0 THEN false END"


def ident(text: str) -> str:
    """SQL for an id: 3 and 3.0 are one, and no id at all is null and not a prompt of its own.

    >>> import duckdb
    >>> ids = "(VALUES ('3'), ('3.0'), ('v3.0'), ('nan'), (' '), (NULL)) t(x)"
    >>> [row[0] for row in duckdb.sql(f"SELECT {ident('x')} FROM {ids}").fetchall()]
    ['3', '3', 'v3.0', None, None, None]
    """
    absent = ", ".join(map(sql.text, ABSENT))
    return (
        f"CASE WHEN lower(trim({text})) IN ({absent}) THEN NULL "
        f"WHEN {text} LIKE '%.0' AND try_cast({text} AS DOUBLE) IS NOT NULL THEN {text}[:-3] ELSE {text} END"
    )


def canonical(text: str) -> str:
    """SQL for a text in which the keys of JSON messages stand in one order, whoever wrote them.

    >>> import duckdb
    >>> one, other = '[{"role": "user", "content": "q"}]', '[{"content":"q","role":"user"}]'
    >>> texts = f"(VALUES ('{one}'), ('{other}')) t(x)"
    >>> len(set(duckdb.sql(f"SELECT {canonical('x')} FROM {texts}").fetchall()))
    1
    """
    pair = "key || ':' || json_extract(message, '$.\"' || key || '\"')::VARCHAR"
    keys = f"list_sort(list_transform(json_keys(message), lambda key: {pair}))"
    plain = "[message::VARCHAR]"
    each = f"lambda message: CASE json_type(message) WHEN 'OBJECT' THEN {keys} ELSE {plain} END"
    messages = f"CASE WHEN {text} LIKE '[%' THEN json_extract({text}, '$[*]') ELSE [{text}::JSON] END"
    known = f"({text} LIKE '[%' OR {text} LIKE '{{%') AND json_valid({text})"
    return f"CASE WHEN {known} THEN list_transform({messages}, {each})::VARCHAR ELSE {text} END"


def dubious(text: str) -> str:
    """SQL for an id, already read, that `ident` would have read another way."""
    return f"({ident(text)}) IS DISTINCT FROM {text}"
