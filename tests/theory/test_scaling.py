"""Costs of a pass rate against the law they invert and the equation they integrate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from bitrate.errors import InputError
from bitrate.theory import decade_cost, expected_rollouts, policy_gradient_time, power_law_cost

pass_rates = st.floats(1e-9, 0.999)


@given(pass_rates, st.floats(0.05, 1), st.floats(0.1, 10))
def test_power_law_cost_inverts_the_law(p, exponent, scale):
    compute = power_law_cost(p, exponent, scale)
    assert np.exp(-scale * compute**-exponent) == pytest.approx(p, rel=1e-9, abs=0)


def test_claim_s3_6_a_decade_of_pass_rate_does_not_cost_the_same():
    # L = A C^-0.1: each decade costs more than the one before, and the last ones explode.
    costs = decade_cost(10.0 ** np.arange(-6, -1), exponent=0.1)
    ratios = costs[1:] / costs[:-1]
    by_hand = [(1 / n) ** 10 - (1 / (n + 1)) ** 10 for n in (5, 4, 3, 2, 1)]
    assert ratios == pytest.approx(np.divide(by_hand[1:], by_hand[:-1]), rel=1e-9)
    assert (ratios > 9).all() and ratios[-1] > 50


@given(st.floats(1e-9, 0.0999), st.floats(0.05, 3))
def test_a_decade_is_the_difference_of_two_costs(p, exponent):
    expected = power_law_cost(10 * p, exponent) - power_law_cost(p, exponent)
    assert decade_cost(p, exponent) == pytest.approx(expected, rel=1e-12, abs=0)
    assert decade_cost(p, exponent) > 0


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_policy_gradient_time_integrates_its_equation(start, end):
    expected = quad(lambda p: 1 / (p * (1 - p)) ** 2, start, end, epsrel=1e-10, limit=200)[0]
    assert policy_gradient_time(start, end) == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_claim_s3_6_policy_gradient_by_steps():
    # Exact gradient ascent on E r = p over the log-odds: d logit / dt = p (1 - p).
    log_odds, time, step = np.log(0.1 / 0.9), 0.0, 0.01
    while (p := 1 / (1 + np.exp(-log_odds))) < 0.5:
        log_odds, time = log_odds + step * p * (1 - p), time + step
    assert time == pytest.approx(policy_gradient_time(0.1, 0.5), abs=3 * step)


def test_claim_s3_6_a_decade_by_policy_gradient_costs_in_proportion_to_one_over_p():
    p = np.array([1e-7, 1e-6, 1e-5])
    assert p * policy_gradient_time(p, 10 * p) == pytest.approx(0.9, rel=1e-3)


@given(st.floats(0.05, 1))
def test_rollouts_until_a_success_by_summation(p):
    n = np.arange(1, 2000)
    assert expected_rollouts(p) == pytest.approx((n * p * (1 - p) ** (n - 1)).sum())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: power_law_cost(1.0, 0.1), "1 - pass_rate = 0; want finite numbers above 0"),
        (lambda: power_law_cost(0.5, 0), "exponent = 0; want finite numbers above 0"),
        (lambda: power_law_cost(0.5, 1, np.nan), "scale = nan; want finite numbers above 0"),
        (lambda: decade_cost(0.1, 1), "pass_rate = 0.1; want less than 0.1"),
        (lambda: policy_gradient_time(0, 0.5), "start = 0; want finite numbers above 0"),
        (lambda: policy_gradient_time(0.5, 1.5), r"end = 1.5; want probabilities in \[0, 1\]"),
    ],
)
def test_input_out_of_range_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
