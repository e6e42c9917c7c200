"""A million rollouts audited end to end through the command line: wall time and peak memory, beside other tools.

    python benchmarks/audit_1m.py [--rows 1M] [--repeat 3] [--others DIR]

``--others`` is the ``bin`` folder of an environment with `rlvr-audit` and `rldoctor`. Both read text: rlvr-audit a JSON
list of rewards a prompt, rldoctor one JSON object a step or a rollout. Writing those files is not timed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engines import apart, line, make, number

GROUP_SIZE = 16
PAGE = Path(__file__).resolve().parents[1] / "docs" / "engines.md"
START, END = "<!-- measured: benchmarks/audit_1m.py -->", "<!-- /measured: audit_1m -->"


def timed(command: list[str], folder: Path) -> tuple[float, float, int, str]:
    """Seconds, peak MB, exit status and the last line a command wrote."""
    with (folder / "said").open("w+") as said:
        start = time.perf_counter()
        child = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, env={**os.environ, "XDG_CACHE_HOME": str(folder)}
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        said.seek(0)
        last = ([x.strip() for x in said if x.strip()] or [""])[-1]
    return seconds, usage.ru_maxrss / 1024, child.returncode, last


def write_for_others(rollouts: Path, grouped: Path, single: Path) -> None:
    """The same rewards as rlvr-audit and as rldoctor read them."""
    import duckdb

    con = duckdb.connect()
    groups = f"SELECT prompt_id, list(reward) AS rewards FROM '{rollouts}' GROUP BY step, prompt_id ORDER BY step"
    con.execute(f"COPY ({groups}) TO '{grouped}' (FORMAT json)")
    rows = f"SELECT step, prompt_id, reward, {GROUP_SIZE} AS group_size FROM '{rollouts}'"
    con.execute(f"COPY ({rows}) TO '{single}' (FORMAT json)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=number, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--others", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rollouts = folder / "rollouts.parquet"
        apart(make, rollouts, args.rows, str(GROUP_SIZE))
        commands = {"bitrate": [sys.executable, "-m", "bitrate", "audit", str(rollouts)]}
        commands["bitrate --html --json"] = [
            *commands["bitrate"],
            "--html",
            str(folder / "x.html"),
            "--json",
            str(folder / "x.json"),
        ]
        if args.others:
            grouped, single = folder / "groups.jsonl", folder / "rollouts.jsonl"
            apart(write_for_others, rollouts, grouped, single)
            commands["rlvr-audit"] = [
                str(args.others / "rlvr-audit"),
                "inspect",
                "--file",
                str(grouped),
                "--G",
                str(GROUP_SIZE),
                "--format",
                "text",
            ]
            commands["rldoctor"] = [str(args.others / "rldoctor"), "diagnose", str(single)]
        rows = [("tool", "wall, s", "peak MB", "exit", "last line"), ("---",) * 5]
        for tool, command in commands.items():
            runs = [timed(command, folder) for _ in range(args.repeat if tool.startswith("bitrate") else 1)]
            seconds, peak = min(r[0] for r in runs), max(r[1] for r in runs)
            rows.append((tool, f"{seconds:.1f}", f"{peak:.0f}", str(runs[-1][2]), runs[-1][3][:100].replace("|", "/")))
            line(*rows[-1])
        text = PAGE.read_text("utf-8")
        before, rest = text.split(START)
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        about = f"{args.rows / 1e6:g}M rollouts, best wall time of {args.repeat} runs, highest peak."
        PAGE.write_text(f"{before}{START}\n{about}\n\n{table}\n{END}{rest.split(END, 1)[1]}", "utf-8")


if __name__ == "__main__":
    main()
