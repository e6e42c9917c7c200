"""What an unfinished run leaves is used again only where nothing changed since; a change while reading is said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bitrate.api import audit, reduced
from bitrate.logs import workplace
from bitrate.logs.engines import duck
from bitrate.logs.read import open_source

ROWS = [{"prompt_id": f"p{i // 4}", "reward": i % 2, "step": i // 8} for i in range(40)]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def all_wrong(text: str) -> str:
    return text.replace('"reward": 1', '"reward": 0')


def in_place(path: Path) -> None:
    path.write_text(all_wrong(path.read_text()))


def by_another_file(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_text(all_wrong(path.read_text()))
    other.replace(path)


@pytest.mark.parametrize("change", [in_place, by_another_file], ids=lambda c: c.__name__)
def test_a_change_that_keeps_size_and_time_is_seen_after_a_kill(change: Callable[[Path], None], tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", ROWS)
    with pytest.raises(KeyError), reduced(path):
        raise KeyError  # as kill -9 would, this leaves all chunks
    then = path.stat()
    change(path)
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (then.st_size, then.st_mtime_ns)
    assert audit(path).to_dict()["groups"]["all_wrong"]["value"] == 1.0


def key(path: Path) -> str:
    return open_source(duck.connect(), [path]).key("duckdb")


def trl(folder: Path) -> tuple[Path, list[Path]]:
    """A run as TRL writes it, and where its history may lie."""
    rows = [{"step": 1, "prompt": f"q{i // 4}", "completion": "a", "right": i % 2 / 1.0} for i in range(8)]
    home = folder / "completions"
    home.mkdir()
    listed = " UNION ALL ".join(
        f"SELECT {r['step']} AS step, '{r['prompt']}' AS prompt, '{r['completion']}' AS completion, "
        f"{r['right']}::DOUBLE AS advantage, {r['right']}::DOUBLE AS right_reward"
        for r in rows
    )
    duck.connect().execute(f"COPY ({listed}) TO '{home / 'completions_00001.parquet'}'")
    return folder, [folder / "trainer_state.json", folder / "checkpoint-2" / "trainer_state.json"]


def test_a_change_of_a_file_read_beside_the_rows_is_seen(tmp_path: Path) -> None:
    run, histories = trl(tmp_path)
    keys = [key(run)]
    for history in histories:
        history.parent.mkdir(exist_ok=True)
        for logged in (
            [{"step": 1, "rewards/right_reward/mean": 0.5}],
            [{"step": 1, "rewards/right_reward/mean": 0.6}],
        ):
            history.write_text(json.dumps({"log_history": logged}))
            keys.append(key(run))
    assert len(set(keys)) == len(keys) == 5
    assert key(run) == keys[-1]


def test_another_version_does_not_go_on_with_the_chunks_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "run.jsonl", ROWS)
    before = key(path)
    monkeypatch.setattr(workplace, "__version__", "another")
    workplace.code.cache_clear()
    try:
        assert key(path) != before
    finally:
        workplace.code.cache_clear()


def caveats(path: Path, progress: Callable[[str, float], None]) -> list[str]:
    return [c for c in audit(path, progress=progress).to_dict()["caveats"] if "changed while being read" in c]


def test_a_file_that_changes_while_it_is_read_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", ROWS)
    assert not caveats(path, lambda *_: None)

    def append(what: str, share: float) -> None:
        if what == "reducing" and share == 0:
            with path.open("a") as file:
                file.write(json.dumps(ROWS[0]) + "\n")

    assert [c.split()[0] for c in caveats(path, append)] == ["run.jsonl"]


def test_a_file_that_changed_before_a_kill_is_read_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", ROWS)

    def change(what: str, share: float) -> None:
        if what == "reading":
            in_place(path)

    with pytest.raises(KeyError), reduced(path, progress=change):
        raise KeyError
    write(path, ROWS)
    assert audit(path).to_dict()["groups"]["mixed"]["value"] == 1.0
