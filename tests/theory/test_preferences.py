"""Preference and skill bits against adaptive quadrature."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from bitrate.errors import InputError
from bitrate.theory.entropy import binary_entropy
from bitrate.theory.preferences import preference_information, skill_information


def mean(function, centre, std):
    bend = np.clip(-centre / std, -11, 11)  # where the log-odds are 0, all turns fast when std is large
    parts = [(-12, bend), (bend, 12)]
    return sum(
        quad(lambda z: norm.pdf(z) * function(expit(centre + std * z)), *part, limit=500, epsabs=1e-13)[0]
        for part in parts
    )


@pytest.mark.parametrize("std", [0.1, 0.999, 1.0, 2.0, 10.0, 50.0])
@pytest.mark.parametrize("pass_rate", [0.02, 0.3, 0.5, 0.97])
def test_skill_bits_agree_with_adaptive_quadrature(pass_rate, std):
    centre = brentq(lambda c: mean(lambda p: p, c, std) - pass_rate, -10 - 10 * std, 10 + 10 * std, xtol=1e-13)
    expected = binary_entropy(pass_rate) - mean(binary_entropy, centre, std)
    assert skill_information(pass_rate, std) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("std", "bits"), [(1, 0.135193453833), (2, 0.333462082215)])
def test_the_numbers_of_section_3(std, bits):
    assert preference_information(std) == pytest.approx(bits, abs=1e-10)


def test_the_numbers_of_claim_s3_10():
    assert skill_information([0.5, 0.97]) == pytest.approx([0.135193453833, 0.019724206159], abs=1e-10)


def test_preferences_in_their_limits():
    assert preference_information(0) == 0
    assert preference_information(1e-3) == pytest.approx(1e-6 / 8 / np.log(2), rel=1e-5)
    # E h(sigma(D)) is the area under h(sigma), pi^2 / (3 ln 2), times the density at 0.
    wide = np.array([1e4, 1e6])
    assert 1 - preference_information(wide) == pytest.approx(np.pi**2 / 3 / np.log(2) * norm.pdf(0) / wide, rel=1e-3)


@settings(deadline=None)
@given(st.floats(1e-6, 1 - 1e-6), st.floats(1e-3, 100))
def test_skill_bits_lie_between_zero_and_the_outcome_bits(pass_rate, std):
    bits = skill_information(pass_rate, std)
    assert -1e-12 <= bits <= binary_entropy(pass_rate)
    assert skill_information(1 - pass_rate, std) == pytest.approx(bits, abs=1e-12)
    assert bits <= preference_information(std) + 1e-12  # claim S3.10: an even pass rate is the best


def test_the_two_grids_meet():
    below, above = skill_information(0.2, [np.nextafter(1, 0), 1])
    assert below == pytest.approx(above, abs=1e-13)


def test_a_certain_outcome_says_nothing_about_a_skill():
    assert skill_information([0, 1]).tolist() == [0, 0]


@pytest.mark.parametrize("std", [-1, np.nan, np.inf])
def test_a_spread_that_is_none_is_refused(std):
    with pytest.raises(InputError, match=rf"std = {std:g}; want finite numbers, 0 or more"):
        preference_information(std)


def test_a_pass_rate_that_is_none_is_refused():
    with pytest.raises(InputError, match=r"pass_rate = 2; want probabilities in \[0, 1\]"):
        skill_information(2)
