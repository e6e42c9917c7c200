"""What row order and file names tell: blocks of rollouts, and steps that were written again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bitrate.logs.engines import duck
from bitrate.logs.formats import jsonl
from bitrate.logs.layout import Again, appended_notes, block_sizes, json_object, shard_notes, steps_held
from bitrate.logs.peek import Peek

#: Each letter is a row's prompt, each word a file.
BLOCKS = {
    "one size": ("aaaabbbb ccccdddd", [4, 4]),
    "a prompt drawn twice in succession": ("aaaabbbb ccccccccdddd", [4, 4]),
    "every prompt of a file drawn twice": ("aaaabbbb ccccccccdddddddd eeeeffff", [4, 4, 4]),
    "a file with one prompt": ("aaaabbbb cccc ddddeeee", [4, 4, 4]),
    "a file with one prompt, drawn twice": ("aaaabbbb cccccccc", [4, 4]),
    "one prompt in every file": ("aaaa bbbb cccc", [4, 4, 4]),
    "one prompt in every file, once drawn twice": ("aaaa bbbbbbbb cccc", [4, 4, 4]),
    "one prompt in every file, drawn twice at the end": ("aaaa bbbb cccccccc", [4, 4, 4]),
    "resumed with another size": ("aaaabbbb ccccdddd eeeeeeeeffffffff gggggggghhhhhhhh", [4, 4, 8, 8]),
    "resumed with a smaller size": ("aaaabbbb ccccdddd eeffgg hhiijj", [4, 4, 2, 2]),
    "resumed with another size, one prompt a file": ("aaaa bbbb cccccccc dddddddd", [4, 4, 8, 8]),
    "the last file cut short": ("aaaabbbb ccccdddd eeeeff", [4, 4, 4]),
    "a file in no blocks": ("aaaabbbb cdcdcd eeeeffff", [4, 1, 4]),
    "no blocks anywhere": ("abab cdcd", [1, 1]),
}


def written(folder: Path, name: str, rows: list[dict[str, object]]) -> Peek:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Peek(folder / name, name)


@pytest.mark.parametrize("case", BLOCKS)
def test_blocks_are_found_by_file_and_settled_among_neighbours(case: str, tmp_path: Path) -> None:
    words, expected = BLOCKS[case]
    files = [
        written(tmp_path, f"{i}.jsonl", [{"prompt": p, "place": n} for n, p in enumerate(word)])
        for i, word in enumerate(words.split())
    ]
    source = jsonl(files, {"prompt": "VARCHAR", "place": "DOUBLE"})
    sizes = block_sizes(duck.connect(), source, "prompt", "place", [files])
    assert [sizes.get(str(f.path), 1) for f in files] == expected


def test_blocks_of_two_runs_are_found_apart(tmp_path: Path) -> None:
    words = ["aaaabbbb", "aaaaaaaabbbbbbbb", "ccccdddd", "ccccccccdddddddd"]
    files = [
        written(tmp_path, f"{i}.jsonl", [{"prompt": p, "place": n} for n, p in enumerate(word)])
        for i, word in enumerate(words)
    ]
    source = jsonl(files, {"prompt": "VARCHAR", "place": "DOUBLE"})
    sizes = block_sizes(duck.connect(), source, "prompt", "place", [files[::2], files[1::2]])
    assert [sizes[str(f.path)] for f in files] == [4, 8, 4, 8]


def steps(folder: Path, **files: list[int]) -> list[Peek]:
    return [written(folder, name, [{"step": s} for s in held]) for name, held in files.items()]


def held(files: list[Peek]) -> dict[str, dict[int, int]]:
    return steps_held(duck.connect(), jsonl(files, {"step": "DOUBLE"}), "step")


def test_a_step_in_two_files_of_one_run_is_named(tmp_path: Path) -> None:
    one, two = steps(tmp_path, a=[1, 1], b=[1, 1])
    again = Again.among([(one, "r", "train", 1), (two, "r", "train", 1), (two, "other", "train", 2)])
    assert list(again.files) == [("r", "train", 1)]
    [note] = again.notes
    assert "step 1 of the train split in a, b" in note
    assert Again.among([(one, "r", "train", 1), (two, "r", "eval", 1)]).notes == []


def test_steps_appended_again_to_a_file_are_named(tmp_path: Path) -> None:
    files = steps(tmp_path, once=[1, 1, 2, 2], again=[1, 1, 2, 2, 3, 3, 2, 2], loose=[1, 2] * 5)
    notes = appended_notes(held(files), files)
    assert len(notes) == 1
    assert "again holds step(s) 2 again after later ones" in notes[0]


def test_a_shard_may_go_on_with_a_step_and_not_go_back_to_it(tmp_path: Path) -> None:
    files = steps(tmp_path, first=[1, 1, 2], second=[2, 3, 3])
    assert shard_notes(held(files), files) == []
    files += steps(tmp_path, third=[2, 3])
    [note] = shard_notes(held(files), files)
    assert "third holds step(s) 2" in note


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a": ' * 100_000, "\ud800", "[1]", "{", "7", '{"a": ' + "9" * 5000 + "}"]
)
def test_what_lies_beside_rollouts_may_be_anything(text: str, tmp_path: Path) -> None:
    (tmp_path / "about.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert json_object(tmp_path / "about.json") == {}
    assert json_object(tmp_path / "none.json") == {}
    (tmp_path / "about.json").write_text('{"a": "' + "x" * 100 + '"}')
    assert json_object(tmp_path / "about.json") != {}
    assert json_object(tmp_path / "about.json", 50) == {}
