"""Functionals: their range, and their unbiased scores against the binomial law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from bitrate.errors import InputError
from bitrate.stats import (
    DeadShare,
    LearningValue,
    Log2PassRate,
    OutcomeEntropy,
    PassRate,
    SurprisalTerm,
    UpdateBits,
)

EVERY = [
    PassRate(),
    OutcomeEntropy(),
    SurprisalTerm(),
    LearningValue(),
    DeadShare(5),
    UpdateBits(5),
    Log2PassRate(0.01),
]


@pytest.mark.parametrize("functional", EVERY, ids=lambda f: f.name)
def test_the_stated_range_is_reached_and_not_left(functional):
    values = functional(np.linspace(0, 1, 20001))
    assert values.min() >= functional.low - 1e-12
    assert values.max() <= functional.high + 1e-12
    assert values.max() == pytest.approx(functional.high, abs=1e-6 if functional.name != "update bits at K=5" else 0.1)


@given(
    st.floats(0, 1, allow_subnormal=False).filter(lambda p: p == 0 or p > 1e-200),
    st.integers(1, 12),
    st.integers(1, 12),
)
def test_unbiased_scores_have_mean_f(p, n, k):
    for functional in (PassRate(), LearningValue(), DeadShare(k)):
        scores = functional.unbiased(n)
        if scores is not None:
            mean = binom.pmf(np.arange(n + 1), n, p) @ scores
            assert mean == pytest.approx(float(functional(np.array(p))), abs=1e-9)


@pytest.mark.parametrize(("functional", "n"), [(LearningValue(), 1), (DeadShare(5), 4), (OutcomeEntropy(), 64)])
def test_where_no_unbiased_scores_exist_none_are_made_up(functional, n):
    assert functional.unbiased(n) is None


def test_equal_functionals_are_one_key():
    assert hash(DeadShare(8)) == hash(DeadShare(8))
    assert DeadShare(8) != UpdateBits(8)


@pytest.mark.parametrize(
    ("make", "value"), [(DeadShare, 0), (UpdateBits, 2.5), (Log2PassRate, 0.0), (Log2PassRate, 1.0)]
)
def test_a_parameter_without_meaning_is_refused(make, value):
    with pytest.raises(InputError, match=rf"= {value}; want"):
        make(value)
