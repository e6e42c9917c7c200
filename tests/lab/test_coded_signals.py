"""Keys that follow from one another: the joint decoder is one, and a key counts as received where it is news."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from bitrate.errors import DataError, InputError
from bitrate.lab.signals.coded import CodedBits
from bitrate.lab.training.codes import linear_code
from bitrate.lab.worlds.log import SimulatedRun


def bits(says: str, side: int = 2, answers: int = 3) -> CodedBits:
    return CodedBits(says, side, answers, 0.95)


def test_the_joint_decoder_is_a_distribution_over_tables() -> None:
    policy = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 2))
    tables = {tuple((np.add.outer(u, v) % 3).ravel()) for u in product(range(3), repeat=2)
              for v in product(range(3), repeat=2)}  # fmt: skip
    surprisal = np.array([[[-math.log2(policy[a, b, t[2 * a + b]]) for b in (0, 1)] for a in (0, 1)] for t in tables])
    assert len(tables) == 27
    assert (2.0 ** (bits("absorbed")._joint(surprisal) - 3 * math.log2(3))).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("side", [2, 3])
def test_received_is_the_entropy_of_the_keys_by_enumeration(side: int) -> None:
    every = [np.add.outer(u, v) % 2 for u in product((0, 1), repeat=side) for v in product((0, 1), repeat=side)]
    rng = np.random.default_rng(side)
    for _ in range(20):
        taught = rng.random((side, side)) < 0.5
        seen = np.array([t[taught] for t in every])
        _, counts = np.unique(seen, axis=0, return_counts=True)
        shares = counts / counts.sum()
        assert bits("received", side, 2)._received(taught) == pytest.approx(-(shares * np.log2(shares)).sum())


def test_a_log_by_hand(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Three of four keys are shown, in two runs, and are known to half a bit each; the fourth follows and is not."""
    table = linear_code(1, 2, 4, np.random.default_rng(0)).reshape(-1)
    ids = np.array([f"{a},{b}" for a in (0, 1) for b in (0, 1)])
    known, runs = np.array([0.5, 0.5, 0.5, 9.0]), np.array([[0], [1]])
    both = np.tile(np.arange(4), (2, 1))
    with SimulatedRun(tmp_path, np.random.default_rng(0)) as run:
        shown = both[:, :3]
        run.step(0, answers=table[shown][..., None], rewards=None, targets=table[shown], prompts=ids[shown],
                 runs=np.repeat(runs, 3), target_surprisal=np.full(shown.shape, 2.0))  # fmt: skip
        run.step(1, answers=table[both][..., None], rewards=np.ones((2, 4, 1)), targets=table[both],
                 prompts=ids[both], runs=np.repeat(runs, 4), target_surprisal=np.tile(known, (2, 1)))  # fmt: skip
    sure, not_sure = (7 / 8 * 2.0**-x + 1 / 8 / 4 for x in (0.5, 9.0))
    joint = 6 + math.log2((sure**3 + 3 * sure**2 * not_sure) / 4)
    said = {"received": 6.0, "absorbed": joint, "product": 4.5, "overdraft": joint - 6, "product overdraft": -1.5}
    for name, value in said.items():
        assert bits(name, 2, 4)(tmp_path).value == pytest.approx(value)


def test_a_key_without_a_surprisal_is_a_message(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with SimulatedRun(tmp_path, np.random.default_rng(0)) as run:
        one = {"targets": [1], "prompts": ["0,0"], "runs": [0], "target_surprisal": [1.0]}
        run.step(0, answers=[[1]], rewards=[[1.0]], **one)
    with pytest.raises(DataError, match="3 keys have no surprisal"):
        bits("received")(tmp_path)
    with pytest.raises(InputError, match="want one of received"):
        bits("bits")
