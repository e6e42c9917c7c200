"""What a type checker, and an editor that completes names, says of a user's script."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bitrate

USER = """
import bitrate

found = bitrate.audit("runs", columns={"reward": "score"}, outcome=None, level=0.9, progress=None)
reveal_type(found)
reveal_type(bitrate.compare("a", "b", split="eval", engine="spark", price_per_hour=2.5))
reveal_type(bitrate.read("runs", unscored="wrong"))
reveal_type(bitrate.export("runs", "all.parquet", memory="1GB", columns=None))
reveal_type(bitrate.theory.binary_entropy)
reveal_type(bitrate.stats.mean_outcome_entropy)
"""
REVEALED = (
    r"bitrate\.\S*Audit",
    r"dict\[.*\]",
    r"Any",  # of pyarrow, which has no types
    r"int",
    r"def \(p: .+\) -> .*(ndarray|floating).*",
    r"def \(.+\) -> bitrate\.types\.Estimate",
)
WRONG = {
    'bitrate.audit("runs", colums={})': "colums",
    'bitrate.audit("runs", level="high")': '"level"',
    'bitrate.audit("runs", columns=["reward"])': '"columns"',
    'bitrate.compare("a", "b", first_step=1)': "first_step",
    'bitrate.read("runs", engine="spark")': "engine",
    "bitrate.adit": "adit",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Severity and message of every line of the user's script, one each, as mypy has them."""
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    folder = tmp_path_factory.mktemp("user")
    names = [f"reveal_type(bitrate.{name})" for name in bitrate.__all__]
    (folder / "script.py").write_text("\n".join([USER, *names, *WRONG, ""]), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--hide-error-codes", "--no-pretty", "script.py"],
        capture_output=True, text=True, check=False, timeout=120, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(bitrate.__file__).parents[1])},
    )  # fmt: skip
    assert done.stderr == ""
    return re.findall(r"^script\.py:\d+: (note|error): (.*)$", done.stdout, re.M)


def test_figures_theory_and_statistics_have_types(told: list[tuple[str, str]]) -> None:
    for (severity, message), expected in zip(told, REVEALED, strict=False):
        assert severity == "note"
        assert re.fullmatch(f'Revealed type is "{expected}"', message), message


def test_every_public_name_is_known(told: list[tuple[str, str]]) -> None:
    assert [name for name in bitrate.__all__ if not hasattr(bitrate, name)] == []
    known = dict(zip(bitrate.__all__, told[len(REVEALED) :], strict=False))
    for name, (severity, message) in known.items():
        assert severity == "note", (name, message)
        assert '"Any"' not in message, name


def test_what_is_mistyped_is_an_error(told: list[tuple[str, str]]) -> None:
    errors = [message for severity, message in told if severity == "error"]
    assert len(errors) == len(WRONG), errors
    for message, (line, word) in zip(errors, WRONG.items(), strict=True):
        assert word in message, (line, message)
