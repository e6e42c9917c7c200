"""The right-hand side of ``--columns target=...``: a column, a number, a text, or a column times a number."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bitrate.errors import InputError
from bitrate.logs import sql

_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_COLUMN = r"[^\W\d][\w./-]*|\"[^\"]+\""
_RULE = re.compile(
    rf"\s*(?:(?P<literal>{_NUMBER})|'(?P<text>[^']*)'|(?P<column>{_COLUMN})(?:\s*(?P<op>[*/+-])\s*(?P<by>{_NUMBER}))?)\s*"
)


@dataclass(frozen=True)
class Expression:
    """SQL text, and the raw columns it reads."""

    text: str
    columns: tuple[str, ...]


def to_sql(expression: str) -> Expression:
    """SQL for one mapped column; nothing but this small grammar reaches the engine.

    Raises:
        InputError: anything else.

    >>> to_sql("reward_avg*8").text
    'try_cast("reward_avg" AS DOUBLE) * 8'
    >>> to_sql("8").columns
    ()
    """
    found = _RULE.fullmatch(expression)
    if not found:
        raise InputError(
            f"--columns cannot use {expression!r}",
            hint="write a column name, a number, a 'text', or a column with one number: n_correct=reward_avg*8",
        )
    if found["literal"]:
        return Expression(found["literal"], ())
    if found["text"] is not None:
        return Expression(sql.text(found["text"]), ())
    column = found["column"].strip('"')
    if not found["op"]:
        return Expression(sql.name(column), (column,))
    return Expression(f"try_cast({sql.name(column)} AS DOUBLE) {found['op']} {found['by']}", (column,))
