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


def test_shards_of_a_resumed_run_that_go_back_are_named(reading, tmp_path: Path) -> None:
    line = json.loads((FIXTURE / "grpo_math_rollouts_000000.jsonl").read_text().splitlines()[0])

    def shard(number: int, *steps: int) -> None:
        rows = [line | {"step": s, "sample_idx": 10 * number + i} for i, s in enumerate(steps)]
        (tmp_path / f"r_rollouts_{number:06d}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    shard(0, 1, 1, 2)
    shard(1, 2, 3, 3)
    assert not reading(tmp_path).note("earlier than the shard before it")
    shard(2, 2, 3)
    assert reading(tmp_path).note("r_rollouts_000002.jsonl holds step(s) 2, earlier than the shard before it")
