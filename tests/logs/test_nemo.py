"""Traps of NeMo-RL's batches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"


def batch(folder: Path, step: int, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"rewards": [1.0], **row, "idx": i}) for i, row in enumerate(rows)]
    (folder / f"train_data_step{step}.jsonl").write_text("\n".join(lines) + "\n")


def tokens(prompt: list[int], said: int) -> dict[str, Any]:
    return {"token_ids": [prompt + [9] * said], "token_loss_mask": [[0] * len(prompt) + [1] * said]}


def test_tokens_are_those_of_the_mask_and_not_the_padding(reading) -> None:
    rows = [r for r in reading(FIXTURES / "nemo" / "input").rollouts if r["split"] == "train"]
    assert sorted((r["prompt_tokens"], r["completion_tokens"]) for r in rows) == [
        (2, 2),
        (2, 5),
        (3, 1),
        (3, 2),
        (3, 3),
        (3, 4),
    ]
    assert {r["advantage"] for r in rows} == {-0.5}


def test_answers_come_before_the_environments_reply(reading) -> None:
    rows = reading(FIXTURES / "nemo" / "input").rollouts
    assert {r["answer"] for r in rows} == {"4", *(f"answer {n}" for n in range(1, 6))}
    assert {r["prompt"] for r in rows} == {"prompt [1, 2, 3]", "prompt [1, 2]", "Question 0", "Question 1"}


def test_a_prompt_drawn_twice_running_stays_two_groups(reading) -> None:
    groups = [g for g in reading(FIXTURES / "nemo" / "input").groups if g["split"] == "train"]
    assert len(groups) == 3
    assert len({g["prompt_id"] for g in groups}) == 2


def test_a_row_without_a_token_of_its_own_is_set_aside(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, [tokens([1, 2], 2), tokens([1, 2], 0)])
    found = reading(tmp_path)
    assert found.column("n") == [1]
    assert found.set_aside == {"where the prompt ends cannot be told": 1}


def test_dialogues_of_texts_alone_do_not_guess_the_prompt(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, [{"content": [["ask", "say", "end"]]}, {"content": [["system", "ask", "say", "end"]]}])
    found = reading(tmp_path)
    assert [(r["prompt"], r["answer"]) for r in found.rollouts if r["prompt_id"]] == [("ask", "say")]
    assert found.set_aside == {"where the prompt ends cannot be told": 1}


def test_content_may_be_what_the_model_said_alone(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, [{"content": ["so 4"], **tokens([1], 1)}, {"content": ["so 5"], **tokens([1], 1)}])
    found = reading(tmp_path)
    assert {r["answer"] for r in found.rollouts} == {"so 4", "so 5"}
    assert found.column("n") == [2]


def test_a_lost_line_does_not_shift_the_blocks(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, [tokens([p], 1) for p in (1, 1, 1, 1, 2, 2, 2, 2)])
    path = tmp_path / "train_data_step1.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = lines[1][:20]
    path.write_text("\n".join(lines) + "\n")
    found = reading(tmp_path)
    assert found.note("blocks of 4 rows")
    assert sorted(found.column("n")) == [3, 4]


def test_a_reward_that_is_not_in_a_list_is_set_aside(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, [tokens([1], 1), {"rewards": 1.0, **tokens([1], 1)}, {"rewards": [None], **tokens([1], 1)}])
    assert reading(tmp_path).set_aside == {
        "rewards is not a list of length one": 1,
        "reward is null or not a number": 1,
    }


def test_a_row_that_the_trainer_masked_is_no_wrong_answer(reading, tmp_path: Path) -> None:
    rows = [tokens([1, 2], 2) | {"rewards": [r], "sample_loss_mask": m} for r, m in ((1.0, [1.0]), (0.0, [0.0]))]
    batch(tmp_path, 1, [*rows, tokens([1, 2], 3) | {"rewards": [0.0], "sample_loss_mask": 1}])
    found = reading(tmp_path)
    assert [(g["n"], g["n_correct"]) for g in found.groups] == [(2, 1)]
    assert found.set_aside == {"masked by the trainer (sample_loss_mask 0)": 1}


def test_dynamic_sampling_that_was_turned_on_later_spoils_no_earlier_step(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, [tokens([1], 2) | {"rewards": [r]} for r in (1.0, 0.0)])
    batch(tmp_path, 2, [tokens([1], 2) | {"rewards": [0.0], "filtered_rewards": [r]} for r in (1.0, 1.0)])
    found = reading(tmp_path)
    assert [(g["step"], g["n"], g["n_correct"]) for g in found.groups] == [(1, 2, 1), (2, 2, 2)]


def test_a_run_resumed_with_another_group_size_has_both(reading, tmp_path: Path) -> None:
    for step, size in ((1, 4), (2, 4), (3, 2), (4, 2)):
        batch(tmp_path, step, [tokens([p, step], 2) for p in (1, 2, 3) for _ in range(size)])
    found = reading(tmp_path)
    assert found.column("n") == [4] * 6 + [2] * 6
    assert found.note("4 rows in 2 file(s) (train_data_step1.jsonl to train_data_step2.jsonl); 2 rows in 2 file(s)")


def test_a_step_in_two_files_is_named_and_kept_apart(reading, tmp_path: Path) -> None:
    batch(tmp_path, 1, [tokens([1], 2) | {"rewards": [r]} for r in (1.0, 0.0)])
    (tmp_path / "train_data_step1.jsonl").rename(tmp_path / "old_train_data_step1.jsonl")
    batch(tmp_path, 1, [tokens([1], 2) | {"rewards": [r]} for r in (1.0, 1.0)])
    found = reading(tmp_path)
    assert sorted(found.column("n_correct")) == [1, 2]
    assert found.note("step 1 of the train split in old_train_data_step1.jsonl, train_data_step1.jsonl")
