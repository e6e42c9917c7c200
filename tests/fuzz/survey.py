"""Every kind of failure with its smallest example, without stopping at the first: `python tests/fuzz/survey.py`.

Usage: python tests/fuzz/survey.py [--seconds 60] [--seed 0] [--format NAME] [--faults NAME,NAME | none] [--command]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from check import Wrong, by_command, in_process
from faults import faults, harmed
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from model import Dataset
from writers import datasets


@st.composite
def with_these(draw: st.DrawFn, sound: st.SearchStrategy[Dataset], names: list[str]) -> Dataset:
    """A data set with just these faults."""
    data = draw(sound)
    for name in names:
        if (told := faults()[name](draw, data)) is not None:
            data.story.append(f"{name}: {told}")
    return data


def kind(data: Dataset, error: Exception) -> tuple[tuple[str, ...], str]:
    """What to sort a failure by, and all there is to say about it."""
    what = error.kind if isinstance(error, Wrong) else f"{type(error).__name__}: {str(error)[:60]}"
    key = (what, *(s.split(":")[0].split(",")[0] for s in data.story))
    told = str(error) if isinstance(error, Wrong) else traceback.format_exc()[-1500:]
    lines = [f"{d.path}: {[r.line if r.line is not None else r.raw for r in d.rows]}" for d in data.docs]
    lines.append(f"paths {data.paths} in {data.root!r}, links {data.links}, beside {sorted(data.beside)}")
    return key, "\n    ".join([told, str(data.story), *lines])


def main() -> int:
    """Draw for a while, and print one example of each kind of failure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", default="")
    parser.add_argument("--faults", default="")
    parser.add_argument("--command", action="store_true", help="through the command line")
    parser.add_argument("--figures", action="store_true", help="with the whole audit")
    args = parser.parse_args()
    found: dict[tuple[str, ...], tuple[int, str]] = {}
    times: Counter[tuple[str, ...]] = Counter()
    drawn, end, batch, slowest = 0, time.monotonic() + args.seconds, args.seed, (0.0, "")
    sound = datasets(args.format)
    source = with_these(sound, [n for n in args.faults.split(",") if n != "none"]) if args.faults else harmed(sound)
    quiet = settings(
        database=None,
        deadline=None,
        max_examples=40,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    def check(data: Dataset) -> None:
        nonlocal drawn, slowest
        if time.monotonic() > end:
            return
        drawn += 1
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            try:
                by_command(data, Path(folder)) if args.command else in_process(data, Path(folder), args.figures)
            except Exception as error:
                key, told = kind(data, error)
                size = sum(len(d.rows) for d in data.docs)
                times[key] += 1
                if key not in found or size < found[key][0]:
                    found[key] = (size, f"seed {batch}: {told}")
        slowest = max(slowest, (time.monotonic() - began, "; ".join(data.story)))

    while time.monotonic() < end:
        seed(batch)(quiet(given(data=source)(check)))()
        batch += 1
    for key, n in sorted(times.items(), key=lambda x: (len(x[0]), -x[1])):
        print(f"\n=== {n} x {' | '.join(key)}\n{found[key][1][:3000]}")
    print(
        f"\n{drawn} drawn, {sum(times.values())} failed in {len(times)} kinds; slowest {slowest[0]:.1f} s: {slowest[1]}"
    )
    return int(bool(times))


if __name__ == "__main__":
    raise SystemExit(main())
