"""Numbers, intervals and text from a log in words: shared by the terminal, the charts and the HTML."""

from __future__ import annotations

import unicodedata

from bitrate.types import Estimate
from bitrate.wording import percent

UNITS = {
    "bits/rollout": "bits per rollout",
    "bits/prompt": "bits per prompt",
    "bits/kilotoken": "bits per 1,000 tokens",
    "bits/PFLOP": "bits per PFLOP",
    "bits/dollar": "bits per dollar",
}
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
UNSHOWN = frozenset({"Cc", "Cs", "Zl", "Zp"})


def clean(text: object) -> str:
    r"""Text from a log as one printable line: blanks become spaces, control and direction characters become visible.

    >>> clean("a\x1b[31m\tb\u202e")
    'a\\x1b[31m b\\u202e'
    """
    flat = str(text).replace("\r\n", "\n").translate({9: " ", 10: " "})
    return "".join(_visible(c) if c in BIDI or unicodedata.category(c) in UNSHOWN else c for c in flat)


def _visible(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def clip(text: object, length: int) -> str:
    """At most ``length`` characters of cleaned text, with an ellipsis where something is left out.

    >>> clip("pass rate", 5)
    'pass…'
    """
    line = clean(str(text)[: length * 4])
    return line if len(line) <= length else line[: length - 1] + "…"


def is_share(unit: str) -> bool:
    """Whether a unit is a share, shown in percent."""
    return unit.partition(" ")[0] in {"share", "probability"}


def number(value: float, unit: str = "") -> str:
    """A number as people read it.

    >>> number(0.47312, "bits/rollout"), number(0.49, "share of groups"), number(3_140_000, "tokens")
    ('0.473', '49.0%', '3.14 million')
    """
    if value < 0:
        return "−" + number(-value, unit)
    if is_share(unit):
        return percent(value)
    if value >= 1e12:
        return f"{value:.3g}"
    for power, word in ((1e9, " billion"), (1e6, " million")):
        if value >= power:
            return f"{value / power:.2f}{word}"
    if value >= 1000 or float(value).is_integer():
        return f"{value:,.0f}"
    places = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{places}f}" if value >= 0.01 else f"{value:.2g}"


def unit_words(unit: str) -> str:
    """A unit as written after its number; a percent sign has already said "share"."""
    return unit.partition(" ")[2] if is_share(unit) else UNITS.get(unit, unit)


def value_words(figure: Estimate) -> str:
    """The figure without its unit, or "no figure"."""
    return "no figure" if figure.value is None else number(figure.value, figure.unit)


def interval_words(figure: Estimate) -> str:
    """The interval, ``"exact"`` for a figure without sampling error, or the reason why there is no figure.

    >>> interval_words(Estimate("p", 0.5, 0.4, 0.6, "share", 0.95, 9, "m"))
    '40.0% to 60.0%'
    """
    if figure.known is None:
        return clean(figure.reason)
    low, _, high = figure.known
    if low == high and figure.level == 1.0:
        return "exact"
    return f"{number(low, figure.unit)} to {number(high, figure.unit)}"


def difference_words(figure: Estimate) -> str:
    """A difference with its sign; shares differ in percentage points.

    >>> difference_words(Estimate("d", 0.25, 0.2, 0.3, "share", 0.95, 9, "m"))
    '+25.0 points'
    """
    if figure.value is None:
        return "no figure"
    return _signed(figure.value, figure.unit) + (" points" if is_share(figure.unit) else "")


def difference_span(figure: Estimate) -> str:
    """The interval of a difference, with signs; in percentage points for shares."""
    if figure.known is None:
        return clean(figure.reason)
    low, _, high = figure.known
    return f"{_signed(low, figure.unit)} to {_signed(high, figure.unit)}"


def _signed(value: float, unit: str) -> str:
    size = 100 * abs(value) if is_share(unit) else abs(value)
    words = f"{size:.1f}" if is_share(unit) and (size >= 0.05 or not size) else number(size)
    return ("+" if value > 0 else "−" if value < 0 else "") + words


def told_apart(figure: Estimate) -> str:
    """Whether a difference is clear of zero, in a word."""
    if figure.known is None:
        return clean(figure.reason)
    low, _, high = figure.known
    return "higher" if low > 0 else "lower" if high < 0 else "not told apart"
