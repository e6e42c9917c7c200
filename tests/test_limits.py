"""Inputs at the edge, small enough for every day; benchmarks/limits.py has the large ones."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from bitrate.api import audit, export, read
from bitrate.logs.layout import MOST_CASES, by_file
from bitrate.logs.peek import Peek
from bitrate.theory import binary_entropy


def _load() -> Any:
    path = Path(__file__).parents[1] / "benchmarks" / "limits.py"
    spec = importlib.util.spec_from_file_location("limits", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


limits = _load()


def counts(folder: Path, rows: list[tuple[Any, ...]], header: str = "prompt_id,n,n_correct") -> Path:
    path = folder / "counts.csv"
    path.write_text("\n".join([header, *(",".join(map(str, r)) for r in rows)]) + "\n")
    return path


def figures(path: Path) -> dict[str, Any]:
    found = audit(path).to_dict()
    return {k: found[k] for k in ("counts", "ledger", "received", "groups", "prompts", "k_advice", "own_k", "verifier")}


def test_counts_are_what_their_rollouts_are(tmp_path: Path, rng: np.random.Generator) -> None:
    n = rng.integers(1, 20, 80)
    rows = [(i % 5, f"p{i // 2}", a, b, 40 + i) for i, (a, b) in enumerate(zip(n, rng.binomial(n, 0.4), strict=True))]
    path = counts(tmp_path, rows, "step,prompt_id,n,n_correct,completion_tokens")
    unfolded = tmp_path / "rollouts.parquet"
    assert export(path, unfolded) == n.sum()
    assert figures(path) == figures(unfolded)
    table = read(path).to_pylist()
    assert len(table) == n.sum()
    assert len({(r["prompt_id"], r["step"], r["group_id"], r["sample"]) for r in table}) == n.sum()
    assert sum(r["reward"] for r in table) == sum(r[3] for r in rows)


def test_a_count_beyond_the_limit_is_set_aside_with_the_limit(tmp_path: Path) -> None:
    path = counts(tmp_path, [("a", 10**8, 5), ("b", 10**8 + 1, 5), ("c", 4, 5), ("d", 8, 4)])
    found = audit(path).to_dict()
    assert found["counts"]["rollouts"]["value"] == 10**8 + 8
    reasons = {s["reason"].split(":")[0]: s["count"] for s in found["quarantine"]}
    assert reasons == {"n is above 100,000,000": 1, "n and n_correct are not counts with 0 <= n_correct <= n": 1}


def test_groups_of_a_million_are_measured_at_once(tmp_path: Path, rng: np.random.Generator) -> None:
    p = rng.beta(0.5, 0.5, 400)
    path = counts(tmp_path, [(f"p{i}", 999_999, k) for i, k in enumerate(rng.binomial(999_999, p))])
    start = time.perf_counter()
    found = audit(path).to_dict()
    assert time.perf_counter() - start < 20
    assert found["counts"]["rollouts"]["value"] == 400 * 999_999
    truth = float(binary_entropy(p).mean())
    for line in ("outcome_bits", "update_bits"):
        figure = found["ledger"][line]
        assert figure["low"] <= truth <= figure["high"]
        assert figure["value"] == pytest.approx(truth, abs=0.005)
    states = [row["pass_rate"] - row["right"] / row["rollouts"] for row in found["series"]["prompts"]]
    assert np.abs(states).max() == 0


@pytest.mark.parametrize(
    ("name", "size", "memory"),
    [("group_sizes", 1500, 300), ("long_answers", 100_000, 300), ("small_files", 300, 300), ("traces", 3000, 300)],
)
def test_an_audit_stays_near_the_memory_it_may_use(name: str, size: int, memory: int, tmp_path: Path) -> None:
    run, cache = tmp_path / "run", tmp_path / "cache"
    run.mkdir()
    cache.mkdir()
    rollouts, groups = limits.CASES[name][0](run, size)
    _, _, peak, found = limits.audited(run, f"{memory}MB", 100, cache)
    assert not isinstance(found, str), found
    assert (found["counts"]["rollouts"]["value"], found["counts"]["groups"]["value"]) == (rollouts, groups)
    assert peak < memory + 300  # Python and its libraries take 200 MB


@pytest.mark.parametrize("files", [MOST_CASES, 3000])
def test_a_value_by_file_is_found_among_many_files(files: int) -> None:
    peeks = [Peek(Path(f"/runs/it's/{i}.jsonl"), f"{i}.jsonl") for i in range(files)]
    values = {str(f.path): f"run {i % 700}" for i, f in enumerate(peeks) if i % 2}
    told = by_file(values, peeks, "'none'")
    rows = f"(SELECT '/runs/it''s/' || i || '.jsonl' AS _file, i FROM range({files}) t(i))"
    start = time.perf_counter()
    found = duckdb.sql(f"SELECT {told} FROM {rows} ORDER BY i").fetchall()
    assert time.perf_counter() - start < 5
    assert [v for (v,) in found] == [values.get(str(f.path), "none") for f in peeks]


def test_long_names_of_prompts_are_not_multiplied(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    rows = [{"prompt_id": f"{i // 4} " + "x" * 5000, "reward": i % 2, "step": 0} for i in range(4000)]
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    shown = audit(path).to_dict()["series"]["prompts"]
    assert [len(r["prompt_id"]) > 5000 for r in shown] == [True] * 1000
    assert sys.getsizeof(shown[0]["prompt_id"]) < 10_000
