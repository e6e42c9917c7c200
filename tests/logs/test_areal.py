"""Traps of AReaL's dumped trajectories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIXTURE = Path(__file__).parent / "fixtures" / "areal" / "input"


def write(path: Path, *rows: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    base = {
        "task_id": 1,
        "seqlen": 12,
        "prompt_len": 10,
        "head_version": -1,
        "tail_version": 2,
        "prompt": "p",
        "completion": "c",
    }
    path.write_text("".join(json.dumps(base | {"sample_idx": i} | row) + "\n" for i, row in enumerate(rows)))


def test_a_group_whose_samples_span_versions_stays_one_group(reading) -> None:
    found = reading(FIXTURE)
    assert [(g["step"], g["n"]) for g in found.groups if g["group_id"] == "4/17"] == [(4, 3)]
    assert sorted(r["policy_step"] for r in found.rollouts if r["group_id"] == "4/17") == [3, 4, 4]


def test_a_task_id_used_again_in_a_later_version_is_another_group_of_the_prompt(reading) -> None:
    found = reading(FIXTURE)
    assert {g["group_id"]: g["n"] for g in found.groups if g["group_id"].endswith("/17")} == {"4/17": 3, "5/17": 1}
    assert len({g["prompt_id"] for g in found.groups if g["group_id"].endswith("/17")}) == 1


def test_answers_are_compared_without_outer_white_space(reading) -> None:
    group = next(g for g in reading(FIXTURE).groups if g["group_id"] == "4/17")
    assert group["n_distinct_answers"] == 2


def test_the_original_reward_is_the_outcome_where_the_reward_was_shaped(reading, tmp_path: Path) -> None:
    shaped = [{"reward": r, "original_reward": o} for r, o in ((0.7, 1.0), (0.9, 1.0), (-0.2, 0.0))]
    write(tmp_path / "rollout" / "2" / "1.jsonl", *shaped)
    found = reading(tmp_path)
    assert (found.outcome.column, found.column("n_correct")) == ("correct", [2])


def test_two_runs_below_one_folder_stay_two_runs(reading, tmp_path: Path) -> None:
    for run in ("a", "b"):
        write(tmp_path / run / "rollout" / "2" / "1.jsonl", {"reward": 1.0}, {"reward": float(run == "a")})
    assert [(g["run"], g["n"], g["n_correct"]) for g in reading(tmp_path).groups] == [("a", 2, 2), ("b", 2, 1)]


def test_a_dialogue_counts_a_group_for_each_prompt_and_says_so(reading, tmp_path: Path) -> None:
    write(tmp_path / "rollout" / "2" / "1.jsonl", {"reward": 1.0, "prompt": "a"}, {"reward": 1.0, "prompt": "a b"})
    found = reading(tmp_path)
    assert found.column("n") == [1, 1]
    assert found.note("1 task holds several prompts")


def test_files_outside_the_known_folders_are_training_and_noted(reading, tmp_path: Path) -> None:
    write(tmp_path / "2" / "1.jsonl", {"reward": 1.0}, {"reward": 0.0})
    found = reading(tmp_path)
    assert found.column("split") == ["train"]
    assert found.note("in no rollout or eval-rollout folder")
