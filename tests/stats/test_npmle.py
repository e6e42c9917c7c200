"""The fitted population: optimality by its own conditions, posteriors by Bayes' rule, known populations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from bitrate.errors import InputError
from bitrate.stats import OutcomeEntropy, PassRate, PassRates, fit
from bitrate.theory import beta_mean_entropy

cells = st.lists(
    st.integers(1, 20).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(1, 500))),
    min_size=1,
    max_size=25,
)


@settings(deadline=None)
@given(cells)
def test_no_rate_would_raise_the_likelihood(rows):
    k, n, count = map(np.array, zip(*rows, strict=True))
    rates = fit(k, n, count)
    chance = binom.pmf(k[:, None], n[:, None], rates.grid)
    gain = (count / count.sum() / (chance @ rates.weight)) @ chance
    assert rates.weight.sum() == pytest.approx(1)
    assert rates.weight.min() >= 0
    assert gain.max() <= 1 + 1e-6


@settings(deadline=None)
@given(cells)
def test_splitting_and_reordering_cells_changes_nothing(rows):
    k, n, count = map(np.array, zip(*rows, strict=True))
    once = fit(k, n, count)
    again = fit(np.r_[k, k][::-1], np.r_[n, n][::-1], np.r_[count, count][::-1] / 2)
    mixed = [binom.pmf(k[:, None], n[:, None], rates.grid) @ rates.weight for rates in (once, again)]
    assert mixed[0] == pytest.approx(mixed[1], rel=1e-3)


def test_a_two_point_population_is_found():
    rng = np.random.default_rng(0)
    k = rng.binomial(32, rng.choice([0.1, 0.9], 5000, p=[0.7, 0.3]))
    rates = fit(k, 32)
    assert rates.share(0.05, 0.15) == pytest.approx(0.7, abs=0.03)
    assert rates.share(0.85, 0.95) == pytest.approx(0.3, abs=0.03)


def test_the_mean_entropy_of_a_beta_population_is_found():
    rng = np.random.default_rng(0)
    rates = fit(rng.binomial(16, rng.beta(0.3, 0.5, 20_000)), 16)
    assert rates.mean(OutcomeEntropy()) == pytest.approx(float(beta_mean_entropy(0.3, 0.5)), abs=0.01)


def test_the_posterior_mean_beats_the_share_of_right_rollouts():
    rng = np.random.default_rng(0)
    p = rng.beta(2, 5, 3000)
    k = rng.binomial(4, p)
    posterior = fit(k, 4).posterior_mean(PassRate(), k, 4)
    assert np.mean((posterior - p) ** 2) < 0.6 * np.mean((k / 4 - p) ** 2)


def test_the_posterior_is_bayes_rule():
    rates = PassRates(np.array([0.2, 0.7]), np.array([0.25, 0.75]))
    joint = rates.weight * binom.pmf(3, 5, rates.grid)
    assert rates.posterior([3], [5])[0] == pytest.approx(joint / joint.sum())


def test_bins_share_out_the_posterior():
    rates = fit([0, 1, 4, 4], 4, [10, 20, 30, 40])
    bins = rates.bin_probability([0, 0.25, 0.5, 1], [0, 4], 4)
    inside = (rates.grid >= 0.25) & (rates.grid < 0.5)
    assert bins.sum(axis=1) == pytest.approx([1, 1])
    assert bins[:, 1] == pytest.approx(rates.posterior([0, 4], 4)[:, inside].sum(axis=1))


@pytest.mark.parametrize(
    ("k", "n", "count", "message"),
    [
        ([], [], None, "sums to 0"),
        ([1], [2], [0], "sums to 0"),
        ([1], [2], [-1], "not negative"),
        ([1, 2], [2, 2], [1], "per cell"),
        ([3], [2], None, "n_correct = 3 with n = 2"),
    ],
)
def test_impossible_input_is_refused(k, n, count, message):
    with pytest.raises(InputError, match=message):
        fit(k, n, count)


def test_impossible_questions_are_refused():
    rates = PassRates(np.array([0.0, 1.0]), np.array([0.5, 0.5]))
    with pytest.raises(InputError, match="1 right of 2 cannot come"):
        rates.posterior([1], [2])
    with pytest.raises(InputError, match="edges"):
        rates.bin_probability([0, 0.5], [0], [2])


def test_a_blurred_population_keeps_its_mass_and_nearly_its_mean() -> None:
    rates = fit([0, 4, 8], [8, 8, 8], [30, 40, 30])
    blurred = rates.smoothed(8)
    assert blurred.weight.sum() == pytest.approx(1)
    assert blurred.mean(lambda p: p) == pytest.approx(rates.mean(lambda p: p), abs=0.02)
    assert blurred.share(0, 0.05) == pytest.approx(rates.share(0, 0.05), abs=0.03)
    with pytest.raises(InputError):
        rates.smoothed(0)
