"""A screen that cuts nothing, is honest about what is missing, and deaf to what a log says to it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
import runs
from rich.cells import cell_len
from rich.console import Console

from bitrate import Audit
from bitrate.logs.schema import SetAside
from bitrate.meter.lines import all_lines
from bitrate.report.sentences import blocks, cost_words, headline, prompt_words
from bitrate.report.terminal import print_audit, print_compare, print_formats
from bitrate.report.words import clean, interval_words, number, value_words
from bitrate.types import Estimate
from bitrate.wording import percent

SAMPLES = ("audit", "sparse", "graded", "hostile")


def screen(show: Any, what: Any, width: int = 100, colours: bool = False) -> str:
    """What is printed at a width."""
    file = io.StringIO()
    show(what, Console(file=file, width=width, force_terminal=colours, color_system="truecolor" if colours else None))
    return file.getvalue()


def told(text: str) -> str:
    """The words of a screen in reading order, whatever lines they stand in."""
    return " ".join(text.replace("\n", " ").split())


def words_of(audit: Audit) -> list[str]:
    """Every sentence that a screen owes its reader."""
    caveats = [*audit.caveats[: max(audit.caveats_on_figures, 4)]]
    reasons = [f"no figure: {clean(e.reason)}" for lines in blocks(audit).values() for _, e in lines if e.value is None]
    quarantine = [f"{item.count} row" for item in audit.quarantine[:6]]
    sentences = [a.text for a in audit.advice] + caveats + [q.reason for q in audit.quarantine[:6]]
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


def test_caveats_on_the_figures_are_all_shown_and_the_others_are_counted(audit: Audit) -> None:
    ten = tuple(f"caveat number {i} of ten." for i in range(10))
    for changing, shown in ((0, 4), (3, 4), (7, 7), (9, 10), (10, 10)):
        text = told(screen(print_audit, replace(audit, caveats=ten, caveats_on_figures=changing)))
        assert [i for i in range(10) if f"caveat number {i} of ten." in text] == list(range(shown))
        assert (f"and {10 - shown} more caveats in the report" in text) == (shown < 10)


def test_what_was_set_aside_is_counted_reason_by_reason(audit: Audit) -> None:
    aside = SetAside("reward is null or not a number", 1), SetAside("file holds no rows", 12_345, "files")
    text = screen(print_audit, replace(audit, quarantine=aside))
    assert "Quarantine  - 1 row and 12,345 files set aside\n" in text
    assert "            - 1 row: reward is null or not a number\n" in text
    assert "            - 12,345 files: file holds no rows\n" in text


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("size", [1e4, 1e8, 123_456_789, 9.99e11, 1e15])
def test_large_numbers_keep_their_columns_apart(audit: Audit, size: float, width: int) -> None:
    large = {part: Estimate.exact(part, size, part) for part in ("rollouts", "tokens")}
    text = told(screen(print_audit, runs.taken(audit, **dict.fromkeys(audit.spent, large)), width))
    shown = re.escape(number(size, "tokens"))
    for key, name in (("mixed", "mixed"), ("all_right", "all right"), ("all_wrong", "all wrong")):
        share = audit.groups[key]
        low, high = interval_words(share).split(" to ")
        beside = re.search(
            rf"{name} [█▏▎▍▌▋▊▉ ]*{value_words(share)} \(?{low} to {high}\)?,? {shown}( rollouts,)? {shown}", text
        )
        assert beside, text


def test_the_runs_own_group_size_has_the_share_of_the_groups(audit: Audit) -> None:
    """One quantity has the same digits wherever it stands."""
    lines = screen(print_audit, audit).splitlines()
    sizes = (
        next(x for x in lines if x.startswith("Group size K (here 8)")).removeprefix("Group size K (here 8)").split()
    )
    shares = next(x for x in lines if x.startswith("  mixed groups")).removeprefix("  mixed groups").split()
    assert dict(zip(sizes, shares, strict=True))["8"] == percent(audit.groups["mixed"].value)
    mixed = next(x for x in lines if x.startswith("  mixed  "))
    assert percent(audit.groups["mixed"].value) in mixed


def test_group_sizes_that_vary_are_a_mean(audit: Audit) -> None:
    mean = Estimate.exact("rollouts per group", 8, "rollouts/group", method="mean of 2 to 14")
    assert "Group size K (here 8 on average)" in screen(print_audit, replace(audit, own_k=mean))


def test_a_graded_reward_shows_constant_groups_by_level_and_none_as_wrong(graded: Audit) -> None:
    most = graded.constant_at[0]
    share = most.share.value
    assert share is not None
    text = told(screen(print_audit, replace(graded, constant_at=(most,))))
    assert f"constant at {most.level:g} in {most.groups} groups ({percent(share)}), at other levels in " in text
    assert "in constant groups, with one reward throughout," in text
    assert "all wrong" not in text
    assert "all right" not in text


def test_a_table_that_names_no_split_is_not_called_training(audit: Audit) -> None:
    assert "table, split not named: 9,600 rollouts" in screen(print_audit, audit)
    assert "table, train split: 9,600 rollouts" in screen(print_audit, replace(audit, split_known=True))


def test_the_ledger_shows_each_value_with_its_interval(audit: Audit) -> None:
    line = next(x for x in screen(print_audit, audit).splitlines() if "Outcome" in x)
    figure = audit["outcome_bits"]
    assert f"{figure.value:.3f}  {figure.low:.3f} to {figure.high:.3f}" in line


def test_every_line_of_the_ledger_is_on_the_screen_by_its_name(audit: Audit) -> None:
    first = [x.split("  ")[1] for x in screen(print_audit, audit).splitlines() if x.startswith("  ")]
    names = [line.name for line in all_lines().values() if not line.special]
    assert [name for name in first if name in names] == names


def test_a_line_that_few_logs_can_fill_is_shown_where_it_has_a_figure(audit: Audit) -> None:
    special = next(key for key, line in all_lines().items() if line.special)
    name = all_lines()[special].name
    assert name not in screen(print_audit, audit)
    held = replace(audit["key_bits"], value=1.5, low=1.25, high=1.75)
    for width in (60, 100):
        text = screen(print_audit, runs.changed(audit, "ledger", **{special: held}), width)
        line = next(x for x in text.splitlines() if x.startswith(f"  {name}  "))
        assert "1.50" in line
        reasons = [x for x in text.splitlines() if "no figure: final answers" in x]
        widest = max(len(line.name) for key, line in all_lines().items() if key == special or not line.special)
        assert [x.index("no figure") for x in reasons] == [widest + 4], "reasons stand in the column of the bars"


def test_printing_an_audit_is_the_report_without_colours(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    assert f"{audit}\n" == screen(print_audit, audit, 90)
    assert repr(audit) == "Audit('add_two_digits', 9,600 rollouts in 1,200 groups)"


def test_bars_are_as_long_as_their_values(audit: Audit) -> None:
    lines = screen(print_audit, audit).splitlines()
    blocks = {name: next(x for x in lines if name in x).count("█") for name in ("Capacity", "Outcome", "Generalised")}
    assert blocks["Outcome"] == int(blocks["Capacity"] * audit["outcome_bits"].value)
    assert 0 < blocks["Generalised"] < blocks["Outcome"]


def test_a_missing_figure_says_its_own_reason_where_it_stands(sparse: Audit) -> None:
    text = screen(print_audit, sparse)
    one = "every group holds one rollout"
    said = {"Outcome": one, "Absorbed": "no prompt has both", "Pass rate": one, "Groups": one, "Group size": one}
    for name, why in {**said, "Prompts": "one rollout a visit"}.items():
        line = next(x for x in text.splitlines() if x.strip().startswith(name))
        assert f"no figure: {why}" in line
        assert not any(c.isdigit() for c in line)


def test_text_from_a_log_is_shown_as_it_is_and_steers_nothing(hostile: Audit) -> None:
    hostile = replace(hostile, caveats=("[red]markup[/red] \x1b]0;title\x07\x1b[31mred\x9b2J \u202eleft", "[/]"))
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
    assert any("answer bound per rollout: no difference, final answers are not in these files" in x for x in lines)


def test_a_comparison_says_something_of_every_line(comparison: dict[str, Any]) -> None:
    text = screen(print_compare, comparison)
    for key, line in all_lines().items():
        assert (comparison["a_figures"][key]["name"] in text) != line.special
        assert line.title == comparison["a_figures"][key]["name"] or key == "update_bits"


@pytest.mark.parametrize("width", [1, 12, 40, 60, 80, 100, 160])
def test_a_comparison_is_cut_at_no_width(comparison: dict[str, Any], width: int) -> None:
    noise = {**comparison["noise"], "mixed": Estimate.exact("noise", 0.021, "share of groups").to_dict()}
    text = screen(print_compare, {**comparison, "noise": noise}, width)
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
