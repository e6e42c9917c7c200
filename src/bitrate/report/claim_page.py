"""The page of all claims as Markdown, from the records of a run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bitrate.report.claim_words import cost_words, formula_words, measured_words, outcome_words, source_of, unit_of
from bitrate.types import Estimate

Record = Mapping[str, Any]
HEAD = """# The claims

Five sources argue about how much a training signal teaches, and they disagree. Here is each of their statements,
computed exactly, simulated, measured through the files that a trainer would have written, and judged; and statements of
our own, judged alike. Made by `{command}`; the same seed gives the same page.

**How to read it.** A statement *holds*, *holds if* its condition is met, or is *refuted* as written. Of each claim
there are up to three formulas: what the exact theory says, what the source says where that is something else, and
a rival that one could believe. Each is held against an interval measured at level 0.9999: a formula outside of it is
refuted, and an interval wider than half the way from the theory to the rival decides nothing. A bound holds where the
whole interval is on its side; one that it reaches across is *not refuted*, and a claim all of whose cases are so is no
more than that. The measurement sees the rollout files and nothing else, and reads them as `bitrate audit` does. The
theory must be refuted in no case and every rival in one, or `bitrate claims run` ends in red.
"""


def claims_page(records: Sequence[Record], figures: str, command: str) -> str:
    """The page.

    Args:
        records: ``claims`` in the JSON of ``bitrate claims run``.
        figures: folder of the SVG figures, relative to the page.
        command: what made the records.

    Returns:
        Markdown.
    """
    parts = [HEAD.format(command=command)]
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(source_of(record["id"]), []).append(record)
    for source, members in groups.items():
        rows = [f"| [{r['id']}](#{anchor(r['id'])}) | {cell(r['statement'])} | {_verdict(r)} |" for r in members]
        parts.append("\n".join([f"## {source}", "", "| | statement | verdict |", "|---|---|---|", *rows]))
    parts.append(_disagreements(records, figures))
    parts += ["\n\n".join(_paragraphs(r, figures)) for r in records]
    return "\n\n".join(p.rstrip() for p in parts) + "\n"


def anchor(id: str) -> str:
    """The fragment of a claim's section.

    >>> anchor("S1.10")
    's1-10'
    """
    return id.lower().replace(".", "-")


def cell(text: str) -> str:
    """Text that may stand in a cell of a Markdown table.

    >>> cell("I(r;S | tau)")
    'I(r;S \\\\| tau)'
    """
    return re.sub(r"([|*_<])", r"\\\1", " ".join(text.split()))


def _verdict(record: Record) -> str:
    if record["outcome"] == "holds if":
        return f"holds if {cell(record['condition'])}"
    return outcome_words(record["outcome"])


def _disagreements(records: Sequence[Record], figures: str) -> str:
    """Claims that seem to contradict each other, and for which question each is right."""
    known = {r["id"]: r for r in records}
    seen, parts = set(), ["## Where they disagree"]
    for record in records:
        for other in record["against"]:
            pair = frozenset((record["id"], other))
            if pair in seen or other not in known:
                continue
            seen.add(pair)
            parts.append(f"### {record['id']} against {other}")
            parts += [
                f"[{r['id']}](#{anchor(r['id'])}), {source_of(r['id'])}: {cell(r['statement'])} **{_verdict(r)}**. "
                f"{cell(r['remark'])}\n\n{_figure(r, figures)}"
                for r in (record, known[other])
            ]
    return "\n\n".join(parts) if seen else ""


def _paragraphs(record: Record, figures: str) -> Iterator[str]:
    yield f"## {record['id']} {{: #{anchor(record['id'])} }}"
    yield f"> {cell(record['statement'])}"
    stop = "" if record["source"].endswith(("?", ".")) else "."
    yield f"{cell(record['source'])}{stop} **Verdict: {_verdict(record)}.**"
    if record["remark"]:
        yield cell(record["remark"])
    if record["against"]:
        yield "Compare " + ", ".join(f"[{i}](#{anchor(i)})" for i in record["against"]) + "."
    if record["reason"]:
        yield cell(record["reason"])
        return
    yield _figure(record, figures)
    rows = [
        f"| {cell(p['case'])} | {formula_words(p['prediction'])} | {formula_words(p['stated'])} "
        f"| {formula_words(p['rival'])} | {measured_words(Estimate.from_dict(p['estimate']))} | {_fared(p)} |"
        for p in record["points"]
    ]
    head = f"| case ({unit_of(record)}) | theory | source | rival | measured | |"
    yield "\n".join([head, "|---|---|---|---|---|---|", *rows])
    needs = dict.fromkeys(a for p in record["points"] for a in p["prediction"]["assumptions"])
    facts = [f"Rival: {cell(record['rival_name'])}, {record['rival_outcome']}."]
    wide = f"an interval wider than ±{record['tolerance']:g} decides nothing"
    facts += [f"About {record['budget']:,} rollouts a case; {wide}."]
    facts += [f"The theory assumes: {cell('; '.join(needs))}."] if needs else []
    facts += [cost_words(record)] if record["cost"] else []
    facts += [_predicted(record)]
    yield " ".join(facts)
    size = " --full" if record["size"] == "full" else ""
    yield f"```sh\nbitrate claims run {record['id']}{size} --seed {record['seed']}\n```"


def _predicted(record: Record) -> str:
    """The commit that the verdict is younger than, where one is known."""
    if record.get("predicted"):
        return f"Predicted in commit {record['predicted']}, before it was judged."
    return "No commit holds the prediction without the verdict."


def _figure(record: Record, figures: str) -> str:
    """The claim's charts, each with its name where it has one."""
    lines = []
    for number, panel in enumerate(record["panels"] if record["points"] else [], 1):
        name = record["id"] if number == 1 else f"{record['id']}-{number}"
        lines += [f"*{cell(panel['name'])}*"] if panel["name"] else []
        lines += [f"![{name}: formulas and measurements]({figures}/{name}.svg)"]
    return "\n\n".join(lines)


def _fared(point: Mapping[str, Any]) -> str:
    """How the formulas fared in one case."""
    words = [f"theory {point['outcome']}"]
    words += [f"source {point['stated_outcome']}"] if point["stated_outcome"] else []
    words += [f"rival {point['rival_outcome']}"] if point["rival_outcome"] else []
    return ", ".join(words) + ("" if point["assumed"] else "; outside the source's assumptions")
