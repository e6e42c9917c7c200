"""Traps of the results of verifiers up to 0.3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bitrate.logs.engines import duck
from bitrate.logs.read import open_source

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


def evaluation(folder: Path, rows: list[dict[str, Any]], **about: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    base = {"prompt": "2+3=", "completion": "5", "task": "add", "answer": "5"}
    (folder / "results.jsonl").write_text("".join(json.dumps(base | row) + "\n" for row in rows))
    (folder / "metadata.json").write_text(json.dumps(about))
    return folder


def test_older_files_say_id_for_example_id(reading, tmp_path: Path) -> None:
    rows = [{"id": i // 2, "reward": float(i % 2)} for i in range(4)]
    found = reading(evaluation(tmp_path / "eval", rows))
    assert (found.known.format, found.column("n"), found.column("n_correct")) == ("verifiers", [2, 2], [1, 1])


def test_a_table_with_an_id_of_its_own_is_not_taken_for_verifiers(tmp_path: Path) -> None:
    row = {"id": 1, "prompt_id": "p", "prompt": "2+3=", "completion": "5", "reward": 1.0}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    assert open_source(duck.connect(), [tmp_path]).format.name == "table"


def test_lines_that_a_resumed_evaluation_wrote_again_count_once(reading, tmp_path: Path) -> None:
    rows = [{"example_id": i // 2, "reward": float(i % 2), "completion": f"c{i}"} for i in range(8)]
    found = reading(evaluation(tmp_path / "eval", [*rows, *rows[:3]], rollouts_per_example=2))
    assert (found.column("n"), found.column("n_correct")) == ([2] * 4, [1] * 4)
    [(reason, count)] = found.set_aside.items()
    assert "metadata.json says (2)" in reason
    assert count == 3
    assert [w.rpartition(":")[2] for w in found.where[reason]] == ["9", "10", "11"]


def test_more_rollouts_of_an_example_are_the_last_and_those_that_failed(reading, tmp_path: Path) -> None:
    wrong, right, failed = ({"example_id": 0, "reward": r, "completion": f"c{r}"} for r in (0.0, 1.0, 2.0))
    rows = [failed | {"error": "TimeoutError"}, wrong, wrong, right, right | {"completion": "other"}]
    found = reading(evaluation(tmp_path / "eval", rows, rollouts_per_example=2))
    assert (found.column("n"), found.column("n_correct")) == ([2], [1]), "the copy of the wrong one goes first"
    assert sorted(found.set_aside.values()) == [1, 2]


@pytest.mark.parametrize("given", [0, -1, True, "2", None, 1.5, [2], 10**400])
def test_a_number_of_rollouts_that_is_none_is_not_heeded(reading, tmp_path: Path, given: Any) -> None:
    rows = [{"example_id": 0, "reward": float(i % 2), "completion": f"c{i}"} for i in range(5)]
    assert reading(evaluation(tmp_path / "eval", rows, rollouts_per_example=given, model=3)).column("n") == [5]
