"""Formats x faults, as hypothesis draws them, beside an independent count: nothing may lie, crash or hang.

BITRATE_FUZZ_SECONDS (60) is the time for it all, BITRATE_FUZZ_SEED (0) where it starts, so that equal seeds draw equal
inputs; BITRATE_FUZZ_FORMAT draws one format only. A failure prints the seed that draws it again and the smallest input
that hypothesis finds. `python tests/fuzz/survey.py` goes on after a failure and sorts them by kind.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from check import Wrong, by_command, compare, in_process, in_time, observe
from faults import faults, harmed
from hypothesis import HealthCheck, Phase, find, given, note, seed, settings
from hypothesis import strategies as st
from model import Dataset
from render import write
from writers import FORMATS, datasets

SECONDS = float(os.environ.get("BITRATE_FUZZ_SECONDS", "60"))
FIRST_SEED = int(os.environ.get("BITRATE_FUZZ_SEED", "0"))
ONLY = os.environ.get("BITRATE_FUZZ_FORMAT", "")
QUIET = settings(
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
)


def _tell(data: Dataset) -> None:
    note("; ".join(data.story))
    for doc in data.docs:
        note(f"{doc.path}: {[r.line if r.line is not None else r.raw for r in doc.rows]}")
    note(f"audited: {data.paths} in {data.root!r}, beside: {sorted(data.beside)}, links: {data.links}")


def _until(seconds: float, check: Callable[[Dataset, Path], None], at_once: int) -> int:
    """Batches of examples, each with a seed of its own, until the time is over; how many examples were checked."""
    end, batch, drawn, failed = time.monotonic() + seconds, FIRST_SEED, 0, False
    while time.monotonic() < end:

        @seed(batch)
        @settings(QUIET, max_examples=at_once)
        @given(data=harmed(datasets(ONLY)))
        def run(data: Dataset) -> None:
            nonlocal drawn, failed
            if time.monotonic() > end and not failed:  # a failure is shrunk, however late it is
                return
            drawn += 1
            _tell(data)
            with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
                try:
                    check(data, Path(folder))
                except BaseException:
                    failed = True
                    raise

        try:
            run()
        except BaseException:
            print(f"\nreplay: BITRATE_FUZZ_SEED={batch} python -m pytest tests/fuzz", file=sys.stderr)
            raise
        batch += 1
    print(f"{drawn} inputs from seed {FIRST_SEED} to {batch - 1}")
    return drawn


def test_what_is_read_is_what_was_written() -> None:
    assert _until(SECONDS * 0.7, in_process, 50) > 0


def test_the_audit_counts_what_its_groups_hold() -> None:
    assert _until(SECONDS * 0.15, lambda data, folder: in_process(data, folder, figures=True), 20) > 0


def test_the_command_says_the_same() -> None:
    assert _until(SECONDS * 0.15, by_command, 10) > 0


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_writer_writes_each_rollout_once(name: str, tmp_path: Path) -> None:
    @seed(1)
    @settings(QUIET, max_examples=5, phases=[Phase.generate])
    @given(data=FORMATS[name]())
    def run(data: Dataset) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            assert all(p.exists() for p in write(data, Path(folder)))
        assert data.rollouts
        assert len(data.rollouts) == len(set(map(id, data.rollouts))) == data.written

    run()


@pytest.mark.parametrize("name", list(faults()))
def test_every_fault_befalls_something(name: str) -> None:
    @st.composite
    def one(draw: st.DrawFn) -> str | None:
        return faults()[name](draw, draw(datasets()))

    assert find(one(), lambda told: told is not None, settings=settings(QUIET, max_examples=2000))


def test_a_row_that_is_lost_on_the_way_is_found_out(tmp_path: Path) -> None:
    """The fuzzer itself can fail: one line less, one reward changed, and a line twice are each seen."""
    plain = st.builds(lambda d: d, datasets("verl"))
    data = find(plain, lambda d: len(d.docs) == 1 and len({r.reward for r in d.rollouts}) == 2, settings=QUIET)
    [path] = write(data, tmp_path)
    file = path / data.docs[0].path
    lines = file.read_text().splitlines()
    other = lines[0].replace('"score": 0.', '"score": 7.').replace('"score": 1.', '"score": 7.')
    harm = {"rollouts": lines[1:], "groups": [other, *lines[1:]], "more rollouts": [*lines, lines[0]]}
    for kind, changed in harm.items():
        file.write_text("\n".join(changed) + "\n")
        with pytest.raises(Wrong, match=kind):
            compare(data, in_time(lambda: observe([path], {}, False)))
