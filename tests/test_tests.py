"""What the tests themselves keep to: none sleeps until something has surely happened, none waits without a limit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
#: Calls that wait, and how many arguments before the one that limits them; None where it has to be named.
WAITS = {"run": None, "check_output": None, "check_call": None, "communicate": 1, "wait": 0, "join": 0}


def endless(source: str) -> Iterator[tuple[int, str]]:
    """Calls that sleep, or wait for a process or a thread without a limit."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name, on = node.func.attr, ast.unparse(node.func.value)
        if name == "sleep":
            yield node.lineno, "sleeps: wait for what the program announces, see Child in tests/conftest.py"
        elif name in WAITS and (WAITS[name] is not None or on == "subprocess"):
            before = WAITS[name]
            limited = any(k.arg in {"timeout", None} for k in node.keywords) or (
                before is not None and len(node.args) > before
            )
            if not limited:
                yield node.lineno, f"{on}.{name} has no timeout"


@pytest.mark.parametrize("path", sorted(HERE.rglob("*.py")), ids=lambda p: p.relative_to(HERE).as_posix())
def test_no_test_sleeps_or_waits_without_a_limit(path: Path) -> None:
    assert list(endless(path.read_text("utf-8"))) == []


def test_what_sleeps_or_waits_without_a_limit_is_noticed() -> None:
    source = "time.sleep(1)\nsubprocess.run(x)\nrun.communicate()\nrun.wait()\nthread.join()\n"
    assert [line for line, _ in endless(source)] == [1, 2, 3, 4, 5]
    limited = (
        "subprocess.run(x, timeout=1)\nrun.communicate(None, 1)\nrun.wait(1)\nthread.join(timeout=1)\n', '.join(x)\n"
    )
    assert list(endless(limited)) == []
