"""The screens of real audits at four widths, as text files beside this one.

To renew them after a change of words or figures: ``python tests/report/snapshots.py``, then read what git shows.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import runs
from rich.console import Console

import bitrate
from bitrate.demo import RUN
from bitrate.report.terminal import print_audit

FOLDER = Path(__file__).parent / "snapshots"
WIDTHS = (60, 80, 100, 160)


def demo() -> bitrate.Audit:
    """The run that ships with the package."""
    return bitrate.audit(RUN, model_params=135e6)


def screens() -> Iterator[tuple[Path, str]]:
    """Each snapshot's file and the text that belongs in it."""
    audits = {"demo": demo(), "usual": runs.usual(), "graded": runs.graded(), "sparse": runs.sparse()}
    for name, audit in audits.items():
        for width in WIDTHS:
            file = io.StringIO()
            print_audit(audit, Console(file=file, width=width, color_system=None))
            yield FOLDER / f"{name}-{width}.txt", file.getvalue()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in screens():
        path.write_text(text, "utf-8")
