"""Outputs: whole or not at all, through devices and links, never over an input; and a cache for the user alone."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import bitrate
from bitrate import files
from bitrate.cli import main
from bitrate.errors import BitrateError, InputError, MissingInputError, OutputError
from bitrate.logs import workplace
from bitrate.logs.engines import duck
from bitrate.logs.origins import counted_twice, made_from
from bitrate.logs.peek import Peek

Said = Callable[..., tuple[int, str]]


def rollouts(path: Path, prompts: int = 10) -> Path:
    """A log of four rollouts a prompt."""
    rows = [{"prompt_id": f"p{i // 4}", "step": i // 8, "reward": float(i % 3 == 0)} for i in range(4 * prompts)]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log in the working folder."""
    monkeypatch.chdir(tmp_path)
    return rollouts(tmp_path / "log.jsonl")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Said:
    """Call the command line in this process: its exit status, and what it said on standard error."""

    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["bitrate", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), capfd.readouterr().err

    return call


@contextlib.contextmanager
def reader(path: Path) -> Iterator[list[bytes]]:
    """Reads a pipe to its end while the block runs."""
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.append(path.read_bytes()), daemon=True)
    thread.start()
    yield got
    thread.join(timeout=60)
    assert not thread.is_alive()


def left(folder: Path) -> list[str]:
    """Names in a folder, temporary files too; not what this process keeps to its end."""
    return sorted(p.name for p in folder.iterdir() if p.name != "cache" and p != files.scratch())


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(type(error)), files.written(tmp_path / "a") as part:
        part.write_text("half")
        assert part.parent == tmp_path and part.name.startswith(".")
        raise error
    assert (tmp_path / "a").read_text() == "old"
    assert left(tmp_path) == ["a"]


def test_a_folder_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "new" / "f"
    with pytest.raises(OSError, match="full"), files.written_folder(target) as made:
        made.mkdir()
        raise OSError("full")
    assert left(target.parent) == []
    for text in ("first", "second"):
        with files.written_folder(target) as made:
            made.mkdir()
            (made / "a").write_text(text)
    assert (target / "a").read_text() == "first"
    assert left(target.parent) == ["f"]


