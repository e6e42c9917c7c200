"""The reduction against one written in plain Python; wrong guesses, cuts, Ctrl-C and kill -9."""

from __future__ import annotations

import collections
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bitrate.errors import DataError, EngineError, InputError
from bitrate.logs import chunks, sql
from bitrate.logs import reduce as reduction
from bitrate.logs.chunks import plan
from bitrate.logs.engines import duck
from bitrate.logs.options import ReadOptions
from bitrate.logs.read import open_source
from bitrate.logs.reduce import Groups, reduce
from bitrate.logs.schema import Outcome
from bitrate.logs.stage import RowGroup, stage
from bitrate.logs.workplace import workplace

COLUMNS = ("step", "prompt_id", "reward", "answer", "completion_tokens")
MEASURES = (
    "n, n_correct, reward_sum, reward_sumsq, reward_min, reward_max, "
    "n_distinct_answers, n_right_answers, n_torn_answers, completion_tokens, n_counted"
)


def rollouts(rng: np.random.Generator, rows: int, rewards: list[float | None]) -> list[tuple]:
    """Ragged groups in step order; some answers and token counts unknown."""
    steps = np.sort(rng.integers(0, 40, rows)).tolist()
    prompts = [f"p{p}" for p in rng.integers(0, 6, rows)]
    scores = [rewards[i] for i in rng.integers(len(rewards), size=rows)]
    answers = [f"a{a}" if a < 9 or p != "p3" else None for a, p in zip(rng.integers(0, 10, rows), prompts, strict=True)]
    tokens = [int(t) if t > 20 or p != "p4" else None for t, p in zip(rng.integers(1, 900, rows), prompts, strict=True)]
    return list(zip(steps, prompts, scores, answers, tokens, strict=True))


def write(path: Path, rows: list[tuple], row_group_size: int = 500) -> Path:
    types = (pa.int64(), pa.string(), pa.float64(), pa.string(), pa.int64())
    values = list(zip(*rows, strict=True))
    table = pa.table({c: pa.array(v, t) for c, v, t in zip(COLUMNS, values, types, strict=True)})
    pq.write_table(table, path, row_group_size=row_group_size)
    return path


def by_hand(rows: list[tuple]) -> list[tuple]:
    """The group table for 0/1 rewards, one Python dict at a time."""
    groups = collections.defaultdict(list)
    for step, prompt, reward, answer, tokens in rows:
        if reward is not None and math.isfinite(reward):
            groups[step, prompt].append((reward, answer, tokens))
    table = []
    for (step, prompt), members in sorted(groups.items()):
        scores = [r for r, _, _ in members]
        right = {a for r, a, _ in members if r == 1}
        wrong = {a for r, a, _ in members if r == 0}
        known = all(a is not None for _, a, _ in members)
        counted = [t for _, _, t in members if t is not None]
        answers = (len(right | wrong), len(right), len(right & wrong)) if known else (None, None, None)
        sums = (float(sum(scores)), float(sum(s * s for s in scores)), min(scores), max(scores))
        tokens = (sum(counted) if counted else None, len(counted))
        table.append((step, prompt, len(members), int(sum(scores)), *sums, *answers, *tokens))
    return table


def table(groups: Groups) -> list[tuple]:
    return groups.con.sql(f"SELECT step, prompt_id, {MEASURES} FROM groups ORDER BY ALL").fetchall()


def reduced(path: Path, memory: str = "2GB", **options: object) -> tuple[list[tuple], Outcome, int, dict[str, int]]:
    with reduce(open_source(duck.connect(memory), [path], ReadOptions(**options))) as groups:  # type: ignore[arg-type]
        return table(groups), groups.outcome, groups.rows, {s.reason: s.count for s in groups.set_aside}


