"""A claim that fails, is killed or is interrupted loses no other, and no process outlives the command."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import bitrate

pytestmark = pytest.mark.interrupt
#: A claim of coins that first does something else.
FILE = '''
import dataclasses, os, signal, sys, threading
from bitrate.errors import DataError
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.signals import Mean
from bitrate.costs import Cost
from bitrate.lab.claim import Arm, Case, Claim
from bitrate.types import Prediction

def hold():
    """Say so, and hold until the end of time, or not at all when told so."""
    if "GO_ON" not in os.environ:
        print("{id} holds its worker", file=sys.stderr, flush=True)
        threading.Event().wait()

def simulate(case, folder, rng):
    {first}
    with SimulatedRun(folder, rng) as run:
        rewards = (rng.random((512, 2)) < 0.5).astype(float)
        run.step(0, answers=rewards, rewards=rewards)

@dataclasses.dataclass(frozen=True)
class Settings:
    of: str

def train(settings, folder, rng):
    simulate(None, folder, rng)
    return Cost(1024, 2048, 1e6)

CLAIM = Claim(
    id="{id}", statement="Coins.", source="a test", cases=(Case("coins", {{}}),), rival_name="all heads", {how},
    predict=lambda case: Prediction({prediction}, "exact", "share", ""),
    rival=lambda case: Prediction(1.0, "exact", "share", ""),
    signal=Mean("avg(reward)", "heads", "share"), tolerance=0.2, budget=512)
'''
SIMULATED = "simulate=simulate"
TRAINED = 'arms=lambda case: [Arm("coins-{id}", train, Settings("{id}"), smoke=2, full=2)]'
#: What a claim may do first, and the reason that its record gives.
FAILURES = {
    "X1": ('raise KeyError("[/red] no such")', "KeyError: '[/red] no such' (lab/claims/x1.py:17)"),
    "X2": ("os.kill(os.getpid(), signal.SIGKILL)", "the worker process was killed by SIGKILL"),
    "X3": ('raise DataError("no rows", where="a:1", hint="look")', "DataError: a:1: no rows; hint: look"),
    "X4": ("sys.exit(0)", "SystemExit: 0 (lab/claims/x4.py:17)"),
    "X5": ("os._exit(3)", "the worker process ended with status 3"),
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A copy of the package without its claims, into which a test drops some of its own; Y1 is one that fares well."""
    copied = tmp_path / "copy" / "bitrate"
    shutil.copytree(
        Path(bitrate.__file__).parent, copied, ignore=shutil.ignore_patterns("__pycache__", "[bst][0-9]*.py")
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "copy"))
    monkeypatch.setenv("COLUMNS", "120")

    def drop(id: str, first: str = "pass", how: str = SIMULATED, prediction: str = "0.5") -> None:
        text = FILE.format(id=id, first=first, how=how.format(id=id), prediction=prediction)
        (copied / "lab" / "claims" / f"{id.lower()}.py").write_text(text, "utf-8")

    drop("Y1")
    return drop


def claims_run(*words: str) -> list[str]:
    """The command."""
    return [sys.executable, "-m", "bitrate", "claims", "run", *words]


