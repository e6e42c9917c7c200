"""Write results/flagship.json and docs/flagship.md from the training runs of claim T9 that are in a folder.

``python scripts/flagship_page.py --runs DIR``; the runs are made by ``bitrate claims run T9 --full --runs DIR``. Arms
that are not there are said to be not run. ``--page`` only makes the page, from ``results/flagship.json`` as it is.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bitrate.costs import Cost
from bitrate.lab.claim import Arm
from bitrate.lab.claims.t9 import every_arm
from bitrate.lab.signals.pretrained import LINES, PerPflop, PretrainedBits
from bitrate.lab.training.store import Store, repetitions, versions
from bitrate.report.flagship_page import flagship_page, save_chart

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "flagship.json"
PAGE = ROOT / "docs" / "flagship.md"
FIGURE = ROOT / "docs" / "flagship.svg"
SEED = 0


def measured(one: Arm, runs: Store) -> dict[str, Any]:
    """Every line of one arm, from the seeds that are there."""
    there = [n for n in repetitions(one, full=True) if runs.cost(one, n)]
    row = {"name": one.name, **{k: one.settings[k] for k in ("task", "rank")}, "method": one.settings["arm"]}
    if not there:
        return row | {"seeds": 0, "cost": None, "lines": {}}
    costs = [runs.cost(one, n) for n in there]
    with tempfile.TemporaryDirectory() as folder:
        for n in there:
            shutil.copytree(runs.place(one, n), Path(folder) / f"{n:03d}")
        lines = {name: PretrainedBits(name)(Path(folder)).to_dict() for name in LINES}
        for name in ("absorbed", "generalised"):
            lines[f"{name} per PFLOP"] = PerPflop(name)(Path(folder)).to_dict()
    return row | {"seeds": len(there), "cost": asdict(sum((c for c in costs if c), Cost())), "lines": lines}


def page() -> str:
    """The page as Markdown, from the published figures."""
    return flagship_page(json.loads(RESULTS.read_text("utf-8")), FIGURE.name, "claims.md#t9")


def main() -> None:
    """Measure, keep, draw, write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--runs", type=Path, help="folder of training runs")
    asked.add_argument("--page", action="store_true", help="make the page only")
    given = asked.parse_args()
    if not given.page:
        if not given.runs or not given.runs.is_dir():
            sys.exit("--runs: want the folder of the training runs of claim T9")
        rows = [measured(one, Store(given.runs, SEED)) for one in every_arm()]
        kept = {"seed": SEED, "versions": versions(), "command": "python scripts/flagship_page.py", "arms": rows}
        RESULTS.write_text(json.dumps(kept, indent=1, allow_nan=False) + "\n", "utf-8")
    save_chart(json.loads(RESULTS.read_text("utf-8"))["arms"], FIGURE)
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
