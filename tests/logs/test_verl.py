"""Traps of verl's dumps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bitrate.logs.engines import duck
from bitrate.logs.options import ReadOptions
from bitrate.logs.read import open_source

FIXTURES = Path(__file__).parent / "fixtures"


def dump(folder: Path, step: int, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    base = {"input": "x", "output": "y", "gts": "4", "score": 1.0, "step": step}
    (folder / f"{step}.jsonl").write_text("".join(json.dumps(base | row) + "\n" for row in rows))


def test_acc_is_the_outcome_and_score_the_reward(reading) -> None:
    found = reading(FIXTURES / "verl_v0" / "input")
    assert found.outcome.column == "correct"
    assert sorted(r["reward"] for r in found.rollouts if r["step"] == 1) == [-0.5, 0.25, 0.5, 1.0, 1.25, 1.5]


def test_a_prompt_without_right_answer_has_an_identity(reading) -> None:
    assert None not in reading(FIXTURES / "verl_v0" / "input").column("prompt_id")


def test_the_prompt_is_shown_without_what_all_prompts_share(reading) -> None:
    shown = {r["prompt"] for r in reading(FIXTURES / "verl_v0" / "input").rollouts if r["prompt"]}
    assert shown == {"x\nassistant\n", "y\nassistant\n"}


def test_the_highest_output_stands_for_its_session(reading) -> None:
    found = reading(FIXTURES / "verl_v1" / "input")
    kept = {r["answer"] for r in found.rollouts if r["reward"] is not None}
    assert {"o q_3_0_10", "o q_1_1_1"} <= kept
    assert not {"o q_3_0_9", "o q_1_1_0"} & kept
    [lines] = [w for r, w in found.where.items() if r.startswith("another output")]
    assert [line.rpartition(":")[2] for line in lines] == ["2", "8"]


def test_one_prompt_under_two_uids_is_two_groups(reading) -> None:
    groups = reading(FIXTURES / "verl_v1" / "input").groups
    assert sorted(g["group_id"] for g in groups) == ["q_1", "q_2", "q_3"]
    assert len({g["prompt_id"] for g in groups}) == 2


def test_a_uid_of_another_make_is_a_group_by_itself(reading, tmp_path: Path) -> None:
    dump(tmp_path, 1, [{"uid": "abc"}, {"uid": "abc", "score": 0.0}, {"uid": "0_1_2_3"}])
    assert [(g["group_id"], g["n"]) for g in sorted(reading(tmp_path).groups, key=lambda g: g["group_id"])] == [
        ("0_1", 1),
        ("abc", 2),
    ]


def test_a_validation_folder_named_by_itself_is_split_eval(reading, tmp_path: Path) -> None:
    dump(tmp_path / "validation_data_dir", 3, [{}, {"score": 0.0}])
    dump(tmp_path / "valentine", 3, [{}, {"score": 0.0}])
    assert {g["split"] for g in reading(tmp_path / "validation_data_dir").groups} == {"eval"}
    assert {g["split"] for g in reading(tmp_path / "valentine").groups} == {"train"}


def test_dumps_of_two_runs_do_not_share_groups(reading, tmp_path: Path) -> None:
    for name, score in (("one", 0.0), ("two", 0.5)):
        dump(tmp_path / name, 1, [{}, {"score": score}])
    assert sorted((g["run"], g["n"]) for g in reading(tmp_path).groups) == [("one", 2), ("two", 2)]


def test_scores_written_as_text_are_numbers(reading, tmp_path: Path) -> None:
    dump(tmp_path, 1, [{"score": "1.0"}, {"score": "False"}, {"score": "n/a"}, {"score": "nan"}])
    found = reading(tmp_path)
    assert found.column("n_correct") == [1]
    assert found.set_aside == {"reward is null or not a number: 'n/a'": 1, "reward is NaN": 1}


def test_the_models_own_answer_can_be_named(reading, tmp_path: Path) -> None:
    dump(tmp_path, 1, [{"output": "so 4", "pred": "4"}, {"output": "thus 4", "pred": "4", "score": 0.0}])
    assert reading(tmp_path).column("n_distinct_answers") == [2]
    assert reading(tmp_path, columns={"answer": "pred"}).column("n_distinct_answers") == [1]


def rewards(folder: Path, step: int, scores: str, **more: Any) -> None:
    """A step's file: a row for each digit, two prompts of four rollouts each."""
    dump(folder, step, [{"input": "ab"[i // 4], "score": float(s)} | more for i, s in enumerate(scores)])


def test_a_run_before_and_after_use_v1_is_one_run(reading, tmp_path: Path) -> None:
    rewards(tmp_path, 1, "10100000")
    rows = [{"input": p, "score": i % 2, "uid": f"{p}_{i}_0"} for p in "ab" for i in range(4)]
    dump(tmp_path, 2, rows)
    found = reading(tmp_path)
    assert found.known.format == "verl-v1"
    groups = sorted((g["step"], g["n"], g["n_correct"]) for g in found.groups)
    assert groups == [(1, 4, 0), (1, 4, 2), (2, 4, 2), (2, 4, 2)]
    assert len(set(found.column("prompt_id"))) == 2
    assert found.note("1 of 2 files (e.g. 1.jsonl) have no uid")


def test_each_layout_can_be_read_alone(tmp_path: Path) -> None:
    rewards(tmp_path, 1, "10100000")
    dump(tmp_path, 2, [{"uid": "a_0_0"}])
    for name, step in (("verl-v0", "1.jsonl"), ("verl-v1", "2.jsonl")):
        source = open_source(duck.connect(), [tmp_path], ReadOptions(format=name))
        assert [f.path.name for f in source.files] == [step]


def test_a_step_written_again_by_a_resumed_run_does_not_double_its_groups(reading, tmp_path: Path) -> None:
    run = tmp_path / "run"
    rewards(run, 1, "10100000")
    rewards(run, 2, "11110000")
    (run / "1.jsonl").rename(run / "1_before.jsonl")
    rewards(run, 1, "11000001")
    found = reading(run)
    assert found.column("n") == [4] * 6
    assert found.note("step 1 of the train split in 1.jsonl, 1_before.jsonl")


def test_acc_in_validation_files_alone_leaves_training_as_it_is(reading, tmp_path: Path) -> None:
    rewards(tmp_path / "rollout_data", 1, "10100000")
    rewards(tmp_path / "validation_data", 1, "11110000", acc=True, pred="4")
    found = reading(tmp_path)
    assert found.outcome.column == "reward"
    groups = sorted((g["split"], g["n"], g["n_correct"]) for g in found.groups)
    assert groups == [("eval", 4, 0), ("eval", 4, 4), ("train", 4, 0), ("train", 4, 2)]
    assert found.note("Column acc is in 1 of 2 files")
    assert found.note("Column pred, in 1 of 2 files,")
    alone = reading(tmp_path, outcome="acc")
    assert [(g["split"], g["n"], g["n_correct"]) for g in alone.groups] == [("eval", 4, 4), ("eval", 4, 4)]
