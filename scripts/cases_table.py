"""Run every case of folders with a `cases.md`, and print a table: command, what comes now, what is right, held or not.

Usage: python scripts/cases_table.py CASES_DIR... [--json] [--long] [--only TEXT] [-o FILE]

Each command runs in a scratch copy of its folder, with a cache of its own, a time limit and its peak memory measured.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cases_checks import CHECKS, Run, verdict

LIMIT_SECONDS = 120
#: The `bitrate` that a case's shell finds: notes each exit code, and asks an audit for its figures as well.
SHIM = """#!/bin/bash
n=$(printf %03d $(ls "$CASE_CALLS" | grep -c 'rc$'))
extra=()
if [ "$1" = audit ]; then extra=(--json "$CASE_CALLS/$n.json"); fi
for a in "$@"; do if [ "$a" = --json ]; then extra=(); fi; done
"$CASE_PYTHON" -m bitrate "$@" "${extra[@]}"
rc=$?; echo $rc > "$CASE_CALLS/$n.rc"; exit $rc
"""
#: Rows of which the text leaves a part open.
COLUMNS = {"c11d_file_a_trial": " --columns prompt_id=task_id,reward=is_resolved"}
INSTEAD = {
    "F26": "env -u HOME -u XDG_CACHE_HOME unshare -U --map-user=54321 bitrate audit 04_twice/a.jsonl",
    "F20": "$CASE_PYTHON block.py; ulimit -v 5000000; bitrate audit bomb.eval",
}


@dataclass(frozen=True)
class Case:
    """A row: ``key`` finds its check, ``shell`` is what runs, ``script`` Python that lies beside it as block.py."""

    name: str
    key: str
    shell: str
    right: str
    script: str = ""
    limit: float = LIMIT_SECONDS


def cases(folder: Path, long: bool) -> Iterator[Case]:
    """Every case of a folder: table rows, code blocks, sentences, and files that no row names."""
    text = (folder / "cases.md").read_text("utf-8")
    yield from _rows(text, folder)
    yield from _shell_block(text)
    yield from _python_block(text)
    yield from _sentences(text, long)
    for key in CHECKS:
        path = key.removeprefix("bitrate audit ").split()[0]
        if re.match(r"c\d+\w*_", path) and (folder / path).exists() and path.split("/")[0] not in text:
            yield Case(f"{path} (no row)", key, key, "as counted from the files")


def _rows(text: str, folder: Path) -> Iterator[Case]:
    for line in text.splitlines():
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if len(cells) < 4 or set(cells[0]) <= {"-"} or cells[1] == "command":
            continue
        name, command, right = cells[0], cells[1].strip("`"), cells[-1]
        if not command:  # what is wrong with every table
            key = "bitrate audit c15_ids_1_and_1.0.jsonl # any table"
            yield Case(name, key, key, right or 'not "train split"; not "1 independent clusters"')
            continue
        files = [f for f in map(str.strip, name.split(",")) if (folder / f).exists()]
        several = len(files) > 1 or "FILE" in command
        for file in files if several else [""]:
            filled = (
                command.replace("FILE", file)
                if "FILE" in command
                else command.replace(files[0], file)
                if file
                else command
            )
            filled = filled.replace(" --columns ...", COLUMNS.get(file, ""))
            yield Case(file or name, filled, filled, right)


def _shell_block(text: str) -> Iterator[Case]:
    """``# NAME`` and the lines below it; the last says what is right behind a #."""
    for block in re.findall(r"```bash\n(.*?)```", text, re.S):
        for part in re.split(r"^# (?=F\d)", block, flags=re.M)[1:]:
            title, _, body = part.partition("\n")
            name = re.match(r"F\d+", title)[0]  # type: ignore[index]
            command, _, right = body.strip().partition("   # ")
            right = right.rpartition("right: ")[2]
            yield Case(name, name, INSTEAD.get(name, command), right)


