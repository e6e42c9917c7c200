"""Traps of inspect-ai's logs."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bitrate.errors import DataError
from bitrate.logs.engines import duck
from bitrate.logs.read import open_source
from bitrate.logs.reduce import reduce

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


def scored(name: str = "acc", value: Any = "C", **more: Any) -> dict[str, Any]:
    return {"id": 1, "epoch": 1, "input": "2+3=", "scores": {name: {"value": value}}} | more


def zipped(path: Path, members: dict[str, bytes | str], **kind: Any) -> Path:
    with zipfile.ZipFile(path, "w", **kind) as archive:
        archive.writestr("header.json", '{"status": "success", "eval": {"task": "t"}}')
        for name, text in members.items():
            archive.writestr(name, text)
    return path


@pytest.mark.parametrize("name", ["_score", "_why", "_file", "_place", "_epoch", 'a"b', "ACC", "\ud800"])
def test_a_scorer_may_have_any_name(reading, tmp_path: Path, name: str) -> None:
    rows = [scored("acc", 0.0) | {"id": i, "scores": {"acc": {"value": i % 2}, name: {"value": 1}}} for i in range(4)]
    path = write(tmp_path / "log.json", *rows)
    assert sum(reading(path).column("n_correct")) == 2
    asked = name.encode("utf-8", "replace").decode()
    assert sum(reading(path, outcome=asked).column("n_correct")) == 4


def test_a_scorer_may_be_named_for_any_column(reading, tmp_path: Path) -> None:
    path = write(tmp_path / "log.json", *(scored("_score", 1, id=i) | {"epoch": i} for i in range(3)))
    assert {r["advantage"] for r in reading(path, columns={"advantage": "_score*2"}).rollouts} == {2.0}


@pytest.mark.parametrize("uuid", [["u"], {"u": 1}, 7, None, ""])
def test_a_uuid_that_is_no_text_names_no_copy(reading, tmp_path: Path, uuid: Any) -> None:
    path = write(tmp_path / "log.json", *(scored(uuid=uuid, epoch=i) for i in (1, 2)))
    assert reading(path).column("n") == [2]


def test_one_bad_member_never_loses_the_log(reading, tmp_path: Path) -> None:
    good = json.dumps(scored())
    names = ["good", "checksum", "method", "locked", "deep", "../../up"]
    path = zipped(tmp_path / "a.eval", {f"samples/{n}_epoch_1.json": good for n in names})
    data = bytearray(path.read_bytes())
    deep = data.index(b"samples/deep_epoch_1.json") + len("samples/deep_epoch_1.json")
    data[deep : deep + len(good)] = b"[" * len(good)  # its checksum tells
    for name, at, value in (("checksum", 16, b"\1\2\3\4"), ("method", 10, b"\x63\0"), ("locked", 8, b"\1\0")):
        entry = data.rindex(f"samples/{name}_epoch_1.json".encode()) - 46  # its entry in the directory at the end
        data[entry + at : entry + at + len(value)] = value
    path.write_bytes(data)
    found = reading(path)
    assert found.column("n") == [2]
    assert sum(found.set_aside.values()) == 4
    assert all("member cannot be read" in reason for reason in found.set_aside)


def test_a_member_too_large_for_the_memory_is_set_aside_and_the_limit_named(tmp_path: Path) -> None:
    large = json.dumps(scored() | {"input": "x" * (20 << 20)})
    path = zipped(
        tmp_path / "a.eval", {"samples/1_epoch_1.json": json.dumps(scored()), "samples/2_epoch_1.json": large}
    )
    source = open_source(duck.connect("100MB"), [path])
    with reduce(source) as groups:
        assert groups.rows == 1
        assert [(s.reason, s.count) for s in groups.set_aside] == [
            ("larger than the 11 MB that --memory leaves for one sample", 1)
        ]


def test_of_a_large_sample_only_what_a_rollout_needs_is_kept(tmp_path: Path) -> None:
    member = json.dumps(scored(value="C") | {"input": "x" * (8 << 20), "output": {"completion": "y" * (8 << 20)}})
    members = {f"samples/{i}_epoch_1.json": member for i in range(12)}
    path = zipped(tmp_path / "a.eval", members, compression=zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    try:
        open_source(duck.connect(), [path])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 80 << 20, "a sample of 16 MB is held three times while it is read; twelve are never held together"


def test_a_json_log_too_large_to_look_into_is_read(reading, tmp_path: Path) -> None:
    rows = [scored(id=i, input="x" * (1 << 20)) for i in range(8)]
    assert reading(write(tmp_path / "log.json", *rows)).column("n") == [1] * 8
