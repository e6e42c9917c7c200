"""The screens of two real audits at four widths, as text files beside this one.

To renew them after a change of words or figures: ``python tests/report/snapshots.py``, then read what git shows.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

import bitrate
from bitrate.demo import RUN
from bitrate.report.terminal import print_audit

FOLDER = Path(__file__).parent / "snapshots"
WIDTHS = (60, 80, 100, 160)


def demo() -> dict[str, Any]:
    """The run that ships with the package."""
    return bitrate.audit(RUN, model_params=135e6).to_dict()


def graded(folder: Path) -> dict[str, Any]:
    """Two runs with a reward of three levels: most groups constant, many rollouts cut off, some rows unscored."""
    rng = np.random.default_rng(9)
    groups, k = 300, 8
    level = rng.choice([0.0, 0.5, 1.0], groups, p=[0.3, 0.5, 0.2])
    reward = np.repeat(level, k)
    varied = np.repeat(rng.random(groups) < 0.3, k)
    reward[varied] = rng.choice([0.0, 0.5, 1.0], int(varied.sum()))
    alone = 6
    table = {
        "run": np.concatenate(
            [
                np.repeat(["a-run-with-quite-a-long-name/seed-1", "a-run/seed-2"], groups * k // 2),
                ["a-run/seed-2"] * alone,
            ]
        ),
        "step": np.concatenate([np.repeat(np.arange(groups) // 30, k), np.zeros(alone, int)]),
        "prompt_id": np.concatenate([np.repeat(np.arange(groups), k), 1000 + np.arange(alone)]),
        "reward": pa.array([None if i % 200 == 7 else float(r) for i, r in enumerate([*reward, *([0.5] * alone)])]),
        "truncated": rng.random(groups * k + alone) < 0.4,
        "completion_tokens": rng.integers(100_000, 300_000, groups * k + alone),
    }
    pq.write_table(pa.table(table), folder / "rollouts.parquet")
    return bitrate.audit(folder / "rollouts.parquet").to_dict()


def screens() -> Iterator[tuple[Path, str]]:
    """Each snapshot's file and the text that belongs in it."""
    with tempfile.TemporaryDirectory() as folder:
        audits = {"demo": demo(), "graded": graded(Path(folder))}
    for name, audit in audits.items():
        for width in WIDTHS:
            file = io.StringIO()
            print_audit(audit, Console(file=file, width=width, color_system=None))
            yield FOLDER / f"{name}-{width}.txt", file.getvalue()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in screens():
        path.write_text(text, "utf-8")
