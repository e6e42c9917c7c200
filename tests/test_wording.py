"""How shares and counts are written: one rule, that never contradicts itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitrate.wording import number_of, percent

BOUNDS = {"<0.1%": 0.05, ">99.9%": 99.95}


def read(shown: str) -> float:
    """A share in percent as a reader takes it."""
    return BOUNDS.get(shown, 0.0) or float(shown.removesuffix("%"))


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_and_the_rest_add_up_to_all(counts: tuple[int, int]) -> None:
    right, size = counts
    assert read(percent(right / size)) + read(percent(1 - right / size)) == pytest.approx(100, abs=1e-9)


@given(st.floats(0, 1), st.floats(0, 1))
def test_what_is_more_is_never_shown_as_less(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert read(percent(low)) <= read(percent(high))


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0, "0.0%"), (1.0, "100.0%"), (1e-5, "<0.1%"), (1 - 1e-5, ">99.9%"), (0.999, "99.9%"), (1e-13, "0.0%")],
)
def test_none_and_all_are_said_only_of_none_and_all(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_one_is_singular() -> None:
    assert [number_of(n, "group") for n in (0, 1, 2, 1000)] == ["0 groups", "1 group", "2 groups", "1,000 groups"]
