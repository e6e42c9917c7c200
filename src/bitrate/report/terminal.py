"""An audit on one screen of a terminal, a comparison, and the list of formats.

Everything from a log goes through ``clean`` and into ``Text`` objects: Rich never reads it as markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bitrate.report.words import (
    COST,
    GROUPS,
    LEDGER,
    checked,
    clean,
    clip,
    counted,
    difference_span,
    difference_words,
    estimate,
    headline,
    interval_words,
    quarantined,
    told_apart,
    value_words,
)
from bitrate.types import Estimate

if TYPE_CHECKING:
    from rich.console import Console

WIDTH, HEIGHT = 100, 40
NAME, BAR, VALUE, LABEL = 17, 22, 10, 12
ACCENT, QUIET = "bright_blue", "dim"
EIGHTHS = " ▏▎▍▌▋▊▉█"
SHOWN = 2


def print_audit(audit: Mapping[str, Any], console: Console) -> None:
    """Print an audit on one screen of 100 x 40, longer where narrower; the report and the JSON hold what is left out.

    Args:
        audit: the dict of ``Audit.to_dict()``.
        console: where to print.

    Raises:
        InputError: another kind of dict.
    """
    checked(audit)
    width = min(console.width, WIDTH)
    lines = Screen(audit, console, width, 2 if width == WIDTH else 3).lines()
    if width == WIDTH and len(lines) >= HEIGHT:
        lines = Screen(audit, console, width, 1).lines()
    for line in lines:
        line.rstrip()
        console.print(line, no_wrap=True, overflow="crop", highlight=False)


def print_compare(comparison: Mapping[str, Any], console: Console) -> None:
    """Print two runs side by side: each figure, and B less A with its interval.

    Args:
        comparison: the dict of ``bitrate.compare``.
        console: where to print.
    """
    for side in ("a", "b"):
        name = clip(comparison[side].get("run", ""), console.width - 3)
        console.print(Text.assemble((f"{side.upper()}  ", f"bold {ACCENT}"), (name, "bold")), highlight=False)
    shared = estimate(comparison, "shared_prompts")
    words = clean(shared.reason) if shared.value is None else f"{shared.value:,.0f} prompts in both"
    console.print(Text(words, QUIET), highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=QUIET)
    for header in ("", "A", "B", "B less A", "interval", "", "by sampling alone"):
        table.add_column(header, justify="right" if header in {"A", "B", "B less A"} else "left")
    reasons = []
    for key in comparison["differences"]:
        difference, a, b = (estimate(comparison, part, key) for part in ("differences", "a_figures", "b_figures"))
        row = [clean(a.name), value_words(a), value_words(b), difference_words(difference)]
        if difference.value is None:
            reasons.append(f"{a.name}: no difference, {difference.reason}")
        else:
            noise = estimate(comparison, "noise", key)
            row += [difference_span(difference), told_apart(difference), f"up to ±{value_words(noise)}"]
        table.add_row(*(Text(cell) for cell in row))
    console.print(Padding(table, (1, 0), expand=False))
    for text in (*reasons, *(comparison.get("caveats") or [])):
        console.print(Text(clean(text), QUIET), highlight=False)


def print_formats(formats: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print what can be read: one block a format, with what it cannot tell."""
    for entry in formats:
        console.print(
            Text.assemble((clean(entry["name"]), f"bold {ACCENT}"), f"  {clean(entry['trainer'])}"), highlight=False
        )
        ids = f"prompt id: {clean(entry['prompt_id'])}; group id: {clean(entry['group_id'])}"
        for text, style in ((entry["files"], ""), (ids, ""), *((c, QUIET) for c in entry["caveats"])):
            console.print(Padding(Text(clean(text), style), (0, 0, 0, 2), expand=False), highlight=False)
        console.print()


