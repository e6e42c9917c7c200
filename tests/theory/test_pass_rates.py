"""Outcomes of a prompt of unknown pass rate against enumeration of the patterns and the divergence of the posterior."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln, digamma
from scipy.stats import beta, betabinom

from bitrate.errors import InputError
from bitrate.theory.entropy import beta_mean_entropy, binary_entropy
from bitrate.theory.pass_rates import group_entropy, pass_rate_information

shapes = st.floats(0.05, 20)


@given(shapes, shapes, st.integers(1, 9))
def test_group_entropy_by_enumeration_of_the_patterns(a, b, k):
    # The chance of a pattern as Polya's urn draws it.
    bits = 0.0
    for pattern in product((0, 1), repeat=k):
        urn, chance = [b, a], 1.0
        for r in pattern:
            chance *= urn[r] / sum(urn)
            urn[r] += 1
        bits -= chance * np.log2(chance) if chance else 0.0
    assert group_entropy(a, b, k) == pytest.approx(bits, abs=1e-10)


@given(shapes, shapes, st.integers(1, 300))
def test_pass_rate_bits_are_the_mean_divergence_of_the_posterior_from_the_prior(a, b, k):
    n = np.arange(k + 1)
    x, y = a + n, b + k - n
    nats = betaln(a, b) - betaln(x, y) + n * digamma(x) + (k - n) * digamma(y) - k * digamma(a + b + k)
    expected = betabinom.pmf(n, k, a, b) @ nats / np.log(2)
    assert pass_rate_information(a, b, k) == pytest.approx(expected, abs=1e-9)


@given(shapes, shapes, st.integers(1, 500))
def test_more_rollouts_tell_more_about_the_pass_rate_and_each_less_than_the_last(a, b, k):
    before, now, after = (pass_rate_information(a, b, size) if size else 0.0 for size in (k - 1, k, k + 1))
    assert now <= after + 1e-10
    assert after - now <= now - before + 1e-10
    assert now <= np.log2(k + 1) + 1e-10
    assert group_entropy(a, b, k) <= k + 1e-10


def test_one_rollout_by_quadrature():
    mean_entropy = quad(lambda p: beta.pdf(p, 2, 3) * binary_entropy(p), 0, 1)[0]
    assert pass_rate_information(2, 3, 1) == pytest.approx(binary_entropy(0.4) - mean_entropy, abs=1e-10)


@pytest.mark.parametrize(("a", "b"), [(1, 1), (0.5, 0.5), (2, 5)])
def test_section_3_about_half_the_logarithm_of_k(a, b):
    # Clarke and Barron 1990: log2(K / (2 pi e)) / 2 + h(p) of the density + E log2 of the root of Fisher's information.
    fisher = -(digamma(a) + digamma(b) - 2 * digamma(a + b)) / 2
    constant = (-0.5 * np.log(2 * np.pi * np.e) + beta(a, b).entropy() + fisher) / np.log(2)
    for k in (10**3, 10**5):
        assert pass_rate_information(a, b, k) == pytest.approx(np.log2(k) / 2 + constant, abs=3 / np.sqrt(k))
    grown = pass_rate_information(a, b, 40_000) - pass_rate_information(a, b, 10_000)
    assert grown == pytest.approx(1.0, abs=0.01)


def test_the_parts_of_the_outcome_entropy_at_the_populations_of_section_4():
    # Beta(1/2, 1/2): the pooled mean reward has 1 bit, the truth is 0.557 bits a rollout.
    assert group_entropy(0.5, 0.5, 1) == pytest.approx(1.0, abs=1e-12)
    assert beta_mean_entropy(0.5, 0.5) == pytest.approx(0.557, abs=5e-4)
    assert group_entropy(0.5, 0.5, 8) / 8 == pytest.approx(0.557 + pass_rate_information(0.5, 0.5, 8) / 8, abs=5e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 4), "a = 0; want finite numbers above 0"),
        ((1, np.inf, 4), "b = inf; want finite numbers above 0"),
        ((1, 1, 0), "k = 0; want whole numbers"),
        ((1, 1, [2, 3]), r"k has shape \(2,\); want one number"),
    ],
)
def test_input_out_of_range_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        pass_rate_information(*arguments)
