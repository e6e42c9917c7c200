"""Traps of inspect-ai's logs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bitrate.errors import DataError

FIXTURES = Path(__file__).parent / "fixtures"


def write(path: Path, *samples: Any, **head: Any) -> Path:
    """A JSON log."""
    fields = {"version": 2, "status": "success", "eval": {"task": "t", "model": "m"}, "plan": {}} | head
    path.write_text(json.dumps(fields | {"samples": list(samples)}))
    return path


def test_members_packed_with_zstd_and_deflate_are_the_same_to_us(reading, tmp_path: Path) -> None:
    zstd = FIXTURES / "inspect_epochs" / "input"
    found = reading(zstd)
    assert [
        (r["prompt_id"], r["sample"], r["reward"], r["answer"]) for r in found.rollouts if r["reward"] in {0, 1}
    ] == [
        ("add/1", 1, 1.0, "4"),
        ("add/1", 2, 0.0, "5"),
        ("add/x", 1, 1.0, "4"),
        ("add/x", 2, 0.0, None),
    ]
    with zipfile.ZipFile(FIXTURES / "inspect_scorers" / "input" / "2026-01-02T00-00-00_sum.eval") as archive:
        assert {i.compress_type for i in archive.infolist()} == {zipfile.ZIP_DEFLATED}
    with zipfile.ZipFile(next(zstd.iterdir())) as archive:
        assert {i.compress_type for i in archive.infolist()} == {93}


def test_a_missing_score_is_no_zero_and_its_member_is_named(reading) -> None:
    found = reading(FIXTURES / "inspect_epochs" / "input")
    assert [p.split(".eval:")[1] for p in found.where["sample has no score"]] == ["samples/1_epoch_3.json"]
    assert [p.split(".eval:")[1] for p in found.where["member cannot be read (JSONDecodeError)"]] == [
        "samples/broken_epoch_1.json"
    ]


def test_the_grader_models_tokens_are_not_the_rollouts(reading) -> None:
    row = next(
        r
        for r in reading(FIXTURES / "inspect_epochs" / "input").rollouts
        if r["prompt_id"] == "add/x" and r["sample"] == 1
    )
    assert (row["prompt_tokens"], row["completion_tokens"]) == (3, 5)


def test_every_scorer_is_a_component(reading) -> None:
    rows = reading(FIXTURES / "inspect_scorers" / "input").rollouts
    parts = {r["prompt_id"]: dict(r["components"]) for r in rows}
    assert parts["sum/7"] == {"graded": 0.5, "exact": 0.0}
    assert parts["parts/9"] == {"rubric.style": 1.0, "rubric.fact": 0.0}


def test_runs_are_logs_and_a_retry_does_not_count_twice(reading) -> None:
    rows = reading(FIXTURES / "inspect_scorers" / "input").rollouts
    assert sorted((r["run"], r["prompt_id"]) for r in rows) == [
        ("2026-01-02T00-00-00_sum", "sum/7"),
        ("2026-01-02T00-00-00_sum", "sum/8"),
        ("2026-01-03T00-00-00_parts", "parts/9"),
    ]


def test_a_scorer_that_is_not_there_is_an_error_that_names_the_others(reading) -> None:
    with pytest.raises(ValueError, match="no column 'judge'; there are exact, graded"):
        reading(FIXTURES / "inspect_scorers" / "input", outcome="judge")


def test_a_sample_of_another_shape_is_set_aside(reading, tmp_path: Path) -> None:
    good = {
        "id": "7",
        "epoch": 1,
        "scores": {"s": {"value": 1}},
        "output": None,
        "input": [{"role": "user", "content": "hi"}],
    }
    bad = [{"id": 1, "scores": [1]}, {"id": 2, "scores": {"s": 1}}, {"id": 3, "model_usage": 4, "scores": {}}]
    odd = good | {
        "id": 7,
        "epoch": "two",
        "scores": {"s": {"value": 0, "answer": "\ud800"}},
        "model_usage": {"m": {"output_tokens": "9"}},
    }
    found = reading(write(tmp_path / "log.json", good, odd, *bad))
    assert found.column("n") == [2], "7 and '7' are one sample id"
    assert found.column("completion_tokens") == [None]
    assert found.set_aside == {"sample is not laid out as inspect-ai writes it": 2, "sample has no score": 1}


def test_a_log_without_samples_says_so(reading, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="log holds no sample"):
        reading(write(tmp_path / "log.json"))
