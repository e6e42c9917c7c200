"""Lines of a terminal: text wrapped at a width and never cut, and tables as wide as what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

#: Longer lines are hard to read, and so no line is, however wide the terminal.
WIDEST = 100
#: Below this a label stands above what it labels, not beside it.
NARROW = 60
#: Even here a word of a few letters fits; a terminal narrower than this folds lines by itself.
LEAST = 8
GAP = "  "
QUIET = "dim"

Cell = tuple[str, str]


class Layout:
    """Text for one console: nothing is wider than the console, except where that is narrower than a word.

    Args:
        console: for its width and that of its characters.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = max(min(console.width, WIDEST), LEAST)

    def print(self, lines: Sequence[Text]) -> None:
        """Print lines as they are: what does not fit is left to the terminal, and nothing is cropped."""
        for line in lines:
            line.rstrip()
            self.console.print(line, no_wrap=True, overflow="ignore", crop=False, highlight=False)

    def wrapped(self, text: str, style: str = "", indent: int = 0, first: int | None = None) -> list[Text]:
        """The text in lines behind an indent, words kept whole where they fit; the first indent may differ."""
        first = indent if first is None else first
        room = max(self.width - max(indent, first), LEAST // 2)
        lines = Text(text, style).wrap(self.console, room) or [Text()]
        return [Text.assemble(" " * (indent if i else first), line) for i, line in enumerate(lines)]

    def labelled(self, label: str, text: str, indent: int, style: str = "") -> list[Text]:
        """The text beside its label, all lines indented alike; below it where the screen is narrow."""
        dim = "" if label.startswith(" ") else QUIET
        if self.width < NARROW and label:
            own = len(label) - len(label.lstrip())
            return [*self.wrapped(label.strip(), dim, own), *self.wrapped(text, style, own + 2)]
        if self.width < NARROW:
            return self.wrapped(text, style, 2)
        lines = self.wrapped(text, style, indent)
        lines[0] = Text.assemble((label.ljust(indent), dim), lines[0][indent:])
        return lines

    def listed(self, label: str, items: Sequence[str], indent: int, more: str = "") -> list[Text]:
        """Items below each other beside a label, each with a dash where there are several; then how many more."""
        lines: list[Text] = []
        for item in items:
            label_here = "" if lines else label
            if len(items) == 1 and not more:
                return self.labelled(label_here, item, indent)
            at = indent if self.width >= NARROW else 2
            if self.width < NARROW and label_here:
                lines += self.wrapped(label_here, QUIET)
                label_here = ""
            found = self.wrapped("- " + item, "", at + 2, at)
            found[0] = Text.assemble((label_here.ljust(at), QUIET), found[0][at:])
            lines += found
        return [*lines, *self.wrapped(more, QUIET, indent if self.width >= NARROW else 2)] if more else lines

    def table(self, rows: Sequence[Sequence[Cell]], right: Sequence[bool], indent: int = 2) -> list[Text] | None:
        """Rows in columns as wide as their widest cell, or None where these do not fit side by side.

        Args:
            rows: cells with their style, the same number in each row.
            right: which columns are set to the right.
            indent: blanks before the first column.
        """
        widths = [max(cell_len(row[i][0]) for row in rows) for i in range(len(right))]
        if indent + sum(widths) + len(GAP) * (len(widths) - 1) > self.width:
            return None
        lines = []
        for row in rows:
            parts: list[str | Cell] = [" " * indent]
            for i, (text, style) in enumerate(row):
                blank = " " * (widths[i] - cell_len(text))
                parts += [GAP if i else "", (blank + text if right[i] else text + blank, style)]
            lines.append(Text.assemble(*parts))
        return lines
