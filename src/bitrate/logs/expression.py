"""The right-hand side of ``--columns target=...``: a column, a number, a text, or a column with one number."""

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
    """What a rollout column is made of.

    Args:
        literal: SQL of a value that all rows share, or None.
        column: the file's column, or a dotted path into its objects; None for a literal.
        sum: what is done with the column's number, e.g. ``" * 8"``, or nothing.
    """

    literal: str | None
    column: str | None
    sum: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns it reads."""
        return (self.column,) if self.column else ()

    @property
    def text(self) -> str:
        """SQL, where the column is read under its own name."""
        if self.column is None:
            return self.literal or "NULL"
        name = sql.name(self.column)
        return f"try_cast({name} AS DOUBLE){self.sum}" if self.sum else name


def to_sql(expression: str) -> Expression:
    """One mapped column; nothing but this small grammar reaches the engine.

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
        return Expression(found["literal"], None)
    if found["text"] is not None:
        return Expression(sql.text(found["text"]), None)
    total = f" {found['op']} {found['by']}" if found["op"] else ""
    return Expression(None, found["column"].strip('"'), total)
