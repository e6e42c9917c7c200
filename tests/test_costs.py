"""FLOPs and dollars against figures worked out by hand."""

from __future__ import annotations

import pytest

from bitrate.costs import Cost, dollars, flops


def test_a_token_trained_on_takes_three_times_a_token_generated() -> None:
    assert flops(1.5e9, forward=1000) == 3e12
    assert flops(1.5e9, trained=1000) == 9e12
    assert flops(1.5e9, forward=1000, trained=1000) == 12e12


def test_an_hour_at_full_speed_costs_an_hour() -> None:
    assert dollars(4e14 * 3600, flops_per_second=4e14, price_per_hour=2.5) == pytest.approx(2.5)


def test_costs_add_field_by_field() -> None:
    assert Cost(1, 2, 3.0, 4.0) + Cost(10, 20, 30.0, 40.0) == Cost(11, 22, 33.0, 44.0)
