"""Who may import whom: the table of rooms, read from the imports themselves."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bitrate

SOURCE = Path(bitrate.__file__).parent
WORDS = {"types", "errors", "costs", "wording", "files", "options"}
MAY_IMPORT = {
    "types": set(),
    "errors": set(),
    "costs": set(),
    "wording": set(),
    "files": {"errors"},
    "options": {"errors"},
    "theory": WORDS,
    "stats": WORDS | {"theory"},
    "logs": WORDS,
    "meter": WORDS | {"theory", "stats", "logs"},
    "lab": WORDS | {"theory", "stats", "logs", "meter"},
    "report": WORDS | {"meter"},
    "demo": set(),
}
#: Of the meter, all that a report reads: the figures of an audit, and the names and order of lines and advice.
REPORT_READS = ("bitrate.meter.audit", "bitrate.meter.lines", "bitrate.meter.advice")
#: The glue: may import any room, and no room may import it.
GLUE = {"api", "cli", "__init__", "__main__"}


def imported(path: Path) -> set[str]:
    """What a file imports of ours, by its full name, wherever in the file."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{a.name}" for a in node.names]
        found |= {n for n in names if n.startswith("bitrate.")}
    return found


def imports(path: Path) -> set[str]:
    """Rooms of ours that a file imports."""
    return {name.split(".")[1] for name in imported(path)}


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


def test_a_report_asks_the_meter_for_figures_and_names_alone() -> None:
    """What is worked out is worked out in the meter: nothing there that computes can be reached from a report."""
    asked = {n for path in (SOURCE / "report").rglob("*.py") for n in imported(path) if n.startswith("bitrate.meter")}
    assert {n for n in asked if n.rpartition(".")[0] not in REPORT_READS} == set()
    assert {n.rpartition(".")[0] for n in asked} >= {"bitrate.meter.audit", "bitrate.meter.lines"}


def test_importing_bitrate_loads_nothing_heavy() -> None:
    code = "import sys, bitrate; print(sorted({'numpy','duckdb','pyarrow','altair','scipy','rich'} & set(sys.modules)))"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        ).stdout.strip()
        == "[]"
    )


def test_theory_and_statistics_are_there_after_a_plain_import() -> None:
    code = "import bitrate; print(bitrate.theory.binary_entropy(0.5), bitrate.stats.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["1.0", "bitrate.stats"]


def used_modules(path: Path) -> list[str]:
    """Modules that a file reaches as attributes of one it imported, ``pa.compute`` say, and did not import itself."""
    tree = ast.parse(path.read_text("utf-8"))
    names, imported = dict[str, str](), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                imported.add(alias.name)
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            imported |= {f"{node.module}.{a.name}" for a in node.names} | {str(node.module)}
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    reached = {
        ".".join(whole[:end]) for whole in attributes(tree, names) for end in range(2, len(whole) + 1)
    }  # fmt: skip
    here = {n for n in reached if any(i == n or i.startswith(f"{n}.") for i in imported)}
    return sorted(n for n in reached - here if is_module(n))


def attributes(tree: ast.AST, names: dict[str, str]) -> Iterator[list[str]]:
    """Every ``a.b.c`` whose ``a`` is one of the names, by the name's meaning and in parts."""
    for node in ast.walk(tree):
        parts: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            parts.insert(0, inner.attr)
            inner = inner.value
        if parts and isinstance(inner, ast.Name) and inner.id in names:
            yield names[inner.id].split(".") + parts


def is_module(name: str) -> bool:
    """Whether a module of this name is installed."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False


#: Given the names of modules: those that are not there once the package above each was imported, and nothing else.
OUT_OF_REACH = """
import importlib, json, sys
lost = []
for name in sys.argv[1:]:
    above, _, last = name.rpartition(".")
    if not hasattr(importlib.import_module(above), last):
        lost.append(name)
print(json.dumps(lost))
"""


def test_a_module_is_imported_where_it_is_used() -> None:
    """A module that is there only because something else imported it is not there in another environment."""
    used: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for name in used_modules(path):
            used.setdefault(name, set()).add(path.relative_to(SOURCE).as_posix())
    assert "numpy.random" in used
    lost = []
    for top in {name.partition(".")[0] for name in used} - {"bitrate"}:
        below = sorted(name for name in used if name.partition(".")[0] == top)
        done = subprocess.run(
            [sys.executable, "-c", OUT_OF_REACH, *below], capture_output=True, text=True, check=True, timeout=60
        )
        lost += [(name, sorted(used[name])) for name in json.loads(done.stdout)]
    assert lost == []


def test_a_module_that_was_not_imported_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "borrowed.py"
    file.write_text(
        "import pyarrow as pa\nimport xml\nx = pa.compute.sum\ny: pa.types.x\nz = xml.etree.ElementTree.Element\n"
    )
    assert used_modules(file) == ["pyarrow.compute", "pyarrow.types", "xml.etree", "xml.etree.ElementTree"]
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_REACH, *used_modules(file)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout) == ["pyarrow.compute", "xml.etree", "xml.etree.ElementTree"]
