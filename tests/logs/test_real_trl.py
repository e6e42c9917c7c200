"""Runs written by TRL itself, held against what its own log says of each step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def logged(folder: Path) -> dict[int, dict[str, float]]:
    history = json.loads((folder / "trainer_state.json").read_text())["log_history"]
    return {e["step"]: e for e in history if "reward" in e}


@pytest.mark.parametrize(("name", "steps", "prompts"), [("trl_plain", 40, 100), ("trl_smollm2_add1", 25, 70)])
def test_every_step_agrees_with_the_trainers_log(reading, shared_data, name: str, steps: int, prompts: int) -> None:
    found, log = reading(shared_data(name)), logged(shared_data(name))
    assert {g["step"] for g in found.groups} == set(range(1, steps + 1)) == set(log)
    assert len(set(found.column("prompt_id"))) == prompts
    for step, entry in log.items():
        groups = [g for g in found.groups if g["step"] == step]
        assert [g["n"] for g in groups] == [8] * 8
        assert sum(g["n_correct"] for g in groups) / 64 == pytest.approx(entry["reward"])
        assert sum(g["completion_tokens"] for g in groups) / 64 == pytest.approx(entry["completions/mean_length"])
        assert sum(g["n_correct"] in (0, 8) for g in groups) / 8 == pytest.approx(entry["frac_reward_zero_std"])
        assert sum(g["advantage_max"] < 1e-6 for g in groups) / 8 == pytest.approx(entry["frac_reward_zero_std"])


def test_the_real_run_learns(reading, shared_data) -> None:
    found = reading(shared_data("trl_smollm2_add1"))
    early, late = ([g for g in found.groups if a <= g["step"] <= b] for a, b in ((1, 5), (21, 25)))
    assert round(sum(g["n_correct"] for g in early) / 320, 2) == 0.38
    assert round(sum(g["n_correct"] for g in late) / 320, 2) == 0.79
    assert found.set_aside == {}


def test_the_logged_item_and_the_text_are_the_same_identity(reading, shared_data) -> None:
    by_text = reading(shared_data("trl_smollm2_add1"))
    by_item = reading(shared_data("trl_smollm2_add1"), columns={"prompt_id": "item"})
    pairs = {
        (a["prompt_id"], b["prompt_id"])
        for a, b in zip(
            *(sorted(r.groups, key=lambda g: (g["step"], g["group_id"])) for r in (by_text, by_item)), strict=True
        )
    }
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) == 70


def test_batches_written_again_and_evaluations_are_told_apart(reading, shared_data) -> None:
    found, log = reading(shared_data("trl_reuse_eval")), logged(shared_data("trl_reuse_eval"))
    assert {g["step"] for g in found.groups if g["split"] == "train"} == {1, 5, 9} == set(log)
    assert {g["step"] for g in found.groups if g["split"] == "eval"} == {4, 8, 12}
    assert list(found.set_aside.values()) == [6]
    assert not found.note("do not have the mean reward")
    for step, entry in log.items():
        assert sum(g["n_correct"] for g in found.groups if g["step"] == step) / 64 == pytest.approx(entry["reward"])


def test_sparse_logging_is_said(reading, shared_data) -> None:
    found = reading(shared_data("trl_sparse_logging"))
    assert found.note("2 of 10 steps")
    assert [g["n"] for g in found.groups] == [8] * 4
