"""An audit as text for a terminal, a comparison, and the list of formats. Nothing is cut at any width: words wrap.

Everything from a log goes through ``clean`` and into ``Text`` objects: Rich never reads it as markup.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from bitrate.meter.audit import Audit
from bitrate.meter.lines import all_lines
from bitrate.report import sentences as said
from bitrate.report.layout import GAP, QUIET, Cell, Layout
from bitrate.report.words import (
    clean,
    clip,
    difference_span,
    difference_words,
    interval_words,
    is_share,
    told_apart,
    value_words,
)
from bitrate.types import Estimate
from bitrate.wording import number_of

if TYPE_CHECKING:
    from rich.console import Console

#: Where figures stand behind their names, at least, and texts behind their labels.
NAME, LABEL = 17, 12
#: Characters of a bar, where there is room; a shorter one than the least says nothing.
BAR, LEAST_BAR = 22, 6
ACCENT = "bright_blue"
EIGHTHS = " ▏▎▍▌▋▊▉█"
#: Caveats and reasons shown; more only where caveats tell how the figures were made, all of which are.
CAVEATS, REASONS = 4, 6
#: A name of a run is a path or a list of them; longer than this it is noise.
LONGEST_NAME = 400


def print_audit(audit: Audit, console: Console) -> None:
    """Print an audit: every figure of it or the reason why there is none, advice, caveats, and what was set aside.

    Args:
        audit: its figures.
        console: where to print; lines are at most 100 wide.
    """
    screen = Screen(audit, console)
    screen.print(screen.lines())


def text_of(audit: Audit) -> str:
    """The same as plain text, as wide as the terminal, or 80 characters where there is none."""
    from rich.console import Console

    file = io.StringIO()
    print_audit(audit, Console(file=file, color_system=None, force_jupyter=False))
    return file.getvalue().rstrip("\n")


def print_compare(comparison: Mapping[str, Any], console: Console) -> None:
    """Print two runs side by side: each figure, and B less A by its interval, which no rounding can set against them.

    Args:
        comparison: the dict of ``bitrate.compare``.
        console: where to print.
    """
    layout = Layout(console)
    lines: list[Text] = []
    for side in ("a", "b"):
        lines += layout.labelled(f"{side.upper()}  ", clip(comparison[side]["run"], LONGEST_NAME), 3, "bold")
    shared = Estimate.from_dict(comparison["shared_prompts"])
    words = clean(shared.reason) if shared.value is None else number_of(round(shared.value), "prompt") + " in both"
    lines += layout.wrapped(words, QUIET)
    rows, reasons, noise = [], [], []
    few = {key for key, line in all_lines().items() if line.special}
    for key in comparison["differences"]:
        difference, a, b = (
            Estimate.from_dict(comparison[part][key]) for part in ("differences", "a_figures", "b_figures")
        )
        if a.value is None and b.value is None and key in few:
            continue
        if difference.value is None:
            reasons.append(f"{clean(a.name)}: no difference, {clean(difference.reason)}")
            continue
        points = " points" if is_share(difference.unit) else ""
        span = difference_span(difference) + points
        rows.append([clean(a.name), value_words(a), value_words(b), span, told_apart(difference)])
        reach = Estimate.from_dict(comparison["noise"][key])
        if reach.value:
            noise.append(f"{clean(a.name)} ±{difference_words(reach).lstrip('+')}")
    sampled = (
        [f"The sampling of rollouts alone can make two runs differ by up to: {', '.join(noise)}."] if noise else []
    )
    notes = [clean(note) for note in (*reasons, *sampled, *comparison["caveats"])]
    parts = [_compared(layout, rows), *(layout.wrapped(note, QUIET) for note in notes)]
    layout.print([*lines, *(line for part in parts for line in [*([Text()] if part else []), *part])])


def _compared(layout: Layout, rows: Sequence[Sequence[str]]) -> list[Text]:
    """The figures in columns, or each in a sentence where the screen is too narrow for them."""
    head = ("", "A", "B", "B less A", "")
    cells = [[(text, QUIET) for text in head], *([(text, "") for text in row] for row in rows)]
    table = layout.table(cells, [False, True, True, False, False], 0)
    if table is not None:
        return table if rows else []
    return [
        line
        for name, a, b, span, told in rows
        for line in layout.wrapped(f"{name}: A {a}, B {b}; B less A {span}, {told}", indent=2, first=0)
    ]


def print_formats(formats: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print what can be read: one block a format, with what it cannot tell."""
    layout = Layout(console)
    for entry in formats:
        lines = layout.wrapped(f"{clean(entry['name'])}  {clean(entry['trainer'])}")
        lines[0].stylize(f"bold {ACCENT}", 0, len(clean(entry["name"])))
        ids = f"prompt id: {clean(entry['prompt_id'])}; group id: {clean(entry['group_id'])}"
        for text, style in ((entry["files"], ""), (ids, ""), *((c, QUIET) for c in entry["caveats"])):
            lines += layout.wrapped(clean(text), style, 2)
        layout.print([*lines, Text()])


