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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bitrate.costs import Cost
from bitrate.lab.claim import Arm
from bitrate.lab.claims.t9 import arm, coded_bits, every_arm
from bitrate.lab.signals.pretrained import LINES, PerPflop, PretrainedBits
from bitrate.lab.training.pretrained.questions import CODE
from bitrate.lab.training.store import Store, repetitions, versions
from bitrate.report.flagship_page import flagship_page, save_chart

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "flagship.json"
PAGE = ROOT / "docs" / "flagship.md"
FIGURE = ROOT / "docs" / "flagship.svg"
SEED = 0


def measured(one: Arm, runs: Store) -> dict[str, Any]:
    """Every line of one arm, from the seeds that are there."""
    row = {"name": one.name, **{k: getattr(one.settings, k) for k in ("task", "rank")}, "method": one.settings.arm}
    there = [n for n in repetitions(one, full=True) if runs.cost(one, n)]
    if not there:
        return row | {"seeds": 0, "cost": None, "lines": {}}
    costs = [runs.cost(one, n) for n in there]
    with gathered(one, there, runs) as folder:
        lines = {name: PretrainedBits(name)(folder / one.name).to_dict() for name in LINES}
        for name in ("absorbed", "generalised"):
            lines[f"{name} per PFLOP"] = PerPflop(name)(folder / one.name).to_dict()
    return row | {"seeds": len(there), "cost": asdict(sum((c for c in costs if c), Cost())), "lines": lines}


def measured_code(leak: bool, runs: Store) -> dict[str, Any]:
    """The ledger of dependent keys, with a leak or without."""
    one = arm("sft", CODE, leak=leak)
    there = [n for n in repetitions(one, full=True) if runs.cost(one, n)]
    if not there:
        return {"leak": leak, "seeds": 0, "lines": {}}
    with gathered(one, there, runs) as folder:
        lines = {name: coded_bits(name, leak)(folder).to_dict() for name in ("received", "absorbed", "product")}
    return {"leak": leak, "seeds": len(there), "lines": lines}


@contextmanager
def gathered(one: Arm, there: Sequence[int], runs: Store) -> Iterator[Path]:
    """The repetitions of an arm that are there, in a folder of its name."""
    with tempfile.TemporaryDirectory() as folder:
        for n in there:
            shutil.copytree(runs.place(one, n), Path(folder) / one.name / f"{n:03d}")
        yield Path(folder)


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
        code = [measured_code(leak, Store(given.runs, SEED)) for leak in (False, True)]
        made = "python scripts/flagship_page.py"
        kept = {"seed": SEED, "versions": versions(), "command": made, "arms": rows, "code": code}
        RESULTS.write_text(json.dumps(kept, indent=1, allow_nan=False) + "\n", "utf-8")
    save_chart(json.loads(RESULTS.read_text("utf-8"))["arms"], FIGURE)
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
