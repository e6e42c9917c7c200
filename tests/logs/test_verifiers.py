"""Traps of the results of verifiers up to 0.3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIXTURE = Path(__file__).parent / "fixtures" / "verifiers" / "input"


def results(folder: Path, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    base = {"example_id": 0, "prompt": "Add.", "completion": "4", "task": "add", "reward": 1.0}
    (folder / "results.jsonl").write_text("".join(json.dumps(base | row) + "\n" for row in rows))


def test_the_answer_is_the_last_message_and_never_the_right_one(reading) -> None:
    rows = reading(FIXTURE).rollouts
    assert sorted(r["answer"] for r in rows if r["answer"]) == ["4", "4", "5"]
    assert {r["prompt"] for r in rows} == {"Question 0", "Question 1"}


def test_truncation_and_tokens_are_read(reading) -> None:
    found = reading(FIXTURE)
    assert sum(found.column("n_truncated")) == 1
    assert sum(found.column("prompt_tokens")) == 18


def test_old_results_without_usage_have_no_tokens(reading, tmp_path: Path) -> None:
    results(tmp_path, [{}, {"reward": 0.0}])
    found = reading(tmp_path)
    assert found.column("completion_tokens") == [None]
    assert found.column("n_correct") == [1]


def test_a_metric_called_correct_is_the_outcome(reading, tmp_path: Path) -> None:
    results(
        tmp_path / "nested",
        [{"reward": 1.2, "metrics": {"correct": 1.0}}, {"reward": 0.2, "metrics": {"correct": 0.0}}],
    )
    results(tmp_path / "flat", [{"reward": 1.3, "correct": 1.0}, {"reward": 0.2, "correct": 0.0}])
    for name in ("nested", "flat"):
        found = reading(tmp_path / name)
        assert (found.outcome.column, found.column("n_correct")) == ("correct", [1])


def test_one_number_in_two_evaluations_is_two_groups(reading, tmp_path: Path) -> None:
    results(tmp_path / "a", [{}, {"reward": 0.0}])
    results(tmp_path / "b", [{}, {"reward": 0.5}])
    assert sorted((g["run"], g["n"]) for g in reading(tmp_path).groups) == [("a", 2), ("b", 2)]


def test_one_number_in_two_tasks_is_two_prompts(reading, tmp_path: Path) -> None:
    results(tmp_path, [{}, {"task": "multiply"}])
    assert len(set(reading(tmp_path).column("prompt_id"))) == 2


def test_bad_metadata_is_no_trouble(reading, tmp_path: Path) -> None:
    results(tmp_path, [{}, {"reward": 0.0}])
    (tmp_path / "metadata.json").write_text("[]")
    assert reading(tmp_path).column("n") == [2]