def _python_block(text: str) -> Iterator[Case]:
    for block in re.findall(r"```python\n(.*?)```", text, re.S):
        for part in re.split(r"^# (?=F\d)", block, flags=re.M)[1:]:
            title, _, code = part.partition("\n")
            name = re.match(r"F\d+", title)[0]  # type: ignore[index]
            right = (re.search(r"# right: (.*)", code) or ["", ""])[1].split(". ")[0]
            yield Case(name, name, INSTEAD.get(name, "$CASE_PYTHON block.py"), right, code, 600)
            if name == "F20":
                name, shell = "F20, one group of a million", "$CASE_PYTHON block.py; bitrate audit one.jsonl"
                yield Case(name, name, shell, "the same", _ONE_GROUP, 300)


def _sentences(text: str, long: bool) -> Iterator[Case]:
    if found := re.search(r"^F19.*?`timeout 60 (.*?)`; right: (.*)$", text, re.M):
        yield Case("F19", "F19", found[1], found[2], limit=60)
    if found := re.search(r"^F11: .*right: (.*)$", text, re.M):
        runs, rows = (14, 60_000) if long else (4, 6_000)
        audits = f"for i in $(seq {runs}); do bitrate audit many --json - | md5sum; done | sort | uniq -c"
        loop = "(while :; do :; done) &"
        shell = f"{loop} a=$!; {loop} b=$!; {audits}; kill $a $b" if long else audits
        name, script = f"F11, {runs} runs of 12 files of {rows:,} rows", _MANY.replace("ROWS", str(rows))
        yield Case(name, "F11", f"$CASE_PYTHON block.py; {shell}", found[1], script, 1800)


_ONE_GROUP = """
with open("one.jsonl", "w") as out:
    for i in range(10**6):
        print('{"prompt_id": 1, "reward": %d}' % (i % 2), file=out)
"""
_MANY = """
import json, os, random
dice = random.Random(11)
os.mkdir("many")
for f in range(12):
    with open(f"many/{f}.jsonl", "w") as out:
        for i in range(ROWS):
            prompt, step = i // 8 % 997, f * 10 + i * 10 // ROWS
            right = float(dice.random() < 0.1 + 0.8 * prompt / 997)
            row = {"step": step, "prompt_id": prompt, "group_id": i // 8, "reward": right}
            print(json.dumps(row | {"completion_tokens": dice.randrange(900)}), file=out)
"""


