"""Received, at most: against learners whose received bits are known exactly, whatever their policy believes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bitrate
from bitrate.lab.worlds.believers import Believers
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.stats import Tracker, population_code
from bitrate.theory import binary_entropy, group_information

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


@pytest.mark.parametrize(
    ("prompts", "k", "expected"), [(30, 1, 1), (300, 2, 1), (1000, 1, 1), (3000, 1, 0.3), (300, 4, 2)]
)
def test_outcomes_too_rare_to_be_seen_are_allowed_for(tmp_path, prompts, k, expected):
    """Each prompt is all right with a small chance that the learner knows: a log may show nothing of h(p) / K."""
    p, rng = expected / prompts, np.random.default_rng([prompts, k])
    truth, held = float(binary_entropy(p)) / k, 0
    for _ in range(40):
        right = np.where(rng.random(prompts) < p, k, 0)
        path = tmp_path / "a.parquet"
        table = {"step": np.zeros(prompts, int), "prompt_id": np.arange(prompts), "n": np.full(prompts, k)}
        pq.write_table(pa.table(table | {"n_correct": right}), path)
        held += bitrate.audit(path)["received_bits"].high >= truth
    assert held >= 35  # .95 of 40 less two standard errors; it was 11 of 40 at 3,000 prompts


@pytest.mark.parametrize("first", [0, 2**31 - 2, 1_764_201_600_000, 2**62, -5])
def test_numbers_of_steps_do_not_matter(tmp_path, first):
    rng, rows = np.random.default_rng(0), 200
    steps = first + np.repeat([0, 1], rows // 2)
    right = rng.binomial(4, 0.5, rows)
    table = {"step": steps, "prompt_id": np.tile(np.arange(rows // 2), 2), "n": np.full(rows, 4), "n_correct": right}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    assert bitrate.audit(tmp_path / "a.parquet")["received_bits"].value == pytest.approx(0.96, abs=0.06)


def test_another_run_of_the_same_prompts_gives_no_answer_away(tmp_path):
    """Graded, six prompts that always end at their level, 30 runs, each with a learner of its own: log2 3 each."""
    rng = np.random.default_rng(1)
    level = rng.integers(3, size=6)
    rows = {"run": np.repeat([f"r{i}" for i in range(30)], 6), "prompt_id": np.tile(np.arange(6), 30)}
    pq.write_table(
        pa.table(rows | {"step": np.zeros(180, int), "reward": np.tile(level / 2, 30)}), tmp_path / "a.parquet"
    )
    assert bitrate.audit(tmp_path / "a.parquet")["received_bits"].high >= 1.4


def test_the_step_chart_and_the_ledger_show_the_same_number(tmp_path):
    Believers(4, 4, 1, EQUAL).run(120, tmp_path, np.random.default_rng(4))
    for noise in (0.0, 0.05):
        audit = bitrate.audit(tmp_path, verifier_noise=noise)
        (shown,) = audit.series.steps
        assert shown.received_bits.known == audit["received_bits"].known
        most = audit["capacity_bits"].value
        assert audit["received_bits"].high <= most
        assert audit["update_bits"].high <= most
    found = bitrate.compare(tmp_path, tmp_path, verifier_noise=0.05)["a_figures"]["received_bits"]
    assert found["value"] == pytest.approx(audit["received_bits"].value)


def test_noise_is_no_news_but_the_answers_bound_is_not_made_of_it(tmp_path):
    """16 rollouts that try 16 answers: log2(17)/16 bounds what they tell, however often the verifier errs."""
    rng = np.random.default_rng(0)
    with SimulatedRun(tmp_path, rng, unscored=0) as log:
        right = np.arange(16)[None] == rng.integers(16, size=(200, 1))
        log.step(0, answers=np.tile(np.arange(16), (200, 1)), rewards=(right ^ (rng.random(right.shape) < 0.005)) * 1.0)
    assert bitrate.audit(tmp_path, verifier_noise=0.005)["received_bits"].high >= 0.2439


def test_a_collapse_after_a_long_calm_is_dear_but_not_impossible():
    """The drift that prompts share stays near: 300 steps all right, then one wrong rollout costs a few bits."""
    tracker = Tracker(10)
    for _ in range(300):
        tracker.visit(np.arange(10), np.full(10, 8), np.full(10, 8))
    assert tracker.visit(np.arange(10), np.r_[7, np.full(9, 8)], np.full(10, 8)).bits[0] < 25


def test_one_unknown_for_all_prompts_of_a_step_breaks_the_code_from_that_step():
    """A coin decides all outcomes of a step, 100 fresh prompts of one rollout: they tell one bit together, .01 each.

    The code from the other prompts of the step reads it off them and falls below; that from the steps before does not.
    """
    rng, tracker, before, within = np.random.default_rng(5), Tracker(0), [], []
    for _ in range(40):
        right, one, nobody = np.full(100, rng.integers(2)), np.ones(100, int), np.full(100, -1)
        before.append(tracker.visit(nobody, right, one).bits.mean())
        within.append(population_code(right, one, np.zeros(100, int), np.arange(100)).bits.mean())
    assert np.mean(within) < 0.01 < np.mean(before[1:])
    assert before[0] < 0.01  # a run's first step has nothing but its own prompts to go by
