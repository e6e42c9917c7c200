"""A screen that cuts nothing, is honest about what is missing, and deaf to what a log says to it."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from bitrate.report.sentences import cost_words, headline, prompt_words
from bitrate.report.terminal import print_audit, print_compare, print_formats
from bitrate.report.words import clean, estimate, interval_words, number, value_words
from bitrate.types import Estimate
from bitrate.wording import percent

SAMPLES = ("audit", "sparse", "hostile")


def screen(show: Any, what: Any, width: int = 100, colours: bool = False) -> str:
    """What is printed at a width."""
    file = io.StringIO()
    show(what, Console(file=file, width=width, force_terminal=colours, color_system="truecolor" if colours else None))
    return file.getvalue()


def told(text: str) -> str:
    """The words of a screen in reading order, whatever lines they stand in."""
    return " ".join(text.replace("\n", " ").split())


def words_of(audit: dict[str, Any]) -> list[str]:
    """Every sentence that a screen owes its reader."""
    caveats = audit["caveats"][: audit.get("caveats_on_figures") or 4]
    reasons = [f"no figure: {clean(e['reason'])}" for e in audit["ledger"].values() if e["value"] is None]
    quarantine = [f"{item['count']} row" for item in audit["quarantine"][:6]]
    sentences = [a["text"] for a in audit["advice"]] + caveats + [q["reason"] for q in audit["quarantine"][:6]]
    return [headline(audit), *reasons, *map(clean, sentences), *quarantine, *cost_words(audit), *prompt_words(audit)]


@pytest.mark.parametrize("width", [1, 12, 20, 40, 59, 60, 80, 100, 160])
@pytest.mark.parametrize("name", SAMPLES)
def test_no_word_is_cut_at_any_width(name: str, width: int, request: pytest.FixtureRequest) -> None:
    audit = request.getfixturevalue(name)
    text = screen(print_audit, audit, width)
    assert "…" not in text.partition("split:")[2]  # of the names above, one of more than 400 letters is cut
    letters = "".join(text.split()).replace("-", "")
    for sentence in words_of(audit):
        assert "".join(sentence.split()).replace("-", "") in letters, sentence


@pytest.mark.parametrize("width", [12, 20, 40, 60, 80, 100, 160])
@pytest.mark.parametrize("name", SAMPLES)
def test_no_line_is_wider_than_the_screen_or_a_reader_likes(
    name: str, width: int, request: pytest.FixtureRequest
) -> None:
    lines = screen(print_audit, request.getfixturevalue(name), width).splitlines()
    assert max(map(cell_len, lines)) <= min(width, 100)


def test_caveats_on_the_figures_are_all_shown_and_the_others_are_counted(audit: dict[str, Any]) -> None:
    audit["caveats"] = [f"caveat number {i} of ten." for i in range(10)]
    for changing, shown in ((0, 4), (3, 4), (7, 7), (9, 10), (10, 10)):
        text = told(screen(print_audit, audit | {"caveats_on_figures": changing}))
        assert [i for i in range(10) if f"caveat number {i} of ten." in text] == list(range(shown))
        assert (f"and {10 - shown} more caveats in the report" in text) == (shown < 10)


def test_what_was_set_aside_is_counted_reason_by_reason(audit: dict[str, Any]) -> None:
    audit["quarantine"] = [
        {"reason": "reward is null or not a number", "count": 1, "unit": "rows", "where": []},
        {"reason": "file holds no rows", "count": 12_345, "unit": "files", "where": []},
    ]
    text = screen(print_audit, audit)
    assert "Quarantine  - 1 row and 12,345 files set aside\n" in text
    assert "            - 1 row: reward is null or not a number\n" in text
    assert "            - 12,345 files: file holds no rows\n" in text


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("size", [1e4, 1e8, 123_456_789, 9.99e11, 1e15])
def test_large_numbers_keep_their_columns_apart(audit: dict[str, Any], size: float, width: int) -> None:
    for key in audit["spent"]:
        for part in ("rollouts", "tokens"):
            audit["spent"][key][part] = Estimate.exact(part, size, part).to_dict()
    text = told(screen(print_audit, audit, width))
    shown = re.escape(number(size, "tokens"))
    for key, name in (("mixed", "mixed"), ("all_right", "all right"), ("all_wrong", "all wrong")):
        share = estimate(audit, "groups", key)
        low, high = interval_words(share).split(" to ")
        beside = re.search(
            rf"{name} [█▏▎▍▌▋▊▉ ]*{value_words(share)} \(?{low} to {high}\)?,? {shown}( rollouts,)? {shown}", text
        )
        assert beside, text


def test_the_runs_own_group_size_has_the_share_of_the_groups(audit: dict[str, Any]) -> None:
    """One quantity has the same digits wherever it stands."""
    constant = audit["groups"]["constant"]
    own = next(row for row in audit["k_advice"] if row["k"] == 8)
    own["dead_groups"] |= {key: constant[key] for key in ("value", "low", "high")}
    lines = screen(print_audit, audit).splitlines()
    sizes = (
        next(x for x in lines if x.startswith("Group size K (here 8)")).removeprefix("Group size K (here 8)").split()
    )
    shares = next(x for x in lines if x.startswith("  mixed groups")).removeprefix("  mixed groups").split()
    assert dict(zip(sizes, shares, strict=True))["8"] == percent(audit["groups"]["mixed"]["value"])
    mixed = next(x for x in lines if x.startswith("  mixed  "))
    assert percent(audit["groups"]["mixed"]["value"]) in mixed


def test_group_sizes_that_vary_are_a_mean(audit: dict[str, Any]) -> None:
    audit["own_k"] |= {"value": 8.0, "low": 8.0, "high": 8.0, "method": "mean of 2 to 14"}
    assert "Group size K (here 8 on average)" in screen(print_audit, audit)


def test_a_graded_reward_shows_constant_groups_by_level_and_none_as_wrong(audit: dict[str, Any]) -> None:
    constant = audit["groups"]["constant"]
    for key in ("all_right", "all_wrong"):
        gone = Estimate.missing(key, "share of groups", "a graded reward calls no rollout right or wrong").to_dict()
        audit["groups"][key] = gone
        audit["spent"][key] = dict.fromkeys(("rollouts", "tokens", "flops"), gone)
    share = constant | {"value": constant["value"] / 2, "low": 0.0}
    audit["constant_at"] = [{"level": 0.5, "groups": 300, "share": share}]
    text = told(screen(print_audit, audit))
    assert f"constant at 0.5 in 300 groups ({percent(share['value'])}), at other levels in " in text
    assert "in constant groups, with one reward throughout," in text
    assert "all wrong" not in text.replace(audit["advice"][0]["text"], "")
    assert "all right" not in text.replace(audit["advice"][0]["text"], "")


def test_a_table_that_names_no_split_is_not_called_training(audit: dict[str, Any]) -> None:
    assert "trl, train split: 19,200 rollouts" in screen(print_audit, audit)
    assert "trl, split not named: 19,200 rollouts" in screen(print_audit, audit | {"split_known": False})


def test_the_ledger_shows_each_value_with_its_interval(audit: dict[str, Any]) -> None:
    line = next(x for x in screen(print_audit, audit).splitlines() if "Outcome" in x)
    figure = audit["ledger"]["outcome_bits"]
    assert f"{figure['value']:.3f}  {figure['low']:.3f} to {figure['high']:.3f}" in line


def test_bars_are_as_long_as_their_values(audit: dict[str, Any]) -> None:
    lines = screen(print_audit, audit).splitlines()
    blocks = {name: next(x for x in lines if name in x).count("█") for name in ("Capacity", "Outcome", "Generalised")}
    assert blocks["Outcome"] == int(blocks["Capacity"] * audit["ledger"]["outcome_bits"]["value"])
    assert 0 < blocks["Generalised"] < blocks["Outcome"]


def test_a_missing_figure_says_its_own_reason_where_it_stands(sparse: dict[str, Any]) -> None:
    text = screen(print_audit, sparse)
    for name in ("Outcome", "Absorbed", "Pass rate", "Groups", "Group size", "Prompts"):
        line = next(x for x in text.splitlines() if x.strip().startswith(name))
        assert "no figure: every group holds one rollout" in line
        assert not any(c.isdigit() for c in line)
    assert "same reason" not in text


def test_text_from_a_log_is_shown_as_it_is_and_steers_nothing(hostile: dict[str, Any]) -> None:
    hostile["caveats"] = ["[red]markup[/red] \x1b]0;title\x07\x1b[31mred\x9b2J \u202eleft", "[/]"]
    plain = screen(print_audit, hostile, colours=False)
    assert "[red]markup[/red] \\x1b]0;title\\x07\\x1b[31mred\\x9b2J \\u202eleft" in plain
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u2028"} & set(plain)
    coloured = screen(print_audit, hostile, colours=True)
    assert "\x1b]" not in coloured
    assert "\x9b" not in coloured


def test_a_comparison_says_what_differs_and_what_cannot_be_said(comparison: dict[str, Any]) -> None:
    lines = screen(print_compare, comparison).splitlines()
    assert "first [red]run[/red]\\x1b[31m" in lines[0]
    gap = comparison["differences"]["mixed"]
    mixed = next(x for x in lines if x.startswith("mixed groups"))
    assert f"{100 * gap['low']:+.1f} to {100 * gap['high']:+.1f} points".replace("-", "−") in mixed
    assert ("not told apart" in mixed) == (gap["low"] <= 0 <= gap["high"])
    assert any("bits per dollar: no difference, the price is not in the log" in x for x in lines)


@pytest.mark.parametrize("width", [1, 12, 40, 60, 80, 100, 160])
def test_a_comparison_is_cut_at_no_width(comparison: dict[str, Any], width: int) -> None:
    comparison["noise"] = {"mixed": Estimate.exact("noise", 0.021, "share of groups").to_dict()}
    text = screen(print_compare, comparison, width)
    letters = "".join(text.split())
    assert "…" not in text
    for told in ("outcomebitsperrollout", "mixedgroups±2.1points", "mixedgroups", *comparison["caveats"]):
        assert "".join(told.split()) in letters
    gap = comparison["differences"]["outcome_bits"]
    assert f"{gap['low']:+.3f}to{gap['high']:+.3f}".replace("-", "−") in letters
    assert width < 12 or max(map(cell_len, text.splitlines())) <= width


def test_formats_are_listed_with_what_they_cannot_tell() -> None:
    entry = {
        "name": "trl",
        "trainer": "TRL [1.16]",
        "files": "*.parquet",
        "prompt_id": "hash",
        "group_id": "positional",
    }
    text = screen(print_formats, [{**entry, "caveats": ["an eval overwrites [the] train file"]}])
    for width in (1, 12, 60):
        narrow = screen(print_formats, [{**entry, "caveats": ["an eval overwrites [the] train file"]}], width)
        assert "".join(text.split()) == "".join(narrow.split())
    for part in ("trl  TRL [1.16]", "prompt id: hash; group id: positional", "an eval overwrites [the] train file"):
        assert part in text
