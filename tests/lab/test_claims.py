"""Every claim keeps to the same rules, and what we publish of it is what the sources' adjudication says."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from bitrate.cli import app
from bitrate.lab.claim import Claim
from bitrate.lab.claims import all_claims, find, place, published
from bitrate.lab.runner import EXTRAS, check, lacking, record, run_claims
from bitrate.lab.signals import LedgerLine
from bitrate.meter.lines import all_lines

NUMBERS = {"S0": 13, "S1": 19, "S2": 5, "S3": 18, "S4": 9}
REFUTED = {"S0.5", "S1.9", "S1.14", "S3.4"}
HOLDS_IF = {
    "S0.1", "S0.2", "S0.3", "S0.4", "S0.6", "S0.7", "S0.13", "S1.1", "S1.7", "S1.8", "S1.10", "S1.12", "S1.18", "S1.19",
    "S2.2", "S3.2", "S3.3", "S3.5", "S3.7", "S3.8", "S3.10", "S3.12", "S3.14", "S3.15", "S3.16", "S4.1", "S4.2", "S4.3",
    "S4.5", "S4.8", "S4.9", "B9", "B10",
}  # fmt: skip
#: Claims that docs/theory.md leaves to training: whatever the runs said is published, a refuted prediction too.
TRAINING = {"S1.17", "S2.3", "S2.4", "S2.5", "S3.6", "S3.11", "S3.13", "S3.17", "S3.18", "S4.6", "S4.7"}
MEASURED = [c for c in all_claims() if not c.pending]


def test_every_claim_of_the_sources_is_registered() -> None:
    wanted = [f"{source}.{i}" for source, last in NUMBERS.items() for i in range(1, last + 1)]
    ids = [c.id for c in all_claims()]
    assert [i for i in ids if i.startswith("S")] == sorted(wanted, key=place)
    assert len(ids) == len(set(ids))
    trained = {c.id for c in all_claims() if c.arms}
    assert {c.id for c in all_claims() if c.id.startswith("S") and (c.pending or c.arms)} == TRAINING
    assert all(find(id).needs for id in trained)


def test_what_is_published_is_what_the_theory_adjudicates() -> None:
    """Verdicts that the theory gives, typed in here and not taken from a run."""
    found = published()
    assert found.keys() == {c.id for c in all_claims()}
    for id, said in found.items():
        if find(id).pending:
            assert set(said.values()) == {"not measured"}
            continue
        if find(id).arms:
            continue
        wanted = "refuted" if id in REFUTED else "holds if" if id in HOLDS_IF else "holds"
        assert said == {"outcome": wanted, "theory": "holds", "rival": "refuted"}, id


@pytest.mark.parametrize("claim", all_claims(), ids=lambda c: c.id)
def test_a_claim_says_what_a_reader_needs(claim: Claim) -> None:
    assert claim.statement.endswith(".") and claim.source and claim.remark
    assert bool(claim.condition) == (published()[claim.id]["outcome"] == "holds if")
    known = {c.id for c in all_claims()}
    assert set(claim.against) <= known - {claim.id}
    if claim.pending:
        return
    assert len({c.name for c in claim.cases}) == len(claim.cases)
    for measure in {c.signal or claim.signal for c in claim.cases}:
        assert measure and list(inspect.signature(measure).parameters) == ["folder"]
    if any(c.x is not None for c in claim.cases) or claim.curves:
        assert claim.axis


@pytest.mark.parametrize("claim", MEASURED, ids=lambda c: c.id)
def test_a_prediction_leaves_its_rival_no_room(claim: Claim) -> None:
    """The formulas are apart by more than an interval may be wide: the data can tell them apart.

    What is registered of training is mostly a bound, and the data may lie far inside it: there it is enough that the
    rival lies outside.
    """
    if lacking(claim):
        pytest.skip(lacking(claim))
    gaps = []
    for case in claim.cases:
        prediction, _, rival = claim.formulas(case)
        assert prediction.reference and prediction.unit
        assert math.isfinite(prediction.value)
        if rival is not None:
            sign = {"upper": -1, "lower": 1, "exact": 0}[rival.kind]
            gap = rival.value - prediction.value
            gaps.append(sign * gap if sign else abs(gap))
    assert max(gaps) > (0 if claim.arms else claim.tolerance)


def audited(signal: Any) -> set[str]:
    """The figures of the audit that a signal reads, whatever it is made of."""
    if isinstance(signal, LedgerLine):
        return {signal.line}
    if not dataclasses.is_dataclass(signal):
        return set()
    return {line for f in dataclasses.fields(signal) for line in audited(getattr(signal, f.name))}


def test_claims_ask_the_audit_that_users_run() -> None:
    """At least twenty claims read it, and every line of the ledger is read by one."""
    asked = {c.id: {line for case in c.cases for line in audited(case.signal or c.signal)} for c in MEASURED}
    assert sum(map(bool, asked.values())) >= 20
    assert {f"ledger.{key}" for key in all_lines()} <= set().union(*asked.values())


def test_the_curves_are_numbers() -> None:
    for claim in MEASURED:
        for panel in claim.charts:
            for name, (xs, ys) in panel.drawn().items():
                assert len(xs) == len(ys) > 1 and np.isfinite(xs).all() and np.isfinite(ys).all(), (claim.id, name)


@pytest.mark.coverage_study
def test_all_claims_come_out_as_published() -> None:
    """The whole lab, with another seed than the published one: verdicts do not hang on luck."""
    records = run_claims([c.id for c in all_claims() if not c.needs], seed=1)
    off = {r["id"]: (r["outcome"], r["theory_outcome"], r["rival_outcome"]) for r in records}
    assert {i: off[i] for i in off if off[i] != tuple(published()[i].values())} == {}


def bitrate(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "bitrate", "claims", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, cwd=cwd, env={**os.environ, "COLUMNS": "120"}
    )


def test_the_command_lists_runs_draws_and_repeats_itself(tmp_path: Path) -> None:
    listed = bitrate("list", cwd=tmp_path)
    assert listed.returncode == 0 and all(c.id in listed.stdout for c in all_claims())
    for name in ("a.json", "b.json"):
        done = bitrate("run", "s1.7", "S3.1", "--json", name, "--figures", "figures", "--seed", "5", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    found = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert [c["id"] for c in found["claims"]] == ["S1.7", "S3.1"]
    assert sorted(p.name for p in (tmp_path / "figures").iterdir()) == ["S1.7.svg", "S3.1.svg"]
    assert "SNR 200" in done.stdout and "holds if" in done.stdout


def test_what_cannot_be_measured_here_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXTRAS, "train", ("no_such_module",))
    found = record(find("T2"), check(find("T2")))
    assert found["outcome"] == "not measured" and found["standing"] == "not measured here" and not found["points"]
    assert found["reason"] == "needs no_such_module: pip install 'bitrate[train]'"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run"], "name claims or say --all"),
        (["run", "S1.8", "--all"], "name claims or say --all"),
        (["run", "S9.9"], "no claim 'S9.9'"),
    ],
)
def test_mistakes_are_messages(words: list[str], said: str, tmp_path: Path) -> None:
    done = bitrate(*words, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_a_wrong_published_verdict_turns_the_command_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bitrate.lab import runner

    wrong = {**published(), "S1.7": {"outcome": "holds", "theory": "holds", "rival": "refuted"}}
    monkeypatch.setattr(runner, "published", lambda: wrong)
    done = CliRunner().invoke(app, ["claims", "run", "S1.7", "--json", str(tmp_path / "found.json")])
    assert done.exit_code == 1 and "NOT AS PUBLISHED" in done.stdout
    [found] = json.loads((tmp_path / "found.json").read_text("utf-8"))["claims"]
    assert found["standing"] == "differs"


def test_an_id_is_found_in_any_case() -> None:
    assert find("s1.8").id == "S1.8"