class Screen:
    """The lines of one audit at one width.

    Args:
        audit: the dict of ``Audit.to_dict()``.
        console: for the width of characters.
        width: columns.
        most: lines that one sentence may take.
    """

    def __init__(self, audit: Mapping[str, Any], console: Console, width: int, most: int) -> None:
        self.audit, self.console, self.width, self.most = audit, console, width, most
        self.said: set[str] = set()

    def lines(self) -> list[Text]:
        """The whole screen."""
        audit, gap = self.audit, [Text()]
        advice = self.sentences("Advice", [a["text"] for a in audit.get("advice") or []])
        caveats = self.sentences("Caveats", audit.get("caveats") or [])
        parts = [self.title(), self.wrapped(headline(audit), 0, "bold", most=3), self.ledger(), self.groups()]
        parts += [[*self.change(), *self.cost()], self.sizes(), advice]
        lines = [line for part in parts if part for line in [*part, *gap]]
        set_aside = "; ".join([quarantined(audit), *(clean(item["reason"]) for item in audit.get("quarantine") or [])])
        return [*lines, *caveats, self.row("Quarantine", set_aside)]

    def title(self) -> list[Text]:
        audit = self.audit
        source = f"{clip(audit.get('format', 'unknown format'), 24)}, {clip(audit.get('split', 'all'), 12)} split"
        name = Text.assemble(("bitrate  ", f"bold {ACCENT}"), (clip(audit["run"], self.width - 9), "bold"))
        return [name, self.fit(Text(f"{source}: {counted(audit)}", QUIET))]

    def ledger(self) -> list[Text]:
        lines = []
        for block in ("rollout", "prompt"):
            rows = [(name, estimate(self.audit, "ledger", key)) for key, unit, name, _ in LEDGER if unit == block]
            most = max((e.value for _, e in rows if e.value is not None and e.value > 0), default=1.0)
            lines.append(Text(f"Bits per {block}", QUIET))
            for name, figure in rows:
                lines += (
                    self.bar_row(name, figure, most, BAR)
                    if figure.value is not None
                    else self.missing(f"  {name}", figure, NAME)
                )
        return lines

    def groups(self) -> list[Text]:
        bar = BAR if self.width >= WIDTH else BAR - 14
        lines = [Text(f"{'Groups':<{NAME + bar + VALUE + 20}}{'rollouts':>10}{'tokens':>14}", QUIET)]
        for key, name in GROUPS:
            share, rollouts, tokens = (
                estimate(self.audit, *path)
                for path in (("groups", key), ("spent", key, "rollouts"), ("spent", key, "tokens"))
            )
            if share.value is None:
                lines += self.missing(f"  {name}", share, NAME)
                continue
            took = f"{value_words(rollouts):>10}{value_words(tokens):>14}"
            lines += self.bar_row(name, share, 1.0, bar, more=took, style=ACCENT if key == "mixed" else QUIET)
        return lines if tokens.value is not None else [*lines, *self.missing("  tokens", tokens, NAME)]

    def change(self) -> list[Text]:
        first, last, change = (estimate(self.audit, "change", f"pass_rate_{k}") for k in ("first", "last", "change"))
        if change.value is None:
            lines = self.missing("Pass rate", change, LABEL)
        else:
            text = (
                f"{difference_words(change)} ({difference_span(change)}) from the first third of the steps to the last"
            )
            if first.value is not None and last.value is not None:
                text = f"{value_words(first)} to {value_words(last)}, {text}"
            lines = self.labelled("Pass rate", self.wrapped(text, LABEL), LABEL)
        found = {word: estimate(self.audit, "prompts", word) for word in ("mastered", "hopeless")}
        known = ", ".join(f"{value_words(e)} {word}" for word, e in found.items() if e.value is not None)
        return [*lines, *([self.row("Prompts", known)] if known else self.missing("Prompts", found["mastered"], LABEL))]

    def cost(self) -> list[Text]:
        found = [(estimate(self.audit, "cost", key), words) for key, words in COST]
        known = ", ".join(f"{value_words(e)} bits {words}" for e, words in found if e.value is not None)
        lines, label = ([self.row("Cost", known)], "") if known else ([], "Cost")
        reasons: dict[str, list[str]] = {}
        for figure, words in found:
            if figure.value is None:
                reasons.setdefault(clean(figure.reason), []).append(words)
        for reason, units in reasons.items():
            lines += self.missing(label, Estimate.missing("", "", reason), LABEL, f"{', '.join(units)}, ")
            label = ""
        return lines

    def sizes(self) -> list[Text]:
        advice, own = self.audit.get("k_advice") or [], estimate(self.audit, "own_k")
        bits, dead = ([estimate(a, key) for a in advice] for key in ("update_bits", "dead_groups"))
        missing = [e for e in bits if e.value is None] if advice else [estimate({}, "k_advice")]
        if missing:
            return self.missing("Group size", missing[0], LABEL)
        label = "Group size" if own.value is None else f"Group size (here {value_words(own)})"
        rows = {label: [str(a["k"]) for a in advice], "  in the update, per rollout": [value_words(e) for e in bits]}
        if all(e.value is not None for e in dead):
            rows["  mixed groups"] = [f"{100 * (1 - (e.value or 0.0)):.0f}%" for e in dead]
        at = NAME + LABEL
        return [
            self.row(name, "".join(f"{cell:>8}" for cell in cells), "" if name[0] == " " else QUIET, at)
            for name, cells in rows.items()
        ]

    def sentences(self, label: str, sentences: Sequence[str]) -> list[Text]:
        """The first sentences, and how many more there are."""
        lines: list[Text] = []
        for sentence in sentences[:SHOWN]:
            lines += self.labelled("" if lines else label, self.wrapped(clean(sentence), LABEL), LABEL)
        more = len(sentences) - SHOWN
        return lines if more < 1 else [*lines, self.row("", f"and {more} more in the report (--html FILE)", QUIET)]

    def bar_row(
        self, name: str, figure: Estimate, most: float, bar: int, *, more: str = "", style: str = ACCENT
    ) -> list[Text]:
        """Name, bar, value, interval; the interval's coverage where it is not the usual one."""
        span = interval_words(figure) + ("" if figure.level in {0.95, 1.0} else f" ({100 * figure.level:g}%)")
        eighths = round(max(figure.value or 0.0, 0.0) / most * bar * 8)
        drawn = "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
        cells = ((f"  {name}".ljust(NAME), ""), (drawn.ljust(bar), style), (value_words(figure).rjust(VALUE), "bold"))
        return [self.fit(Text.assemble(*cells, (f"   {span:<17}", QUIET), more))]

    def missing(self, label: str, figure: Estimate, indent: int, before: str = "") -> list[Text]:
        """The reason why there is no figure; one said already is not said again."""
        reason = clean(figure.reason)
        words = "no figure, for the same reason" if reason in self.said else f"no figure: {reason}"
        self.said.add(reason)
        return self.labelled(label, self.wrapped(before + words, indent, QUIET), indent)

    def wrapped(self, text: str, indent: int, style: str = "", most: int = 0) -> list[Text]:
        """The text in at most so many lines, with an ellipsis where it does not fit."""
        room, most = self.width - indent, most or self.most
        lines = list(Text(text, style).wrap(self.console, room))
        if len(lines) <= most:
            return lines
        last = Text(" ".join(line.plain.rstrip() for line in lines[most - 1 : most + 1]), style)
        last.truncate(room, overflow="ellipsis")
        return [*lines[: most - 1], last]

    def labelled(self, label: str, lines: list[Text], indent: int) -> list[Text]:
        style = "" if label.startswith(" ") else QUIET
        return [Text.assemble((f"{label if not i else '':<{indent}}", style), line) for i, line in enumerate(lines)]

    def row(self, label: str, text: str, style: str = "", indent: int = LABEL) -> Text:
        return self.fit(self.labelled(label, [Text(text, style)], indent)[0])

    def fit(self, line: Text) -> Text:
        line.truncate(self.width, overflow="ellipsis")
        return line
