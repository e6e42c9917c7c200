"""The command line as a user meets it: in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ESTIMATE = {"name", "value", "low", "high", "unit", "level", "n", "method", "reason"}


def bitrate(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "bitrate", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100"},
    )


def test_demo_prints_a_ledger_and_writes_a_report(tmp_path: Path) -> None:
    done = bitrate("demo", "--html", tmp_path / "report.html")
    assert done.returncode == 0, done.stderr
    for word in ("Capacity", "Outcome", "Answer bound", "In the update", "Absorbed", "mixed", "all right", "all wrong"):
        assert word in done.stdout
    assert len(done.stdout.splitlines()) <= 50
    assert (tmp_path / "report.html").stat().st_size > 100_000


def test_json_on_standard_output_is_nothing_but_the_contract() -> None:
    found = json.loads(bitrate("demo", "--json", "-").stdout)
    contract = {"run", "format", "counts", "ledger", "groups", "cost", "k_advice", "advice", "caveats", "quarantine"}
    assert contract <= found.keys()
    for part in ("counts", "ledger", "groups", "cost"):
        for figure in found[part].values():
            assert figure.keys() == ESTIMATE
    assert [row["k"] for row in found["k_advice"]] == [2, 4, 8, 16, 32, 64]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["audit", "nowhere"], "no such file or folder"),
        (["audit", "."], "the folder is empty"),
        (["audit", "a.csv", "--columns", "reward"], "--columns cannot use 'reward'"),
        (["audit", "a.csv", "--engine", "pandas"], "no engine is called 'pandas'"),
        (["audit", "a.csv", "--verifier-noise", "0.7"], "verifier_noise = 0.7"),
        (["audit", "a.csv", "--format", "csv"], "no format is called 'csv'"),
        (["audit", "a.csv"], "no format reads these"),
        (["compare", "a.csv", "nowhere"], "no format reads these"),
        (["export", "a.csv", "-o", "out.parquet"], "no format reads these"),
    ],
)
def test_a_mistake_is_a_message_with_a_hint_and_no_traceback(tmp_path: Path, words: list[str], said: str) -> None:
    if words[1] != ".":
        (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    done = bitrate(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "hint:" in done.stderr or "want" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_compare_and_formats_print_something_readable() -> None:
    from bitrate.demo import RUN

    done = bitrate("compare", RUN, RUN)
    assert done.returncode == 0, done.stderr
    assert "pass rate" in done.stdout.lower()
    listed = bitrate("formats")
    assert listed.returncode == 0
    for name in ("trl", "verl-v1", "inspect-ai", "counts"):
        assert name in listed.stdout


def test_version() -> None:
    assert bitrate("--version").stdout.startswith("bitrate ")


@pytest.mark.interrupt
@pytest.mark.parametrize("moment", ["reading", "reducing"])
def test_ctrl_c_ends_with_a_word_and_writes_nothing(tmp_path: Path, moment: str, start: Callable[..., Any]) -> None:
    rows = tmp_path / "rows.csv"
    with rows.open("w") as file:
        file.write("prompt_id,step,reward,answer\n")
        file.writelines(f"q{i % 997},{i // 8000},{i * 7919 % 3 == 0:d},a{i % 41}\n" for i in range(2_000_000))
    command = [sys.executable, "-m", "bitrate", "audit", rows, "--html", tmp_path / "report.html"]
    with (tmp_path / "said").open("w") as said:
        run = start(command, terminal=True, stdout=said)
        run.wait_for(moment)
        run.interrupt()
        status, error = run.end()
    assert status == 130, error
    assert "stopped" in error
    assert "Traceback" not in error
    assert (tmp_path / "said").read_text() == ""
    assert not (tmp_path / "report.html").exists()


#: Ctrl-C while a module is imported; where compiled code makes another error of it; in a callback, where it is lost.
RAISED = "signal.raise_signal(signal.SIGINT)"
TURNED = """
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt as error:
                raise ValueError("failed: KeyboardInterrupt") from None
"""
LOST = "held = Held(); gone = weakref.ref(held, lambda _: signal.raise_signal(signal.SIGINT)); del held"


@pytest.mark.interrupt
@pytest.mark.parametrize("how", [RAISED, TURNED, LOST], ids=["in an import", "as an error", "in a callback"])
def test_ctrl_c_while_the_command_is_loaded_ends_with_a_word(how: str) -> None:
    program = f"""
import signal, sys, threading, weakref
signal.signal(signal.SIGINT, signal.default_int_handler)
class Held: pass
class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            {how}
            for _ in range(100):
                threading.Event().wait(0.6)
sys.meta_path.insert(0, CtrlC())
from bitrate.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")
