"""What draws the charts is made once and kept, and a report loads nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import vl_convert

from bitrate.report import vega

BUNDLE = "let a = '<script></SCRIPT><!--'; window.vegaEmbed = a;\r\n"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time that the script is made."""
    asked: list[str] = []

    def bundle(snippet: str) -> str:
        asked.append(snippet)
        return BUNDLE

    monkeypatch.setattr(vl_convert, "javascript_bundle", bundle)
    return asked


def test_the_script_is_made_once_and_kept_in_the_cache(made: list[str], tmp_path: Path) -> None:
    first = vega.script.__wrapped__()
    assert first == "let a = '\\x3cscript>\\x3c/SCRIPT>\\x3c!--'; window.vegaEmbed = a;\n"
    assert vega.script.__wrapped__() == first
    assert len(made) == 1
    [kept] = (tmp_path / "cache" / "bitrate" / "vega").iterdir()
    assert kept.read_bytes() == first.encode()


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(
    made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(vega.files, "write", full)
    assert vega.script.__wrapped__() == vega.script.__wrapped__()
    assert len(made) == 2


def test_a_report_is_written_without_altair(tmp_path: Path) -> None:
    program = (
        "import sys, bitrate\nfrom bitrate.demo import RUN\nbitrate.audit(RUN).save(sys.argv[1])\n"
        "print({'altair', 'jsonschema'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "x.html")],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == "set()"
