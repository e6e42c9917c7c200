"""The recorder: what was recorded is read back, whatever happens to the process, and nothing is replaced by mistake."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bitrate
from bitrate.errors import InputError, OutputError
from bitrate.logs.recorder import Recorder

#: Records steps without end and says so after each; the process is killed while it writes.
ENDLESS = """
import itertools, sys
from bitrate.logs.recorder import Recorder
recorder = Recorder(sys.argv[1], run="endless", rows=int(sys.argv[2]))
for step in itertools.count():
    recorder.record(step, prompt_id=["a", "b"] * 500, reward=[0.0, 1.0] * 500, sample=list(range(1000)))
    print("recorded", flush=True)
"""


def parts(folder: Path) -> list[str]:
    """Names of the files that an audit would read."""
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))


def test_what_is_recorded_is_read_back_as_one_run(tmp_path: Path) -> None:
    with Recorder(tmp_path / "log", run="adder", trainer="my own") as recorder:
        recorder.record(
            0, prompt_id=[1, 1, 2], reward=np.array([0, 1, 1], np.float32), answer=["4", "3", None], sample=[0, 1, 0],
            components=[{"format": 1, "sum": 0.5}, None, {}], completion_tokens=pa.array([5, None, 7], pa.int32()),
            truncated=np.array([True, False, False]), advantage=pa.chunked_array([[-1.0, 1.0], [0.0]]), target="3",
        )  # fmt: skip
        recorder.record(np.int64(1), prompt_id="1", reward=[1, None], split="eval")
    rows = bitrate.read(tmp_path / "log").sort_by([("step", "ascending"), ("prompt_id", "ascending")]).to_pydict()
    assert rows["prompt_id"] == ["1", "1", "2", "1", "1"] and rows["step"] == [0, 0, 0, 1, 1]
    assert set(rows["run"]) == {"adder"} and rows["split"] == ["train"] * 3 + ["eval"] * 2
    assert rows["reward"] == [0.0, 1.0, 1.0, 1.0, None] and rows["answer"][:3] == ["4", "3", None]
    assert rows["components"][:3] == [[("format", 1.0), ("sum", 0.5)], None, []]
    assert rows["completion_tokens"] == [5, None, 7, None, None] and rows["advantage"][:3] == [-1.0, 1.0, 0.0]
    assert rows["truncated"][:3] == [True, False, False] and rows["target"] == ["3"] * 3 + [None] * 2
    found = bitrate.audit(tmp_path / "log").to_dict()
    assert found["format"] == "table" and "Exported from my own files." in found["caveats"]
    assert found["counts"]["rollouts"]["value"] == 3


@pytest.mark.parametrize("rows", [1, 1_000_000])
def test_parts_and_one_file_give_the_same_figures(rows: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    steps = [
        {
            "prompt_id": np.repeat(np.arange(8), 4),
            "reward": rng.integers(0, 2, 32),
            "completion_tokens": rng.integers(9, size=32),
        }
        for _ in range(20)
    ]  # fmt: skip
    tables = [pa.table({**s, "prompt_id": s["prompt_id"].astype(str), "step": [i] * 32}) for i, s in enumerate(steps)]
    pq.write_table(pa.concat_tables(tables), tmp_path / "whole.parquet")
    with Recorder(tmp_path / "parts", rows=rows) as recorder:
        for number, step in enumerate(steps):
            recorder.record(number, **step)
    assert len(parts(tmp_path / "parts")) == (20 if rows == 1 else 1)
    a, b = (bitrate.audit(tmp_path / name).to_dict() for name in ("parts", "whole.parquet"))
    assert {k: a[k] for k in ("counts", "ledger", "groups", "cost", "prompts", "series")} == {
        k: b[k] for k in ("counts", "ledger", "groups", "cost", "prompts", "series")
    }


@pytest.mark.interrupt
@pytest.mark.parametrize("rows", [1, 5000])
def test_a_kill_while_it_writes_leaves_every_part_whole(rows: int, tmp_path: Path, start) -> None:
    for round in range(3):
        folder = tmp_path / str(round)
        run = start([sys.executable, "-c", ENDLESS, folder, str(rows)], stdout=subprocess.PIPE)
        for _ in range(12 + round):
            run.process.stdout.readline()
        run.process.send_signal(signal.SIGKILL)
        said = run.process.stdout.read().count(b"recorded") + 12 + round
        run.process.wait(timeout=30)
        rows_there = pa.concat_tables([pq.read_table(folder / name) for name in parts(folder)])
        assert rows_there.num_rows % 1000 == 0
        assert said - max(1, rows // 1000) + (rows == 1) <= rows_there.num_rows // 1000 <= said + 1
        assert bitrate.audit(folder).to_dict()["counts"]["rollouts"]["value"] == rows_there.num_rows
        with Recorder(folder, run="endless"):
            pass  # the lock of a killed process is nobody's


def test_a_resumed_run_replaces_the_steps_that_it_does_again(tmp_path: Path) -> None:
    def record(steps: range, reward: float) -> None:
        with Recorder(tmp_path, run="r") as recorder:
            for step in steps:
                for part in range(2 if reward == 0 else 1):
                    recorder.record(step, prompt_id=[f"{part}"] * 4, reward=reward, sample=range(4))

    record(range(4), 0.0)
    assert len(parts(tmp_path)) == 8
    record(range(2, 5), 1.0)
    rows = bitrate.read(tmp_path).to_pydict()
    assert sorted(zip(rows["step"], rows["reward"], strict=True)) == sorted(
        [(s, 0.0) for s in (0, 1) for _ in range(8)] + [(s, 1.0) for s in (2, 3, 4) for _ in range(4)]
    )


def test_processes_record_side_by_side_under_ranks_of_their_own(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("RANK", "3")
    with Recorder(tmp_path) as one, Recorder(tmp_path, rank=1) as other:
        for recorder in (one, other):
            recorder.record(7, prompt_id=["a"], reward=[1.0])
        with pytest.raises(InputError, match=r"another recorder is at work in .* with rank 1"):
            Recorder(tmp_path, rank=1)
    assert parts(tmp_path) == ["rollouts-1-000007.parquet", "rollouts-3-000007.parquet"]
    monkeypatch.setenv("RANK", "first")
    with pytest.raises(InputError, match="rank = first; want a whole number"):
        Recorder(tmp_path)


def test_a_folder_holds_one_run(tmp_path: Path) -> None:
    with Recorder(tmp_path, run="a") as recorder:
        recorder.record(0, prompt_id=["x"], reward=[1.0])
    before = (tmp_path / "rollouts-0-000000.parquet").read_bytes()
    with pytest.raises(InputError, match="holds the run 'a'; want 'b'"):
        Recorder(tmp_path, run="b")
    with Recorder(tmp_path, run="a"):
        assert (tmp_path / "rollouts-0-000000.parquet").read_bytes() == before


def test_memory_is_bounded_by_what_is_held_back(tmp_path: Path) -> None:
    with Recorder(tmp_path, rows=2000) as recorder:
        held = []
        for step in range(100):
            recorder.record(step, prompt_id=["p"] * 500, reward=[1.0] * 500)
            held.append(sum(t.num_rows for t in recorder._held))
    assert max(held) == 1500 and len(parts(tmp_path)) == 25


def test_nothing_is_written_of_no_rollouts(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        recorder.record(0, prompt_id=[], reward=[])
    assert parts(tmp_path) == []


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"prompt_id": ["a"], "reward": [1.0], "rewards": [1.0]}, "no rollout column 'rewards'"),
        ({"reward": [1.0]}, "only step, reward given; want prompt_id, and reward or correct"),
        ({"prompt_id": ["a"], "answer": ["b"]}, "want prompt_id, and reward or correct"),
        ({"prompt_id": ["a", "b"], "reward": [1.0]}, "lengths differ: prompt_id 2, reward 1"),
        ({"prompt_id": "a", "reward": 1.0}, "lengths differ: one value a column"),
        ({"prompt_id": ["a"], "reward": ["right"]}, "reward cannot be recorded as DOUBLE"),
        ({"prompt_id": ["a"], "reward": [1.0], "completion_tokens": [1.5]}, "completion_tokens cannot be .* BIGINT"),
        ({"prompt_id": ["a"], "reward": [1.0], "components": [3]}, "components cannot be recorded as MAP"),
        ({"prompt_id": ["a"], "reward": np.ones((1, 1))}, "reward cannot be recorded as DOUBLE"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_message_and_leaves_the_recorder_at_work(columns: dict, said: str, tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        with pytest.raises(InputError, match=said):
            recorder.record(0, **columns)
        recorder.record(0, prompt_id=["a"], reward=[1.0])
    assert bitrate.read(tmp_path).num_rows == 1


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file; want a folder"):
        Recorder(tmp_path / "file" / "log")
    with pytest.raises(InputError, match="rows = 0"):
        Recorder(tmp_path, rows=0)
    with Recorder(tmp_path / "log") as recorder:
        (tmp_path / "log").rename(tmp_path / "gone")
        with pytest.raises(OutputError, match="cannot be written"):
            recorder.record(0, prompt_id=["a"], reward=[1.0])
        (tmp_path / "gone").rename(tmp_path / "log")
        recorder.flush()  # it was held back, and is not lost
    assert bitrate.read(tmp_path / "log").num_rows == 1
