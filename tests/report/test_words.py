"""Numbers, reasons and log text as words."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
import runs
from hypothesis import given
from hypothesis import strategies as st

from bitrate import Audit
from bitrate.logs.schema import SetAside
from bitrate.report import sentences, words
from bitrate.types import Estimate


@given(st.text())
def test_cleaned_text_is_one_line_without_control_or_direction_characters(text: str) -> None:
    cleaned = words.clean(text)
    assert not {unicodedata.category(c) for c in cleaned} & {"Cc", "Cs", "Zl", "Zp"}
    assert not words.BIDI & set(cleaned)
    cleaned.encode("utf-8")


@given(st.floats(1e-9, 1e18))
def test_a_number_is_read_back_to_within_what_it_shows(value: float) -> None:
    shown = words.number(value).replace(",", "")
    for word, size in ((" million", 1e6), (" billion", 1e9)):
        if shown.endswith(word):
            assert float(shown.removesuffix(word)) * size == pytest.approx(value, rel=0.006)
            return
    assert float(shown) == pytest.approx(value, rel=0.051)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1.0, "bits/rollout", "1"),
        (0.4, "bits/rollout", "0.400"),
        (-0.0571, "bits/rollout", "−0.057"),
        (0.999, "share of groups", "99.9%"),
        (0.0, "share", "0.0%"),
        (12_800, "rollouts", "12,800"),
        (999_999, "tokens", "999,999"),
        (3.2e18, "FLOPs", "3.2e+18"),
        (1e-5, "bits/PFLOP", "1e-05"),
    ],
)
def test_numbers_as_people_read_them(value: float, unit: str, shown: str) -> None:
    assert words.number(value, unit) == shown


def test_the_headline_takes_the_tighter_bound_and_the_share_of_rollouts(audit: Audit) -> None:
    tighter = Estimate("b", 0.25, 0.2, 0.3, "bits/rollout", 0.95, 9, "m")
    counted = {
        key: {"rollouts": Estimate.exact("rollouts", n, "rollouts")} for key, n in (("mixed", 51), ("constant", 49))
    }
    told = runs.changed(audit, "ledger", received_bits=tighter)
    assert sentences.headline(runs.taken(told, **counted)) == (
        "A rollout of this run carried at most 0.250 bits (0.200 to 0.300). "
        "49.0% of the 100 rollouts in groups of two or more were in constant groups, all right or all wrong, "
        "where there is nothing to compare."
    )


def test_a_share_that_is_not_all_is_never_rounded_to_all(audit: Audit) -> None:
    counted = {
        key: {"rollouts": Estimate.exact("rollouts", n, "rollouts")} for key, n in (("mixed", 1), ("constant", 19_199))
    }
    assert ">99.9% of " in sentences.headline(runs.taken(audit, **counted))


def test_the_headline_of_missing_figures_gives_the_reason(sparse: Audit) -> None:
    unknown = runs.without(sparse["received_bits"], "the reward is continuous: no two are alike")
    said = "How many bits a rollout of this run carried is not known. The reward is continuous: "
    assert sentences.headline(runs.changed(sparse, "ledger", received_bits=unknown)).startswith(said)


def test_a_difference_is_told_apart_only_when_clear_of_zero() -> None:
    for low, high, said in ((0.1, 0.3, "higher"), (-0.3, -0.1, "lower"), (-0.1, 0.3, "not told apart")):
        figure = Estimate("d", (low + high) / 2, low, high, "share", 0.95, 9, "m")
        assert words.told_apart(figure) == said


def test_what_was_set_aside_is_counted_by_unit(audit: Audit) -> None:
    items = (SetAside("a", 2), SetAside("b", 1), SetAside("c", 1, "files"))
    assert sentences.quarantined(replace(audit, quarantine=items)) == "3 rows and 1 file set aside"
    assert sentences.quarantined(replace(audit, quarantine=())) == "Nothing was set aside"


def test_every_share_says_what_it_is_a_share_of(audit: Audit) -> None:
    name = "prompts that never learn, of those visited 4 times or more at a middling pass rate"
    flat = Estimate(name, 0.857, 0.6, 1.0, "share of prompts", 0.95, 21, "m")
    mastered, _, shown = sentences.prompt_words(runs.changed(audit, "prompts", never_learn=flat))
    assert mastered.startswith("mastered by their last visit, p >= 0.95: ")
    assert " of 120 (" in mastered
    assert shown == (
        "that never learn, of those visited 4 times or more at a middling pass rate: 85.7% of 21 (60.0% to 100.0%)"
    )


def test_a_change_is_said_by_its_interval_and_not_by_a_third_rounding(audit: Audit) -> None:
    rates = {
        f"pass_rate_{k}": runs.exactly(audit.change[f"pass_rate_{k}"], v)
        for k, v in (("first", 0.3366), ("last", 0.7453))
    }
    change = replace(audit.change["pass_rate_change"], value=0.4087, low=0.3041, high=0.5122)
    assert sentences.change_words(runs.changed(audit, "change", **rates, pass_rate_change=change)) == (
        "33.7% to 74.5% from the first third of the steps to the last, a change of +30.4 to +51.2 points"
    )


@given(st.floats(-2, 2), st.floats(0, 1), st.floats(0, 1), st.sampled_from(["share", "bits/rollout", "tokens"]))
def test_no_interval_is_rounded_off_its_value(value: float, below: float, above: float, unit: str) -> None:
    if unit == "share":
        value = abs(value) / 2
    low, high = (max(value - below, 0), min(value + above, 1)) if unit == "share" else (value - below, value + above)
    shown = [words.number(x, unit) for x in (low, value, high)]
    read = [float(x.strip("<>%").replace("−", "-").replace(",", "")) for x in shown]
    assert read == sorted(read)