def run(case: Case, folder: Path) -> Run:
    """Run a case in a copy of its folder; the copy goes away afterwards, unless the case's check still needs it."""
    scratch = Path(tempfile.mkdtemp(prefix="cases-"))
    scratch.chmod(0o755)
    work = scratch / "work"
    shutil.copytree(folder, work, symlinks=True)
    for path in [work, *work.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    (scratch / "bin").mkdir()
    shim = scratch / "bin/bitrate"
    shim.write_text(SHIM)
    shim.chmod(0o755)
    if case.script:
        (work / "block.py").write_text(case.script)
    return _execute(case.shell, work, scratch, case.limit)


def _execute(command: str, work: Path, scratch: Path, limit: float) -> Run:
    calls = Path(tempfile.mkdtemp(dir=scratch, prefix="calls-"))
    calls.chmod(0o777)
    env = os.environ | {
        "PATH": f"{scratch / 'bin'}:{os.environ['PATH']}",
        "HOME": str(scratch),
        "XDG_CACHE_HOME": str(scratch / "cache"),
        "COLUMNS": "100",
        "CASE_CALLS": str(calls),
        "CASE_PYTHON": sys.executable,
    }
    out, err, began = scratch / "out", scratch / "err", time.monotonic()
    with out.open("wb") as o, err.open("wb") as e:
        child = subprocess.Popen(["bash", "-c", command], cwd=work, env=env, stdin=subprocess.DEVNULL,
                                 stdout=o, stderr=e, start_new_session=True)  # fmt: skip
        late = threading.Event()

        def stop() -> None:
            late.set()
            os.killpg(child.pid, signal.SIGKILL)

        timer = threading.Timer(limit, stop)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        timer.cancel()
    found = [(int(p.read_text()), p.with_suffix(".json")) for p in sorted(calls.glob("*.rc"))]
    return Run(
        code=child.returncode,
        out=out.read_bytes().decode("utf-8", "replace"),
        err=err.read_bytes().decode("utf-8", "replace"),
        seconds=time.monotonic() - began,
        peak=usage.ru_maxrss / 1024,
        killed=late.is_set(),
        folder=work,
        calls=found,
        again=lambda other: _execute(other, work, scratch, limit),
    )


def got(done: Run) -> str:
    """What came, in a line: exit code, counts, mixed share, what was set aside, caveats, or the error."""
    if done.killed:
        return f"no end within {done.seconds:.0f} s"
    if done.traceback:
        return f"rc {done.bitrate_code}: traceback, {_last(done.err or done.out)}"
    if not done.figures:
        lines = [line.strip() for line in (done.err.strip() or done.out.strip()).splitlines() if line.strip()]
        return f"rc {done.bitrate_code}: {' '.join(lines[:3])[:260]}"
    f = done.figures
    counts = ", ".join(f"{done.count(n)} {n}" for n in ("rollouts", "groups", "prompts", "steps"))
    mixed = done.share("mixed")
    aside = "; ".join(f"{s['count']} {s['unit']} ({s['reason']})" for s in f.get("quarantine", [])) or "nothing"
    caveats = " / ".join(c[:60] + ("…" if len(c) > 60 else "") for c in done.caveats[:3])
    more = f" and {len(done.caveats) - 3} more" if len(done.caveats) > 3 else ""
    large = f"; {done.seconds:.0f} s, {done.peak:.0f} MiB" if done.seconds > 15 or done.peak > 1024 else ""
    return (
        f"rc {done.bitrate_code}: {f['format']}, {f['split']}: {counts}; "
        f"mixed {'no figure' if mixed is None else f'{mixed:.1%}'}; "
        f"set aside: {aside}; caveats: {caveats or 'none'}{more}{large}"
    )


def _last(text: str) -> str:
    return next((line.strip()[:160] for line in reversed(text.splitlines()) if line.strip(" │╰╯─")), "")


def table(rows: list[dict[str, object]]) -> str:
    """The rows as Markdown, with a count of each verdict below."""
    lines = ["| case | command | got now | right | held |", "|---|---|---|---|---|"]
    for r in rows:
        why = f": {'; '.join(map(str, r['why']))}" if r["why"] else ""  # type: ignore[call-overload]
        cells = [r["case"], f"`{r['command']}`", r["got"], r["right"], f"{r['held']}{why}"]
        lines.append("| " + " | ".join(re.sub(r"\s+", " ", str(c)).replace("|", "\\|") for c in cells) + " |")
    verdicts = [str(r["held"]) for r in rows]
    total = ", ".join(f"{verdicts.count(v)} {v}" for v in ("yes", "no", "?", "not run") if v in verdicts)
    return "\n".join([*lines, "", f"Held: {total}; {len(rows)} rows."]) + "\n"


def main() -> int:
    """Run all, print the table; 1 where a row does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="rows as JSON instead of a table")
    parser.add_argument("--long", action="store_true", help="F11 in full, beside two busy loops")
    parser.add_argument("--only", default="", help="only cases whose name or command holds this text")
    parser.add_argument("-o", dest="output", type=Path)
    args = parser.parse_args()
    rows: list[dict[str, object]] = []
    for folder in args.folders:
        for case in cases(folder, args.long):
            if args.only not in f"{case.name} {case.shell}":
                continue
            done = run(case, folder)
            held, why = verdict(case.key, done)
            row = {"folder": folder.name, "case": case.name, "command": case.shell, "got": got(done)}
            row |= {"right": case.right, "held": held, "why": why}
            rows.append(row | {"seconds": round(done.seconds, 2), "peak_mib": round(done.peak)})
            shutil.rmtree(done.folder.parent, ignore_errors=True)
            print(f"{held:8}{case.name}  {'; '.join(why)}", file=sys.stderr, flush=True)
    text = json.dumps(rows, indent=1) + "\n" if args.json else table(rows)
    if args.output:
        args.output.write_text(text, "utf-8")
    else:
        print(text, end="")
    return int(any(r["held"] == "no" for r in rows))


if __name__ == "__main__":
    raise SystemExit(main())
