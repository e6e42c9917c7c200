"""Traps of prime-rl's and verifiers' episodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FIXTURE = Path(__file__).parent / "fixtures" / "prime" / "input"


def trace(reward: float | None, **more: Any) -> dict[str, Any]:
    rewards = {} if reward is None else {"solved": {"score": reward, "weight": 1.0}}
    return {"nodes": [], "rewards": rewards, "ok": True, "errors": [], "num_output_tokens": 2} | more


def episodes(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    base = {
        "task": {"key": "k", "data": {}},
        "group": {"id": "g"},
        "run": {"type": "train", "work": {"type": "train", "step": 5}},
    }
    path.write_text("".join(json.dumps(base | row) + "\n" for row in rows))


def test_reward_is_score_by_weight_and_correct_is_the_score(reading) -> None:
    found = reading(FIXTURE)
    rows = [r for r in found.rollouts if r["group_id"] == "g0/agent" and r["reward"] is not None]
    assert found.outcome.column == "correct"
    assert sorted((r["correct"], round(r["reward"], 6)) for r in rows) == [(0.0, 0.1), (1.0, 1.1), (1.0, 1.1)]
    [parts] = {tuple(sorted((k, round(v, 6)) for k, v in r["components"])) for r in rows if r["correct"]}
    assert parts == (("correct", 1.0), ("format", 0.1))


def test_the_step_is_the_batch_and_the_policy_its_own(reading) -> None:
    rows = reading(FIXTURE).rollouts
    assert {(r["step"], r["policy_step"]) for r in rows} == {(3, 2)}


def test_advantage_answer_and_limits_are_read(reading) -> None:
    rows = [r for r in reading(FIXTURE).rollouts if r["group_id"] == "g1/agent"]
    assert {(r["advantage"], r["answer"], r["prompt"]) for r in rows} == {(-0.5, "4", "2+2=")}
    assert sorted(r["truncated"] for r in rows) == [False, True]


def test_without_rewards_there_is_no_reward_and_not_0(reading, tmp_path: Path) -> None:
    episodes(tmp_path / "traces.jsonl", [{"traces": [trace(1.0)]}, {"traces": [trace(None)]}, {"traces": []}])
    found = reading(tmp_path)
    assert found.column("n") == [1]
    assert found.set_aside == {"reward is null or not a number": 1, "the episode has no trace": 1}
    assert [p.rpartition(":")[2] for p in found.where["the episode has no trace"]] == ["3"]


def test_an_error_before_a_good_attempt_is_no_failure(reading, tmp_path: Path) -> None:
    rows = [{"traces": [trace(1.0, errors=[{"type": "ProviderError"}])]}, {"traces": [trace(0.0)]}]
    episodes(tmp_path / "traces.jsonl", rows)
    assert reading(tmp_path).column("n_correct") == [1]


def test_two_trained_agents_of_one_episode_are_two_groups(reading, tmp_path: Path) -> None:
    agents = [
        trace(1.0, agent={"name": "solver", "trainable": True}),
        trace(0.0, agent={"name": "asker", "trainable": True}),
    ]
    episodes(tmp_path / "traces.jsonl", [{"traces": agents}, {"traces": agents}])
    found = reading(tmp_path)
    assert {g["group_id"]: (g["n"], g["n_correct"]) for g in found.groups} == {"g/solver": (2, 2), "g/asker": (2, 0)}


def test_a_step_with_nothing_but_effective_is_known_to_be_filtered(reading, tmp_path: Path) -> None:
    for step, kinds in ((1, ("all", "effective")), (2, ("effective",))):
        for kind in kinds:
            rows = [{"id": f"{step}{kind}", "traces": [trace(1.0)]}, {"traces": [trace(0.0)]}]
            episodes(tmp_path / f"rollouts/step_{step}/train/{kind}/traces.jsonl", rows)
    found = reading(tmp_path)
    assert found.known.filtered == "known"
    assert [(g["step"], g["n"]) for g in found.groups] == [(1, 2), (2, 2)]
    assert list(found.set_aside.values()) == [1]


def test_runs_are_told_apart_by_what_lies_above_rollouts(reading, tmp_path: Path) -> None:
    for run, reward in (("one", 0.0), ("two", 0.25)):
        for kind in ("train", "eval"):
            rows = [{"id": kind, "traces": [trace(1.0)]}, {"traces": [trace(reward)]}]
            episodes(tmp_path / run / f"rollouts/step_1/{kind}/all/traces.jsonl", rows)
    assert sorted((g["run"], g["n"]) for g in reading(tmp_path).groups) == [("one", 2)] * 2 + [("two", 2)] * 2


@pytest.mark.parametrize("where", ["traces.jsonl", "other.jsonl"])
def test_the_step_is_the_works_where_no_folder_tells(reading, tmp_path: Path, where: str) -> None:
    episodes(tmp_path / where, [{"traces": [trace(1.0)]}, {"traces": [trace(0.0)]}])
    assert reading(tmp_path).column("step") == [5]


def test_a_step_in_two_folders_is_named_and_kept_apart(reading, tmp_path: Path) -> None:
    for folder, reward in (("train", 1.0), ("train_before", 0.0)):
        rows = [{"traces": [trace(r)]} for r in (reward, 1.0)]
        episodes(tmp_path / "rollouts" / "step_3" / folder / "all" / "traces.jsonl", rows)
    found = reading(tmp_path)
    assert (found.column("n"), sorted(found.column("n_correct"))) == ([2, 2], [1, 2])
    assert found.note("step 3 of the train split in rollouts/step_3/train/all/traces.jsonl")


def test_rollouts_of_a_group_are_not_told_apart_by_their_place_in_an_episode(reading, tmp_path: Path) -> None:
    episodes(tmp_path / "traces.jsonl", [{"traces": [trace(r)]} for r in (1.0, 0.0, 1.0)])
    found = reading(tmp_path)
    assert {r["sample"] for r in found.rollouts} == {None}
    assert found.column("n") == [3]


def test_task_data_with_keys_in_another_order_is_one_prompt(reading, tmp_path: Path) -> None:
    asked = [{"role": "user", "content": "2+3="}]
    turned = [{"content": "2+3=", "role": "user"}]
    data = [{"prompt": asked, "idx": 1}, {"idx": 1, "prompt": turned}, {"idx": 2, "prompt": asked}]
    episodes(tmp_path / "traces.jsonl", [{"task": {"data": d}, "traces": [trace(1.0)]} for d in data])
    assert sorted(r["prompt_id"] is not None for r in reading(tmp_path).rollouts) == [True] * 3
    assert len(set(reading(tmp_path).column("prompt_id"))) == 2
