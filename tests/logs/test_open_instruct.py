"""Traps of open-instruct's rollout shards."""

from __future__ import annotations

import json
from pathlib import Path

FIXTURE = Path(__file__).parent / "fixtures" / "open_instruct" / "input"


def test_a_prompt_keeps_its_id_over_steps_though_its_index_starts_anew(reading) -> None:
    ids = {(r["step"], r["group_id"]): r["prompt_id"] for r in reading(FIXTURE).rollouts}
    assert ids[1, "1/1"] == ids[2, "2/0"]
    assert ids[1, "1/0"] == ids[3, "3/0"] != ids[2, "2/0"]


def test_a_step_written_again_counts_once(reading) -> None:
    found = reading(FIXTURE)
    second = [r for r in found.rollouts if r["step"] == 2]
    assert sorted((r["sample"], r["reward"], r["completion_tokens"]) for r in second) == [(0, 10.0, 3), (1, 0.0, 3)]


def test_lengths_truncation_and_advantage_are_read(reading) -> None:
    row = next(r for r in reading(FIXTURE).rollouts if (r["step"], r["sample"]) == (1, 1))
    assert (row["prompt_tokens"], row["completion_tokens"], row["truncated"], row["advantage"]) == (3, 3, True, -5.0)


def test_filtered_groups_are_known_and_left_out(reading, tmp_path: Path) -> None:
    shard = (FIXTURE / "grpo_math_rollouts_000000.jsonl").read_text().splitlines()[:2]
    (tmp_path / "r_rollouts_000000.jsonl").write_text("\n".join(shard) + "\n")
    dropped = [json.dumps(json.loads(s) | {"filter_reason": "zero_std", "reward": 0.0}) for s in shard]
    (tmp_path / "r_filtered_rollouts_000000.jsonl").write_text("\n".join(dropped) + "\n")
    found = reading(tmp_path)
    assert found.known.filtered == "known"
    assert found.column("n") == [2]
    assert found.note("filtered before training")


def test_two_runs_in_one_folder_stay_two_runs(reading, tmp_path: Path) -> None:
    shard = (FIXTURE / "grpo_math_rollouts_000000.jsonl").read_text().splitlines()[:2]
    for run, lines in {"a": shard, "b": shard[::-1]}.items():
        (tmp_path / f"{run}_rollouts_000000.jsonl").write_text("\n".join(lines) + "\n")
    assert [(g["run"], g["n"]) for g in reading(tmp_path).groups] == [("a", 2), ("b", 2)]
