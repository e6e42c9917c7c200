"""The same rollouts give the same figures to the last digit, however they are cut, ordered, shared out or resumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bitrate.api import audit, compare
from bitrate.logs import chunks
from bitrate.logs.engines import duck
from bitrate.logs.read import Source

REWARDS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "right or wrong": lambda p, rng: (rng.random(p.size) < p).astype(float),
    "graded": lambda p, rng: np.round(p * rng.random(p.size) * 5) / 5,
    "continuous": lambda p, rng: p * rng.normal(size=p.size) * 1e4,
}


def rollouts(reward: str, rng: np.random.Generator) -> pa.Table:
    """300 prompts in 40 steps, ragged groups, some of a prompt twice in a step."""
    groups = 1500
    size = rng.integers(1, 9, groups)
    prompt = np.repeat(rng.integers(0, 300, groups), size)
    p = rng.beta(0.4, 0.6, 300)[prompt]
    rows = prompt.size
    return pa.table(
        {
            "step": np.sort(np.repeat(rng.integers(0, 40, groups), size)),
            "prompt_id": [f"p{i}" for i in prompt],
            "group_id": [f"g{i % 3}" for i in range(rows)],
            "reward": REWARDS[reward](p, rng),
            "answer": [f"a{a}" for a in rng.integers(0, 4, rows)],
            "prompt_tokens": rng.integers(5, 50, rows),
            "completion_tokens": rng.integers(1, 999, rows),
            "truncated": rng.random(rows) < 0.1,
            "advantage": rng.normal(size=rows),
            "prompt": [f"text of {i}" for i in prompt],
        }
    )


def write(folder: Path, rows: pa.Table, files: int = 1, kind: str = "parquet") -> Path:
    """The rows in some files of a folder called run."""
    run = folder / "run"
    run.mkdir(parents=True)
    for i, at in enumerate(np.array_split(np.arange(rows.num_rows), files)):
        part = rows.slice(int(at[0]), at.size)
        if kind == "parquet":
            pq.write_table(part, run / f"{i}.parquet", row_group_size=200)
        else:
            (run / f"{i}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in part.to_pylist()))
    return run


def said(run: Path, **options: Any) -> str:
    return json.dumps({**audit(run, **options).to_dict(), "command": ""})


def figures(run: Path) -> str:
    """All but the caveats, which may name files."""
    found = audit(run).to_dict()
    return json.dumps({k: v for k, v in found.items() if k != "command" and not k.startswith("caveats")})


@pytest.fixture(params=list(REWARDS))
def rows(request: pytest.FixtureRequest, rng: np.random.Generator) -> pa.Table:
    return rollouts(request.param, rng)


@pytest.fixture
def in_small_chunks(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def cut(size: int) -> None:
        monkeypatch.setattr(chunks, "CHUNK_ROWS", size)
        monkeypatch.setattr(chunks, "MOST_READS", 99)

    return cut


def test_chunks_and_threads_do_not_matter(
    rows: pa.Table, tmp_path: Path, in_small_chunks: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, connect = write(tmp_path, rows), duck.connect
    expected = said(run)
    for size, threads in ((2000, 1), (500, 2), (90, 4)):
        in_small_chunks(size)
        monkeypatch.setattr(duck, "connect", lambda *a, n=threads, **o: connect(*a, **{**o, "threads": n}))
        monkeypatch.setattr(duck, "workers", lambda memory, n=threads: n)
        assert said(run) == expected, (size, threads)


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_the_order_of_rows_and_their_files_do_not_matter(
    kind: str, rows: pa.Table, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = figures(write(tmp_path / "once", rows, 1, kind))
    batches = Source.batches
    monkeypatch.setattr(Source, "batches", lambda self: batches(self, 1))
    shuffled = rows.take(rng.permutation(rows.num_rows))
    assert figures(write(tmp_path / "again", shuffled, 7, kind)) == expected


def test_a_stop_does_not_matter(rows: pa.Table, tmp_path: Path, in_small_chunks: Callable[[int], None]) -> None:
    run = write(tmp_path, rows, 3, "jsonl")
    expected = said(run)
    in_small_chunks(300)
    for stop_at in (0.2, 0.5, 0.8):
        resumed_at: list[float] = []

        def stop(what: str, share: float, stop_at: float = stop_at, seen: list[float] = resumed_at) -> None:
            if what == "reducing":
                seen.append(share)
                if share > stop_at:
                    raise KeyError

        with pytest.raises(KeyError):
            audit(run, progress=stop)
        assert resumed_at[-1] > stop_at
    assert resumed_at[0] > 0.2
    assert said(run) == expected


def test_two_runs_compared_differ_alike(
    rng: np.random.Generator, tmp_path: Path, in_small_chunks: Callable[[int], None]
) -> None:
    first, second = (write(tmp_path / str(i), rollouts("right or wrong", rng)) for i in range(2))
    expected = json.dumps(compare(first, second))
    in_small_chunks(200)
    assert json.dumps(compare(first, second)) == expected
