"""The minimax linear scores against the binomial law and a linear programme; pooled figures on known counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.stats import betabinom, binom

from bitrate.errors import InputError
from bitrate.stats import (
    DeadShare,
    LearningValue,
    Log2PassRate,
    OutcomeEntropy,
    PassRate,
    SurprisalTerm,
    UpdateBits,
    cluster_ratio,
    coefficients,
    mean_functional,
    mean_outcome_entropy,
    score_table,
)
from bitrate.theory import binary_entropy

RATES = np.sin(np.linspace(0, np.pi / 2, 3001)) ** 2
BIASED = [OutcomeEntropy(), SurprisalTerm(), DeadShare(32), UpdateBits(16), Log2PassRate(1 / 64)]


def mean_score(scores, rates):
    n = scores.size - 1
    return binom.pmf(np.arange(n + 1), n, np.asarray(rates)[:, None]) @ scores


def objective(functional, scores, n_units):
    n = scores.size - 1
    chance = betabinom.pmf(np.arange(n + 1), n, 0.5, 0.5)
    variance = chance @ scores**2 - (chance @ scores) ** 2
    return np.abs(mean_score(scores, RATES) - functional(RATES)).max() ** 2 + variance / n_units


@pytest.mark.parametrize("functional", BIASED, ids=lambda f: f.name)
@pytest.mark.parametrize("n", [1, 2, 4, 8, 16, 64, 100, 256, 300])
def test_no_rate_is_off_by_more_than_the_stated_bias(functional, n):
    scores, bias = coefficients(functional, n, 500)
    worst = np.abs(mean_score(scores, RATES) - functional(RATES)).max()
    assert worst == pytest.approx(bias, rel=0.01)


@pytest.mark.parametrize("functional", BIASED, ids=lambda f: f.name)
@pytest.mark.parametrize("n", [2, 4, 8])
def test_without_sampling_error_the_bias_is_that_of_the_linear_programme(functional, n):
    pmf, target = binom.pmf(np.arange(n + 1), n, RATES[:, None]), functional(RATES)
    bound = -np.ones((RATES.size, 1))
    programme = linprog(
        np.r_[np.zeros(n + 1), 1.0],
        A_ub=np.block([[pmf, bound], [-pmf, bound]]),
        b_ub=np.r_[target, -target],
        bounds=[(None, None)] * (n + 2),
    )
    _, bias = coefficients(functional, n, 2**44)
    assert programme.fun * 0.99 <= bias <= programme.fun * 1.01


@pytest.mark.parametrize("functional", BIASED, ids=lambda f: f.name)
@pytest.mark.parametrize("n_units", [30, 1000])
def test_no_other_scores_nearby_do_better(functional, n_units):
    rng = np.random.default_rng(0)
    scores, _ = coefficients(functional, 8, n_units)
    reached = objective(functional, scores, n_units)
    others = [scores + size * rng.normal(size=9) for size in (1e-3, 1e-2, 1e-1) for _ in range(100)]
    assert min(objective(functional, other, n_units) for other in others) >= 0.99 * reached


@pytest.mark.parametrize("functional", [PassRate(), LearningValue(), DeadShare(4)], ids=lambda f: f.name)
def test_polynomials_are_estimated_without_bias(functional):
    scores, bias = coefficients(functional, 6, 100)
    assert bias == 0
    assert mean_score(scores, RATES) == pytest.approx(functional(RATES), abs=1e-9)


def test_scores_are_fixed_before_the_counts_are_seen():
    scores, _ = coefficients(OutcomeEntropy(), 4, 100)
    with pytest.raises(ValueError, match="read-only"):
        scores[0] = 1.0


def test_a_join_with_the_table_gives_the_pooled_figure():
    k, n, prompt = np.array([0, 2, 5, 8, 1, 3]), np.array([4, 4, 8, 8, 4, 8]), np.array([0, 0, 1, 1, 2, 2])
    table = score_table(OutcomeEntropy(), [8, 4], n_units=6)
    rows = [next(i for i in range(table.n.size) if (table.n[i], table.k[i]) == cell) for cell in zip(n, k, strict=True)]
    each = tuple((n * end[rows]).sum() / n.sum() for end in (table.low, table.high))
    by_hand = cluster_ratio(
        [n[prompt == c].sum() for c in range(3)],
        [(n * table.score[rows])[prompt == c].sum() for c in range(3)],
        (n * table.bias[rows]).sum() / n.sum(),
        (n * table.spread[rows]).sum() / n.sum(),
        name="outcome bits",
        unit="bits/rollout",
        method="minimax linear",
        within=(0, 1),
        each=each,
    )
    pooled = mean_outcome_entropy(k, n, clusters=["a", "a", "b", "b", "c", "c"])
    assert (pooled.value, pooled.low, pooled.high) == pytest.approx((by_hand.value, by_hand.low, by_hand.high))


counts = st.lists(
    st.integers(1, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(0, 5))),
    min_size=2,
    max_size=30,
)


@settings(deadline=None)
@given(counts, st.randoms(use_true_random=False))
def test_order_labels_and_the_name_of_success_do_not_matter(cells, random):
    def bits(rows, relabel=lambda c: c):
        k, n, cluster = map(np.array, zip(*rows, strict=True))
        made = mean_outcome_entropy(k, n, clusters=[relabel(c) for c in cluster])
        return (made.value, made.low, made.high) if made.value is not None else made.reason

    before = bits(cells)
    shuffled = random.sample(cells, len(cells))
    assert bits(shuffled, lambda c: f"prompt {9 - c}") == pytest.approx(before)
    assert bits([(n - k, n, c) for k, n, c in cells]) == pytest.approx(before, abs=1e-6)
    if not isinstance(before, str):
        value, low, high = before
        assert 0 <= low <= value <= high <= 1


@pytest.mark.parametrize("right", [0, 4])
@pytest.mark.parametrize("prompts", [2, 30, 1000])
def test_groups_that_all_agree_still_leave_doubt(right, prompts):
    bits = mean_outcome_entropy([right] * prompts, [4] * prompts)
    rule_of_three = min(0.5, 3 / (4 * prompts))
    assert bits.low == 0
    assert bits.high >= binary_entropy(rule_of_three)


def test_more_prompts_narrow_the_interval_down_to_the_bias():
    widths = [
        made.high - made.low
        for made in (mean_outcome_entropy([0, 1, 2, 3, 4] * copies, [4] * 5 * copies) for copies in (2, 20, 200, 20000))
    ]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] >= 2 * coefficients(OutcomeEntropy(), 4, 2**17)[1]


def test_a_group_weight_changes_whose_mean_it_is():
    by_rollout = mean_functional(PassRate(), [0, 8, 0, 8], [2, 8, 2, 8])
    by_group = mean_functional(PassRate(), [0, 8, 0, 8], [2, 8, 2, 8], weight=[1, 1, 1, 1])
    assert (by_rollout.value, by_group.value) == (0.8, 0.5)


@pytest.mark.parametrize(
    ("k", "n", "clusters", "reason"),
    [
        ([], [], None, "no groups"),
        ([0, 1, 1], [1, 1, 1], None, "no group has 2 rollouts"),
        ([1], [4], None, "1 independent cluster;"),
        ([1, 2], [4, 4], ["a", "a"], "1 independent cluster;"),
    ],
)
def test_too_little_data_gives_a_reason_and_no_number(k, n, clusters, reason):
    bits = mean_outcome_entropy(k, n, clusters=clusters)
    assert bits.value is None
    assert bits.reason.startswith(reason)


@pytest.mark.parametrize(
    ("k", "n", "options", "message"),
    [
        ([5, 0], [4, 4], {}, "n_correct = 5 with n = 4"),
        ([-1, 0], [4, 4], {}, "n_correct = -1"),
        ([0, 0], [0, 4], {}, "n = 0"),
        ([0.5, 0], [4, 4], {}, "n_correct = 0.5"),
        ([np.nan, 0], [4, 4], {}, "n_correct = nan"),
        ([0, 1], [4], {}, "shape"),
        ([0, 1], [4, 4], {"clusters": [1]}, "one label per group"),
        ([0, 1], [4, 4], {"level": 1.0}, "level = 1.0"),
    ],
)
def test_impossible_input_is_refused(k, n, options, message):
    with pytest.raises(InputError, match=message):
        mean_outcome_entropy(k, n, **options)


def test_impossible_tables_are_refused():
    with pytest.raises(InputError, match="n = 0"):
        coefficients(OutcomeEntropy(), 0, 10)
    with pytest.raises(InputError, match="n_units = 0"):
        score_table(OutcomeEntropy(), [4], 0)
    with pytest.raises(InputError, match=r"ns = \[\]"):
        score_table(OutcomeEntropy(), [], 10)
    with pytest.raises(InputError, match=r"n = 5; want one of the group sizes \[4\]"):
        score_table(OutcomeEntropy(), [4], 10).rows(np.array([1]), np.array([5]))
    with pytest.raises(InputError, match="weight"):
        mean_functional(PassRate(), [0, 1], [2, 2], weight=[1, -1])
