"""Write the table of lines into docs/ledger.md from the lines themselves: ``python scripts/ledger_table.py``."""

from __future__ import annotations

from pathlib import Path

from bitrate.meter.lines import all_lines

PAGE = Path(__file__).resolve().parents[1] / "docs" / "ledger.md"
BEGIN, END = "<!-- Made by scripts/ledger_table.py from the lines. -->\n", "<!-- End of what is made. -->\n"


def table() -> str:
    """One row a line, in the order of the ledger."""
    rows = [("line", "in JSON", "bits per", "what it means", "formula"), ("---",) * 5]
    for key, line in all_lines().items():
        rows.append((line.name, f"`{key}`", line.block, line.means, line.formula.replace("|", "\\|")))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def page() -> str:
    """The page with its table made anew."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
