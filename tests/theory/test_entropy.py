"""Closed forms against quadrature, and the inequalities they must obey."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from bitrate.errors import InputError
from bitrate.theory import beta_mean_entropy, binary_entropy, noisy_outcome_information

rates = st.floats(0, 1)


@given(rates)
def test_binary_entropy_agrees_with_scipy_and_is_symmetric(p):
    assert binary_entropy(p) == pytest.approx(stats.entropy([p, 1 - p], base=2), abs=1e-14)
    assert binary_entropy(p) == pytest.approx(binary_entropy(1 - p), abs=1e-14)


@given(rates, rates)
def test_noisy_outcome_is_the_mutual_information_of_the_joint_table(p, flip):
    joint = np.array([[(1 - p) * (1 - flip), (1 - p) * flip], [p * flip, p * (1 - flip)]])
    mutual = (
        stats.entropy(joint.sum(0), base=2) + stats.entropy(joint.sum(1), base=2) - stats.entropy(joint.ravel(), base=2)
    )
    assert noisy_outcome_information(p, flip) == pytest.approx(mutual, abs=1e-12)
    assert noisy_outcome_information(p, flip) <= binary_entropy(p) + 1e-12


@pytest.mark.parametrize(("a", "b"), [(0.3, 0.5), (0.5, 0.5), (5, 2), (1, 20)])
def test_beta_mean_entropy_agrees_with_quadrature(a, b):
    # p = sin(t)^2 turns the endpoint singularities of the density into integrable ones.
    def integrand(t):
        p = np.sin(t) ** 2
        return binary_entropy(p) * stats.beta.pdf(p, a, b) * 2 * np.sin(t) * np.cos(t)

    assert beta_mean_entropy(a, b) == pytest.approx(integrate.quad(integrand, 0, np.pi / 2)[0], abs=1e-7)


@pytest.mark.parametrize("p", [-0.1, 1.1, np.nan])
def test_an_impossible_rate_is_refused_by_name_value_and_rule(p):
    with pytest.raises(InputError, match=rf"p = {p}; want probabilities"):
        binary_entropy([0.5, p])


@pytest.mark.parametrize("a", [0, -1, np.inf])
def test_an_impossible_beta_shape_is_refused(a):
    with pytest.raises(InputError, match="a = "):
        beta_mean_entropy(a, 1)
