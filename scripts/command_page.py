"""Write docs/command-line.md from the commands themselves: ``python scripts/command_page.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from bitrate.cli import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "command-line.md"
HEAD = """# Command line

Every command and its options, as `bitrate COMMAND --help` says them. Made by `python scripts/command_page.py`.

Exit status: 0, or 2 after an error that says what to do, or 130 after Ctrl-C. `bitrate claims run` also ends with 1
where a verdict is not the published one, and with 3 where the data do not decide."""


def commands(command: Any, name: str = "bitrate") -> Iterator[tuple[str, Any]]:
    """Every command by its whole name, those above others first."""
    yield name, command
    for word, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{name} {word}")


def options(command: Any) -> Iterator[tuple[str, str, str]]:
    """Names, default and meaning of a command's arguments and options."""
    for p in command.params:
        names = ", ".join(f"`{o}`" for o in p.opts) if p.opts[0].startswith("-") else f"`{p.name.upper()}`"
        usual = p.default if isinstance(p.default, (str, int, float)) and not isinstance(p.default, bool) else ""
        yield names, str(usual), p.help.replace("|", "\\|")


def page() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for name, command in commands(typer.main.get_command(app)):
        rows = [f"| {names} | {usual} | {meaning} |" for names, usual, meaning in options(command)]
        table = "\n".join(["| option | default | meaning |", "|---|---|---|", *rows])
        parts += [f"## {name}", command.help, *([table] if rows else [])]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
