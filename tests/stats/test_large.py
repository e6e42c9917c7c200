"""Groups of any size: the same scores as small ones by their definition, and time and memory of the counts alone."""

import time
import tracemalloc

import numpy as np
import pytest
from scipy.stats import hypergeom

from bitrate.errors import InputError
from bitrate.stats import (
    DeadShare,
    LearningValue,
    Log2PassRate,
    OutcomeEntropy,
    OwnUpdateBits,
    PassRate,
    SurprisalTerm,
    UpdateBits,
    coefficients,
    fit,
    mean_outcome_entropy,
    score_table,
    score_tables,
)
from bitrate.stats.minimax import LARGEST_SOLVED
from bitrate.theory import beta_mean_entropy, binary_entropy, group_normalised_information

EVERY = [
    PassRate(),
    OutcomeEntropy(),
    SurprisalTerm(),
    LearningValue(),
    DeadShare(16),
    UpdateBits(16),
    OwnUpdateBits(),
    Log2PassRate(1 / 64),
]


@pytest.mark.parametrize("functional", EVERY, ids=lambda f: f.name)
def test_scores_of_some_counts_are_those_of_the_whole_table(functional):
    n = np.array([3, 70, 70, 300, 8, 300])
    k = np.array([1, 0, 33, 299, 8, 150])
    whole, some = score_table(functional, n, 64), score_table(functional, n, 64, k)
    for column in ("score", "bias", "spread"):
        found = getattr(some, column)[some.rows(k, n)]
        assert found == pytest.approx(getattr(whole, column)[whole.rows(k, n)], rel=1e-12)


@pytest.mark.parametrize("n", [300, 5000, 999_999, 10**8])
def test_the_score_of_a_large_group_is_the_mean_over_its_subsets(n):
    functional = OutcomeEntropy()
    small, bias = coefficients(functional, LARGEST_SOLVED, 1024)
    k = np.array([0, 1, n // 3, n - 1, n])
    table = score_table(functional, np.full(5, n), 1024, k)
    by_hand = [hypergeom.pmf(np.arange(LARGEST_SOLVED + 1), n, c, LARGEST_SOLVED) @ small for c in k]
    assert table.score == pytest.approx(by_hand, abs=1e-6)
    assert table.bias == pytest.approx(bias)
    corrected = binary_entropy(k[2] / n) + 1 / (2 * n * np.log(2))  # Miller-Madow
    assert table.score[2] == pytest.approx(corrected, abs=bias)


def test_a_large_group_spreads_no_less_than_its_own_end_scores():
    functional = Log2PassRate(1 / 512)
    scores, _ = coefficients(functional, 400, 64)
    steps = max(abs(scores[1] - scores[0]), abs(scores[-1] - scores[-2]))
    spread = score_table(functional, [400], 64, [7]).spread[0]
    assert spread == pytest.approx(max(functional.high - functional.low, steps))


def test_update_bits_at_a_large_size_of_its_own_are_its_outcome_bits():
    rates = np.linspace(0, 1, 1001)
    assert group_normalised_information(rates, 64) == pytest.approx(binary_entropy(rates), abs=1e-15)
    own = score_table(OwnUpdateBits(), [5000], 64, [1000]).score
    assert own == pytest.approx(score_table(OutcomeEntropy(), [5000], 64, [1000]).score, abs=1e-9)
    assert OwnUpdateBits().at(8) == UpdateBits(8)


def test_time_and_memory_do_not_grow_with_the_size_of_a_group():
    score_tables(EVERY, [500], 64, [1])  # solves what both need
    costs = []
    for n in (500, 10**8):
        tracemalloc.start()
        start = time.perf_counter()
        score_tables(EVERY, np.full(50, n), 64, np.arange(50))
        costs.append((time.perf_counter() - start, tracemalloc.get_traced_memory()[1]))
        tracemalloc.stop()
    assert costs[1][0] < 1
    assert costs[1][1] < 20e6


def test_impossible_counts_are_refused():
    with pytest.raises(InputError, match="n_correct = 5 with n = 4"):
        score_table(OutcomeEntropy(), [4], 10, [5])
    with pytest.raises(InputError, match="2 right of 4; want counts of the table"):
        score_table(OutcomeEntropy(), [4], 10, [3]).rows(np.array([2]), np.array([4]))


def test_outcome_bits_of_groups_of_all_sizes_are_found():
    rng = np.random.default_rng(0)
    n = np.arange(2, 3000)
    bits = mean_outcome_entropy(rng.binomial(n, rng.beta(0.3, 0.5, n.size)), n)
    assert bits.low <= float(beta_mean_entropy(0.3, 0.5)) <= bits.high
    assert bits.high - bits.low < 0.05


@pytest.mark.parametrize("most", [300, 5000, 10**6])
def test_the_population_behind_very_many_distinct_counts_is_found(most):
    rng = np.random.default_rng(0)
    n = rng.integers(2, most, 30_000)
    k = rng.binomial(n, rng.beta(0.3, 0.5, n.size))
    start = time.perf_counter()
    rates = fit(k, n)
    assert time.perf_counter() - start < 5
    assert rates.mean(OutcomeEntropy()) == pytest.approx(float(beta_mean_entropy(0.3, 0.5)), abs=0.01)
    p = rates.posterior_mean(PassRate(), k, n)
    large, known = n > 2000, n > 4096
    assert np.abs(p - k / n)[large].max(initial=0) < 0.02
    assert (p == k / n)[known].all()


def test_counts_taken_together_keep_the_all_right_and_the_all_wrong_apart(monkeypatch):
    monkeypatch.setattr("bitrate.stats.npmle.MOST_COUNTS", 1)
    rates = fit([0, 64, 32, 31, 1], [64, 64, 64, 64, 64], [30, 20, 25, 20, 5])
    exact = [rates.share(0, 0.003), rates.share(0.997, 1)]
    assert exact == pytest.approx([0.3, 0.2], abs=0.06)
    assert rates.mean(PassRate()) == pytest.approx((20 * 64 + 25 * 32 + 20 * 31 + 5) / 6400, abs=0.005)