def done(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(claims_run(*words), cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def test_a_claim_that_fails_is_reported_and_loses_no_other(tmp_path: Path, package: Callable[..., None]) -> None:
    for id, (first, _) in FAILURES.items():
        package(id, first)
    package("X6", how="arms=lambda case: [][0]")
    package("X7", prediction='float("nan")')
    (tmp_path / "copy" / "bitrate" / "lab" / "claims" / "x8.py").write_text("def (", "utf-8")
    (tmp_path / "copy" / "bitrate" / "lab" / "claims" / "x9.py").write_text("CLAMI = 3", "utf-8")
    found = done("--all", "--jobs", "2", "--json", "all.json", "--figures", "figures", cwd=tmp_path)
    assert found.returncode == 2 and "Traceback" not in found.stderr, found.stderr
    assert found.stderr.endswith("error: 9 of 10 claims failed: X1, X2, X3, X4, X5, X6, X7, X8, X9\n")
    records = {r["id"]: r for r in json.loads((tmp_path / "all.json").read_text("utf-8"))["claims"]}
    assert records["Y1"]["outcome"] == "holds" and (tmp_path / "figures" / "Y1.svg").exists()
    assert "Y1     holds" in found.stdout and "9 failed" in found.stdout
    reasons = {id: reason for id, (_, reason) in FAILURES.items()}
    reasons |= {"X6": "IndexError", "X7": "ValueError", "X8": "SyntaxError", "X9": "AttributeError"}
    for id, reason in reasons.items():
        assert records[id]["standing"] == "failed" and records[id]["outcome"] == "not measured"
        assert records[id]["reason"].startswith(reason), records[id]["reason"]
        assert f"{id} failed: {reason}" in found.stderr and f"{id}     failed" in found.stdout


def test_a_claim_that_fails_in_this_process_is_reported_too(tmp_path: Path, package: Callable[..., None]) -> None:
    package("X1", FAILURES["X1"][0])
    found = done("X1", "Y1", "--jobs", "1", "--json", "-", cwd=tmp_path)
    assert found.returncode == 2
    assert [c["standing"] for c in json.loads(found.stdout)["claims"]] == ["failed", "not published"]
    assert found.stderr.endswith("error: 1 of 2 claims failed: X1\n")


def test_a_training_run_that_fails_fails_its_claim_alone(tmp_path: Path, package: Callable[..., None]) -> None:
    for id in ("X1", "X2"):
        package(id, FAILURES[id][0], how=TRAINED)
    package("Y2", how=TRAINED)
    found = done("--all", "--jobs", "2", "--json", "all.json", cwd=tmp_path)
    assert found.returncode == 2 and "Traceback" not in found.stderr, found.stderr
    records = {r["id"]: r for r in json.loads((tmp_path / "all.json").read_text("utf-8"))["claims"]}
    for id in ("X1", "X2"):
        assert records[id]["reason"].startswith(f"training run 0 of coins-{id}: {FAILURES[id][1]}")
    assert records["Y1"]["outcome"] == records["Y2"]["outcome"] == "holds"


def test_ctrl_c_stops_and_the_next_run_goes_on(
    tmp_path: Path, package: Callable[..., None], start: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    package("X1", "hold()")
    package("X2", "hold()")
    run = start(claims_run("Y1", "X1", "X2", "--jobs", "2"), cwd=tmp_path)
    for said in ("Y1 holds", "X1 holds its worker", "X2 holds its worker"):
        run.wait_for(said)
    run.interrupt()
    status, said = run.end()
    assert status == 130 and "stopped" in said and "Traceback" not in said
    kept = Path(os.environ["XDG_CACHE_HOME"]) / "bitrate"
    assert [f.name for f in kept.glob("*/*.json")] == ["Y1.json"]
    monkeypatch.setenv("GO_ON", "yes")
    again = done("Y1", "X1", "X2", "--jobs", "2", cwd=tmp_path)
    assert again.returncode == 3 and "Y1 holds" not in again.stderr and " 67% X" in again.stderr
    assert not list(kept.glob("*/*.json"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_a_command_that_is_killed(
    number: int, tmp_path: Path, package: Callable[..., None], start: Callable[..., object]
) -> None:
    package("X1", "hold()")
    package("X2", "hold()")
    run = start(claims_run("X1", "X2", "--jobs", "2"), cwd=tmp_path)
    run.wait_for("X1 holds its worker")
    run.wait_for("X2 holds its worker")
    run.interrupt(number)
    status, said = run.end(60)
    assert status == 128 + number and "Traceback" not in said


def test_in_the_background_of_a_script_a_run_does_not_hear_ctrl_c(
    tmp_path: Path, package: Callable[..., None], start: Callable[..., object]
) -> None:
    """There it is meant for the program in front: a shell starts the others with SIGINT ignored."""
    go_on = tmp_path / "go on"
    os.mkfifo(go_on)
    package("X1", f'print("X1 waits", file=sys.stderr, flush=True); open({str(go_on)!r}).read()')
    run = start(claims_run("X1", "Y1", "--jobs", "2"), deaf=True, cwd=tmp_path)
    run.wait_for("X1 waits")
    run.interrupt()
    go_on.write_text("now")
    status, said = run.end()
    assert status == 3 and "stopped" not in said and "X1 holds" in said
