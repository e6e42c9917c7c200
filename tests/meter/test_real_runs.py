"""Every real run at hand goes from its files to a report, and says what is known of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bitrate

Find = Callable[[str], Path]


def log_history(path: Path) -> list[dict[str, Any]]:
    """What TRL logged at each step."""
    return [row for row in json.loads(path.read_text())["log_history"] if "reward" in row]


def test_verl_v0_and_v1_give_the_same_ledger(shared_data: Find) -> None:
    old = bitrate.audit(shared_data("verl/v0_rollout_data_dir")).to_dict()
    new = bitrate.audit(shared_data("verl/v1_rollout_data_dir")).to_dict()
    assert (old["format"], new["format"]) == ("verl-v0", "verl-v1")
    for part in ("counts", "ledger", "groups", "cost", "k_advice", "prompts", "change"):
        assert old[part] == new[part], part
    assert old["counts"]["groups"]["value"] == 32


def test_trl_smollm2_add1_agrees_with_the_trainers_own_log(shared_data: Find) -> None:
    found = bitrate.audit(shared_data("trl_smollm2_add1"), columns={"prompt_id": "item"}, model_params=135e6).to_dict()
    log = log_history(shared_data("trl_smollm2_add1/trainer_state.json"))
    steps = found["series"]["steps"]
    assert [s["step_first"] for s in steps] == [row["step"] for row in log]
    for ours, theirs in zip(steps, log, strict=True):
        assert ours["pass_rate"]["value"] == pytest.approx(theirs["reward"])
        assert 1 - ours["mixed"] == pytest.approx(theirs["frac_reward_zero_std"])
    tokens = sum(found["spent"][k]["tokens"]["value"] for k in ("mixed", "all_right", "all_wrong"))
    assert tokens == pytest.approx(sum(row["completions/mean_length"] * 64 for row in log))
    # Five of 69 prompts end all wrong: how far those fell, 8 rollouts do not say.
    assert found["ledger"]["absorbed_bits"]["value"] > 0.5
    assert found["cost"]["bits_per_pflop"]["value"] > 0


def test_trl_reuse_eval_counts_a_batch_once_and_keeps_evaluation_apart(shared_data: Find) -> None:
    found = bitrate.audit(shared_data("trl_reuse_eval")).to_dict()
    assert found["split"] == "train"
    assert [s["step_first"] for s in found["series"]["steps"]] == [1, 5, 9]
    assert sum(q["count"] for q in found["quarantine"]) == 6
    held_out = bitrate.audit(shared_data("trl_reuse_eval"), split="eval").to_dict()
    assert [s["step_first"] for s in held_out["series"]["steps"]] == [4, 8, 12]
    assert found["ledger"]["generalised_bits"]["value"] is not None


def test_trl_sparse_logging_says_what_is_missing(shared_data: Find) -> None:
    found = bitrate.audit(shared_data("trl_sparse_logging")).to_dict()
    assert any("2 of 10 steps" in c for c in found["caveats"])


@pytest.mark.parametrize(
    ("name", "rollouts"),
    [
        ("trl_plain", 2560),
        ("tinker", 48),
        ("verifiers_v1", 32),
        ("lm_eval", 12),
        ("inspect", 62),
        ("cruxeval_codellama7b_k10.parquet", 16000),
    ],
)
def test_a_real_run_becomes_a_report(shared_data: Find, tmp_path: Path, name: str, rollouts: int) -> None:
    audit = bitrate.audit(shared_data(name))
    found = audit.to_dict()
    assert found["counts"]["rollouts"]["value"] == rollouts
    for line in found["ledger"].values():
        assert (line["value"] is None) == bool(line["reason"])
    assert audit.save(tmp_path / "report.html").stat().st_size > 100_000
    assert json.loads(audit.save(tmp_path / "report.json").read_text()) == found


@pytest.mark.parametrize("log", ["2024-11-05T13", "2025-02-11T15-18", "2025-05-12T20", "mockllm"])
def test_each_scored_inspect_log_is_read_alone(shared_data: Find, log: str) -> None:
    [path] = shared_data("inspect").glob(f"{log}*")
    found = bitrate.audit(path).to_dict()
    assert found["format"] == "inspect-ai"
    assert found["split"] == "eval"
    assert found["counts"]["rollouts"]["value"] > 0


def test_an_inspect_log_without_scores_is_an_error_that_says_so(shared_data: Find) -> None:
    [path] = shared_data("inspect").glob("2025-02-11T15-17*")
    with pytest.raises(bitrate.BitrateError, match="no rollout can be measured") as caught:
        bitrate.audit(path)
    assert path.name in str(caught.value)


@pytest.mark.parametrize(
    "name", ["7_3_plus_tracking", "7_4_plus_clip_ratio", "7_5_plus_kl", "ch06_rlvr_grpo_original_no_kl"]
)
def test_metrics_of_a_real_run_are_read_as_counts(shared_data: Find, name: str) -> None:
    path = shared_data(f"rasbt_grpo/{name}_metrics.csv")
    rows = [line.split(",") for line in path.read_text().splitlines()]
    reward = rows[0].index("reward_avg")
    found = bitrate.audit(path, columns={"prompt_id": "step", "n": "8", "n_correct": "reward_avg*8"}).to_dict()
    assert found["counts"]["groups"]["value"] == len(rows) - 1
    assert found["pass_rate"]["value"] == pytest.approx(sum(float(r[reward]) for r in rows[1:]) / (len(rows) - 1))


def test_a_metric_that_is_no_count_is_set_aside(shared_data: Find) -> None:
    path = shared_data("rasbt_grpo/7_6_plus_format_reward_metrics.csv")
    found = bitrate.audit(path, columns={"prompt_id": "step", "n": "8", "n_correct": "reward_avg*8"}).to_dict()
    assert any("are not counts" in q["reason"] for q in found["quarantine"])