@pytest.mark.parametrize("chunk_rows", [10**6, 300, 40])
@pytest.mark.parametrize("shuffled", [False, True])
def test_the_group_table_is_the_one_worked_out_in_python(
    chunk_rows: int, shuffled: bool, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", chunk_rows)
    monkeypatch.setattr(reduction, "BYTES_A_ROW", (1 << 30) // (2 * chunk_rows))
    rows = rollouts(rng, 5000, [0.0, 1.0, 1.0, None, math.nan, math.inf])
    if shuffled:
        rows = [rows[i] for i in rng.permutation(len(rows))]
    found, outcome, count, set_aside = reduced(write(tmp_path / "run.parquet", rows))
    assert found == by_hand(rows)
    assert count == 5000
    scores = collections.Counter(r[2] for r in rows if r[2] is not None and math.isfinite(r[2]))
    assert outcome == Outcome("reward", dict(scores), 0.5)
    assert sum(set_aside.values()) == 5000 - sum(scores.values())
    assert len(set_aside) == 3


def test_jsonl_and_parquet_give_the_same_groups(tmp_path: Path, rng: np.random.Generator) -> None:
    rows = rollouts(rng, 2000, [0.0, 1.0])
    parquet = write(tmp_path / "run.parquet", rows)
    duck.connect().execute(f"COPY (SELECT * FROM '{parquet}') TO '{tmp_path / 'run.jsonl'}' (FORMAT json)")
    assert reduced(parquet)[0] == reduced(tmp_path / "run.jsonl")[0] == by_hand(rows)


def test_nan_that_the_statistics_of_a_file_hide_is_not_measured(tmp_path: Path) -> None:
    rows = [(0, "p", r, "a", 1) for r in (1.0, 0.0, math.nan, 1.0)]
    found, outcome, _, set_aside = reduced(write(tmp_path / "run.parquet", rows))
    assert [g[2:4] for g in found] == [(3, 2)]
    assert outcome.levels == {0.0: 1, 1.0: 2}
    assert set_aside == {"reward is NaN": 1}


def levels_of(path: Path) -> dict[float, int]:
    with reduce(open_source(duck.connect(), [path])) as groups:
        return dict(groups.con.sql("SELECT reward_level, sum(n_level)::BIGINT FROM levels GROUP BY ALL").fetchall())


def test_a_third_level_that_the_first_rows_do_not_show_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reduction, "SAMPLE_ROWS", 100)
    rows = [(i // 100, f"p{i % 7}", float(i % 2), "a", 1) for i in range(2000)]
    rows[1500] = (15, "p2", 0.5, "a", 1)
    path = write(tmp_path / "run.parquet", rows)
    _, outcome, count, set_aside = reduced(path)
    assert outcome == Outcome("reward", {0.0: 999, 0.5: 1, 1.0: 1000}, None)
    assert (count, set_aside) == (2000, {})
    assert levels_of(path) == outcome.levels


def test_a_continuous_reward_is_found_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduction, "SAMPLE_ROWS", 100)
    rows = [(0, "p", float(i % 2) if i < 100 else i / 2000, "a", 1) for i in range(2000)]
    assert reduced(write(tmp_path / "run.parquet", rows))[1] == Outcome("reward", None, None)


def test_levels_of_rows_that_cannot_be_measured_are_no_levels(tmp_path: Path) -> None:
    rows = [(0, "p", 0.0, "a", 1), (0, "p", 1.0, "a", 1), (None, "p", 0.5, "a", 1), (0, None, 7.0, "a", 1)]
    found, outcome, count, _ = reduced(write(tmp_path / "run.parquet", rows))
    assert outcome == Outcome("reward", {0.0: 1, 1.0: 1}, 0.5)
    assert (count, found[0][2:4]) == (4, (2, 1))


def test_no_row_that_can_be_measured_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="prompt_id is null"):
        reduced(write(tmp_path / "run.parquet", [(0, None, 1.0, "a", 1), (0, None, 0.0, "a", 1)]))


def test_what_is_unknown_is_null_and_not_zero(tmp_path: Path) -> None:
    pq.write_table(pa.table({"prompt_id": ["p"] * 3, "reward": [0.0, 0.5, 1.0]}), tmp_path / "run.parquet")
    with reduce(open_source(duck.connect(), [tmp_path / "run.parquet"])) as groups:
        unknown = "n_correct, n_distinct_answers, n_right_answers, n_torn_answers, completion_tokens, "
        unknown += "prompt_tokens, n_truncated, advantage_max"
        assert groups.con.sql(f"SELECT n_counted, {unknown} FROM groups").fetchall() == [(0, *[None] * 8)]


def test_a_sum_is_null_where_one_reward_is_unknown(tmp_path: Path) -> None:
    columns = {"prompt_id": ["p", "p", "q"], "correct": [1.0, 0.0, 1.0], "reward": [0.5, math.nan, 0.25]}
    pq.write_table(pa.table(columns), tmp_path / "run.parquet")
    with reduce(open_source(duck.connect(), [tmp_path / "run.parquet"])) as groups:
        found = groups.con.sql(
            "SELECT prompt_id, n, n_correct, reward_sum, reward_max FROM groups ORDER BY ALL"
        ).fetchall()
    assert found == [("p", 2, 1, None, 0.5), ("q", 1, 1, 0.25, 0.25)]


def test_sums_of_tenths_have_no_residue() -> None:
    con = duck.connect()
    con.execute(
        "CREATE TABLE rollouts AS SELECT 'r' AS run, 0 AS step, 'p' AS prompt_id, 0.1::DOUBLE AS reward FROM range(10)"
    )
    absent = ("split", "group_id", "answer", "completion_tokens", "prompt_tokens", "truncated", "advantage", "sample")
    fixed = dict.fromkeys(absent, "CAST(NULL AS STRING)")
    query = sql.groups_sql(Outcome("reward", {0.1: 10, 0.2: 0, 0.3: 0}, None), fixed)
    assert con.sql(f"SELECT reward_sum, reward_sumsq FROM ({query})").fetchall() == [(1.0, 0.1)]


def test_chunks_are_whole_steps_and_a_giant_step_is_cut_by_prompt() -> None:
    steps = {None: 7, 1: 400_000, 2: 400_000, 3: 400_000, 4: 5_000_000, 9: 10}
    ordered = [RowGroup(100_000, str(s), str(s), 0) for s, rows in steps.items() if s for _ in range(rows // 100_000)]
    found = plan(steps, ordered, 10**8, 2)
    assert [c.where for c in found[:2]] == ["step BETWEEN 1 AND 2", "step BETWEEN 3 AND 3"]
    assert [c.where for c in found[2:-1]] == [f"step BETWEEN 4 AND 4 AND hash(prompt_id) % 3 = {i}" for i in range(3)]
    assert found[-1].where == "step BETWEEN 9 AND 9"


def test_chunks_of_files_out_of_order_are_as_large_as_memory_allows() -> None:
    steps: dict[int | None, int] = dict.fromkeys(range(100), 1_000_000)
    scattered = [RowGroup(100_000, "0", "99", 0)] * 1000
    assert len(plan(steps, scattered, 10_000_000, 2)) == 10
    assert len(plan(steps, None, 10_000_000, 2)) == 10
    assert len(plan(steps, scattered, 10**9, 2)) == 2
    ordered = [RowGroup(100_000, str(i // 10), str(i // 10), 0) for i in range(1000)]
    assert len(plan(steps, ordered, 10_000_000, 2)) == 100


def test_parquet_is_handed_on_as_it_is_only_where_every_engine_reads_the_same(tmp_path: Path) -> None:
    good = {
        "run": ["a", "b"],
        "prompt_id": ["p", "q"],
        "step": [1, 2],
        "reward": [0.0, 1.0],
        "completion": ["long", "text"],
    }

    def staged(table: dict, run: str = "run", **options: object) -> tuple[bool, set[str]]:
        pq.write_table(pa.table(table), tmp_path / "run.parquet")
        source = open_source(duck.connect(), [tmp_path / "run.parquet"], ReadOptions(**options))  # type: ignore[arg-type]
        source.run = run
        found = stage(source, tmp_path, lambda *_: None)
        assert found.files == (str(tmp_path / "run.parquet"),)
        return found.in_place, set(found.fixed)

    assert staged(good) == (
        True,
        {
            "split",
            "group_id",
            "correct",
            "answer",
            "prompt_tokens",
            "completion_tokens",
            "truncated",
            "advantage",
            "sample",
        },
    )
    assert not staged({**good, "run": ["a", None]})[0]
    assert not staged({**good, "step": pa.array([1, 2], pa.int32())})[0]
    assert not staged({**good, "reward": ["0", "1"]})[0]
    assert not staged({**good, "score": [1.0, 1.0]}, columns={"reward": "score"})[0]
    assert not staged({k: v for k, v in good.items() if k != "run"}, run="back\\slash")[0]
    (tmp_path / "run[1]").mkdir()
    tmp_path /= "run[1]"
    assert not staged(good)[0]


def test_memory_must_be_a_size() -> None:
    with pytest.raises(InputError, match="plenty"):
        duck.connect("plenty")


def test_a_chunk_that_does_not_fit_is_tried_in_smaller_ones(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    real = duck.run_each

    def too_much_at_first(works: list, *rest: object) -> None:
        tried.append(len(works))
        if len(tried) == 1:
            raise duck.OutOfMemory("no room")
        real(works, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(duck, "run_each", too_much_at_first)
    monkeypatch.setattr(reduction, "LEAST_ROWS", 1)
    monkeypatch.setattr(reduction, "BYTES_A_ROW", (1 << 30) // 1000)
    rows = rollouts(rng, 8000, [0.0, 1.0])
    assert reduced(write(tmp_path / "run.parquet", rows))[0] == by_hand(rows)
    assert tried[0] < tried[1]


STOP = """
import sys, time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from bitrate.errors import Interrupted
from bitrate.logs.engines import duck

def say(words):
    print(words, file=sys.stderr, flush=True)
    return 1

LONG = "SELECT count(*) FROM range(1000000000000) t(i) WHERE CASE i WHEN 7 THEN say('running') ELSE hash(i) % 7 END = 8"

def long(con):
    con.create_function("say", say, ["VARCHAR"], "INTEGER", side_effects=True)
    con.execute(LONG)

try:
    if sys.argv[1] == "one":
        duck.call(duck.connect(), long)
    else:
        duck.run_each([long] * 4, 1 << 30, Path(sys.argv[2]), say)
except Interrupted:
    say("stopped")
"""


@pytest.mark.interrupt
@pytest.mark.parametrize("how", ["one", "side by side"])
def test_ctrl_c_stops_a_long_query_in_half_a_second(how: str, tmp_path: Path, start: Callable[..., Any]) -> None:
    seconds = []
    for _ in range(3):  # the best of three: the machine may be busy
        child = start([sys.executable, "-c", STOP, how, tmp_path])
        child.wait_for("running")
        asked = time.perf_counter()
        child.interrupt()
        child.wait_for("stopped")
        seconds.append(time.perf_counter() - asked)
        assert child.end()[0] == 0
        if seconds[-1] < 0.5:
            return
    pytest.fail(f"Ctrl-C took {seconds} seconds")


def test_a_query_that_cannot_be_interrupted_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB 2.0 may never come back from a COPY that was interrupted; an error elsewhere must not wait for it."""
    monkeypatch.setattr(duck, "GRACE_SECONDS", 0.1)
    held, free = threading.Event(), threading.Event()

    def hold(con: Any) -> None:
        held.set()
        free.wait(60)

    def fail(con: Any) -> None:
        held.wait(10)
        raise ValueError("no rows")

    with pytest.raises(EngineError, match="no rows"):
        duck.run_each([fail, hold], 1 << 30, tmp_path, lambda _: None)
    assert not free.is_set()
    free.set()


KILLED = """
import os, signal, sys
from bitrate.logs import chunks
from bitrate.logs.engines import duck
from bitrate.logs.read import open_source
from bitrate.logs.reduce import reduce
chunks.CHUNK_ROWS = 500
chunks.MOST_READS = 99

def die_half_way(what, share):
    if what == "reducing" and share > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)

with reduce(open_source(duck.connect(), [sys.argv[1]]), progress=die_half_way):
    print("finished")
"""


@pytest.mark.interrupt
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_a_killed_run_goes_on_with_the_chunks_that_are_left(
    kind: str, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rollouts(rng, 6000, [0.0, 1.0])
    path = write(tmp_path / "run.parquet", rows)
    if kind == "jsonl":
        parquet, path = path, tmp_path / "run.jsonl"
        duck.connect().execute(f"COPY (SELECT * FROM '{parquet}' ORDER BY step) TO '{path}' (FORMAT json)")
    child = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, capture_output=True, timeout=120)
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()

    cache = Path(os.environ["XDG_CACHE_HOME"], "bitrate")
    left = {f: f.stat().st_mtime_ns for f in cache.rglob("*.parquet")}
    chunk_files = [f for f in left if f.parent.name == "groups"]
    assert len(chunk_files) >= 6
    assert all(pq.read_metadata(f).num_rows > 0 for f in chunk_files)

    monkeypatch.setattr(chunks, "CHUNK_ROWS", 500)
    monkeypatch.setattr(chunks, "MOST_READS", 99)
    shares = []
    with reduce(
        open_source(duck.connect(), [path]), progress=lambda what, share: shares.append((what, share))
    ) as groups:
        assert table(groups) == by_hand(rows)
        assert {f: f.stat().st_mtime_ns for f in left} == left
        assert len(list(cache.rglob("groups/*.parquet"))) > len(chunk_files)
    reducing = [share for what, share in shares if what == "reducing"]
    assert reducing[0] > 0.5
    assert reducing == sorted(reducing)
    assert reducing[-1] == 1.0
    assert not list(cache.rglob("*.parquet"))


def test_a_second_process_on_the_same_input_gets_a_folder_of_its_own() -> None:
    with workplace("same") as one, workplace("same") as other:
        assert one != other
        assert one.is_dir() and other.is_dir()
    assert not one.exists() and not other.exists()


def test_a_level_that_only_a_row_set_aside_has_makes_no_other_right(
    tmp_path: Path, reading: Callable[..., Any]
) -> None:
    """A score of 0.5 throughout says neither right nor wrong, whatever a row without a prompt scored."""
    rows = [{"prompt_id": f"p{i // 2}", "reward": 0.5, "step": i % 3} for i in range(12)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in [*rows, {"prompt_id": None, "reward": -0.5, "step": 0}]))
    found = reading(path)
    assert found.set_aside == {"prompt_id is null": 1}
    assert {g["n_correct"] for g in found.groups} == {None}
    assert found.outcome.threshold is None and found.outcome.levels == {0.5: 12}
