"""Broken on purpose: an estimator or a reader that is wrong must turn published verdicts red."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pytest

from bitrate.lab.claims import find, published
from bitrate.lab.judge import judge
from bitrate.lab.record import standing
from bitrate.logs.peek import Peek
from bitrate.logs.read import Source
from bitrate.logs.schema import ROLLOUT_COLUMNS
from bitrate.stats import information, linear, minimax
from bitrate.stats.functionals import Functional
from bitrate.theory import binary_entropy

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


MUTATIONS = {
    plug_in_codes: ("S0.5", "S1.12"),
    plug_in: ("B5", "S3.10", "B2", "S1.6"),
    last_rollout_dropped: ("S1.10", "S1.15", "S2.2", "S0.9"),
    null_as_zero: ("S1.10", "S0.4", "S3.2", "B5"),
}


@pytest.mark.parametrize(("mutation", "id"), [(m, i) for m, ids in MUTATIONS.items() for i in ids])
def test_a_broken_part_turns_a_verdict_red(mutation: Callable[[Patch], None], id: str, monkeypatch: Patch) -> None:
    mutation(monkeypatch)
    found = judge(find(id)).summary()
    assert standing(found, published()[id]) == "differs", found


def test_the_plug_in_is_what_it_says() -> None:
    """The first mutation is the naive estimator and nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        plug_in(patch)
        made = linear.mean_outcome_entropy([0, 1, 2] * 100, [4] * 300)
    assert made.value == pytest.approx(float(binary_entropy([0, 0.25, 0.5]).mean()))
