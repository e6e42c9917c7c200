"""Traps of NeMo Gym's and HumanEval's results: which files are one run, and what is no verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bitrate.errors import DataError

FIXTURES = Path(__file__).parent / "fixtures"


def gym(path: Path, *rows: tuple[int, int, Any], **more: Any) -> None:
    lines = [{"_ng_task_index": t, "_ng_rollout_index": r, "reward": reward} | more for t, r, reward in rows]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def code(path: Path, *passed: Any) -> None:
    rows = [{"task_id": "T/0", "completion": f"{path.stem} {i}", "passed": p} for i, p in enumerate(passed)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_gyms_rollouts_have_tokens_an_answer_and_a_prompt_to_show(reading) -> None:
    rows = reading(FIXTURES / "nemo_gym" / "input").rollouts
    assert sorted((r["prompt"], r["sample"], r["answer"], r["completion_tokens"], r["truncated"]) for r in rows) == [
        ("question 0", 0, "is 1.0", 3, False),
        ("question 0", 1, "is 0.0", 4, False),
        ("question 1", 0, "is 1.0", 5, False),
        ("question 1", 1, "is 1.0", 9, True),
        ("question 2", 0, "is 0.0", 2, False),
    ]


def test_shards_are_one_run_and_two_collections_are_two(reading, tmp_path: Path) -> None:
    gym(tmp_path / "math-chunk0.jsonl", (0, 0, 1.0), (0, 1, 0.0))
    gym(tmp_path / "math-chunk1.jsonl", (0, 2, 1.0), (1, 0, 0.0))
    gym(tmp_path / "code.jsonl", (0, 0, 0.0), (0, 1, 0.0))
    groups = reading(tmp_path).groups
    assert [(g["run"], g["prompt_id"], g["n"], g["n_correct"]) for g in groups] == [
        ("code", "0", 2, 0),
        ("math", "0", 3, 2),
        ("math", "1", 1, 0),
    ]


def test_failures_are_named_and_not_read(reading, tmp_path: Path) -> None:
    gym(tmp_path / "rollouts.jsonl", (0, 0, 1.0), (0, 1, 0.0))
    gym(tmp_path / "rollouts_failures.jsonl", (0, 2, 0.0))
    found = reading(tmp_path)
    assert found.column("n") == [2]
    assert found.where["holds rollouts that failed and were not scored"] == (str(tmp_path / "rollouts_failures.jsonl"),)
    with pytest.raises(DataError, match="rollouts that failed"):
        reading(tmp_path / "rollouts_failures.jsonl")


def test_a_failure_among_the_rollouts_is_no_wrong_answer(reading, tmp_path: Path) -> None:
    gym(tmp_path / "rollouts.jsonl", (0, 0, 0.0), _ng_failure_class="timeout")
    (tmp_path / "more").mkdir()
    gym(tmp_path / "more" / "rollouts.jsonl", (0, 0, 1.0))
    found = reading(tmp_path)
    assert (found.column("n"), found.set_aside) == ([1], {"the rollout failed and was not scored": 1})


def test_each_file_of_passed_completions_is_an_evaluation(reading, tmp_path: Path) -> None:
    code(tmp_path / "small.jsonl_results.jsonl", True, False, "True", "false")
    code(tmp_path / "large.jsonl_results.jsonl", 1, 0, 1, None)
    found = reading(tmp_path)
    assert [(g["run"], g["n"], g["n_correct"]) for g in found.groups] == [("large", 3, 2), ("small", 4, 2)]
    assert found.set_aside == {"reward is null or not a number": 1}
