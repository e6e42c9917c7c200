"""The ledger of a pretrained model, worked out by hand on a log of two prompts."""

from __future__ import annotations

import json
import math
from itertools import product

import numpy as np
import pytest

from bitrate.errors import InputError
from bitrate.lab.signals.pretrained import PerPflop, PretrainedBits
from bitrate.lab.training.store import COST_FILE
from bitrate.lab.worlds.learners import advantages
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import binary_entropy


@pytest.fixture
def folder(tmp_path):
    """One prompt is hit in training, the other never is; one is held out."""
    place = tmp_path / "000"
    place.mkdir()
    with SimulatedRun(place, np.random.default_rng(0), unscored=0.0) as run:
        train = {"prompts": ["a", "b"], "runs": [0, 0], "targets": ["4", "7"]}
        held = {"prompts": ["c"], "runs": [0], "targets": ["9"], "split": "eval"}
        exam = np.zeros((2, 2))
        run.step(0, answers=exam, rewards=exam, target_surprisal=[2.0, 5.0], **train)
        run.step(0, answers=exam[:1], rewards=exam[:1], target_surprisal=[3.0], **held)
        rewards = np.array([[1.0, 0.0], [0.0, 0.0]])
        run.step(1, answers=exam, rewards=rewards, advantages=rewards, target_surprisal=[1.0, 6.0], **train)
        run.step(2, answers=exam, rewards=rewards, advantages=rewards, target_surprisal=[1.0, 6.0], **train)
        run.step(3, answers=exam, rewards=exam, target_surprisal=[0.5, 4.0], **train)
        run.step(3, answers=exam[:1], rewards=exam[:1], target_surprisal=[3.5], **held)
    (place / COST_FILE).write_text(json.dumps({"flops": 2e14}))
    return place


def test_every_line_by_hand(folder):
    said = {name: PretrainedBits(name)(folder).value for name in ("capacity", "received", "absorbed", "prequential")}
    missed = 4 * float(binary_entropy(2.0**-6))
    assert said == pytest.approx({
        "capacity": 4.0, "received": (2.0 + missed) / 2, "absorbed": (1.5 + 1.0) / 2, "prequential": (0.5 + 2.0) / 2,
    })  # fmt: skip
    assert PretrainedBits("overdraft")(folder).value == pytest.approx((1.5 + 1.0 - 2.0 - missed) / 2)
    assert PretrainedBits("generalised")(folder).reason.startswith("1 independent")
    assert PretrainedBits("before")(folder).value == pytest.approx((2.0**-2 + 2.0**-5) / 2)
    assert PretrainedBits("after")(folder).value == pytest.approx((2.0**-0.5 + 2.0**-4) / 2)


def entropy_of_updates(p, k):
    """Bits of the group-normalised advantages of k rollouts, by going through all patterns of right and wrong."""
    chance = {}
    for pattern in product((0.0, 1.0), repeat=k):
        update = tuple(np.round(advantages([pattern], "grpo")[0], 9))
        chance[update] = chance.get(update, 0.0) + p ** sum(pattern) * (1 - p) ** (k - sum(pattern))
    return -sum(c * math.log2(c) for c in chance.values())


def test_what_reaches_the_update_is_what_enumeration_says(folder):
    """The first prompt's two groups keep 3 bits, more than its answer has; the other's keep what they keep."""
    assert 2 * entropy_of_updates(0.5, 2) == pytest.approx(3.0)
    wanted = (2.0 + 2 * entropy_of_updates(2.0**-6, 2)) / 2
    assert PretrainedBits("update")(folder).value == pytest.approx(wanted)


def test_bits_over_flops(folder):
    assert PerPflop("absorbed")(folder).value == pytest.approx(1.25 * 2 / 0.2)
    (folder / COST_FILE).unlink()
    assert PerPflop("absorbed")(folder).reason == "no file says what the training cost"


def test_an_unknown_line_is_a_message():
    with pytest.raises(InputError, match="want one of capacity"):
        PretrainedBits("bits")
