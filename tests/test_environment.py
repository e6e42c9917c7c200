"""Places that are not a developer's shell: no home, no name, no width, closed streams, full disks, plain ASCII."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import bitrate
from bitrate.cli import _console, main
from bitrate.report.claim_terminal import print_claims
from bitrate.report.terminal import print_audit, print_compare, print_formats

Said = Callable[..., tuple[int, str, str]]
SOURCE = Path(bitrate.__file__).parents[1]
COMMAND = f"{sys.executable} -m bitrate"
NOBODY = f"exec setpriv --reuid 54321 --regid 54321 --clear-groups {sys.executable}"


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that any user may write to, with a log in it."""
    folder = Path(tempfile.mkdtemp(prefix="test-bitrate-"))
    folder.chmod(0o777)
    rows = [{"prompt_id": f"p{i // 4}", "step": i // 8, "reward": float(i % 3 == 0)} for i in range(40)]
    (folder / "log.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (folder / "log.jsonl").chmod(0o666)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def said(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Call the command line in this process, beside the log: exit status, standard output, standard error."""
    monkeypatch.chdir(place)

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bitrate", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    return call


def shell(line: str, cwd: Path, **changed: str | None) -> subprocess.CompletedProcess[str]:
    """Run a line of shell, in which $B is the command; a variable that is None is not set."""
    env = {**os.environ, "B": COMMAND, "PYTHONPATH": str(SOURCE), "COLUMNS": "100", **changed}
    return subprocess.run(
        ["bash", "-c", line], cwd=cwd, capture_output=True, text=True, errors="replace", check=False, timeout=120,
        env={k: v for k, v in env.items() if v is not None},
    )  # fmt: skip


def as_nobody(line: str, cwd: Path, **changed: str | None) -> subprocess.CompletedProcess[str]:
    """The same as a user whose number has no name."""
    if reason := why_not_nobody():
        pytest.skip(reason)
    return shell(f"{NOBODY} -m bitrate {line}", cwd, XDG_CACHE_HOME=None, **changed)


@cache
def why_not_nobody() -> str:
    """Why no process can be started as that user, or nothing."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return "only root, with setpriv, becomes a user without a name"
    tried = shell(f"{NOBODY} -c 'import bitrate.cli'", Path("/"))
    return "another user cannot read this checkout or its Python" if tried.returncode else ""


HOMES: dict[str, dict[str, str | None]] = {
    "unset": {"HOME": None},
    "empty": {"HOME": ""},
    "root": {"HOME": "/"},
    "not there": {"HOME": "/nowhere", "TMPDIR": "/nowhere"},
}


@pytest.mark.parametrize("home", HOMES)
def test_a_user_without_a_name_or_a_home_gets_a_report(place: Path, home: str) -> None:
    report = "--html report" if home == "unset" else ""  # the charts' library wants a home while it is imported
    done = as_nobody(f"audit log.jsonl --json found.json {report}", place, **HOMES[home])
    assert (done.returncode, done.stderr) == (0, "")
    assert "40 rollouts in 10 groups" in done.stdout
    assert {p.name for p in place.iterdir()} - {"report.html"} == {"found.json", "log.jsonl"}
    assert (place / "report.html").exists() == bool(report)


def test_what_a_user_may_not_write_is_said_before_the_work(place: Path) -> None:
    (place / "folder").mkdir(mode=0o755)
    (place / "read-only").write_text("old")
    (place / "read-only").chmod(0o644)
    (place / "log.jsonl").write_text("not read, or this would be said")
    for target in ("folder/new.json", "read-only"):
        done = as_nobody(f"audit log.jsonl --json {target}", place)
        assert done.returncode == 2 and f"{target}: cannot be written: Permission denied" in done.stderr, done.stderr
        assert "hint:" in done.stderr and "Traceback" not in done.stderr
    done = as_nobody("claims run S1.8 --figures folder/figures", place)
    assert done.returncode == 2 and "folder/figures: cannot be written: Permission denied" in done.stderr


def test_a_file_that_may_be_written_in_a_folder_that_may_not_is_written_in_place(place: Path) -> None:
    (place / "folder").mkdir(mode=0o755)
    for file in (place / "folder" / "open.json", place / "roots.json"):
        file.write_text("old" * 100_000)
        file.chmod(0o666)
        done = as_nobody(f"audit log.jsonl --json {file}", place)
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(file.read_text())["counts"]["rollouts"]["value"] == 40
        assert file.stat().st_uid == 0
    assert [p.name for p in (place / "folder").iterdir()] == ["open.json"]


@pytest.mark.parametrize("columns", ["0", "1", "5", "12", "13", "20", "text", "-5", ""])
def test_any_width_prints(place: Path, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    log = place / "log.jsonl"
    with (place / "out").open("w+", encoding="utf-8") as out:
        console = _console()
        console.file = out
        print_audit(bitrate.audit(log), console)
        print_compare(bitrate.compare(log, log), console)
        print_formats(bitrate.formats(), console)
        print_claims([{"id": "S1.8", "published": None, "statement": "of some length " * 9}], console)
        out.seek(0)
        assert len(out.read().splitlines()) > 30
    assert console.width > 0


CLOSED = [
    ("$B audit log.jsonl >&-", 0, ""),
    ("$B export log.jsonl -o out.parquet >&- 2>&-", 0, ""),
    ("$B audit log.jsonl --json - >&-", 2, "standard output, which is closed"),
    ("$B audit log.jsonl --json /dev/stdout >&-", 2, "closed, or open for reading only"),
    ("$B audit nowhere >&-", 2, "no such file or folder"),
    ("$B audit nowhere 2>&-", 2, ""),
    ("$B audit --no-such-option 2>&-", 2, ""),
    ("$B audit log.jsonl --json - <&- >/dev/null 2>&-", 0, ""),
    ("$B formats >&- 2>&- <&-", 0, ""),
    ("$B audit log.jsonl --json - 2>&- | head -c 0", 0, ""),
]


@pytest.mark.parametrize(("line", "status", "words"), CLOSED, ids=[c[0] for c in CLOSED])
def test_a_closed_stream_is_no_traceback(place: Path, line: str, status: int, words: str) -> None:
    before = (place / "log.jsonl").read_bytes()
    done = shell(line, place)
    assert done.returncode == status
    assert words in done.stderr and done.stdout == ""
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr
    assert (place / "log.jsonl").read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    "line",
    [
        "$B audit log.jsonl >/dev/full",
        "$B audit log.jsonl --json - >/dev/full",
        "$B audit log.jsonl --json /dev/full",
        "$B audit log.jsonl --html /dev/full",
        "$B export log.jsonl -o /dev/full",
        "$B formats >/dev/full",
        "$B --version >/dev/full",
    ],
)
def test_a_full_disk_is_an_error_and_no_traceback(place: Path, line: str) -> None:
    done = shell(line, place)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr
    assert [p.name for p in place.iterdir()] == ["log.jsonl"]


@pytest.mark.parametrize(
    "line", ["$B audit log.jsonl", "$B audit log.jsonl --json -", "$B audit log.jsonl --json /dev/stdout", "$B formats"]
)
def test_a_reader_that_went_away_is_no_traceback(place: Path, line: str) -> None:
    done = shell(f"{line} | true; exit ${{PIPESTATUS[0]}}", place)
    assert done.returncode in {0, 1} and done.stderr == ""


@pytest.mark.parametrize(
    ("line", "bytes_"),
    [
        ("$B audit log.jsonl --json >(cat >out) >/dev/null; wait $!", b'{\n "run": "log"'),
        ("$B audit log.jsonl --html >(cat >out) >/dev/null; wait $!", b"<!doctype html>"),
        ("$B export log.jsonl -o >(cat >out); wait $!", b"PAR1"),
        ("$B audit log.jsonl --json /dev/stdout >out", b'{\n "run": "log"'),
    ],
)
def test_process_substitution_and_standard_output_are_written_through(place: Path, line: str, bytes_: bytes) -> None:
    done = shell(line, place)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert (place / "out").read_bytes().startswith(bytes_)
    assert sorted(p.name for p in place.iterdir()) == ["log.jsonl", "out"]


@pytest.mark.parametrize(
    "plain", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_plain_ascii_prints(place: Path, plain: dict[str, str | None]) -> None:
    done = shell("$B audit log.jsonl --json é.json && $B claims list", place, **plain)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.isascii() and "40 rollouts" in done.stdout


def test_escapes_in_names_never_reach_the_terminal(place: Path, said: Said) -> None:
    name = "x\x1b]0;P\x07\x9b31m\u202e"
    (place / "in").mkdir()
    os.link(place / "log.jsonl", place / "in" / f"{name}.jsonl")
    log = place / "log.jsonl"
    for words in (
        ["export", log, "-o", f"{name}.parquet"], ["audit", f"{name}.parquet"], ["audit", log, "--html", name],
        ["audit", log, "--json", f"{name}/x"], ["audit", name], ["audit", f"in/{name}.jsonl"], ["compare", "in", "in"],
        ["audit", "in", "--columns", f"reward={name}"], ["audit", "in", "--json", f"in/{name}.jsonl"],
        ["claims", "run", name], ["claims", "run", "S1.8", "--figures", f"in/{name}.jsonl"],
        ["audit", log, "--memory", name], ["audit", log, "--format", name], ["audit", log, "--engine", name],
    ):  # fmt: skip
        status, out, err = said(*words)
        assert status in {0, 2} and (out or err), words
        assert not any(c in out + err for c in "\x1b\x07\x9b\u202e"), words
    for words in (["audit", f"--{name}"], [name], ["audit", log, "--level", name]):
        assert "\x1b" not in said(*words)[2]


def test_a_name_that_is_not_text_is_shown_and_written(place: Path, said: Said) -> None:
    name = os.fsdecode(b"x\x9b")
    assert said("audit", "log.jsonl", "--json", f"{name}.json", "--html", name)[0] == 0
    status, _, err = said("export", "log.jsonl", "-o", f"{name}.parquet")
    assert (status, err) == (0, "40 rollouts written to x\\udc9b.parquet\n")
    assert {f"{name}.json", f"{name}.html", f"{name}.parquet"} <= {p.name for p in place.iterdir()}


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--memory", "-1", "memory = '-1'; want a size"),
        ("--memory", "-2GB", "want a size"),
        ("--memory", "0", "want a size"),
        ("--memory", "", "want a size"),
        ("--memory", "nan", "want a size"),
        ("--memory", "much", "want a size"),
        ("--memory", "2\udc9bGB", "want a size"),
        ("--memory", "1KB", "--memory 4GB"),
        ("--level", "2", "level = 2.0; want a coverage"),
        ("--level", "nan", "level = nan; want a coverage"),
        ("--price-per-hour", "-1", "want a positive number"),
        ("--price-per-hour", "nan", "want a positive number"),
        ("--flops-per-second", "-inf", "want a positive number"),
        ("--model-params", "0", "want a positive number"),
        ("--verifier-noise", "nan", "want a rate"),
    ],
)
def test_a_number_that_cannot_be_is_an_error_that_says_what_can(
    said: Said, option: str, value: str, words: str
) -> None:
    status, out, err = said("audit", "log.jsonl", option, value)
    assert (status, out) == (2, "") and words in err
