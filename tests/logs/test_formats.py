"""The conformance table: every format, on every fixture folder, gives the groups worked out by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bitrate.logs.engines import duck
from bitrate.logs.find import find_files
from bitrate.logs.formats import all_formats, match
from bitrate.logs.options import ReadOptions
from bitrate.logs.read import open_source
from bitrate.logs.reduce import reduce

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(p.parent for p in FIXTURES.glob("*/expected.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_fixture_gives_the_groups_worked_out_by_hand(case: Path) -> None:
    expected = json.loads((case / "expected.json").read_text())
    con = duck.connect()
    source = open_source(con, [case / "input"], ReadOptions(**expected.get("options", {})))
    assert source.format.name == expected["format"]
    with reduce(source) as groups:
        table = con.sql("SELECT step, split, n, n_correct FROM groups ORDER BY ALL").fetchall()
        assert table == sorted((tuple(g) for g in expected["groups"]), key=lambda g: tuple((x is None, x) for x in g))
        assert con.sql("SELECT count(DISTINCT prompt_id) FROM groups").fetchall() == [(expected["prompts"],)]
        known = groups.provenance
        assert (known.prompt_id, known.group_id, known.filtered) == tuple(
            expected[k] for k in ("prompt_id", "group_id", "filtered")
        )
        for note in expected.get("notes", []):
            assert any(note in caveat for caveat in known.caveats), (note, known.caveats)
        found = {s.reason: s.count for s in groups.set_aside}
        wanted = expected.get("set_aside", {})
        assert len(found) == len(wanted), found
        for reason, count in wanted.items():
            assert [c for r, c in found.items() if reason in r] == [count], (reason, found)
        if "completion_tokens" in expected:
            assert con.sql("SELECT sum(completion_tokens) FROM groups").fetchall() == [(expected["completion_tokens"],)]


def test_every_format_has_a_fixture() -> None:
    covered = {json.loads((c / "expected.json").read_text())["format"] for c in CASES}
    assert {f.name for f in all_formats()} - covered == set()


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_exactly_one_format_claims_each_fixture(case: Path) -> None:
    expected = json.loads((case / "expected.json").read_text())
    form, mine = match(find_files([case / "input"]).files, ReadOptions(**expected.get("options", {})))
    assert form.name == expected["format"]
    assert mine


@pytest.mark.parametrize("form", all_formats(), ids=lambda f: f.name)
def test_a_format_says_what_it_reads(form: type) -> None:
    assert form.__doc__
    assert form.trainer
    assert form.files
    assert form.prompt_id in {"native", "hash", "positional"}
    assert form.group_id in {"native", "hash", "positional"}
    assert form.filtered in {"none", "unknown", "known"}


def test_a_format_that_is_loaded_again_reads_each_file_once(tmp_path: Path) -> None:
    """Notebooks load modules again; the class is then there twice under one name. In a process of its own."""
    (tmp_path / "rows.jsonl").write_text('{"prompt_id": "a", "reward": 1}\n{"prompt_id": "a", "reward": 0}\n')
    program = (
        "import importlib, sys, bitrate\n"
        "from bitrate.logs.formats import table\n"
        "first = table.Table\n"
        "importlib.reload(table)\n"
        "print(int(bitrate.audit(sys.argv[1]).to_dict()['counts']['rollouts']['value']))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "rows.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("2", "")
