"""Traps of tinker-cookbook's rollout summaries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bitrate.errors import InputError

FIXTURE = Path(__file__).parent / "fixtures" / "tinker" / "input"


def line(group: int, traj: int, reward: float, iteration: int = 0, **step: Any) -> str:
    steps = [{"step_idx": 0, "ob_len": 4, "ac_len": 2, "metrics": {}} | step]
    fields = {
        "split": "train",
        "iteration": iteration,
        "group_idx": group,
        "traj_idx": traj,
        "sampling_client_step": None,
    }
    return json.dumps(fields | {"total_reward": reward, "final_reward": 0.0, "steps": steps})


def write(folder: Path, lines: list[str], name: str = "train") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_rollout_summaries.jsonl").write_text("\n".join(lines) + "\n")


def test_a_trajectory_written_again_counts_once_with_its_last_reward(reading) -> None:
    found = reading(FIXTURE)
    again = [r for r in found.rollouts if r["group_id"] == "train/0/1" and r["sample"] == 1]
    assert [(r["reward"], r["completion_tokens"]) for r in again] == [(1.0, 9)]
    [place] = found.where["line is not a JSON object with these columns"]
    assert place.endswith("iteration_000000/train_rollout_summaries.jsonl:8"), (
        "blank line 4 and the repeated line count"
    )


def test_tokens_of_all_steps_add_up_and_the_last_step_judges(reading) -> None:
    first = next(r for r in reading(FIXTURE).rollouts if r["group_id"] == "train/0/0" and r["sample"] == 0)
    assert (first["prompt_tokens"], first["completion_tokens"], first["correct"]) == (30, 12, 1.0)


def test_the_outcome_is_the_metric_and_not_the_shaped_reward(reading) -> None:
    found = reading(FIXTURE)
    assert found.outcome.column == "correct"
    assert next(g for g in found.groups if g["group_id"] == "train/0/0")["reward_sum"] == pytest.approx(1.0 + 0.9 - 0.1)


def test_without_the_metric_the_reward_is_the_outcome(reading, tmp_path: Path) -> None:
    write(tmp_path / "iteration_000000", [line(0, 0, 1.0), line(0, 1, 0.0)])
    found = reading(tmp_path)
    assert found.outcome.column == "reward"
    assert found.column("n_correct") == [1]


def test_another_metric_can_be_named(reading, tmp_path: Path) -> None:
    metrics = [{"format": 1.0}, {"format": True}, {"format": False}]
    write(tmp_path / "iteration_000000", [line(0, i, 0.0, metrics=m) for i, m in enumerate(metrics)])
    assert reading(tmp_path, outcome="format").column("n_correct") == [2]


def test_eval_files_of_one_iteration_do_not_share_groups(reading, tmp_path: Path) -> None:
    for name in ("eval_gsm8k", "eval_math"):
        write(tmp_path / "iteration_000000", [line(0, 0, 1.0, logs=name), line(0, 1, 0.0)], name)
    found = reading(tmp_path)
    assert [(g["split"], g["prompt_id"], g["n"]) for g in found.groups] == [
        ("eval", f"{n}/0/0", 2) for n in ("eval_gsm8k", "eval_math")
    ]


def test_two_runs_below_one_folder_stay_two_runs(reading, tmp_path: Path) -> None:
    for run in ("a", "b"):
        write(tmp_path / run / "iteration_000000", [line(0, 0, 1.0), line(0, 1, float(run == "a"))])
    assert [(g["run"], g["n"], g["n_correct"]) for g in reading(tmp_path).groups] == [("a", 2, 2), ("b", 2, 1)]


def test_unknown_lengths_stay_unknown(reading, tmp_path: Path) -> None:
    write(tmp_path / "iteration_000000", [line(0, 0, 1.0, ac_len=None)])
    assert reading(tmp_path).column("completion_tokens") == [None]


@pytest.mark.parametrize("metrics", [7, [], ["correct"], "correct", None, [{"correct": 1}]])
def test_metrics_that_are_no_object_hold_no_metric(reading, tmp_path: Path, metrics: Any) -> None:
    write(tmp_path / "iteration_000000", [line(0, i, float(i), metrics=metrics) for i in range(2)])
    assert reading(tmp_path).column("n_correct") == [1]
    with pytest.raises(InputError, match="no column 'correct'"):
        reading(tmp_path, outcome="correct")


def test_an_iteration_in_two_folders_is_named_and_kept_apart(reading, tmp_path: Path) -> None:
    for folder, first in (("iteration_000000", 1.0), ("iteration_000000_before", 0.0)):
        write(tmp_path / folder, [line(0, 0, first), line(0, 1, 1.0)])
    found = reading(tmp_path)
    assert (found.column("n"), sorted(found.column("n_correct"))) == ([2, 2], [1, 2])
    assert found.note("step 0 of the train split in iteration_000000/train_rollout_summaries.jsonl")
