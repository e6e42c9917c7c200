"""Claims on a terminal: the list, and what the data said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bitrate.report.claim_words import cost_words, formula_words, measured_words, outcome_words, source_of, unit_of
from bitrate.report.words import clean
from bitrate.types import Estimate

if TYPE_CHECKING:
    from rich.console import Console

ACCENT, QUIET = "bright_blue", "dim"
STYLE = {
    "holds": "green", "holds if": "green", "refuted": "yellow", "inconclusive": "magenta", "not measured": QUIET,
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
            console.print(Padding(Text(clean(record["reason"]), STYLE["failed"]), (0, 0, 0, 8)), highlight=False)
        elif len(records) <= IN_FULL:
            _cases(record, console)
        if record["standing"] in {"differs", "inconclusive"}:
            console.print(Padding(Text(_difference(record), "bold red"), (0, 0, 0, 8)), highlight=False)
        elif record["standing"] == "not published":
            console.print(Padding(Text("no verdict was published of this claim", QUIET), (0, 0, 0, 8)), highlight=False)
    counts: dict[str, int] = {}
    for record in records:
        words = outcome_words(_fared(record))
        counts[words] = counts.get(words, 0) + 1
    off = [r["id"] for r in records if r["standing"] == "differs"]
    said = ", ".join(f"{n} {words}" for words, n in counts.items())
    tail = f"; not as published: {', '.join(off)}" if off else ""
    noun = "claim" if len(records) == 1 else "claims"
    console.print(Text(f"\n{len(records)} {noun}: {said}{tail}"), highlight=False)


def _fared(record: Mapping[str, Any]) -> str:
    """The outcome, or that there is none because the claim's code failed."""
    return "failed" if record["standing"] == "failed" else str(record["outcome"])


def _line(console: Console, id: str, outcome: str, statement: str) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=6, no_wrap=True)
    table.add_column(width=16, no_wrap=True)
    table.add_column()
    table.add_row(Text(id, "bold"), Text(outcome_words(outcome), STYLE.get(outcome, QUIET)), Text(statement))
    console.print(table, highlight=False)


def _cases(record: Mapping[str, Any], console: Console) -> None:
    """The cases of one claim as a table, then what to make of it."""
    inset = (0, 0, 0, 8)
    if record["reason"]:
        console.print(Padding(Text(record["reason"], QUIET), inset), highlight=False)
    if record["points"]:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET)
        headers = [
            "case",
            "theory",
            "source says",
            "rival",
            f"measured, {unit_of(record)}",
            "theory",
            "source",
            "rival",
        ]
        for header in headers:
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
        console.print(Padding(Text(f"Rival: {record['rival_name']}.", QUIET), inset), highlight=False)
    if record["outcome"] == "holds if":
        console.print(Padding(Text(f"Holds if {record['condition']}."), inset), highlight=False)
    if record["remark"]:
        console.print(Padding(Text(record["remark"]), inset), highlight=False)
    if record["cost"]:
        console.print(Padding(Text(cost_words(record), QUIET), inset), highlight=False)
    console.print()


def _difference(record: Mapping[str, Any]) -> str:
    names = {"outcome": "the statement", "theory": "our theory", "rival": "the rival"}
    found = {"outcome": record["outcome"], "theory": record["theory_outcome"], "rival": record["rival_outcome"]}
    off = [f"{names[k]}: {found[k]}, published as {v}" for k, v in record["published"].items() if found[k] != v]
    word = "undecided" if record["standing"] == "inconclusive" else "NOT AS PUBLISHED"
    return f"{word}: {'; '.join(off)}"
