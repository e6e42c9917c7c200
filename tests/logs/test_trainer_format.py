"""What all formats of trainers share, on a format without a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from bitrate.logs.engines import duck
from bitrate.logs.options import ReadOptions
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat


class Rows(TrainerFormat):
    """Not found as a format, as it has no name."""

    raw: ClassVar[dict[str, str]] = {"id": "VARCHAR", "step": "DOUBLE", "reward": "VARCHAR"}
    needs: ClassVar[tuple[str, ...]] = ("id", "reward")
    lines: ClassVar[tuple[str, ...]] = ("id", "reward")
    one_rollout: ClassVar[tuple[str, ...]] = ("id", "step")

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        return {"prompt_id": "id", "step": "step", "reward": "reward"}

    def reasons(self, files: Sequence[Peek]) -> list[str]:
        return ["WHEN reward = 'none' THEN 'nobody scored it'"]


def read(form: Rows, files: Sequence[Peek]) -> list[tuple[object, ...]]:
    con = duck.connect()
    select = form.select(con, files)
    columns = ", ".join(select.columns[c] for c in ("prompt_id", "reward"))
    return sorted(duck.run(con, f"SELECT {select.position}, {columns}, {select.bad} FROM {select.source}"))


def written(folder: Path, *lines: str) -> Peek:
    folder.mkdir(exist_ok=True)
    path = folder / "rows.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return Peek(path, f"{folder.name}/rows.jsonl")


def test_a_line_that_cannot_be_measured_says_why(tmp_path: Path) -> None:
    file = written(tmp_path / "a", '{"id": "p", "step": 1, "reward": "none"}', "[1", '{"id": "p", "reward": 1}')
    assert read(Rows(ReadOptions()), [file]) == [
        (1, "p", "none", "nobody scored it"),
        (2, None, None, "line is not a JSON object with these columns"),
        (3, "p", "1", None),
    ]


def test_the_last_of_rows_written_again_stands_and_unknown_ones_all_do(tmp_path: Path) -> None:
    rows = ['{"id": "p", "step": 1, "reward": 0}', '{"id": "p", "reward": 0}', '{"id": "p", "reward": 0}']
    file = written(tmp_path / "a", *rows, '{"id": "p", "step": 1, "reward": 1}')
    form = Rows(ReadOptions())
    form.note_repeats(duck.connect(), [file], "written again")
    assert [(s.reason, s.count, s.where) for s in form.set_aside] == [("written again", 1, (str(file.path),))]
    assert [(place, reward) for place, _, reward, _ in read(form, [file])] == [(2, "0"), (3, "0"), (4, "1")]


def test_folders_are_runs_and_their_steps_no_repeats_of_each_other(tmp_path: Path) -> None:
    files = [written(tmp_path / name, '{"id": "p", "step": 1, "reward": 0}') for name in ("a", "b")]
    form = Rows(ReadOptions())
    con = duck.connect()
    form.survey(con, files)
    form.note_again(files, {str(f.path): [1] for f in files})
    assert (form.runs, form.notes) == ({str(f.path): f.path.parent.name for f in files}, [])
    form.runs = {}
    form.note_again(files, {str(f.path): [1] for f in files})
    assert "step 1 of the train split in a/rows.jsonl, b/rows.jsonl" in form.notes[0]
    assert form.sniff(files[0])
    assert not form.sniff(Peek(written(tmp_path / "c", '{"id": "p"}').path, "c/rows.jsonl"))
