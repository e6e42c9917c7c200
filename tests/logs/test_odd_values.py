"""Records whose values have another type than their writer gives them: set aside, or read; never a crash."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bitrate.errors import BitrateError
from bitrate.logs.engines import duck
from bitrate.logs.options import ReadOptions
from bitrate.logs.read import open_source
from bitrate.logs.reduce import reduce

FIXTURES = Path(__file__).parent / "fixtures"
#: One fixture of each format that reads lines of JSON.
LINES = {
    json.loads((p.parent / "expected.json").read_text())["format"]: p.parent
    for p in sorted(FIXTURES.glob("*/input"))
    if next(p.rglob("*.jsonl"), None)
}
#: What may stand where something else should. 10**400 is a number that no machine type holds.
ODD: list[Any] = [None, 7, 10**400, True, "odd", [], [3], {}, {"odd": 1}, [{"odd": [None]}]]
#: A peek looks at the first twenty lines: all odd ones are to be among them.
LINES_PEEKED = 18


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value within a record, the first of each list standing for the rest."""
    yield path
    if isinstance(value, dict):
        for key, held in value.items():
            yield from places(held, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def replaced(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """A copy of a record with another value in one place."""
    if not path:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], odd)
    return copy


def measure(path: Path, **options: Any) -> int | None:
    """How many rollouts are measured; None for an error of ours. Anything else that is raised is a crash."""
    con = duck.connect()
    try:
        source = open_source(con, [path], ReadOptions(**options))
        source.format.raw_columns(source.files)
        with reduce(source) as groups:
            ids = [i for (i,) in con.sql("SELECT DISTINCT prompt_id FROM groups LIMIT 3").fetchall()]
            groups.excerpts(ids)
            [(n,)] = con.sql("SELECT sum(n)::BIGINT FROM groups").fetchall()
            return int(n)
    except BitrateError:
        return None
    finally:
        con.close()


@pytest.mark.parametrize("form", LINES)
def test_any_value_of_a_line_may_be_anything(form: str, tmp_path: Path) -> None:
    case = LINES[form]
    about = json.loads((case / "expected.json").read_text())
    folder = shutil.copytree(case / "input", tmp_path / "input")
    file = max(folder.rglob("*.jsonl"), key=lambda p: p.stat().st_size)
    sound = [json.loads(line) for line in file.read_text().splitlines() if line.endswith("}")]
    variants = [replaced(sound[0], path, odd) for path in places(sound[0]) for odd in ODD]
    before = measure(folder, **about.get("options", {}))
    assert before
    for i in range(0, len(variants), LINES_PEEKED):
        some = variants[i : i + LINES_PEEKED]
        file.write_text("".join(json.dumps(row) + "\n" for row in [sound[0], *some, *sound[1:]]))
        found = measure(folder, **about.get("options", {}))
        assert found, "one odd line never loses the others"
        assert found <= before + len(some) or form == "counts"  # one line of which may stand for many rollouts


def log(path: Path, samples: Any, **header: Any) -> Path:
    whole = {"eval": {"task": "t", "model": "m"}, "status": "success", "plan": {}, "samples": samples} | header
    path.write_text(json.dumps(whole))
    return path


def sample(number: int, value: Any = "C") -> dict[str, Any]:
    return {
        "id": number,
        "epoch": 1,
        "uuid": f"u{number}",
        "input": [{"role": "user", "content": [{"type": "text", "text": "2+3="}]}],
        "scores": {"acc": {"value": value, "answer": "5"}, "parts": {"value": {"style": 0.5}}},
        "output": {"choices": [{"stop_reason": "stop"}]},
        "model_usage": {"m": {"input_tokens": 3, "output_tokens": 4, "input_tokens_cache_read": 1}},
        "error": None,
    }


def test_any_value_of_an_inspect_log_may_be_anything(tmp_path: Path) -> None:
    paths = list(places(sample(0)))
    for i, path in enumerate(paths):
        odd = [replaced(sample(1000 * i + n), path, value) for n, value in enumerate(ODD)]
        log(tmp_path / f"{i}.json", [sample(-i), *odd])
    found = measure(tmp_path)
    assert found is not None
    assert len(paths) <= found <= len(paths) * (1 + len(ODD))


@pytest.mark.parametrize("key", ["eval", "status", "plan"])
def test_any_value_of_an_inspect_logs_header_may_be_anything(key: str, tmp_path: Path) -> None:
    for i, value in enumerate(ODD):
        log(tmp_path / f"{i}.json", [sample(i)], **{key: value})
    assert measure(tmp_path) == len(ODD)


def test_samples_of_an_inspect_log_may_be_anything(tmp_path: Path) -> None:
    for value in ODD:
        assert measure(log(tmp_path / "log.json", value)) is None


COLUMNS: dict[str, list[Any]] = {
    "null": [None] * 4,
    "ints": [1, 0, 1, 1],
    "bools": [True, False, True, None],
    "words": ["1", "true", "odd", None],
    "floats": [0.5, float("nan"), float("inf"), None],
    "lists": [[1], [], [2, 3], None],
    "messages": [[{"role": "user", "content": "x"}], [], [{"role": "user", "content": None}], None],
    "reversed": [[{"content": "x", "role": "user"}]] * 4,
    "parts": [[{"role": "user", "content": [{"type": "text", "text": "x"}]}]] * 4,
    "dicts": [{"a": 1}, {"a": None}, None, {"a": 3}],
}


@pytest.mark.parametrize("column", ["step", "prompt", "completion", "right", "advantage", "completion_ids", "note"])
def test_any_column_of_trl_may_have_any_type(column: str, tmp_path: Path) -> None:
    base = {"step": [1] * 4, "prompt": list("aabb"), "completion": list("wxyz"), "right": [1.0, 0.0, 1.0, 1.0]}
    base |= {"advantage": [0.0] * 4, "completion_ids": [[1, 2]] * 4, "note": [0.5] * 4}
    state = {"log_history": [{"step": 1, "rewards/right/mean": 0.75}], "logging_steps": 1}
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))
    for values in COLUMNS.values():
        pq.write_table(pa.table(base), tmp_path / "completions_00001.parquet")
        pq.write_table(pa.table(base | {column: values}), tmp_path / "completions_00002.parquet")
        found = measure(tmp_path)
        assert found is not None
        assert 4 <= found <= 8


def test_any_value_of_a_trainer_state_may_be_anything(tmp_path: Path) -> None:
    entry = {"step": 1, "reward": 0.75, "rewards/right/mean": 0.75, "completions/mean_length": 2.0, "eval_loss": 1.0}
    state = {"log_history": [entry | {"eval_rewards/right/mean": 0.75}], "logging_steps": 1}
    base = {"step": [1] * 4, "prompt": list("aabb"), "completion": list("wxyz"), "right": [1.0, 0.0, 1.0, 1.0]}
    odd = [*ODD, float("nan"), float("-inf"), -2.5]
    variants = [replaced(state, path, value) for path in places(state) for value in odd]
    for i, variant in enumerate(variants):
        (tmp_path / str(i)).mkdir()
        (tmp_path / str(i) / "trainer_state.json").write_text(json.dumps(variant))
        table = pa.table(base | {"advantage": [float(i)] * 4})
        pq.write_table(table, tmp_path / str(i) / "completions_00001.parquet")
    assert measure(tmp_path) == 4 * len(variants)
