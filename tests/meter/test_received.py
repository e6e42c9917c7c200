"""Received, at most: against learners whose received bits are known exactly, whatever their policy believes."""

from __future__ import annotations

import numpy as np
import pytest

import bitrate
from bitrate.lab.worlds.believers import Believers
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import group_information

PEAKED = (0.5, 0.2, 0.1, 0.1, 0.1)
GREEDY, SHARPER, EQUAL, FLATTER = 0.0, 0.3, 1.0, 3.0


def test_exact_bits_are_those_of_the_theory():
    """Two roads to what a group brings: summed over hypotheses, and by the closed form."""
    exact = Believers(5, 2, 1, SHARPER, prior=PEAKED).run(40_000, None, np.random.default_rng(0))
    policy = np.array(PEAKED) ** (1 / SHARPER)
    assert exact.received.mean() == pytest.approx(group_information(PEAKED, policy / policy.sum(), 2) / 2, abs=0.003)


@pytest.mark.parametrize("temperature", [GREEDY, SHARPER, EQUAL, FLATTER])
@pytest.mark.parametrize(
    ("answers", "rollouts", "visits", "several"),
    [(2, 2, 1, False), (5, 4, 4, False), (3, 1, 6, False), (4, 4, 1, True), (4, 4, 4, True)],
)
def test_every_at_most_holds(tmp_path, temperature, answers, rollouts, visits, several):
    believers = Believers(answers, rollouts, visits, temperature, several=several)
    exact = believers.run(150, tmp_path, np.random.default_rng([answers, visits, several])).received.mean()
    audit = bitrate.audit(tmp_path)
    received, update = audit["received_bits"], audit["update_bits"]
    assert received.high >= exact
    assert audit["answer_bound_bits"].high >= exact
    # Not only the upper end: each mean lies above, but for the noise of one run.
    assert received.value >= exact - 0.03
    assert received.low <= received.value <= received.high <= 1
    assert update.value <= received.value


def test_a_greedy_policy_receives_what_chance_says_it_cannot(tmp_path):
    """Half of the keys of a 50/50 prior: .500 bits a rollout of two, where E h(p) is 0."""
    exact = Believers(2, 2, 1, GREEDY, prior=(0.5, 0.5)).run(400, tmp_path, np.random.default_rng(1))
    audit = bitrate.audit(tmp_path)
    assert exact.received.mean() == 0.5
    assert audit["outcome_bits"].high < 0.5
    assert audit["received_bits"].value == pytest.approx(0.5, abs=0.02)
    assert audit["received_bits"].low <= 0.5 <= audit["received_bits"].high


def test_it_is_the_smallest_of_the_ways_and_says_so(tmp_path):
    Believers(5, 8, 1, EQUAL).run(150, tmp_path, np.random.default_rng(2))
    audit = bitrate.audit(tmp_path)
    received, answers = audit["received_bits"], audit["answer_bound_bits"]
    assert received.value == answers.value  # one quantity, one number
    assert received.low < answers.low  # the smallest of several leans low: its interval is wider
    assert "log2(M+1)" in received.method
    assert "larger is the outcome code" in received.method


def test_one_rollout_a_group_has_a_bound(tmp_path):
    with SimulatedRun(tmp_path, np.random.default_rng(0)) as log:
        right = np.random.default_rng(1).random((400, 1)) < 0.11
        log.step(0, answers=np.zeros(right.shape, int), rewards=right.astype(float))
    assert bitrate.audit(tmp_path)["received_bits"].value == pytest.approx(0.5, abs=0.1)  # h(.11) = .4999


def test_a_graded_reward_is_bounded_by_the_levels_that_prompts_draw(tmp_path):
    """Prompts that always end at one of three levels: log2 3 a group of six, not log2 3 a rollout."""
    rng = np.random.default_rng(0)
    with SimulatedRun(tmp_path, rng) as log:
        level = rng.integers(3, size=(300, 1)) / 2
        log.step(0, answers=np.zeros((300, 6), int), rewards=np.broadcast_to(level, (300, 6)))
    received = bitrate.audit(tmp_path)["received_bits"]
    assert np.log2(3) / 6 <= received.value < np.log2(3) / 6 + 0.1
    assert bitrate.audit(tmp_path)["outcome_bits"].value < 0.05


def test_what_is_kept_counts_all_right_and_all_wrong_as_one(tmp_path):
    """Groups of two that always agree, half of them right: 1 bit a group comes in, none is left."""
    with SimulatedRun(tmp_path, np.random.default_rng(0), unscored=0) as log:
        right = np.repeat(np.arange(200) % 2, 2).reshape(200, 2)
        log.step(0, answers=np.zeros((200, 2), int), rewards=right.astype(float))
    audit = bitrate.audit(tmp_path)
    assert audit["received_bits"].value == pytest.approx(0.5, abs=0.02)
    assert audit["update_bits"].value == pytest.approx(0.0, abs=0.02)


def test_noise_of_the_verifier_is_taken_off(tmp_path):
    with SimulatedRun(tmp_path, np.random.default_rng(0)) as log:
        right = np.random.default_rng(1).random((300, 8)) < 0.5
        log.step(0, answers=np.arange(2400).reshape(300, 8), rewards=right.astype(float))
    clean, noisy = (bitrate.audit(tmp_path, verifier_noise=noise)["received_bits"].value for noise in (0.0, 0.05))
    assert 0 < noisy < clean


def test_comparing_pairs_it_by_prompt(tmp_path):
    for name, temperature in (("a", EQUAL), ("b", FLATTER)):
        Believers(5, 4, 2, temperature).run(100, tmp_path / name, np.random.default_rng(3))
    found = bitrate.compare(tmp_path / "a", tmp_path / "b")
    figures = [found[f"{run}_figures"]["received_bits"]["value"] for run in "ab"]
    assert found["paired"]
    assert figures[0] == pytest.approx(bitrate.audit(tmp_path / "a")["received_bits"].value)
    assert found["differences"]["received_bits"]["value"] == pytest.approx(figures[1] - figures[0])
