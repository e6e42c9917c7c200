"""Traps of lm-evaluation-harness's logged samples."""

from __future__ import annotations

import json
from pathlib import Path

FIXTURE = Path(__file__).parent / "fixtures" / "lm_eval" / "input"


def test_answers_are_those_of_the_filter_that_was_scored(reading) -> None:
    found = reading(FIXTURE)
    answers = {r["prompt_id"]: r["answer"] for r in found.rollouts}
    assert answers == {"add/0": "2", "add/1": "4", "add/2": "4", "arc_easy/0": None}


def test_each_task_has_its_own_metric_and_a_true_is_right(reading) -> None:
    found = reading(FIXTURE)
    assert {g["prompt_id"]: g["n_correct"] for g in found.groups} == {"add/0": 1, "add/1": 0, "arc_easy/0": 1}


def test_the_place_of_a_bad_line_counts_the_lines_of_other_filters(reading, tmp_path: Path) -> None:
    rows = [json.loads(s) for s in next(FIXTURE.rglob("samples_add*")).read_text().splitlines()]
    rows = [r | {"filter": f} for r in rows[:2] for f in ("maj", "take_first")]
    rows[-2]["exact_match"] = None
    path = tmp_path / "samples_add_2026-01-01T00-00-00.jsonl"
    path.write_text("\n\n".join(map(json.dumps, rows)) + "\n")
    assert reading(path).where == {"reward is null or not a number": (f"{path}:5",)}


def test_a_file_without_list_of_metrics_or_filter_is_read(reading, tmp_path: Path) -> None:
    row = {
        "doc_id": 0,
        "target": "2",
        "arguments": [["1+1=", {}]],
        "resps": [["2"]],
        "filtered_resps": ["2"],
        "doc_hash": "h",
        "acc": 1.0,
    }
    path = tmp_path / "samples_old_2024-01-01T00-00-00.jsonl"
    path.write_text(json.dumps(row) + "\n")
    found = reading(path)
    assert [(r["reward"], r["prompt"], r["answer"]) for r in found.rollouts] == [(1.0, "1+1=", "2")]


def test_two_models_below_one_folder_are_two_runs(reading, tmp_path: Path) -> None:
    row = json.loads(next(FIXTURE.rglob("samples_add*")).read_text().splitlines()[0])
    for model, right in (("a", 1.0), ("b", 0.0)):
        (tmp_path / model).mkdir()
        (tmp_path / model / "samples_add_2026-01-01T00-00-00.jsonl").write_text(
            json.dumps(row | {"exact_match": right}) + "\n"
        )
    assert [(g["run"], g["n_correct"]) for g in reading(tmp_path).groups] == [("a", 1), ("b", 0)]


def test_two_dates_of_one_task_are_two_groups_of_one_prompt(reading, tmp_path: Path) -> None:
    row = json.loads(next(FIXTURE.rglob("samples_add*")).read_text().splitlines()[0])
    for day, right in (("01", 1.0), ("02", 0.0)):
        (tmp_path / f"samples_add_2026-01-{day}T00-00-00.jsonl").write_text(
            json.dumps(row | {"exact_match": right}) + "\n"
        )
    assert [(g["prompt_id"], g["n"]) for g in reading(tmp_path).groups] == [("add/0", 1)] * 2
