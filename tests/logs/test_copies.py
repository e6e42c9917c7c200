"""The same rows once more: which copies are left out, and what is said of those that cannot be told from rollouts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bitrate

ROWS = [
    {"prompt_id": f"p{i // 4}", "step": i // 20, "reward": i % 2, "completion": f"text {i}", "prompt": f"q {i // 4}"}
    for i in range(80)
]


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))


def test_an_earlier_state_of_a_file_is_left_out(tmp_path: Path, reading: Callable[..., Any]) -> None:
    write(tmp_path / "rows.jsonl", ROWS)
    write(tmp_path / "rows_backup.jsonl", ROWS[:50])
    found = reading(tmp_path)
    assert found.column("n") == [4] * 20
    assert found.where == {"every line is also in rows.jsonl": (str(tmp_path / "rows_backup.jsonl"),)}


def test_a_copy_in_another_order_is_left_out(tmp_path: Path, reading: Callable[..., Any]) -> None:
    write(tmp_path / "a.jsonl", ROWS)
    write(tmp_path / "b.jsonl", [*ROWS[40:], *ROWS[:40]])
    found = reading(tmp_path)
    assert found.column("n") == [4] * 20
    assert found.set_aside == {"every line is also in a.jsonl": 1}


def test_files_of_lines_that_say_little_are_no_copies(tmp_path: Path, reading: Callable[..., Any]) -> None:
    """Two ranks with half of each group may well hold the same lines of zeros and ones."""
    bare = [{"prompt_id": r["prompt_id"], "reward": r["reward"], "step": r["step"]} for r in ROWS]
    write(tmp_path / "rank_0.jsonl", bare)
    write(tmp_path / "rank_1.jsonl", [*bare[:79], bare[79] | {"reward": 0}])
    found = reading(tmp_path)
    assert found.column("n") == [8] * 20
    assert not found.set_aside
    assert found.note("hold rollouts of the same prompts at the same step (20 in all)")


def test_a_stretch_that_stands_twice_is_said(tmp_path: Path, reading: Callable[..., Any]) -> None:
    write(tmp_path / "rows.jsonl", ROWS[:60] + ROWS[40:])
    found = reading(tmp_path)
    assert sum(found.column("n")) == 100
    assert found.note("20 lines of rows.jsonl stand there once more, letter for letter")


def test_equal_answers_within_groups_are_no_stretch(tmp_path: Path, reading: Callable[..., Any]) -> None:
    """At temperature 0 all rollouts of a group are one line."""
    write(tmp_path / "rows.jsonl", [r | {"completion": "same", "reward": 1} for r in ROWS])
    assert not reading(tmp_path).note("stand there once more")


def test_two_runs_in_one_folder_are_told_by_their_names(tmp_path: Path, reading: Callable[..., Any]) -> None:
    write(tmp_path / "grpo.jsonl", ROWS)
    write(tmp_path / "dapo.jsonl", [r | {"completion": r["completion"] + "!", "reward": 1} for r in ROWS])
    found = reading(tmp_path)
    assert found.column("n") == [4] * 40
    assert {g["run"] for g in found.groups} == {"dapo", "grpo"}
    assert found.note("they are taken for runs of their own")


def test_one_id_of_several_texts_is_said(tmp_path: Path, reading: Callable[..., Any]) -> None:
    write(tmp_path / "rows.jsonl", [r | {"prompt_id": i % 4} for i, r in enumerate(ROWS)])
    assert reading(tmp_path).note("4 prompt id(s), 0 for one, stand for several prompt texts each")
    write(tmp_path / "rows.jsonl", ROWS)
    assert not reading(tmp_path).note("several prompt texts")


def test_messages_in_another_order_of_keys_are_one_text(tmp_path: Path, reading: Callable[..., Any]) -> None:
    one = [{"role": "user", "content": "q"}]
    other = [{"content": "q", "role": "user"}]
    write(tmp_path / "rows.jsonl", [{"prompt_id": p, "prompt": p, "reward": r} for p, r in ((one, 1), (other, 0))])
    found = reading(tmp_path)
    assert found.column("n") == [2]
    assert not found.note("several prompt texts")


def test_an_export_beside_its_sources_is_left_out(tmp_path: Path, reading: Callable[..., Any]) -> None:
    write(tmp_path / "runs" / "rows.jsonl", ROWS)
    bitrate.export(tmp_path / "runs", tmp_path / "all.parquet")
    (tmp_path / "all.parquet").rename(tmp_path / "runs" / "all.parquet")
    found = reading(tmp_path / "runs")
    assert found.column("n") == [4] * 20
    assert found.set_aside == {"exported from files that are read here": 1}


def test_equal_files_of_other_steps_splits_and_ranks_are_no_copies(tmp_path: Path, reading: Callable[..., Any]) -> None:
    """A prompt that stays all wrong gives the same bytes at every step."""
    same = [{"prompt_id": "0", "reward": 0.0}] * 4
    for name in ("step_1/rank_0.jsonl", "step_1/rank_1.jsonl", "step_2/rank_0.jsonl", "eval/step_1/rank_0.jsonl"):
        write(tmp_path / name, same)
    found = reading(tmp_path)
    assert sorted((g["split"], g["step"], g["n"]) for g in found.groups) == [
        ("eval", 1, 4),
        ("train", 1, 8),
        ("train", 2, 4),
    ]
    assert not found.set_aside


def test_the_original_stands_and_not_its_copy_or_a_link(tmp_path: Path, reading: Callable[..., Any]) -> None:
    write(tmp_path / "step_1.jsonl", ROWS)
    write(tmp_path / "backup" / "step_1.jsonl", ROWS)
    write(tmp_path / "step_1 copy.jsonl", ROWS)
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "step_1.jsonl")
    found = reading(tmp_path)
    assert {g["run"] for g in found.groups} == {tmp_path.name}
    assert found.column("n") == [4] * 20
    assert set(found.set_aside) == {"the same bytes as step_1.jsonl"}


def test_a_column_called_as_one_of_ours_is_read_around(tmp_path: Path, reading: Callable[..., Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([r | {"_file": "x", "_row": 7} for r in ROWS]), tmp_path / "rows.parquet")
    assert reading(tmp_path).column("n") == [4] * 20


def test_another_run_with_the_same_lines_is_no_copy(tmp_path: Path, reading: Callable[..., Any]) -> None:
    write(tmp_path / "k4" / "rows.jsonl", ROWS[:40])
    write(tmp_path / "k8" / "rows.jsonl", ROWS)
    found = reading(tmp_path)
    assert found.column("n") == [4] * 30
    assert not found.set_aside


def test_a_file_without_a_split_counts_as_training_when_files_are_compared(
    tmp_path: Path, reading: Callable[..., Any]
) -> None:
    write(tmp_path / "train" / "a.jsonl", ROWS)
    write(tmp_path / "extra.jsonl", [r | {"completion": "other " + r["completion"]} for r in ROWS])
    found = reading(tmp_path)
    assert found.column("n") == [4] * 40
    assert found.note("they are taken for runs of their own")


@pytest.mark.parametrize("rows", [2, 3, 12])
def test_a_line_that_comes_twice_is_said_in_short_files_too(rows: int, tmp_path: Path) -> None:
    texts = ["so 4", " 13", *(f"text {i}" for i in range(rows - 3))][: rows - 1]
    lines = [f"p{i},{i % 2},{i % 2},{text}" for i, text in enumerate(texts)]
    (tmp_path / "rows.csv").write_text("\n".join(["prompt_id,reward,step,completion", *lines, lines[0], ""]))
    assert any("1 line of rows.csv" in c for c in bitrate.audit(tmp_path).caveats)


def test_lines_of_many_files_that_come_twice_are_one_caveat(tmp_path: Path) -> None:
    for i in range(5):
        line = json.dumps({"prompt_id": f"p{i}", "reward": i % 2, "step": i, "completion": "so"})
        (tmp_path / f"part-{i}.jsonl").write_text(f"{line}\n{line}\n")
    [said] = [c for c in bitrate.audit(tmp_path).caveats if "letter for letter" in c]
    assert said.startswith("5 lines of part-0.jsonl and 4 other files stand there once more")
