"""The screens of real audits are those that were read and approved, word by word, at four widths."""

from __future__ import annotations

from pathlib import Path

import pytest
import snapshots


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """Each screen as it is now, by the name of its file."""
    return {path.name: text for path, text in snapshots.screens()}


@pytest.mark.parametrize(
    "name", [f"{run}-{width}.txt" for run in ("demo", "usual", "graded", "sparse") for width in snapshots.WIDTHS]
)
def test_a_screen_is_the_approved_one(name: str, made: dict[str, str]) -> None:
    approved = Path(snapshots.FOLDER, name).read_text("utf-8")
    assert made[name] == approved, "if this is what you want to show: python tests/report/snapshots.py"


def test_no_snapshot_is_left_over(made: dict[str, str]) -> None:
    assert {path.name for path in snapshots.FOLDER.iterdir()} == set(made)
