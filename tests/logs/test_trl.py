"""Traps of TRL's completions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

FIXTURE = Path(__file__).parent / "fixtures" / "trl" / "input"
MESSAGES = Path(__file__).parent / "fixtures" / "trl_messages" / "input"


def batch(folder: Path, step: int, prompts: str, rewards: list[float | None], seed: int = 0, **more: list[Any]) -> None:
    """A file of one step; ``seed`` tells batches of equal rewards apart."""
    folder.mkdir(parents=True, exist_ok=True)
    n = len(prompts)
    columns = {"step": [step] * n, "prompt": list(prompts), "completion": [f"{seed} {i}" for i in range(n)]}
    table = pa.table(columns | {"right": pa.array(rewards, pa.float64())} | more | {"advantage": [0.0] * n})
    pq.write_table(table, folder / f"completions_{step:05d}.parquet")


def state(folder: Path, entries: list[dict[str, Any]], **more: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": entries, "logging_steps": 1} | more))


def test_reward_is_the_sum_of_what_was_given_and_parts_are_kept(reading) -> None:
    rows = [r for r in reading(FIXTURE).rollouts if r["step"] == 3 and r["correct"] is None]
    [half] = [r for r in rows if dict(r["components"])["correct"] is None]
    assert half["reward"] == 0.5
    assert dict(half["components"]) == {"correct": None, "format": 0.5}


def test_reward_is_null_where_no_function_gave_one(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, "aabb", [None, 1.0, float("nan"), 0.0])
    found = reading(tmp_path)
    assert [r["reward"] for r in found.rollouts].count(None) == 2
    assert found.set_aside == {"reward is null or not a number": 2}


def test_weights_of_one_are_seen_in_the_log(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, "aabb", [1.0, 0.0, 1.0, 0.0], bonus=[0.5, 0.5, 0.0, 0.0])
    entry = {"step": 1, "rewards/right/mean": 0.5, "rewards/bonus/mean": 0.25}
    state(tmp_path, [entry | {"reward": 0.75}])
    assert not reading(tmp_path).note("plain sum")
    state(tmp_path, [entry | {"reward": 0.55}])
    assert reading(tmp_path).note("plain sum")


def test_the_trainer_state_is_found_in_the_last_checkpoint_and_is_no_unread_file(reading, tmp_path: Path) -> None:
    for step, name in ((9, "wrong"), (10, "right")):
        state(tmp_path / f"checkpoint-{step}", [{"step": 1, f"rewards/{name}/mean": 0.5}])
    batch(tmp_path / "completions", 1, "aabb", [1.0, 0.0, 1.0, 0.0], temperature=[0.7] * 4)
    found = reading(tmp_path)
    assert not found.note("No trainer_state.json")
    assert not found.note("were not read")
    assert found.column("n_correct") == [1, 1]


@pytest.mark.parametrize("text", ["{", "[]", '{"log_history": null}', '{"log_history": [1]}'])
def test_a_broken_trainer_state_is_as_good_as_none(reading, tmp_path: Path, text: str) -> None:
    batch(tmp_path, 1, "aabb", [1.0, 0.0, 1.0, 0.0])
    (tmp_path / "trainer_state.json").write_text(text)
    found = reading(tmp_path)
    assert found.note("No trainer_state.json")
    assert found.column("n_correct") == [1, 1]


def test_rows_of_an_evaluation_written_again_by_the_next_step_count_once(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, "aabb", [1.0, 0.0, 1.0, 0.0])
    batch(tmp_path, 2, "ccdd", [1.0, 1.0, 1.0, 0.0])
    batch(tmp_path, 3, "ccdd", [1.0, 1.0, 1.0, 0.0])
    state(tmp_path, [{"step": 2, "eval_rewards/right/mean": 0.75}, {"step": 1, "rewards/right/mean": 0.5}])
    found = reading(tmp_path)
    assert [(g["step"], g["split"]) for g in found.groups] == [(2, "eval"), (2, "eval"), (1, "train"), (1, "train")]
    assert list(found.set_aside.values()) == [1]
    assert not found.note("do not have the mean reward")


def test_an_evaluation_file_with_other_rows_is_noted(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, "aabb", [1.0, 0.0, 1.0, 0.0])
    state(tmp_path, [{"step": 1, "eval_rewards/right/mean": 0.75}])
    assert reading(tmp_path).note("does not have the mean reward that was logged")


def test_equal_batches_of_two_runs_are_not_repeats(reading, tmp_path: Path) -> None:
    for run in ("one", "two"):
        batch(tmp_path / run / "completions", 1, "aabb", [1.0, 0.0, 1.0, 0.0], more=[run] * 4)
    found = reading(tmp_path)
    assert sorted({g["run"] for g in found.groups}) == ["one", "two"]
    assert len(found.groups) == 4
    assert found.set_aside == {}


def test_rows_out_of_order_fall_into_groups_by_prompt(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, "abab", [1.0, 0.0, 1.0, 1.0])
    found = reading(tmp_path)
    assert found.known.group_id == "hash"
    assert found.note("not in blocks")
    assert sorted(g["n_correct"] for g in found.groups) == [1, 2]


def test_a_prompt_drawn_twice_running_stays_two_groups(reading) -> None:
    twice = [g for g in reading(FIXTURE).groups if g["step"] == 3]
    assert len({g["prompt_id"] for g in twice}) == 1
    assert len({g["group_id"] for g in twice}) == 2


def test_the_right_answer_is_not_taken_for_the_models(reading) -> None:
    found = reading(MESSAGES)
    assert {r["answer"] for r in found.rollouts} == {f"It is {i}." for i in range(4)}
    assert {r["prompt"] for r in found.rollouts} == {"What is p?", "What is q?"}


def test_tokens_are_unknown_without_a_log(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, "aabb", [1.0, 0.0, 1.0, 0.0])
    found = reading(tmp_path)
    assert found.column("completion_tokens") == [None, None]
    assert found.note("tokens are not in the files")


def test_a_mean_over_several_batches_is_no_token_count(reading, tmp_path: Path) -> None:
    batch(tmp_path, 5, "aabb", [1.0, 0.0, 1.0, 0.0])
    state(tmp_path, [{"step": 5, "rewards/right/mean": 0.5, "completions/mean_length": 7.0}], logging_steps=5)
    assert reading(tmp_path).column("completion_tokens") == [None, None]


def test_a_file_without_rows_is_counted(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, "aabb", [1.0, 0.0, 1.0, 0.0])
    pq.write_table(pq.read_table(tmp_path / "completions_00001.parquet")[:0], tmp_path / "completions_00002.parquet")
    assert reading(tmp_path).set_aside == {"file holds no rows": 1}


def test_a_decimal_that_is_no_reward_is_not_added_where_a_column_is_called_reward(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, "aabb", [0.3, 0.2, 0.7, 0.1], accuracy_reward=[1.0, 0.0, 1.0, 1.0])
    found = reading(tmp_path)
    assert found.column("n_correct") == [1, 2]
    assert found.known.caveats[0].startswith("No trainer_state.json names the rewards")
    assert found.note("(accuracy_reward; not taken: right")


@pytest.mark.parametrize(
    "given", [[1, 0, 1, 1], [True, False, True, True], ["1", "0.0", "True", "1"]], ids=["ints", "bools", "texts"]
)
def test_a_reward_that_the_log_names_may_have_any_type(reading, tmp_path: Path, given: list[Any]) -> None:
    batch(tmp_path, 1, "aabb", [0.5] * 4, judged=given)
    state(tmp_path, [{"step": 1, "rewards/judged/mean": 0.75}])
    assert reading(tmp_path).column("n_correct") == [1, 2]


def test_rewards_of_two_runs_are_named_each_by_its_own_log(reading, tmp_path: Path) -> None:
    batch(tmp_path / "one" / "completions", 1, "aabb", [1.0, 0.0, 1.0, 1.0])
    state(tmp_path / "one", [{"step": 1, "rewards/right/mean": 0.75}])
    batch(tmp_path / "two" / "completions", 1, "aabb", [0.5] * 4, exact=[0.0, 0.0, 1.0, 1.0])
    state(tmp_path / "two", [{"step": 1, "rewards/exact/mean": 0.5}])
    found = reading(tmp_path)
    assert [(g["run"], g["n_correct"]) for g in found.groups] == [("one", 1), ("one", 2), ("two", 0), ("two", 2)]


@pytest.mark.parametrize("mean", [float("nan"), float("inf"), -3.0, "7", None, True, [7.0]])
def test_a_mean_length_that_is_none_leaves_tokens_unknown(reading, tmp_path: Path, mean: Any) -> None:
    batch(tmp_path, 1, "aabb", [1.0, 0.0, 1.0, 0.0])
    state(tmp_path, [{"step": 1, "rewards/right/mean": 0.5, "completions/mean_length": mean}])
    found = reading(tmp_path)
    assert found.column("completion_tokens") == [None, None]
    assert found.note("tokens are not in the files")


def test_a_step_that_is_no_number_is_set_aside_and_one_in_quotes_is_read(reading, tmp_path: Path) -> None:
    for name, steps in (("1", ["1", "1", "x", None]), ("2", [None] * 4)):
        columns = {"step": steps, "prompt": list("aaaa"), "completion": [name] * 4, "right": [1.0, 0.0, 1.0, 0.0]}
        pq.write_table(pa.table(columns | {"advantage": [0.5] * 4}), tmp_path / f"completions_0000{name}.parquet")
    found = reading(tmp_path)
    assert [(g["step"], g["n"], g["n_correct"]) for g in found.groups] == [(1, 2, 1)]
    assert found.set_aside == {"step is null or not a whole number: 'x'": 6}


def test_keys_of_a_message_in_another_order_are_the_same_prompt(reading, tmp_path: Path) -> None:
    def ask(*keys: str) -> list[dict[str, str]]:
        message = {"role": "user", "content": "2+3="}
        return [{k: message[k] for k in keys}]

    for step, keys in ((1, ("role", "content")), (2, ("content", "role"))):
        prompts = {"prompt": [ask(*keys)] * 4, "completion": [[]] * 4, "right": [1.0, 0.0, float(step), 0.0]}
        table = pa.table({"step": [step] * 4} | prompts | {"advantage": [0.5] * 4})
        pq.write_table(table, tmp_path / f"completions_0000{step}.parquet")
    found = reading(tmp_path)
    assert len(set(found.column("prompt_id"))) == 1
    assert {r["answer"] for r in found.rollouts} == {None}
    assert {r["prompt"] for r in found.rollouts} == {"2+3="}


def test_a_run_resumed_with_another_group_size_has_both(reading, tmp_path: Path) -> None:
    for step, prompts in enumerate(["aaaabbbb", "ccccdddd", "aabbccdd", "ddccbbaa"], 1):
        batch(tmp_path, step, prompts, [1.0, 0.0] * 4, seed=step)
    found = reading(tmp_path)
    assert found.column("n") == [4] * 4 + [2] * 8
    assert found.note("4 rows in 2 file(s) (completions_00001.parquet to completions_00002.parquet)")


def test_two_runs_with_other_group_sizes_each_have_their_own(reading, tmp_path: Path) -> None:
    for run, prompts in (("k2", "aabbccdd"), ("k4", "aaaabbbb")):
        for step in (1, 2):
            batch(tmp_path / run / "completions", step, prompts, [1.0, 0.0] * 4, seed=step)
    found = reading(tmp_path)
    assert {(g["run"], g["n"]) for g in found.groups} == {("k2", 2), ("k4", 4)}


def test_a_step_in_two_files_is_named_and_kept_apart(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, "aabb", [1.0, 0.0, 1.0, 0.0])
    (tmp_path / "completions_00001.parquet").rename(tmp_path / "completions_00001_before.parquet")
    batch(tmp_path, 1, "aabb", [1.0, 1.0, 1.0, 1.0], seed=1)
    found = reading(tmp_path)
    assert found.column("n") == [2] * 4
    assert found.note("step 1 of the train split in completions_00001.parquet, completions_00001_before.parquet")
