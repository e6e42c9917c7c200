"""Run what README.md shows, in the environment of the Python that runs this: ``make core`` makes a plain one.

Every line of its console blocks, its Python block, and every ``bitrate.…`` expression of its text. A new one is run
without being named here. One that cannot be run has a line in NOT_RUN, with the reason.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Seconds after which a command counts as hung; all claims take two minutes on two free cores.
LIMIT = 1800
NOT_RUN = {
    "make demo": "it makes the environment of a checkout, and runs `bitrate demo`, which is run here",
    "make test": "it is a step of .ci/run of its own",
    "pip install .": "this environment was made by it, from a wheel",
}
#: The one exception: what trains in full needs an extra. In a plain environment such a command says so.
TRAINING, NEEDS = "--full", "pip install 'bitrate[train]'"
#: Options that name what a command writes.
WRITES = {"--html", "--figures", "--json", "-o", "--output"}


def commands(text: str) -> list[str]:
    """The lines of the console blocks that begin with a prompt, without their comments."""
    blocks = re.findall(r"^```(?:console|sh|bash|shell)\n(.*?)^```", text, re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [shlex.join(shlex.split(line[2:], comments=True)) for line in lines]


def programs(text: str) -> list[str]:
    """The Python blocks, and the expressions of the text that begin with the package's name."""
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return [*blocks, *(f"import bitrate\nprint({e})" for e in re.findall(r"`(bitrate\.[^`\n]+)`", prose))]


def not_plain() -> list[str]:
    """Why this environment is not a plain one: the package is not installed in it, or an extra is."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    names = {re.split(r"[\[<>=~ ]", need)[0] for needs in extras.values() for need in needs}
    odd = [f"{n} is installed" for n in sorted(names) if importlib.util.find_spec(n.replace("-", "_"))]
    spec = importlib.util.find_spec("bitrate")
    where = Path(spec.origin) if spec and spec.origin else Path()
    return odd if where.is_relative_to(sys.prefix) else [*odd, f"bitrate is at {where}, not in {sys.prefix}"]


def prepare(here: Path) -> None:
    """What README's reader has: a run of a trainer, two of another group size, and a table of scores."""
    from bitrate.demo import RUN

    shutil.copytree(RUN, here / "runs" / "my_grpo")
    luck = random.Random(1)
    rates = [luck.random() for _ in range(60)]

    def rows(k: int) -> list[tuple[int, int, int]]:
        return [(i % 4, i, int(luck.random() < rate)) for i, rate in enumerate(rates) for _ in range(k)]

    for k in (8, 16):
        (here / "runs" / f"k{k}").mkdir()
        lines = [json.dumps({"step": step, "prompt_id": f"q{i}", "reward": r}) for step, i, r in rows(k)]
        (here / "runs" / f"k{k}" / "rollouts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    table = [f"{step},q{i},{r}" for step, i, r in rows(8)]
    (here / "scores.csv").write_text("\n".join(["step,question,score", *table]) + "\n", "utf-8")


def run(words: list[str], here: Path, environment: dict[str, str]) -> list[str]:
    """Run a command; what is wrong with how it went."""
    targets = [here / words[i + 1] for i, word in enumerate(words[:-1]) if word in WRITES and words[i + 1] != "-"]
    for target in targets:
        if target.is_dir():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
    began = time.monotonic()
    try:
        done = subprocess.run(
            words, cwd=here, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return [f"not done in {LIMIT} seconds"]
    wrong = [f"exit status {done.returncode}"] if done.returncode else []
    wrong += ["a traceback"] if "Traceback" in done.stderr else []
    if TRAINING in words:
        wrong += [] if NEEDS in done.stdout else [f"want it to say {NEEDS}"]
    else:
        wrong += [f"{t.name} was not written" for t in targets if not t.exists()]
    print(f"{'ok  ' if not wrong else 'FAIL'} {time.monotonic() - began:5.1f} s  {shlex.join(words)}", flush=True)
    return [*wrong, done.stdout[-2000:], done.stderr[-4000:]] if wrong else []


def main() -> None:
    """Run it all; exit status 1 where something went wrong."""
    text = (ROOT / "README.md").read_text("utf-8")
    odd = not_plain()
    if odd:
        sys.exit("error: this is not a plain environment: " + "; ".join(odd))
    bin_ = Path(sys.executable).parent
    failed = []
    with tempfile.TemporaryDirectory(prefix="bitrate-readme-") as folder:
        here = Path(folder)
        prepare(here)
        path = f"{bin_}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(here / "cache"), "COLUMNS": "100"}
        environment.pop("PYTHONPATH", None)
        asked = [[sys.executable, "-m", "bitrate", "--help"], [sys.executable, "-m", "bitrate", "demo"]]
        for command in commands(text):
            if command in NOT_RUN:
                print(f"not run       {command}: {NOT_RUN[command]}", flush=True)
            else:
                asked.append(shlex.split(command))
        asked += [[sys.executable, "-c", program] for program in programs(text)]
        for words in asked:
            wrong = run(words, here, environment)
            if wrong:
                failed.append(shlex.join(words))
                print("\n".join(wrong), flush=True)
    if failed:
        sys.exit(f"error: {len(failed)} of {len(asked)} failed: " + "; ".join(failed))
    print(f"{len(asked)} commands and programs of README.md run in a plain environment")


if __name__ == "__main__":
    main()
