"""Differences against their closed forms."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bitrate.errors import InputError
from bitrate.stats import difference, mean_difference
from bitrate.stats.clusters import biased_quantile
from bitrate.types import Estimate


def figure(value, below, above, unit="bits", level=0.95):
    return Estimate("x", value, value - below, value + above, unit, level, 9, "")


def test_paired_prompts_give_students_interval():
    a, change = np.array([0.1, 0.9, 0.4, 0.2, 0.7]), np.array([-0.2, -0.1, 0.0, 0.1, 0.2])
    made = mean_difference(a, a + change, name="gain", unit="share", spread=1e-9)
    low, high = stats.t.interval(0.95, 4, loc=0, scale=stats.sem(change))
    assert (made.value, made.low, made.high) == pytest.approx((0, low, high), abs=1e-9)


def test_two_equal_measurements_do_not_prove_that_nothing_changed():
    made = mean_difference([0.0, 0.5, 1.0] * 5, [0.0, 0.5, 1.0] * 5, name="gain", unit="share")
    assert made.value == 0
    assert made.low < 0 < made.high


@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(0.01, 5), st.floats(0.01, 5))
def test_symmetric_figures_add_in_quadrature_and_swap_sign(a, b, wide, wider):
    one, two = figure(a, wide, wide), figure(b, wider, wider)
    there, back = difference(one, two, name="gain"), difference(two, one, name="loss")
    half = math.hypot(wide, wider)
    assert (there.low, there.high) == pytest.approx((b - a - half, b - a + half))
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


@pytest.mark.parametrize("one", [0.0, 0.2, 1.0, 5.0])
@pytest.mark.parametrize("other", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("wide", [0.1, 1.0, 3.0])
def test_biases_that_add_up_are_covered(one, other, wide):
    """Normal figures of standard error 1 and ``wide``, off by their greatest bias in the directions that add up."""
    halves = [biased_quantile(one, 1e9, 0.95), wide * biased_quantile(other / wide, 1e9, 0.95)]
    a, b = (replace(figure(0, h, h), bias=bias) for h, bias in zip(halves, (one, other), strict=True))
    made = difference(a, b, name="gain")
    error, bias = math.hypot(1, wide), one + other
    covered = stats.norm.cdf((made.high - bias) / error) - stats.norm.cdf((made.low - bias) / error)
    assert 0.945 <= covered <= 0.985
    assert made.bias == bias
    if one > 1:
        assert made.high > math.hypot(*halves)


def test_an_exact_figure_only_shifts():
    made = difference(Estimate.exact("x", 1, "bits"), figure(3, 0.5, 0.25), name="gain")
    assert (made.low, made.high, made.level) == (1.5, 2.25, 0.95)


def test_a_missing_figure_keeps_its_reason():
    made = difference(Estimate.missing("x", "bits", "no answers"), figure(3, 1, 1), name="gain")
    assert (made.value, made.reason) == (None, "no answers")


@pytest.mark.parametrize(
    ("a", "b", "start"), [([1.0], [2.0], "1 prompt with"), ([1.0, 1.0], [1.0, 1.0], "no two values")]
)
def test_too_little_data_gives_a_reason(a, b, start):
    assert mean_difference(a, b, name="gain", unit="share").reason.startswith(start)


def test_impossible_input_is_refused():
    with pytest.raises(InputError, match="shape"):
        mean_difference([1.0], [1.0, 2.0], name="gain", unit="share")
    with pytest.raises(InputError, match="b = nan"):
        mean_difference([1.0, 2.0], [1.0, np.nan], name="gain", unit="share")
    with pytest.raises(InputError, match="units"):
        difference(figure(1, 1, 1), figure(1, 1, 1, unit="nats"), name="gain")
    with pytest.raises(InputError, match="levels"):
        difference(figure(1, 1, 1), figure(1, 1, 1, level=0.9), name="gain")
