"""Graded rewards against enumeration of the tests' results and against adaptive quadrature."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from bitrate.errors import InputError
from bitrate.theory.graded import (
    entropy,
    gaussian_reward_information,
    quantised_gaussian_information,
    quantised_reward_bound,
    unit_test_information,
)


@given(st.integers(1, 9), st.floats(0, 1))
def test_unit_tests_by_enumeration_of_their_results(m, u):
    tables = {}, {}, {}
    for results in product((0, 1), repeat=m):
        chance = u ** sum(results) * (1 - u) ** (m - sum(results))
        for table, seen in zip(tables, (all(results), sum(results), results), strict=True):
            table[seen] = table.get(seen, 0.0) + chance
    expected = [-sum(p * math.log2(p) for p in table.values() if p) for table in tables]
    assert list(map(float, unit_test_information(m, u))) == pytest.approx(expected, abs=1e-12)


@given(st.integers(1, 2000), st.floats(0, 1))
def test_scalarising_unit_tests_loses_bits(m, u):
    all_pass, passes, vector = unit_test_information(m, u)
    assert -1e-12 <= all_pass <= passes + 1e-9
    assert passes <= min(vector, np.log2(m + 1)) + 1e-9


def test_the_numbers_of_section_3():
    bits = unit_test_information(10, [0.5, 1.0])
    assert [bits.all_pass[0], bits.passes[0], bits.vector[0]] == pytest.approx([0.011, 2.71, 10], abs=5e-3)
    assert bits.all_pass[0] == pytest.approx(0.011, abs=5e-4)
    assert [bits.all_pass[1], bits.passes[1], bits.vector[1]] == [0, 0, 0]


def test_entropy_of_a_uniform_reward_is_its_bound():
    assert entropy(np.full((2, 6), 1 / 6)) == pytest.approx(float(quantised_reward_bound(6)))
    assert entropy([0.0, 1.0]) == 0


def by_quadrature(snr, bits):
    cuts = norm.ppf(np.arange(2**bits + 1) / 2**bits) * np.sqrt(1 + snr)

    def doubt(z):
        chance = np.diff(norm.cdf(cuts - np.sqrt(snr) * z))
        chance = chance[chance > 0]
        return norm.pdf(z) * -(chance * np.log2(chance)).sum()

    # The integrand is even; pieces around the cuts keep the adaptive rule from missing a spike.
    inner = cuts[(cuts > 0) & np.isfinite(cuts)] / np.sqrt(snr)
    return bits - 2 * quad(doubt, 0, 9, points=inner[inner < 9], limit=2000, epsabs=1e-12)[0]


@pytest.mark.parametrize("snr", [0.01, 1.0, 30.0, 1000.0])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_quantised_reward_agrees_with_adaptive_quadrature(snr, bits):
    assert quantised_gaussian_information(snr, bits) == pytest.approx(by_quadrature(snr, bits), abs=1e-10)


@given(st.floats(1e-6, 1e6), st.integers(1, 8))
def test_a_quantised_reward_carries_at_most_its_bits_and_at_most_the_channel(snr, bits):
    got = quantised_gaussian_information(snr, bits)
    assert 0 < got < min(bits, gaussian_reward_information(snr))
    assert got < quantised_gaussian_information(snr, bits + 1)  # cuts at quantiles: each level is halved


def test_quantised_reward_in_its_limits():
    assert quantised_gaussian_information(0.0, 4) == 0.0
    # One bit of a weak signal keeps 2/pi of it; many bits keep all; a strong signal fills the levels.
    kept = quantised_gaussian_information(1e-4, 1) / gaussian_reward_information(1e-4)
    assert kept == pytest.approx(2 / np.pi, abs=1e-4)
    assert quantised_gaussian_information(3.0, 12) == pytest.approx(1.0, abs=1e-3)
    assert quantised_gaussian_information(1e8, 2) == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize("snr", [0.0, 1.0, 3.0, 15.0])
def test_gaussian_reward(snr):
    assert gaussian_reward_information(snr) == pytest.approx(np.log2(1 + snr) / 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: entropy([0.5, 0.6]), "p"),
        (lambda: gaussian_reward_information(-1), "snr = -1; want finite numbers, 0 or more"),
        (lambda: unit_test_information(0, 0.5), "m = 0; want whole numbers"),
        (lambda: unit_test_information([2, 3], 0.5), r"m has shape \(2,\); want one number"),
        (lambda: unit_test_information(2, 1.5), "u = 1.5; want probabilities"),
        (lambda: quantised_reward_bound(0), "levels = 0; want whole numbers"),
        (lambda: quantised_gaussian_information(1.0, 0), "bits = 0; want whole numbers"),
        (lambda: quantised_gaussian_information(1.0, 13), "bits = 13; want at most"),
        (lambda: quantised_gaussian_information(np.inf, 2), "snr = inf; want finite"),
        (lambda: quantised_gaussian_information(1e9, 2), r"snr = 1e\+09, .*; want at most 1e\+08"),
    ],
)
def test_input_out_of_range_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
