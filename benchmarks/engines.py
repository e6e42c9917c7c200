"""How fast rollouts become groups, as ratios to a plain read in the same run: writes the table of docs/engines.md.

    python benchmarks/engines.py [--rows 10M] [--folder DIR] [--repeat 3] [--no-spark] [--no-write]

Every figure is the best of ``--repeat`` runs, each in a process of its own. A raw read makes DuckDB decode the six
columns that the reduction needs. Seconds of CPU count all cores; on a busy machine their ratio is the one to read.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "engines.md"
START, END = "<!-- measured: benchmarks/engines.py -->", "<!-- /measured -->"
READ = "sum({0}(run)), sum(step), sum({0}(prompt_id)), sum(reward), sum({0}(answer)), sum(completion_tokens)"
SIZES = {"k": 10**3, "M": 10**6, "B": 10**9}


def connect(folder: Path) -> Any:
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET enable_progress_bar = false; SET memory_limit = '4GB'; SET temp_directory = '{folder}'")
    return con


def make(path: Path, rows: int, sizes: str = "8 << (hash(g, 3) % 4)::INT") -> None:
    """Rollouts of one run in step order: 256 groups a step, 20,011 prompts, groups of 8 to 64, forty wrong answers."""
    con = connect(path.parent)
    [(mean,)] = con.execute(f"SELECT avg({sizes}) FROM range(100000) t(g)").fetchall()
    con.execute(f"""COPY (
        WITH groups AS (SELECT g, g // 256 AS step, (g * 7919) % 20011 AS prompt FROM range({round(rows / mean)}) t(g)),
        tries AS (SELECT *, unnest(range({sizes})) AS i FROM groups),
        scored AS (SELECT *, hash(i, g) % 1000 < hash(prompt) % 1200 AS success FROM tries)
        SELECT 'grpo' AS run, step, 'q' || prompt AS prompt_id, success::INT::DOUBLE AS reward,
          CASE WHEN success THEN 'a' || prompt ELSE 'w' || (hash(i, g, 1) % 40) END AS answer,
          (100 + hash(i, g, 2) % 1900)::BIGINT AS completion_tokens
        FROM scored) TO '{path}' (FORMAT parquet)""")


def shuffle(ordered: Path, path: Path) -> None:
    """The same rows in no order."""
    anyhow = "hash(step, prompt_id, answer, completion_tokens, random())"
    connect(path.parent).execute(f"COPY (SELECT * FROM '{ordered}' ORDER BY {anyhow}) TO '{path}' (FORMAT parquet)")


def widen(parquet: Path, path: Path) -> None:
    """The first half a million rows as JSONL lines of 2 kB, with a prompt and a completion."""
    connect(path.parent).execute(f"""COPY (
        SELECT * EXCLUDE run, repeat('Solve step by step: ' || prompt_id || '. ', 16) AS prompt,
          repeat('We note "x" = ' || answer || chr(10), 90) AS completion
        FROM '{parquet}' LIMIT 500000) TO '{path}' (FORMAT json)""")


def apart(work: Callable[..., None], *args: object) -> None:
    """Do this in a process of its own: what a process holds counts as the peak of those it starts."""
    child = multiprocessing.get_context("spawn").Process(target=work, args=args)
    child.start()
    child.join()
    if child.exitcode:
        raise RuntimeError(f"{work.__name__} failed")


@contextmanager
def timed(found: dict[str, float], name: str = "") -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    found[f"{name}seconds"], found[f"{name}cpu"] = time.perf_counter() - wall, time.process_time() - cpu


def raw(path: str) -> dict[str, float]:
    import duckdb

    con, found = duckdb.connect(), {}
    with timed(found):
        con.execute(f"SELECT {READ.format('strlen')} FROM '{path}'").fetchall()
    return found


def reduction(path: str) -> dict[str, float]:
    from bitrate.logs.engines import duck
    from bitrate.logs.read import open_source
    from bitrate.logs.reduce import reduce

    found: dict[str, float] = {}
    con = duck.connect()
    with timed(found), reduce(open_source(con, [path])) as groups:
        found["groups"] = groups.con.execute("SELECT count(*) FROM groups").fetchall()[0][0]
    return found


def staging(path: str) -> dict[str, float]:
    from bitrate.logs.engines import duck
    from bitrate.logs.read import open_source
    from bitrate.logs.stage import stage

    found: dict[str, float] = {"bytes": Path(path).stat().st_size}
    source = open_source(duck.connect(), [path])
    source.con.execute("SET preserve_insertion_order = false")
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder, timed(found):
        stage(source, Path(folder), lambda *_: None)
    return found


def spark(path: str) -> dict[str, float]:
    """Spark's own scan and the reduction, in one session, each the better of two."""
    os.environ["PYSPARK_SUBMIT_ARGS"] = "--driver-memory 4g pyspark-shell"
    from bitrate.logs import sql
    from bitrate.logs.engines import spark as engine
    from bitrate.logs.schema import Outcome

    unknown = ("group_id", "prompt_tokens", "truncated", "advantage", "correct")
    fixed = {"split": "'train'", **dict.fromkeys(unknown, "CAST(NULL AS STRING)")}
    text = sql.groups_sql(Outcome("reward", {0.0: 0, 1.0: 0}, 0.5), fixed)
    best: dict[str, float] = {}
    with engine._session() as session, tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        for i in range(2):
            found: dict[str, float] = {}
            with timed(found, "scan_"):
                session.read.parquet(path).createOrReplaceTempView("raw")
                session.sql(f"SELECT {READ.format('length')} FROM raw").collect()
            with timed(found):
                engine.reduce([path], {"groups": text}, Path(folder, str(i)))
            best = {k: min(v, best.get(k, v)) for k, v in found.items()}
    return best


JOBS: dict[str, Callable[[str], dict[str, float]]] = {f.__name__: f for f in (raw, reduction, staging, spark)}


def measure(job: str, path: Path, repeat: int) -> dict[str, float]:
    """The least of each figure over several processes."""
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory(dir=path.parent) as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        for _ in range(repeat):
            done = subprocess.run(
                [sys.executable, __file__, "--job", job, str(path)],
                capture_output=True,
                text=True,
                env=environment,
                check=True,
            )
            found = json.loads(done.stdout.splitlines()[-1])
            best = {k: min(v, best.get(k, v)) for k, v in found.items()}
    return best


def line(*cells: object) -> str:
    print(text := "| " + " | ".join(map(str, cells)) + " |", flush=True)
    return text


def table(rows: int, folder: Path, repeat: int, with_spark: bool) -> list[str]:
    ordered, shuffled, wide = folder / "ordered.parquet", folder / "shuffled.parquet", folder / "wide.jsonl"
    apart(make, ordered, rows)
    lines = [line("input", "rollouts", "raw read, s", "reduction, s", "times raw", "times raw, CPU", "peak MB")]
    lines.append(line(*["---"] * 7))
    for path in (ordered, shuffled):
        if path is shuffled:
            apart(shuffle, ordered, shuffled)
        base, ours = measure("raw", path, repeat), measure("reduction", path, repeat)
        ratios = [f"{ours[k] / base[k]:.1f}" for k in ("seconds", "cpu")]
        name = "Parquet in step order" if path is ordered else "Parquet in no order"
        lines.append(
            line(
                name,
                f"{rows / 1e6:g}M",
                f"{base['seconds']:.2f}",
                f"{ours['seconds']:.1f}",
                *ratios,
                f"{ours['peak_mb']:.0f}",
            )
        )
    shuffled.unlink()
    apart(widen, ordered, wide)
    found = measure("staging", wide, repeat)
    speeds = [f"{found['bytes'] / 1e9 / found[k]:.1f}" for k in ("seconds", "cpu")]
    size, peak = found["bytes"] / 1e9, found["peak_mb"]
    lines += [
        "",
        f"JSONL, {size:.1f} GB in lines of 2 kB: {speeds[0]} GB/s, {speeds[1]} GB a CPU second, {peak:.0f} MB.",
    ]
    wide.unlink()
    if with_spark:
        found = measure("spark", ordered, 1)
        scan, whole = found["scan_seconds"], found["seconds"]
        lines += [
            "",
            f"Spark here: its own scan {scan:.1f} s, the same text {whole:.1f} s, {whole / scan:.1f} times its scan.",
        ]
    return lines


def number(text: str) -> int:
    return int(float(text[:-1]) * SIZES[text[-1]]) if text[-1] in SIZES else int(float(text))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=number, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="where to put the data for as long as it runs")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-spark", action="store_true")
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--job", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        found: dict[str, Any] = JOBS[args.job[0]](args.job[1])
        print(json.dumps({**found, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        lines = table(args.rows, Path(folder), args.repeat, not args.no_spark)
    print("\n".join(lines[4:]))
    if not args.no_write:
        before, _, rest = PAGE.read_text("utf-8").partition(START)
        PAGE.write_text(
            before
            + "\n".join([START, f"{os.cpu_count()} cores, best of {args.repeat}.", "", *lines, END])
            + rest.partition(END)[2],
            "utf-8",
        )


if __name__ == "__main__":
    main()
