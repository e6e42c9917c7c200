"""Known keys: what was told of each prompt's target, what the policy holds of it, and a ledger that sees a leak."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bitrate
from bitrate.errors import DataError
from bitrate.lab.signals.ledger import known_keys
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.meter.keys import posterior_bits


@pytest.fixture
def by_hand(tmp_path: Path) -> Path:
    """Two runs of two prompts over four answers: a visit with scores, one with labels, and one more with scores."""
    folder = tmp_path / "000"
    folder.mkdir()
    with SimulatedRun(folder, np.random.default_rng(0), unscored=0.0) as run:
        where: dict[str, Any] = {"prompts": [0, 1, 0, 1], "runs": [0, 0, 1, 1], "targets": [0, 1, 2, 3]}
        answers = [[1, 2], [1, 0], [3, 3], [0, 0]]
        rewards = [[0, 0], [1, 0], [0, 0], [0, 0]]
        run.step(0, answers=answers, rewards=rewards, advantages=rewards, target_surprisal=[2, 2, 2, 2], **where)
        run.step(1, answers=[[0], [1], [2], [3]], rewards=None, target_surprisal=[2, 0.5, 2, 2.25], **where)
        run.step(2, answers=answers, rewards=rewards, advantages=rewards, target_surprisal=[0, 0.5, 1, 0], **where)
    return folder


def test_received_held_and_absorbed_by_hand(by_hand: Path) -> None:
    told = {until: known_keys(by_hand, until=until).received.tolist() for until in (0, 1, 2)}
    ruled_out = [2 - math.log2(2), 2.0, 2 - math.log2(3), 2 - math.log2(3)]
    assert told == {0: [0.0] * 4, 1: pytest.approx(ruled_out), 2: [2.0] * 4}
    assert known_keys(by_hand, until=1).held.tolist() == pytest.approx([0, 1.5, 0, -0.25])
    assert known_keys(by_hand).absorbed.tolist() == pytest.approx([2, 1.5, 1, 2])
    audit = bitrate.audit(by_hand)
    assert audit["received_key_bits"].value == 2.0
    assert audit["held_key_bits"].value == audit["absorbed_bits"].value == pytest.approx(6.5 / 4)


def test_labels_that_are_right_by_chance_say_nothing(tmp_path: Path) -> None:
    rng, folder = np.random.default_rng(1), tmp_path / "000"
    folder.mkdir()
    keys = np.arange(400) % 4
    with SimulatedRun(folder, rng) as run:
        where: dict[str, Any] = {"prompts": np.arange(400), "runs": np.zeros(400, int), "targets": keys}
        run.step(0, answers=(keys[:, None] + np.arange(400)[:, None] // 4) % 4, rewards=None,
                 target_surprisal=np.full(400, 2.0), **where)  # fmt: skip
        run.step(1, answers=keys[:, None], rewards=np.ones((400, 1)), target_surprisal=np.full(400, 2.0), **where)
    assert bitrate.audit(folder)["received_key_bits"].value == pytest.approx(0.0, abs=1e-9)


def leaked(folder: Path) -> Path:
    """A trainer that logs wrong guesses and trains on labels: its ledger cannot be true."""
    folder.mkdir(parents=True)
    with SimulatedRun(folder, np.random.default_rng(0)) as run:
        runs, prompts = np.divmod(np.arange(600), 20)
        for step, bits in enumerate((4.0, 0.1)):
            keys = np.arange(600) % 16
            run.step(step, answers=(keys[:, None] + 1) % 16, rewards=np.zeros((600, 1)), targets=keys, prompts=prompts,
                     runs=runs, target_surprisal=np.full(600, bits))  # fmt: skip
    return folder


def test_what_was_never_received_and_is_held_all_the_same_is_said(tmp_path: Path, by_hand: Path) -> None:
    found = bitrate.audit(leaked(tmp_path / "leak" / "000"))
    assert "more than the log says they received" in found.caveats[0]
    assert not any("more than the log says" in c for c in bitrate.audit(by_hand).caveats)


def test_held_out_keys_are_the_generalised_line(tmp_path: Path) -> None:
    rng, folder = np.random.default_rng(2), tmp_path / "000"
    folder.mkdir()
    with SimulatedRun(folder, rng) as run:
        for step, fall in enumerate((0.0, 0.5)):
            for split, times in (("train", 1.0), ("eval", 0.5)):
                run.step(step, answers=rng.integers(8, size=(64, 4)), rewards=rng.integers(2, size=(64, 4)),
                         targets=np.arange(64) % 8, prompts=[f"{split}{i}" for i in range(64)], split=split,
                         runs=np.repeat(np.arange(4), 16), target_surprisal=np.full(64, 3 - times * fall))  # fmt: skip
    found = bitrate.audit(folder)
    assert found["absorbed_bits"].value == pytest.approx(0.5)
    assert found["generalised_bits"].value == pytest.approx(0.25)


def test_a_verifier_that_rules_out_every_answer_is_an_error() -> None:
    with pytest.raises(DataError, match="every answer was ruled out"):
        posterior_bits(np.full(4, -1e9), 4)


def test_an_endless_surprisal_is_a_reason_and_no_figure(by_hand: Path, tmp_path: Path) -> None:
    folder = tmp_path / "001"
    folder.mkdir()
    with SimulatedRun(folder, np.random.default_rng(0), unscored=0.0) as run:
        where: dict[str, Any] = {"prompts": [0, 1], "runs": [0, 0], "targets": [0, 1]}
        for step in range(2):
            run.step(step, answers=[[0], [1]], rewards=[[1], [1]], target_surprisal=[1, math.inf], **where)
    assert bitrate.audit(folder)["held_key_bits"].reason == "target_surprisal is not finite in 2 visits"
