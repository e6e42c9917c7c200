"""Codes for outcomes: complete, prequential, and as short as the field's trackers on runs that drift."""

from __future__ import annotations

import itertools
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from scipy.special import betaln, gammaln

from bitrate.errors import InputError
from bitrate.stats import Tracker, graded_code, population_code

HISTORY = Path(__file__).parents[3] / "shared" / "data" / "one_shot_rlvr_history.parquet"


def sequences(n: int) -> list[tuple[int, float]]:
    """Counts of right rollouts and how many orders show each."""
    return [(k, float(np.exp(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)))) for k in range(n + 1)]


def taught(steps: int, prompts: int = 6, n: int = 4) -> Tracker:
    rng, tracker = np.random.default_rng(3), Tracker(prompts)
    for _ in range(steps):
        tracker.visit(np.arange(prompts), rng.binomial(n, rng.random(prompts)), np.full(prompts, n))
    return tracker


@pytest.mark.parametrize("steps", [1, 3])
def test_chances_of_all_outcomes_sum_to_one(steps):
    """A code: Kraft's sum is 1, also where all right and all wrong are one outcome."""
    tracker, whole, merged = taught(steps), np.zeros(6), np.zeros(6)
    for k, orders in sequences(4):
        code = deepcopy(tracker).visit(np.arange(6), np.full(6, k), np.full(6, 4))
        whole += orders * 2.0**-code.bits
        merged += orders * 2.0**-code.merged * (0 if k == 4 else 1)
    assert whole == pytest.approx(np.ones(6), abs=1e-5)
    assert merged == pytest.approx(np.ones(6), abs=1e-5)


def test_a_population_code_sums_to_one_over_what_its_own_group_may_be():
    others = [0, 1, 4, 4, 2]
    total = sum(
        orders * 2.0 ** -population_code([k, *others], [4] * 6, [0] * 6, range(6)).bits[0] for k, orders in sequences(4)
    )
    assert total == pytest.approx(1, abs=1e-12)


def test_a_graded_code_sums_to_one_over_what_its_own_group_may_be():
    others, total = [[3, 0, 0], [0, 2, 1], [1, 1, 1]], 0.0
    for drawn in itertools.product(range(3), repeat=3):
        counts = np.array([np.bincount(drawn, minlength=3), *others])
        total += 2.0 ** -graded_code(counts, [0, 1, 2, 3], [0] * 4)[0]
    assert total == pytest.approx(1, abs=1e-9)


def test_names_of_prompts_and_cells_do_not_matter():
    """Any whole numbers will do, also negative and huge ones; a prompt that comes twice never foretells itself."""
    right, n, cell, who = [0, 1, 2, 2, 1, 2], [2, 2, 2, 2, 3, 3], [0, 0, 0, 0, 1, 1], [0, 1, 1, 2, 0, 1]
    plain = population_code(right, n, cell, who)
    for factor, shift in ((-1, -1), (10**15, 7), (1, 2**40)):
        renamed = population_code(right, n, *(factor * np.array(x, np.int64) + shift for x in (cell, who)))
        assert renamed.bits.tolist() == plain.bits.tolist()
        assert renamed.merged.tolist() == plain.merged.tolist()
    assert plain.bits[1] == pytest.approx(1 - np.log2(0.5 / 3.5))  # two others, none with 1 of 2 right, in two orders


def test_no_outcome_of_the_same_step_helps_to_tell_another():
    """Prequential: what a visit costs depends on the steps before, and not on the step's other prompts."""
    tracker = taught(2)
    right = np.array([0, 1, 2, 3, 4, 4])
    other = np.array([0, 4, 0, 4, 0, 1])
    cost = [deepcopy(tracker).visit(np.arange(6), r, np.full(6, 4)).bits[0] for r in (right, other)]
    assert cost[0] == cost[1]


def test_a_prompt_twice_in_a_step_is_remembered_with_both():
    both, added = Tracker(2), Tracker(2)
    both.visit([0, 0, 1, 1], [4, 3, 0, 0], [4] * 4)
    added.visit([0, 1], [7, 0], [8, 8])
    assert both.visit([0, 1], [2, 2], [4, 4]).bits == pytest.approx(added.visit([0, 1], [2, 2], [4, 4]).bits)


def test_prompts_without_a_number_are_all_new():
    tracker = taught(3)
    many = tracker.visit([-1, -1, -1], [4, 4, 0], [4] * 3)
    assert many.bits[0] == many.bits[1]
    assert tracker.visit([-1], [4], [4]).bits[0] == pytest.approx(many.bits[0], rel=0.5)


def test_experts_take_over_when_all_prompts_leap():
    """A run whose prompts jump from unknown to solved is soon as cheap as one that was solved all along."""
    rng, tracker = np.random.default_rng(0), Tracker(50)
    tracker.visit(np.arange(50), rng.binomial(4, 0.2, 50), np.full(50, 4))
    costs = [tracker.visit(np.arange(50), np.full(50, 4), np.full(50, 4)).bits.mean() for _ in range(4)]
    assert costs[0] > 2
    assert costs[2] < 0.3


def test_costs_lie_above_the_entropy_of_a_known_population():
    """Gibbs: for prompts that do not move the code is above E h(p), and within .1 bits a rollout of it by visit ten."""
    rng, prompts, n = np.random.default_rng(1), 400, 8
    p = rng.beta(0.5, 0.5, prompts)
    tracker, spent = Tracker(prompts), []
    for _ in range(12):
        spent.append(tracker.visit(np.arange(prompts), rng.binomial(n, p), np.full(prompts, n)).bits.mean() / n)
    chance = float(np.mean(-p * np.log2(p) - (1 - p) * np.log2(1 - p)))
    assert chance < np.mean(spent[9:]) < chance + 0.1
    # At the first visit the population is what is known: H(r_1..K)/K of Beta(1/2, 1/2).
    counts = np.array([np.exp(betaln(k + 0.5, n - k + 0.5) - betaln(0.5, 0.5)) for k in range(n + 1)])
    orders = np.array([orders for _, orders in sequences(n)])
    population = -float((orders * counts) @ np.log2(counts)) / n
    assert population < spent[0] < population + 0.03


@pytest.mark.skipif(not HISTORY.exists(), reason="the recorded history is not here")
def test_the_next_visit_of_a_recorded_run_is_foretold():
    """1,209 prompts, 44 visits of 8: at most 1.068 nats a group (Beta(.3, .3) that keeps .8: 1.075)."""
    import duckdb

    rows = duckdb.sql(
        f"SELECT visit, dense_rank() OVER (ORDER BY prompt_id) - 1, n_correct, n FROM '{HISTORY}' "
        "WHERE visit < 44 ORDER BY visit, 2"
    ).fetchnumpy()
    visit, who, right, n = (np.asarray(column, np.int64) for column in rows.values())
    tracker, losses = Tracker(int(who.max()) + 1), []
    for step in range(44):
        here = visit == step
        k, size = right[here].astype(float), n[here].astype(float)
        orders = gammaln(size + 1) - gammaln(k + 1) - gammaln(size - k + 1)
        losses.append(float((tracker.visit(who[here], right[here], n[here]).bits * np.log(2) - orders).mean()))
    assert np.mean(losses[1:]) <= 1.068


def test_impossible_counts_are_refused():
    with pytest.raises(InputError, match="at most n right"):
        Tracker(1).visit([0], [3], [2])
