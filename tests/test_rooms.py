"""Who may import whom: the table of rooms, read from the imports themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bitrate

SOURCE = Path(bitrate.__file__).parent
WORDS = {"types", "errors", "wording", "files"}
MAY_IMPORT = {
    "types": set(),
    "errors": set(),
    "wording": set(),
    "files": {"errors"},
    "theory": WORDS,
    "stats": WORDS | {"theory"},
    "logs": WORDS,
    "meter": WORDS | {"theory", "stats", "logs"},
    "lab": WORDS | {"theory", "stats", "logs", "meter"},
    "report": WORDS,
    "demo": set(),
}
#: The glue: may import any room, and no room may import it.
GLUE = {"api", "cli", "__init__", "__main__"}


def imports(path: Path) -> set[str]:
    """Rooms of ours that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{a.name}" for a in node.names]
        found |= {n.split(".")[1] for n in names if n.startswith("bitrate.")}
    return found


def room(path: Path) -> str:
    """The first part of a file's path below the package."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_a_room_imports_only_what_the_table_allows(path: Path) -> None:
    here = room(path)
    if here in GLUE:
        return
    assert here in MAY_IMPORT, f"{here} is a new room: give it a row in the table"
    assert imports(path) - {here, "__version__"} <= MAY_IMPORT[here]


def test_importing_bitrate_loads_nothing_heavy() -> None:
    code = "import sys, bitrate; print(sorted({'numpy','duckdb','pyarrow','altair','scipy','rich'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
