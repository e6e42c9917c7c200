"""Claims on a terminal: the list, and what the data said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bitrate.report.claim_words import cost_words, formula_words, measured_words, outcome_words, source_of, unit_of
from bitrate.report.words import clean
from bitrate.types import Estimate
from bitrate.wording import number_of

if TYPE_CHECKING:
    from rich.console import Console

ACCENT, QUIET = "bright_blue", "dim"
STYLE = {
    "holds": "green", "holds if": "green", "refuted": "yellow", "not refuted": "cyan", "inconclusive": "magenta",
    "not measured": QUIET,
    "failed": "bold red",
}  # fmt: skip
#: With so many claims or fewer, every case is shown.
IN_FULL = 3


def print_claims(claims: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print every claim with its published verdict, under its source."""
    source = None
    for claim in claims:
        if source_of(claim["id"]) != source:
            source = source_of(claim["id"])
            console.print(Text(f"\n{source}", f"bold {ACCENT}"), highlight=False)
        outcome = (claim["published"] or {}).get("outcome", "not published")
        _line(console, claim["id"], outcome, claim["statement"])


def print_verdicts(records: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print what the data said of each claim, case by case where there are few, and what differs from the published."""
    for record in records:
        _line(console, record["id"], _fared(record), record["statement"])
        if record["standing"] == "failed":
            _note(console, clean(record["reason"]), STYLE["failed"])
        elif len(records) <= IN_FULL:
            _cases(record, console)
        if record["standing"] in {"differs", "inconclusive"}:
            _note(console, _difference(record), "bold red")
        elif record["standing"] == "not published":
            _note(console, "no verdict was published of this claim")
    counts = Counter(outcome_words(_fared(record)) for record in records)
    off = [r["id"] for r in records if r["standing"] == "differs"]
    said = ", ".join(f"{n} {words}" for words, n in counts.items())
    tail = f"; not as published: {', '.join(off)}" if off else ""
    console.print(Text(f"\n{number_of(len(records), 'claim')}: {said}{tail}"), highlight=False)


def _fared(record: Mapping[str, Any]) -> str:
    """The outcome, or that there is none because the claim's code failed."""
    return "failed" if record["standing"] == "failed" else str(record["outcome"])


def _note(console: Console, text: str, style: str = QUIET) -> None:
    """A text below a claim."""
    console.print(Padding(Text(text, style), (0, 0, 0, 8)), highlight=False)


def _line(console: Console, id: str, outcome: str, statement: str) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=6, no_wrap=True)
    table.add_column(width=16, no_wrap=True)
    table.add_column()
    table.add_row(Text(id, "bold"), Text(outcome_words(outcome), STYLE.get(outcome, QUIET)), Text(statement))
    console.print(table, highlight=False)


def _cases(record: Mapping[str, Any], console: Console) -> None:
    """The cases of one claim as a table, then what to make of it."""
    if record["reason"]:
        _note(console, record["reason"])
    if record["points"]:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET)
        figures = ["theory", "source says", "rival", f"measured, {unit_of(record)}"]
        for header in ["case", *figures, "theory", "source", "rival"]:
            table.add_column(header)
        for p in record["points"]:
            figures = [formula_words(p[key]) for key in ("prediction", "stated", "rival")]
            outcomes = [p["outcome"], p["stated_outcome"], p["rival_outcome"]]
            table.add_row(
                Text(p["case"]),
                *(Text(f) for f in figures),
                Text(measured_words(Estimate.from_dict(p["estimate"]))),
                *(Text(o or "–", STYLE.get(o or "", QUIET)) for o in outcomes),
            )
        console.print(Padding(table, (1, 0, 1, 8), expand=False))
        _note(console, f"Rival: {record['rival_name']}.")
    if record["outcome"] == "holds if":
        _note(console, f"Holds if {record['condition']}.", "")
    if record["remark"]:
        _note(console, record["remark"], "")
    if record["cost"]:
        _note(console, cost_words(record))
    console.print()


def _difference(record: Mapping[str, Any]) -> str:
    names = {"outcome": "the statement", "theory": "our theory", "rival": "the rival"}
    found = {"outcome": record["outcome"], "theory": record["theory_outcome"], "rival": record["rival_outcome"]}
    off = [f"{names[k]}: {found[k]}, published as {v}" for k, v in record["published"].items() if found[k] != v]
    word = "undecided" if record["standing"] == "inconclusive" else "NOT AS PUBLISHED"
    return f"{word}: {'; '.join(off)}"
