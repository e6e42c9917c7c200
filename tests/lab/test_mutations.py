"""Broken on purpose: an estimator or a reader that is wrong must turn published verdicts red."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bitrate.lab.claims import find, published
from bitrate.lab.runner import check, standing
from bitrate.logs.peek import Peek
from bitrate.logs.read import Source
from bitrate.logs.schema import ROLLOUT_COLUMNS
from bitrate.meter.groups import GroupTable
from bitrate.meter.keys import KnownKeys
from bitrate.meter.lines import absorbed, all_lines, answer_bound
from bitrate.meter.pool import Pool
from bitrate.meter.received import Side
from bitrate.meter.run import Run
from bitrate.stats import information, linear, minimax
from bitrate.stats.functionals import Functional
from bitrate.theory import binary_entropy
from bitrate.types import Estimate, Ints

Patch = pytest.MonkeyPatch


def plug_in(monkeypatch: Patch) -> None:
    """E h(p) as the mean of h(k/n): the figure that every dashboard shows."""

    def score(functional: Functional, n: int, n_units: int) -> tuple[Any, float]:
        return functional(np.arange(n + 1) / n), 1e-9

    monkeypatch.setattr(minimax, "_minimax", score)


def plug_in_codes(monkeypatch: Patch) -> None:
    """Counted codes without the jackknife: plain entropies of the table."""

    def left_out(group: Any, cells: Any) -> tuple[float, Any, float]:
        _, index = np.unique(group, return_inverse=True)
        n = np.bincount(index, weights=cells.astype(float))
        whole = float(np.log(n.sum()) - (n * np.log(n)).sum() / n.sum())
        return whole, np.full(index.size, whole), 1.0

    monkeypatch.setattr(information, "_left_out", left_out)


def rewritten(monkeypatch: Patch, rule: Callable[[str, set[str]], str]) -> None:
    """The reader gives other rows."""
    rows = Source.rows

    def changed(
        self: Source, files: Sequence[Peek], columns: Iterable[str] = ROLLOUT_COLUMNS, extra: Sequence[str] = ()
    ) -> str:
        names = [*columns]
        given = {*names, *(e.rpartition(" AS ")[2] for e in extra)}
        return rule(rows(self, files, names, extra), given)

    monkeypatch.setattr(Source, "rows", changed)


def last_rollout_dropped(monkeypatch: Patch) -> None:
    """Every group loses one of its scored rollouts."""

    def rule(query: str, given: set[str]) -> str:
        if not {"run", "step", "prompt_id", "reward"} <= given:
            return query
        scored = "PARTITION BY run, step, prompt_id, reward IS NULL"
        return f"SELECT * FROM ({query}) QUALIFY reward IS NULL OR row_number() OVER ({scored}) > 1"

    rewritten(monkeypatch, rule)


def null_as_zero(monkeypatch: Patch) -> None:
    """A missing reward counts as a failure."""

    def rule(query: str, given: set[str]) -> str:
        return f"SELECT * REPLACE (coalesce(reward, 0.0) AS reward) FROM ({query})" if "reward" in given else query

    rewritten(monkeypatch, rule)


def answers_without_none(monkeypatch: Patch) -> None:
    """The answer bound as log2 M: that none of the M answers may be right is forgotten."""
    side = answer_bound.answer_side
    monkeypatch.setattr(
        answer_bound, "answer_side", lambda table: replace(side(table), bits=np.log2(2 ** side(table).bits - 1))
    )


def measured(monkeypatch: Patch, key: str, by: Callable[[Callable[[Run], Estimate], Run], Estimate]) -> None:
    """A line of the ledger is measured otherwise, from its own measure and the run."""
    line = all_lines()[key]
    monkeypatch.setitem(all_lines(), key, replace(line, measure=lambda run: by(line.measure, run)))


def key_doubled(monkeypatch: Patch) -> None:
    """Twice the key bits."""
    measured(monkeypatch, "key_bits", lambda measure, run: measure(run).scaled(2, "", ""))


def half_erased(monkeypatch: Patch) -> None:
    """Constant groups lose half of what a group-normalised advantage takes from them."""
    monkeypatch.setattr(Side, "update", property(lambda side: replace(side, bits=(side.kept + side.bits) / 2)))


def received_as_chance(monkeypatch: Patch) -> None:
    """E h(p) as the most that was received."""
    measured(monkeypatch, "received_bits", lambda measure, run: run.line("outcome_bits"))


def absorbed_without_prior(monkeypatch: Patch) -> None:
    """log2 p at the last visit, the first one forgotten."""

    def last_alone(
        table: GroupTable, functional: Functional, _: Ints, last: Ints, *, level: float, less: object = None
    ) -> Estimate:
        pool = Pool(table, level, last, by_group=True)
        return pool.means({"f": functional}, {"f": ("", functional.unit)})["f"]

    monkeypatch.setattr(absorbed, "paired_change", last_alone)


def absorbed_from_uniform(monkeypatch: Patch) -> None:
    """Of logged surprisals: what is held of a uniform key, whatever the policy began with."""
    monkeypatch.setattr(KnownKeys, "absorbed", KnownKeys.held)


def generalised_on_trained(monkeypatch: Patch) -> None:
    """The training split in the place of the evaluation split."""
    measured(monkeypatch, "generalised_bits", lambda measure, run: measure(Run(run.table, run.assumptions, run.table)))


def generalised_backwards(monkeypatch: Patch) -> None:
    """Early less late."""
    measured(monkeypatch, "generalised_bits", lambda measure, run: measure(run).map(lambda bits: -bits, "", ""))


MUTATIONS = {
    answers_without_none: ("B8",),
    key_doubled: ("B9",),
    half_erased: ("B6",),
    received_as_chance: ("B7", "B4"),
    absorbed_without_prior: ("B10",),
    absorbed_from_uniform: ("B10",),
    generalised_on_trained: ("B11",),
    generalised_backwards: ("B11",),
    plug_in_codes: ("S0.5", "S1.12"),
    plug_in: ("B5", "S3.10", "B2", "S1.6"),
    last_rollout_dropped: ("S1.10", "S1.15", "S2.2", "S0.9"),
    null_as_zero: ("S1.10", "S0.4", "S3.2", "B5"),
}


@pytest.mark.parametrize(("mutation", "id"), [(m, i) for m, ids in MUTATIONS.items() for i in ids])
def test_a_broken_part_turns_a_verdict_red(mutation: Callable[[Patch], None], id: str, monkeypatch: Patch) -> None:
    mutation(monkeypatch)
    found = check(find(id)).summary()
    assert standing(found, published()[id]) == "differs", found


def test_the_plug_in_is_what_it_says() -> None:
    """The first mutation is the naive estimator and nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        plug_in(patch)
        made = linear.mean_outcome_entropy([0, 1, 2] * 100, [4] * 300)
    assert made.value == pytest.approx(float(binary_entropy([0, 0.25, 0.5]).mean()))
