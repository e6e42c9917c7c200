"""Inputs at the edge: how long an audit of each takes and how much memory, in a process of its own.

    python benchmarks/limits.py [--only NAME]... [--memory 2GB] [--timeout 120] [--tenth]

Each input is made anew, audited once through the command line, and held to what is known of it. ``--tenth`` makes each
a tenth as large: where times do not fall about as much, something grows faster than its input.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Size = int
Case = Callable[[Path, Size], "tuple[int, int]"]  # writes files; returns the rollouts and groups to be found
CASES: dict[str, tuple[Case, Size]] = {}


def case(size: Size) -> Callable[[Case], Case]:
    """Register an input and how large it is made."""

    def registered(make: Case) -> Case:
        CASES[make.__name__] = (make, size)
        return make

    return registered


def _counts(folder: Path, n: np.ndarray, right: np.ndarray) -> tuple[int, int]:
    rows = "\n".join(f"p{i},{a},{b}" for i, (a, b) in enumerate(zip(n.tolist(), right.tolist(), strict=True)))
    (folder / "counts.csv").write_text(f"prompt_id,n,n_correct\n{rows}\n")
    return int(n.sum()), n.size


def _rows(folder: Path, query: str) -> None:
    import duckdb

    duckdb.connect().execute(f"SET threads = 1; COPY ({query}) TO '{folder / 'rollouts.jsonl'}' (FORMAT json)")


@case(40)
def counts_of_999999(folder: Path, size: Size) -> tuple[int, int]:
    """A few groups of a million, as counts."""
    return _counts(folder, np.full(size, 999_999), np.arange(size))


@case(2000)
def groups_of_100000(folder: Path, size: Size) -> tuple[int, int]:
    """K = 100,000 in many groups, each with a pass rate of its own."""
    rng = np.random.default_rng(0)
    return _counts(folder, np.full(size, 100_000), rng.binomial(100_000, rng.beta(0.3, 0.5, size)))


@case(10_000)
def group_sizes(folder: Path, size: Size) -> tuple[int, int]:
    """As many group sizes as groups."""
    rng, n = np.random.default_rng(0), np.arange(1, size + 1)
    return _counts(folder, n, rng.binomial(n, rng.beta(0.3, 0.5, size)))


@case(500_000)
def groups_of_any_size(folder: Path, size: Size) -> tuple[int, int]:
    """Half a million groups, nearly all of them with counts of their own."""
    rng = np.random.default_rng(0)
    n = rng.integers(2, 2000, size)
    return _counts(folder, n, rng.binomial(n, rng.beta(0.3, 0.5, size)))


@case(1_000_000)
def one_group(folder: Path, size: Size) -> tuple[int, int]:
    """One group of a million rollouts, a line each."""
    _rows(folder, f"SELECT 'p' AS prompt_id, i % 3 // 2 AS reward, 0 AS step FROM range({size}) t(i)")
    return size, 1


@case(1_000_000)
def long_answers(folder: Path, size: Size) -> tuple[int, int]:
    """One group of a million distinct answers of 320 characters."""
    answer = "repeat(md5(i::VARCHAR), 10)"
    _rows(folder, f"SELECT 'p' AS prompt_id, i % 2 AS reward, 0 AS step, {answer} AS answer FROM range({size}) t(i)")
    return size, 1


@case(65_000)
def prompts_seen_once(folder: Path, size: Size) -> tuple[int, int]:
    """Many prompts, each in one group of 4."""
    _rows(
        folder,
        f"SELECT 'p' || i // 4 AS prompt_id, (hash(i) % 10 < i % 11)::INT AS reward, i // 4096 AS step "
        f"FROM range({4 * size}) t(i)",
    )
    return 4 * size, size


@case(65_000)
def rollouts_alone(folder: Path, size: Size) -> tuple[int, int]:
    """Many prompts, each in one rollout."""
    _rows(folder, f"SELECT 'p' || i AS prompt_id, i % 2 AS reward, i // 4096 AS step FROM range({size}) t(i)")
    return size, size


@case(100_000)
def traces(folder: Path, size: Size) -> tuple[int, int]:
    """prime-rl's traces, small ones."""
    with (folder / "traces.jsonl").open("w") as file:
        for i in range(size):
            prompt = f"question {i // 8}"
            node = {"message": {"role": "user", "content": prompt}, "sampled": False}
            answer = {"message": {"role": "assistant", "content": f"answer {i % 5}"}, "sampled": True}
            trace = {
                "agent": {"name": "solver", "trainable": True}, "nodes": [node, answer], "ok": True, "errors": [],
                "rewards": {"correct": {"score": float(i % 8 < i // 8 % 9), "weight": 1.0}},
                "num_input_tokens": 9, "num_output_tokens": 20,
            }  # fmt: skip
            task = {"key": f"t{i // 8}", "data": {"prompt": prompt}}
            work = {"type": "train", "step": i // 4096}
            row = {"task": task, "group": {"id": f"g{i // 8}"}, "run": {"work": work}, "traces": [trace]}
            file.write(json.dumps(row) + "\n")
    return size, -(-size // 8)


@case(20_000)
def small_files(folder: Path, size: Size) -> tuple[int, int]:
    """Very many files of one group each."""
    for i in range(size):
        rows = [{"prompt_id": f"p{i % 500}", "reward": (i + j) % 2, "step": i // 500} for j in range(4)]
        (folder / f"{i}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return 4 * size, size


@case(20_000)
def small_dumps(folder: Path, size: Size) -> tuple[int, int]:
    """Very many files of verl's, each in a folder of its own run."""
    for i in range(size):
        home = folder / f"run{i // 20}"
        home.mkdir(exist_ok=True)
        rows = [
            {"input": f"q{j // 4}", "output": f"a{i} {j}", "gts": "1", "score": float(j % 4 < i % 5), "step": i % 20}
            for j in range(8)
        ]
        (home / f"{i % 20}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return 8 * size, 2 * size


def _peak(pid: int) -> float:
    """Peak MB of a process until it ends, as it says itself: what wait() tells begins with what its parent held."""
    peak = 0.0
    while found := re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()):
        peak = int(found[1]) / 1024
        time.sleep(0.02)
    return peak


def audited(path: Path, memory: str, timeout: float, cache: Path) -> tuple[float, float, float, Any]:
    """Seconds, seconds of CPU, peak MB, and the audit, or what went wrong."""
    command = [sys.executable, "-m", "bitrate", "audit", str(path), "--memory", memory, "--json", "-"]
    with (cache / "said").open("w+") as said, (cache / "wrong").open("w+") as wrong:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=said, stderr=wrong, env={**os.environ, "XDG_CACHE_HOME": str(cache)})
        limit = threading.Timer(timeout, child.kill)
        limit.start()
        peak = _peak(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        limit.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds, cpu = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
        if child.returncode:
            wrong.seek(0)
            last = ([x.strip() for x in wrong if x.strip()] or ["killed"])[-1]
            return seconds, cpu, peak, last[:60]
        said.seek(0)
        return seconds, cpu, peak, json.load(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=list(CASES))
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--tenth", action="store_true")
    args = parser.parse_args()
    print("| input | size | seconds | CPU seconds | peak MB | |\n|---|---|---|---|---|---|")
    for name in args.only or CASES:
        make, size = CASES[name]
        size = max(size // 10, 2) if args.tenth else size
        with tempfile.TemporaryDirectory() as place:
            folder, cache = Path(place, "run"), Path(place, "cache")
            folder.mkdir(), cache.mkdir()
            rollouts, groups = make(folder, size)
            seconds, cpu, peak, found = audited(folder, args.memory, args.timeout, cache)
            if isinstance(found, str):
                said = found
            else:
                counts = found["counts"]
                right = (counts["rollouts"]["value"], counts["groups"]["value"]) == (rollouts, groups)
                said = "" if right else f"found {counts['rollouts']['value']}, {counts['groups']['value']}"
            print(f"| {name} | {size:,} | {seconds:.1f} | {cpu:.1f} | {peak:.0f} | {said} |", flush=True)


if __name__ == "__main__":
    main()