def test_a_link_stays_a_link_and_what_it_points_at_is_written(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to("far/real")
    (tmp_path / "nearer").symlink_to("near")
    for text in ("made through a dangling link", "written anew"):
        files.write(tmp_path / "nearer", text)
        assert (tmp_path / "far" / "real").read_text() == text
        assert (tmp_path / "near").is_symlink() and (tmp_path / "nearer").is_symlink()
    assert left(tmp_path / "far") == ["real"]


def test_a_file_keeps_its_permissions_and_a_new_one_has_what_the_umask_leaves(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("old")
    (tmp_path / "kept").chmod(0o604)
    before = os.umask(0o027)
    try:
        for name in ("kept", "new"):
            files.write(tmp_path / name, "x")
        files.write(tmp_path / "private", "x", files.PRIVATE)
    finally:
        os.umask(before)
    modes = {n: stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("kept", "new", "private")}
    assert modes == {"kept": 0o604, "new": 0o640, "private": 0o600}


@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_is_written_through(tmp_path: Path, linked: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    target = tmp_path / ("link" if linked else "pipe")
    files.check(target, "--json")
    with reader(tmp_path / "pipe") as got:
        files.write(target, "said")
    assert got == [b"said"]
    assert (tmp_path / "pipe").is_fifo() and left(tmp_path) == ["link", "pipe"]


def test_a_device_stays_a_device(log: Path, said: Said) -> None:
    device = log.parent / "null"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        device.write_text("x")
    except OSError:
        pytest.skip("devices are made by root, where the file system allows them")
    assert said("audit", log, "--json", device, "--html", device) == (0, "")
    assert device.is_char_device() and left(log.parent) == ["log.jsonl", "null"]


def test_an_open_descriptor_is_written_through_at_its_place(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+b", buffering=0) as out:
        out.write(b"before, ")
        os.set_inheritable(out.fileno(), True)
        files.write(f"/dev/fd/{out.fileno()}", "said")
        out.write(b", after")
    assert (tmp_path / "out").read_bytes() == b"before, said, after"


def test_a_descriptor_that_is_closed_or_only_read_is_said_before_the_work(tmp_path: Path) -> None:
    with Path(os.devnull).open("rb") as source:
        with pytest.raises(OutputError, match="closed, or open for reading only"):
            files.check(f"/dev/fd/{source.fileno()}", "--json")
        number = source.fileno()
    with pytest.raises(OutputError):
        files.check(f"/dev/fd/{number}", "--json")


def test_a_planted_part_is_not_written_through(log: Path, said: Said) -> None:
    (log.parent / "victim").write_text("precious")
    for name in ("out.json.part", "out.parquet.part", "out.part", "tmp_out.parquet"):
        (log.parent / name).symlink_to("victim")
    assert said("audit", log, "--json", "out.json")[0] == 0
    assert said("export", log, "-o", "out.parquet")[0] == 0
    bitrate.audit(log).save(log.parent / "out.json")
    assert (log.parent / "victim").read_text() == "precious"
    assert pq.read_table(log.parent / "out.parquet").num_rows == 40


BAD = {
    "": (InputError, "names no file"),
    "folder": (InputError, "is a folder"),
    "folder/": (InputError, "names no file"),
    "new/": (InputError, "names no file"),
    ".": (InputError, "is a folder"),
    "/": (InputError, "names no file"),
    "nowhere/x.json": (MissingInputError, "no such folder"),
    "log.jsonl/x.json": (MissingInputError, "no such folder"),
    "loop": (OutputError, "symbolic links"),
    "x" * 300: (OutputError, "name too long"),
    "/dev/full/x": (MissingInputError, "no such folder"),
}


@pytest.mark.parametrize("target", BAD)
def test_a_bad_target_is_said_before_the_work(log: Path, said: Said, target: str) -> None:
    kind, words = BAD[target]
    (log.parent / "folder").mkdir()
    (log.parent / "loop").symlink_to("loop")
    with pytest.raises(kind, match=f"(?i){words}"):
        files.check(target, "--json")
    before = left(log.parent)
    log.write_text("not read, or this would be said")
    for words_ in (["audit", log, "--json"], ["audit", log, "--html"], ["export", log, "-o"], ["formats", "--json"],
                   ["compare", log, log, "--json"], ["demo", "--html"], ["claims", "list", "--json"],
                   ["claims", "run", "S1.8", "--json"]):  # fmt: skip
        status, message = said(*words_, target)
        assert status == 2 and words.lower() in message.lower(), words_
    assert left(log.parent) == before


def test_the_report_has_an_ending_and_a_file_of_its_own(log: Path, said: Said) -> None:
    assert said("audit", log, "--html", "report", "--json", "figures") == (0, "")
    assert {"figures", "report.html"} <= set(left(log.parent))
    (log.parent / "alias.html").symlink_to("figures")
    for html, target, words in (
        ("x", "x", "name one file"), ("x.html", "x.html", "name one file"), ("x", "./x.html", "name one file"),
        ("alias.html", "figures", "name one file"), ("x.pdf", "y", "does not end in .html"),
        ("-", "y", "does not end in .html"),
    ):  # fmt: skip
        status, message = said("audit", log, "--html", html, "--json", target)
        assert status == 2 and words in message, (html, target)
    assert not (log.parent / "x").exists() and not (log.parent / "y").exists()


@pytest.mark.parametrize("option", ["--figures", "--runs"])
@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_a_folder_of_results_that_is_a_file_is_said_before_the_work(
    log: Path, said: Said, option: str, below: str
) -> None:
    status, message = said("claims", "run", "S1.8", option, log / below)
    assert status == 2 and "is a file; want a folder" in message


@pytest.mark.parametrize("name", ["log.jsonl", "./log.jsonl", "hard", "soft", "soft.html", "far/soft"])
def test_an_output_that_is_an_input_is_refused(log: Path, said: Said, name: str) -> None:
    before = log.read_bytes()
    (log.parent / "hard").hardlink_to(log)
    for soft in ("soft", "soft.html"):
        (log.parent / soft).symlink_to("log.jsonl")
    (log.parent / "far").symlink_to(".")
    for words in (["audit", log, "--json"], ["audit", "hard", "--json"], ["audit", "soft", "--html"],
                  ["compare", log, log, "--json"], ["export", log, "-o"], ["audit", ".", "--json"],
                  ["compare", "far", log, "--json"]):  # fmt: skip
        status, message = said(*words, name)
        assert status == 2 and "is one of the inputs" in message, words
    with pytest.raises(InputError, match="one of the inputs"):
        bitrate.export(log, name)
    assert log.read_bytes() == before


def test_a_file_behind_a_linked_folder_is_an_input(tmp_path: Path, said: Said) -> None:
    far = rollouts(tmp_path / "far" / "log.jsonl")
    rollouts(tmp_path / "run" / "log.jsonl")
    (tmp_path / "run" / "linked").symlink_to("../far")
    (tmp_path / "run" / "round").symlink_to(".")
    assert "one of the inputs" in said("audit", tmp_path / "run", "--json", far)[1]
    assert far.read_bytes().startswith(b'{"prompt_id"')


def test_an_audit_is_not_saved_over_what_it_read(tmp_path: Path) -> None:
    log = rollouts(tmp_path / "log.jsonl")
    (tmp_path / "report.html").symlink_to("log.jsonl")
    with pytest.raises(InputError, match="one of the inputs"):
        bitrate.audit(log).save(tmp_path / "report.html")
    assert log.read_bytes().startswith(b'{"prompt_id"')


def test_a_report_may_lie_in_the_folder_it_tells_of_but_no_other_file_of_it_is_replaced(
    tmp_path: Path, said: Said
) -> None:
    rollouts(tmp_path / "run" / "log.jsonl")
    (tmp_path / "run" / "config.json").write_text('{"run": 1}')
    run = tmp_path / "run"
    for _ in range(2):
        assert said("audit", run, "--json", run / "figures.json", "--html", run / "report.html")[0] == 0
        assert said("compare", run, run, "--json", run / "both.json")[0] == 0
    assert "one of the inputs" in said("audit", run, "--json", run / "config.json")[1]
    assert json.loads((run / "figures.json").read_text())["counts"]["rollouts"]["value"] == 40


def test_an_export_into_its_own_input_is_refused(tmp_path: Path, said: Said) -> None:
    run = rollouts(tmp_path / "run" / "log.jsonl").parent
    (run / "below").mkdir()
    (tmp_path / "link").symlink_to("run/below")
    for output in (run / "all.parquet", run / "below" / "all.parquet", tmp_path / "link" / "all.parquet"):
        status, message = said("export", run, "-o", output)
        assert status == 2 and "count these rollouts twice" in message and "hint:" in message
    assert left(run) == ["below", "log.jsonl"]
    assert said("export", run, "-o", tmp_path / "run.parquet")[0] == 0


def test_an_export_says_what_it_was_made_from(tmp_path: Path) -> None:
    a, b = rollouts(tmp_path / "run" / "a.jsonl"), rollouts(tmp_path / "run" / "b.jsonl", prompts=12)
    bitrate.export(a.parent, tmp_path / "all.parquet")
    kept = {k.decode(): v.decode() for k, v in pq.read_schema(tmp_path / "all.parquet").metadata.items()}
    assert [(o.name, o.bytes) for o in made_from(kept)] == [(f.name, f.stat().st_size) for f in (a, b)]
    assert made_from({"bitrate_made_from": '{"a": 1}'}) == made_from({}) == ()


def twice(*paths: Path) -> dict[str, str]:
    """Names of the files whose rows are there twice, with the reasons."""
    return {p.name: reason for p, reason in counted_twice([Peek(p, p.name) for p in paths]).items()}


def test_an_export_beside_its_sources_is_found(tmp_path: Path) -> None:
    a, b = rollouts(tmp_path / "a.jsonl"), rollouts(tmp_path / "b.jsonl", prompts=12)
    every, again, other = tmp_path / "all.parquet", tmp_path / "again.parquet", rollouts(tmp_path / "c.jsonl", 11)
    bitrate.export([a, b], every)
    bitrate.export(every, again)
    assert twice(a, b, other) == {}
    assert twice(other, every, b, a) == {"all.parquet": "exported from files that are read here"}
    assert set(twice(again, every, b, a)) == {"all.parquet", "again.parquet"}
    assert twice(b, every) == {"b.jsonl": "its rows are in all.parquet, which was exported from it"}
    assert twice(other, every) == twice(every) == {}
    with a.open("a") as file:  # a run that goes on
        file.write("{}\n")
    moved = b.rename(tmp_path / "moved.jsonl")
    assert set(twice(a, moved, every)) == {"all.parquet"}
    a.write_bytes(a.read_bytes().replace(b"1.0", b"0.0"))
    assert set(twice(a, moved, every)) == {"moved.jsonl"}


def test_an_export_to_a_full_disk_names_the_output_and_leaves_nothing(log: Path) -> None:
    resource = pytest.importorskip("resource")
    code = f"import bitrate; bitrate.export({str(log)!r}, 'out.parquet')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=log.parent, capture_output=True, text=True, check=False, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)),
    )  # fmt: skip
    assert "OutputError: out.parquet: cannot be written: File too large" in done.stderr
    assert left(log.parent) == ["log.jsonl"]


def test_the_cache_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c[1]" / "deep"))
    log, seen = rollouts(tmp_path / "log.jsonl"), {}

    def look(what: str, share: float) -> None:
        if share == 1.0:
            for path in files.home().rglob("*"):
                seen[path.name] = stat.S_IMODE(path.stat().st_mode)

    assert bitrate.audit(log, progress=look).to_dict()["counts"]["rollouts"]["value"] == 40
    assert seen["lock"] == 0o600 and len([n for n in seen if n.endswith(".parquet")]) == 2
    assert {mode for name, mode in seen.items() if name.endswith(".parquet")} == {0o600}
    assert stat.S_IMODE(files.home().stat().st_mode) == 0o700
    assert left(files.home()) == []


def test_what_does_not_fit_in_memory_is_spilled_to_the_cache(log: Path) -> None:
    con = duck.connect("50MB", threads=1)
    duck.run(
        con, "SELECT max(b) FROM (SELECT a, row_number() OVER (ORDER BY md5(a::VARCHAR)) b FROM range(2000000) t(a))"
    )
    [(place,)] = con.execute("SELECT current_setting('temp_directory')").fetchall()
    assert list(Path(place).iterdir()), "this query was to be too large"
    con.close()
    assert files.scratch() in Path(place).parents and left(log.parent) == ["log.jsonl"]


def test_another_connection_spills_elsewhere() -> None:
    places = [duck.connect().execute("SELECT current_setting('temp_directory')").fetchall() for _ in range(2)]
    assert places[0] != places[1]


def test_no_module_of_unix_is_needed() -> None:
    code = "import sys; sys.modules |= dict.fromkeys(['fcntl', 'pwd', 'resource']); import bitrate.cli, bitrate.api"
    subprocess.run([sys.executable, "-c", code + ", bitrate.logs.workplace"], check=True, timeout=60)


def untrusted(place: Path) -> None:
    """The folder of the cache, with something of somebody else's in it."""
    (place / "theirs").mkdir(parents=True)
    place.chmod(0o777)


def owned_by_another(place: Path) -> None:
    """The same, owned by another user."""
    place.mkdir(parents=True)
    try:
        os.chown(place, 54321, 54321)
    except PermissionError:
        pytest.skip("only root gives a folder away")


def behind_a_link(place: Path) -> None:
    """A link to a folder that others may write to."""
    place.parent.mkdir(parents=True)
    untrusted(place.parent.parent / "elsewhere")
    place.symlink_to(place.parent.parent / "elsewhere")


@pytest.mark.parametrize("spoil", [untrusted, owned_by_another, behind_a_link])
def test_a_cache_that_others_may_write_to_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    spoil(tmp_path / "c" / "bitrate")
    before = sorted(tmp_path.rglob("*"))
    place = files.home("training")
    assert tmp_path not in place.parents and stat.S_IMODE(place.stat().st_mode) == 0o700
    with workplace.workplace("0" * 24) as folder:
        assert tmp_path not in folder.resolve().parents
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_in_the_cache_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (files.home() / ("0" * 24)).symlink_to(tmp_path / "elsewhere")
    with workplace.workplace("0" * 24) as folder:
        assert folder.resolve() != tmp_path / "elsewhere"
    assert left(tmp_path) == ["elsewhere"] and left(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("named", ["a file", "/proc/nowhere", "\udcff", "x" * 300])
def test_without_a_cache_there_is_a_folder_that_ends_with_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", named if named.startswith("/") else str(tmp_path / named))
    place = files.home("training")
    assert place.is_dir() and tmp_path not in place.parents
    assert bitrate.audit(rollouts(tmp_path / "log.jsonl")).to_dict()["counts"]["rollouts"]["value"] == 40


def test_only_what_bitrate_made_is_swept(tmp_path: Path) -> None:
    place = files.home()
    for name in ("0" * 24, "training", "weights", "spill-a1", "src", "0" * 23):
        (place / name).mkdir()
        os.utime(place / name, (0, 0))
    (place / ("1" * 24)).mkdir()
    with workplace.workplace("2" * 24):
        assert left(place) == ["0" * 23, "1" * 24, "2" * 24, "src"]


def test_a_second_user_of_a_key_gets_a_folder_of_its_own_and_a_stopped_run_finds_what_it_left() -> None:
    with contextlib.suppress(RuntimeError), workplace.workplace("0" * 24) as first:
        (first / "kept").write_text("x")
        with workplace.workplace("0" * 24) as second:
            assert second != first
        assert not second.exists()
        raise RuntimeError
    with workplace.workplace("0" * 24) as third:
        assert third == first and (third / "kept").exists()
    assert not third.exists()


def test_an_output_error_is_one_of_ours_and_of_the_systems(tmp_path: Path) -> None:
    with pytest.raises(OSError) as got:
        files.write(tmp_path / "nowhere" / "a", "x")
    assert isinstance(got.value, BitrateError) and got.value.where == str(tmp_path / "nowhere" / "a")


def test_checking_a_target_changes_nothing(log: Path) -> None:
    (log.parent / "old.json").write_text("old")
    os.utime(log.parent / "old.json", (0, 0))
    files.check(log.parent / "old.json", "--json", [log])
    files.check(log.parent / "new.json", "--json", [log])
    assert left(log.parent) == ["log.jsonl", "old.json"]
    assert (log.parent / "old.json").stat().st_mtime == 0 < time.time()
