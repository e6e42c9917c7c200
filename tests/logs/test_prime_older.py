"""Traps of prime-rl's files before traces.jsonl, and of Prime's hosted rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"


def step(folder: Path, number: int, rewards: str, split: str = "train", **more: Any) -> None:
    """A step's file: two examples, and a digit for each rollout's reward."""
    folder = folder / f"step_{number}"
    folder.mkdir(parents=True, exist_ok=True)
    base = {"task": "add", "prompt": "2+3=", "completion": "5", "answer": "5"} | more
    half = len(rewards) // 2
    rows = [base | {"example_id": i // half, "reward": float(r)} for i, r in enumerate(rewards)]
    (folder / f"{split}_rollouts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_training_and_evaluation_are_told_apart_and_the_run_is_the_folder_above(reading, tmp_path: Path) -> None:
    for run in ("one", "two"):
        step(tmp_path / run / "rollouts", 0, "1010", note=run)
        step(tmp_path / run / "rollouts", 2, "1110", note=run)
        step(tmp_path / run / "rollouts", 2, "11", "eval", note=run)
    found = reading(tmp_path)
    assert found.known.format == "prime-rl-rollouts"
    assert [(g["run"], g["split"], g["step"], g["n"], g["n_correct"]) for g in found.groups] == [
        (run, *rest)
        for run in ("one", "two")
        for rest in [
            ("eval", 2, 1, 1),
            ("eval", 2, 1, 1),
            ("train", 0, 2, 1),
            ("train", 0, 2, 1),
            ("train", 2, 2, 2),
            ("train", 2, 2, 1),
        ]
    ]


def test_equal_ids_of_two_tasks_are_two_prompts(reading) -> None:
    prompts = {g["prompt_id"] for g in reading(FIXTURES / "prime_rollouts" / "input").groups}
    assert prompts == {"sums/7", "sums/8", "words/7"}


def test_a_step_in_two_files_is_named_and_kept_apart(reading, tmp_path: Path) -> None:
    step(tmp_path / "rollouts", 1, "1010")
    step(tmp_path / "rollouts", 1, "1111")
    (tmp_path / "rollouts" / "step_1" / "train_rollouts.jsonl").rename(tmp_path / "rollouts" / "train_rollouts.jsonl")
    step(tmp_path / "rollouts", 0, "1000")
    found = reading(tmp_path)
    assert found.column("n") == [2] * 4
    assert found.note("step 0 of the train split in")


def test_hosted_rows_that_go_back_to_an_earlier_step_are_named(reading, tmp_path: Path) -> None:
    rows = [
        {"problem_id": 1, "sample_id": i, "step": s, "reward": float(i), "advantage": 0.5}
        for s in (0, 1, 2, 1)
        for i in (0, 1)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = reading(tmp_path)
    assert found.known.format == "prime-hosted"
    assert found.note("rows.jsonl holds step(s) 1 again after later ones")


def test_hosted_numbers_may_be_texts(reading) -> None:
    found = reading(FIXTURES / "prime_hosted" / "input")
    assert [(g["step"], g["prompt_id"], g["n"], g["n_correct"]) for g in found.groups] == [
        (0, "3", 2, 1),
        (0, "4", 2, 2),
        (1, "3", 1, 0),
    ]