@dataclass(frozen=True)
class Row:
    """A figure to draw as a bar: its name, the figure whose bar is full, the block it stands in, and more columns."""

    name: str
    figure: Estimate
    most: float = 1.0
    style: str = ACCENT
    block: str = ""
    more: tuple[str, ...] = ()

    @property
    def span(self) -> str:
        """The interval; its coverage where it is not the usual one."""
        level = self.figure.level
        return interval_words(self.figure) + ("" if level in {0.95, 1.0} else f" ({100 * level:g}%)")


class Screen(Layout):
    """The lines of one audit at the width of one console."""

    def __init__(self, audit: Audit, console: Console) -> None:
        super().__init__(console)
        self.audit = audit

    def lines(self) -> list[Text]:
        """The whole screen: parts with an empty line between them."""
        audit = self.audit
        advice = self.listed("Advice", [clean(advice.text) for advice in audit.advice], LABEL)
        run = [*self.change(), *self.prompts(), *self.listed("Cost", said.cost_words(audit), LABEL)]
        parts = [self.title(), self.wrapped(said.headline(audit), "bold"), self.ledger(), self.groups(), run]
        parts += [self.sizes(), advice, self.caveats(), self.quarantine()]
        shown = [part for part in parts if part]
        return [line for i, part in enumerate(shown) for line in [*([Text()] if i else []), *part]]

    def title(self) -> list[Text]:
        lines = self.wrapped(f"bitrate  {clip(self.audit.run, LONGEST_NAME)}", "bold")
        lines[0].stylize(ACCENT, 0, len("bitrate"))
        return [*lines, *self.wrapped(said.source(self.audit), QUIET)]

    def ledger(self) -> list[Text]:
        rows: list[Row] = []
        for block, here in said.blocks(self.audit).items():
            most = max((e.value for _, e in here if e.value is not None and e.value > 0), default=1.0)
            rows += [Row(line.name, figure, most, block=f"Bits per {block}") for line, figure in here]
        return self.bars(rows)

    def groups(self) -> list[Text]:
        audit, shown = self.audit, said.kinds(self.audit)
        if all(audit.groups[key].value is None for key, _ in shown):
            return self.missing("Groups", audit.groups["mixed"], LABEL)
        reasons = {part: why for part, why in said.spent_parts(audit) if part in {"rollouts", "tokens"}}
        parts = [part for part, why in reasons.items() if not why]
        grouped = audit.constant_rollouts
        every = grouped.value is None or grouped.n == audit.counts["rollouts"].value
        rows = [
            Row(
                name,
                audit.groups[key],
                style=ACCENT if key == "mixed" else QUIET,
                block="Groups" if every else "Groups of two or more",
                more=tuple(value_words(audit.spent[key][part]) for part in parts),
            )
            for key, name in shown
        ]
        levels = said.constant_at(audit)
        gone = [(part, Estimate.missing(part, part, why)) for part, why in reasons.items() if why]
        return [
            *self.bars(rows, parts),
            *(self.wrapped(levels, QUIET, 4, 2) if levels else []),
            *(line for part, figure in gone for line in self.missing(f"  {part}", figure, NAME)),
        ]

    def bars(self, rows: Sequence[Row], heads: Sequence[str] = ()) -> list[Text]:
        """Figures below each other, each with bar, value, interval and more; or the reason where one is missing."""
        at = max(NAME, *(2 + cell_len(row.name) + len(GAP) for row in rows))
        table = self._side_by_side([row for row in rows if row.figure.value is not None], heads, at)
        drawn = iter(table[1:] if table else ())
        lines: list[Text] = []
        block = ""
        for row in rows:
            if row.block != block:
                block = row.block
                lines += self._headed(block, table[0] if table and heads else None)
            if row.figure.value is None:
                lines += self.missing(f"  {row.name}", row.figure, at)
            elif table:
                lines.append(next(drawn))
            else:
                took = "".join(f", {text} {name}" for text, name in zip(row.more, heads, strict=True))
                lines += self.labelled(f"  {row.name}", f"{value_words(row.figure)} ({row.span}){took}", at)
        return lines

    def _side_by_side(self, rows: Sequence[Row], heads: Sequence[str], at: int) -> list[Text] | None:
        """A head and the rows in columns, with the longest bar that leaves room for the rest; else None."""
        for bar in (*range(BAR, LEAST_BAR - 1, -1), 0) if rows else ():
            cells: list[list[Cell]] = [[("", "")] * 4 + [(head, QUIET) for head in heads]]
            for row in rows:
                drawn = _bar((row.figure.value or 0.0) / row.most, bar).ljust(bar)
                own = [(row.name.ljust(at - 2 - len(GAP)), ""), (drawn, row.style)]
                own += [(value_words(row.figure), "bold"), (row.span, QUIET)]
                cells.append([*own, *((text, "") for text in row.more)])
            right = [False, False, True, False, *(True for _ in heads)]
            if not bar:
                cells, right = [[first, *rest] for first, _, *rest in cells], [right[0], *right[2:]]
            if (table := self.table(cells, right)) is not None:
                return table
        return None

    def _headed(self, title: str, head: Text | None) -> list[Text]:
        """A title, in the line of a table's head where it has room there."""
        if head is None:
            return self.wrapped(title, QUIET)
        if head.plain[: len(title) + len(GAP)].strip():
            return [*self.wrapped(title, QUIET), head]
        return [Text.assemble((title, QUIET), head[len(title) :])]

    def change(self) -> list[Text]:
        return self.labelled("Pass rate", said.change_words(self.audit), LABEL)

    def prompts(self) -> list[Text]:
        return self.listed("Prompts", said.prompt_words(self.audit), LABEL)

    def sizes(self) -> list[Text]:
        """Other group sizes side by side, below each other where there is no room for that, else as sentences."""
        advice, own = self.audit.k_advice, self.audit.own_k
        bits, mixed = [a.update_bits for a in advice], [a.mixed_groups for a in advice]
        if missing := [e for e in bits if e.value is None]:
            return self.missing("Group size", missing[0], LABEL)
        mean = " on average" if own.method.startswith("mean") else ""
        here = "" if own.value is None else f" (here {value_words(own)}{mean})"
        rows = {f"Group size K{here}": [str(a.k) for a in advice]}
        rows["  outcome bits kept, per rollout"] = [value_words(e) for e in bits]
        if all(e.value is not None for e in mixed):
            rows["  mixed groups"] = [value_words(e) for e in mixed]
        beside: list[list[Cell]] = [
            [(name, "" if name[0] == " " else QUIET), *((cell, "") for cell in row)] for name, row in rows.items()
        ]
        if table := self.table(beside, [False, *(True for _ in advice)], 0):
            return table
        heads = ["K", *(name.strip().partition(",")[0] for name in list(rows)[1:])]
        columns = [[(cell, "") for cell in column] for column in zip(*rows.values(), strict=True)]
        if table := self.table([[(head, QUIET) for head in heads], *columns], [True] * len(heads)):
            return [*self.wrapped(f"Group size K{here}", QUIET), *table]
        texts = [
            f"K={k}: " + ", ".join(f"{cell} {head}" for head, cell in zip(heads[1:], cells, strict=True))
            for k, *cells in zip(*rows.values(), strict=True)
        ]
        return self.listed(f"Group size K{here}", texts, LABEL)

    def caveats(self) -> list[Text]:
        """Caveats that tell how the figures were made, all of them, and the first of the others."""
        caveats = [clean(c) for c in self.audit.caveats]
        shown = max(self.audit.caveats_on_figures, CAVEATS)
        more = len(caveats) - shown
        if more == 1:
            shown, more = shown + 1, 0
        return self.listed("Caveats", caveats[:shown], LABEL, _more(more, "caveat"))

    def quarantine(self) -> list[Text]:
        reasons = said.quarantine_words(self.audit)
        if not reasons:
            return self.labelled("Quarantine", said.quarantined(self.audit), LABEL)
        total = [] if len(reasons) == 1 else [said.quarantined(self.audit)]
        more = len(reasons) - REASONS
        return self.listed("Quarantine", [*total, *reasons[:REASONS]], LABEL, _more(more, "reason"))

    def missing(self, label: str, figure: Estimate, indent: int) -> list[Text]:
        """The reason why there is no figure, where it would stand."""
        return self.labelled(label, f"no figure: {clean(figure.reason)}", indent, QUIET)


def _bar(share: float, width: int) -> str:
    """A bar of so many eighths of a character."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _more(count: int, noun: str) -> str:
    return f"and {number_of(count, f'more {noun}')} in the report (--html FILE)" if count > 0 else ""
