"""The algebra of estimates: figures move with their intervals, and a reason is never lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitrate.types import Estimate

NUMBERS = st.floats(-100, 100, allow_nan=False)
FIGURES = st.lists(NUMBERS, min_size=3, max_size=3).map(
    lambda x: Estimate("x", *(sorted(x)[i] for i in (1, 0, 2)), "bits", 0.9, 7, "m")
)
MISSING = Estimate.missing("x", "bits", "one step", 7)


@given(FIGURES)
def test_a_falling_function_turns_the_interval_around(figure: Estimate) -> None:
    low, value, high = figure.known or ()
    assert figure.map(lambda x: 3 - 2 * x, "y", "tokens", "turned").known == (3 - 2 * high, 3 - 2 * value, 3 - 2 * low)


def test_a_function_that_is_not_monotone_here_is_refused() -> None:
    with pytest.raises(ValueError, match="outside its interval"):
        Estimate("x", 0.5, 0.0, 1.0, "bits", 0.9, 7, "m").map(lambda x: x * (1 - x), "y", "bits")


def test_a_reason_survives_every_step() -> None:
    known = Estimate.exact("most", 2, "bits")
    for found in (MISSING.map(abs, "y", "u", "m"), MISSING.scaled(2, "y", "u"), MISSING.renamed("y", "u", "m")):
        assert (found.name, found.unit, found.reason, found.n, found.method) == ("y", "u", "one step", 7, "none")
    assert MISSING.capped(known, "why") is MISSING
    assert known.capped(MISSING, "why").reason == "one step"


@given(FIGURES, FIGURES)
def test_what_is_capped_lies_below_its_bound_and_says_so(figure: Estimate, bound: Estimate) -> None:
    found = figure.capped(bound, "why")
    assert found.value is not None and found.value == min(figure.value or 0.0, bound.value or 0.0)
    assert found.known is not None and found.known[2] <= max(bound.high or 0.0, found.value)
    assert ("moved" in found.method) == ((figure.value or 0.0) > (bound.value or 0.0))


def test_a_bias_follows_the_figure_and_stays_out_of_json() -> None:
    figure = Estimate("x", 2.0, 1.0, 2.5, "bits", 0.9, 7, "m", bias=0.25)
    assert figure.renamed("y").bias == 0.25
    assert figure.scaled(4, "y", "bits").bias == 1.0
    assert figure.map(lambda x: 1 / x, "y", "u").bias == 1 / 1.75 - 1 / 2
    assert "bias" not in figure.to_dict()
    assert Estimate.from_dict(figure.to_dict()) == figure
