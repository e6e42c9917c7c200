"""Rollouts written again: one of each is counted, by its number, wherever the second one stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bitrate

ROWS = [
    {"prompt_id": f"p{g}", "step": g // 5, "sample": k, "reward": float((g + k) % 3 == 0)}
    for g in range(20)
    for k in range(4)
]
AGAIN = [row | {"reward": 1.0 - row["reward"]} for row in ROWS[60:70]]
REASON = "written again by a later row with the same run, step, prompt and sample number"


def write(rows: list[dict[str, Any]], path: Path) -> None:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        path.write_text("\n".join([",".join(rows[0]), *(",".join(map(str, r.values())) for r in rows)]) + "\n")
    else:
        path.write_text("".join(json.dumps(r) + "\n" for r in rows))


def counts(rows: list[dict[str, Any]]) -> dict[tuple[str, int], tuple[int, int]]:
    """(n, n_correct) by prompt and step, the last of each sample number."""
    last = {(r["prompt_id"], r["step"], r["sample"]): r["reward"] for r in rows}
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for (prompt, step, _), reward in last.items():
        n, c = found.get((prompt, step), (0, 0))
        found[prompt, step] = (n + 1, c + int(reward))
    return found


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.parquet"])
def test_the_later_row_stands(name: str, tmp_path: Path, reading: Callable[..., Any]) -> None:
    write(ROWS + AGAIN, tmp_path / name)
    found = reading(tmp_path)
    assert {(g["prompt_id"], g["step"]): (g["n"], g["n_correct"]) for g in found.groups} == counts(ROWS + AGAIN)
    assert found.set_aside == {REASON: 10}
    first = 62 if name == "rows.csv" else 61
    assert found.where[REASON] == tuple(f"{tmp_path / name}:{first + i}" for i in range(3))


@pytest.mark.parametrize("files", [1, 20])
def test_order_is_that_of_the_files_however_many_threads_read_them(
    files: int, tmp_path: Path, reading: Callable[..., Any]
) -> None:
    """Small row groups and many files are read side by side; every number comes twice, the right score later."""
    order = [(again, k, prompt) for prompt in range(2_000) for again in (0, 1) for k in range(4)]
    table = pa.table({
        "split": ["train"] * len(order),
        "prompt_id": [f"p{p}" for _, _, p in order],
        "step": [0] * len(order),
        "sample": [k for _, k, _ in order],
        "reward": [float(again) for again, _, _ in order],
    })  # fmt: skip
    size = len(order) // files
    for i in range(files):  # each a run of its own, told by its folder
        (tmp_path / f"run-{i:02d}").mkdir()
        part = table.slice(i * size, size)
        pq.write_table(part, tmp_path / f"run-{i:02d}" / "rows.parquet", row_group_size=max(100, size // 50))
    found = reading(tmp_path)
    assert {(g["n"], g["n_correct"]) for g in found.groups} == {(4, 4)} and len(found.groups) == 2_000
    rows = bitrate.read(tmp_path)
    assert rows["prompt_id"].to_pylist() == table["prompt_id"].to_pylist()
    assert rows["reward"].to_pylist() == table["reward"].to_pylist()


def test_across_files_the_later_file_stands(tmp_path: Path, reading: Callable[..., Any]) -> None:
    write(ROWS, tmp_path / "part-1.jsonl")
    write(AGAIN, tmp_path / "part-2.jsonl")
    found = reading(tmp_path)
    assert {(g["prompt_id"], g["step"]): (g["n"], g["n_correct"]) for g in found.groups} == counts(ROWS + AGAIN)
    assert found.set_aside == {REASON: 10}


def test_a_column_that_numbers_no_rollouts_sets_nothing_aside(tmp_path: Path, reading: Callable[..., Any]) -> None:
    write([r | {"sample": 7} for r in ROWS], tmp_path / "rows.jsonl")
    found = reading(tmp_path)
    assert found.column("n") == [4] * 20
    assert not found.set_aside
    assert found.note("does not number their rollouts")


def test_ranks_with_numbers_of_their_own_merge(tmp_path: Path, reading: Callable[..., Any]) -> None:
    write([r for r in ROWS if r["sample"] < 2], tmp_path / "rank_0.jsonl")
    write([r for r in ROWS if r["sample"] >= 2], tmp_path / "rank_1.jsonl")
    found = reading(tmp_path)
    assert found.column("n") == [4] * 20
    assert not found.set_aside


def test_a_row_without_a_score_replaces_none(tmp_path: Path, reading: Callable[..., Any]) -> None:
    write([*ROWS, ROWS[5] | {"reward": None}, ROWS[6]], tmp_path / "rows.jsonl")
    found = reading(tmp_path)
    assert found.column("n") == [4] * 20
    assert found.set_aside == {REASON: 1, "reward is null or not a number": 1}
