"""Numbers, reasons and log text as words."""

from __future__ import annotations

import copy
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitrate.errors import InputError
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


def test_the_headline_takes_the_tighter_bound_and_the_share_of_rollouts(audit: dict[str, Any]) -> None:
    audit["ledger"]["answer_bound_bits"] = Estimate("b", 0.25, 0.2, 0.3, "bits/rollout", 0.95, 9, "m").to_dict()
    for key, n in (("mixed", 51), ("constant", 49)):
        audit["spent"][key]["rollouts"] = Estimate.exact("rollouts", n, "rollouts").to_dict()
    assert sentences.headline(audit) == (
        "A rollout of this run carried at most 0.250 bits. "
        "49.0% of the 100 rollouts in groups of two or more were in constant groups, all right or all wrong, "
        "where there is nothing to compare."
    )


def test_a_share_that_is_not_all_is_never_rounded_to_all(audit: dict[str, Any]) -> None:
    for key, n in (("mixed", 1), ("constant", 19_199)):
        audit["spent"][key]["rollouts"] = Estimate.exact("rollouts", n, "rollouts").to_dict()
    assert ">99.9% of rollouts" in sentences.headline(audit)


def test_the_headline_of_missing_figures_gives_the_reason(sparse: dict[str, Any]) -> None:
    assert "every group holds one rollout" in sentences.headline(sparse)


@pytest.mark.parametrize("wrong", [None, [], {"run": "x"}, "audit"])
def test_something_else_than_an_audit_is_refused(wrong: object) -> None:
    with pytest.raises(InputError, match=r"want the dict of Audit\.to_dict"):
        words.checked(wrong)


def test_a_section_that_is_not_there_is_a_missing_figure(audit: dict[str, Any]) -> None:
    bare = copy.deepcopy(audit)
    del bare["cost"]
    assert words.estimate(bare, "cost", "bits_per_pflop").reason == "not part of this audit"


def test_a_difference_is_told_apart_only_when_clear_of_zero() -> None:
    for low, high, said in ((0.1, 0.3, "higher"), (-0.3, -0.1, "lower"), (-0.1, 0.3, "not told apart")):
        figure = Estimate("d", (low + high) / 2, low, high, "share", 0.95, 9, "m")
        assert words.told_apart(figure) == said


def test_what_was_set_aside_is_counted_by_unit() -> None:
    items = [{"count": 2, "unit": "rows"}, {"count": 1, "unit": "rows"}, {"count": 1, "unit": "files"}]
    assert sentences.quarantined({"quarantine": items}) == "3 rows and 1 file set aside"
    assert sentences.quarantined({"quarantine": []}) == "Nothing was set aside"


def test_every_share_says_what_it_is_a_share_of(audit: dict[str, Any]) -> None:
    name = "prompts that never learn, of those visited 4 times or more at a middling pass rate"
    audit["prompts"]["never_learn"] = Estimate(name, 0.857, 0.6, 1.0, "share of prompts", 0.95, 21, "m").to_dict()
    mastered, _, flat = sentences.prompt_words(audit)
    assert mastered.startswith("mastered by their last visit, p >= 0.95: ")
    assert " of 240 (" in mastered
    assert flat == (
        "that never learn, of those visited 4 times or more at a middling pass rate: 85.7% of 21 (60.0% to 100.0%)"
    )


def test_a_change_is_said_by_its_interval_and_not_by_a_third_rounding(audit: dict[str, Any]) -> None:
    for key, value in (("first", 0.3366), ("last", 0.7453)):
        audit["change"][f"pass_rate_{key}"] |= {"value": value, "low": value, "high": value}
    audit["change"]["pass_rate_change"] |= {"value": 0.4087, "low": 0.3041, "high": 0.5122}
    assert sentences.change_words(audit) == (
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
