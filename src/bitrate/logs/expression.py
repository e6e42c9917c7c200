"""What the user may write of the files' columns: the right-hand side of ``--columns target=...``, and ``--outcome``.

The first is a column, a number, a text, or a column with one number; the second a column, or one against a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bitrate.errors import InputError
from bitrate.logs import sql
from bitrate.logs.schema import REWARD_LIMIT

_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_COLUMN = r"[^\W\d][\w./-]*|\"[^\"]+\""
_RULE = re.compile(
    rf"\s*(?:(?P<literal>{_NUMBER})|'(?P<text>[^']*)'|(?P<column>{_COLUMN})(?:\s*(?P<op>[*/+-])\s*(?P<by>{_NUMBER}))?)\s*"
)

_COMPARISON = re.compile(rf"\s*(?P<column>{_COLUMN})\s*(?P<op>>=|<=|==?|!=|>|<)\s*(?P<value>{_NUMBER})\s*")


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


@dataclass(frozen=True)
class Comparison:
    """A column against a number, e.g. ``reward >= 1``; ``column`` is None for the reward that bitrate reads.

    Args:
        column: the file's column, or None.
        op: one of ``>= > <= < = !=``.
        value: the number.
    """

    column: str | None
    op: str
    value: float

    def text(self, score: str) -> str:
        """SQL of the outcome, 1 or 0, from SQL of the score."""
        return sql.compared(f"try_cast({score} AS DOUBLE)", self.op, self.value)


def comparison(text: str) -> Comparison | None:
    """A comparison, or None for any other text, which is the name of a column.

    Raises:
        InputError: the number is beyond every reward that is measured.

    >>> comparison("reward >= 1")
    Comparison(column=None, op='>=', value=1.0)
    >>> comparison("solved") is None
    True
    """
    found = _COMPARISON.fullmatch(text)
    if not found:
        return None
    value = float(found["value"])
    if not abs(value) < REWARD_LIMIT:
        raise InputError(f"--outcome compares with {value:g}", hint=f"rewards are below {REWARD_LIMIT:g}")
    column = found["column"].strip('"')
    return Comparison(None if column == "reward" else column, found["op"].replace("==", "="), value)
