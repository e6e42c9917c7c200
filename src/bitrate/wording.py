"""How numbers are written wherever a sentence holds one: shares, and counted nouns. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

#: A share nearer to 0 or 1 than this is 0 or 1: what is left of sums of fractions.
RESIDUE = 1e-9
TENTH = Decimal("0.1")


def percent(share: float) -> str:
    """A share in percent with one decimal, the one rule of rounding for shares.

    Ties go to the even digit, so that a share and what is left of 1 still add up to 100%. A share that is not quite
    none or all is never written as such.

    Args:
        share: in [0, 1].

    >>> percent(0.3125), percent(0.6875), percent(0.0), percent(0.0002), percent(0.9999)
    ('31.2%', '68.8%', '0.0%', '<0.1%', '>99.9%')
    """
    rounded = Decimal(repr(round(100 * share, 7))).quantize(TENTH, ROUND_HALF_EVEN)
    if rounded <= 0 and share > RESIDUE:
        return "<0.1%"
    if rounded >= 100 and share < 1 - RESIDUE:
        return ">99.9%"
    return f"{rounded + 0}%"


def number_said(value: float) -> str:
    """A number in as few digits as tell it apart to a millionth.

    >>> number_said(1.0), number_said(0.30000000000000004), number_said(1234567.25), number_said(-0.0)
    ('1', '0.3', '1234567.25', '0')
    """
    return f"{round(value, 6) + 0.0!r}".removesuffix(".0")


def listed(things: Sequence[object], most: int = 4) -> str:
    """The first of several things, and whether there are more.

    >>> listed([1, 2, 3]), listed("abcde", 3)
    ('1, 2, 3', 'a, b, c, ...')
    """
    return ", ".join(map(str, things[:most])) + (", ..." if len(things) > most else "")


def number_of(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun, in the plural where it is not one.

    Args:
        count: how many.
        noun: of one, e.g. ``"rollout"``.
        plural: of several, where it is more than an s.

    >>> number_of(1, "cluster"), number_of(0, "row"), number_of(12_800, "rollout"), number_of(2, "entry", "entries")
    ('1 cluster', '0 rows', '12,800 rollouts', '2 entries')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
