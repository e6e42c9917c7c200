"""One screen, honest about what is missing, deaf to what a log says to it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from bitrate.report.terminal import print_audit, print_compare, print_formats

SAMPLES = ("audit", "sparse", "hostile")


def screen(show: Any, what: Any, width: int = 100, colours: bool = False) -> str:
    """What is printed at a width."""
    file = io.StringIO()
    show(what, Console(file=file, width=width, force_terminal=colours, color_system="truecolor" if colours else None))
    return file.getvalue()


@pytest.mark.parametrize("name", SAMPLES)
def test_an_audit_fits_one_screen_of_100_by_40(name: str, request: pytest.FixtureRequest) -> None:
    lines = screen(print_audit, request.getfixturevalue(name)).splitlines()
    assert 20 < len(lines) <= 40
    assert max(map(cell_len, lines)) <= 100


def test_a_screen_too_long_gives_up_second_lines_of_sentences(hostile: dict[str, Any]) -> None:
    hostile["caveats"] = ["a long caveat " * 30] * 5
    for figure in hostile["ledger"].values():
        figure |= {"value": None, "low": None, "high": None, "reason": figure["name"] + " cannot be said" * 12}
    assert len(screen(print_audit, hostile).splitlines()) <= 40


@pytest.mark.parametrize("width", [80, 60])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_narrow_screen_is_never_overrun(name: str, width: int, request: pytest.FixtureRequest) -> None:
    lines = screen(print_audit, request.getfixturevalue(name), width).splitlines()
    assert max(map(cell_len, lines)) <= width


def test_the_ledger_shows_each_value_with_its_interval(audit: dict[str, Any]) -> None:
    line = next(x for x in screen(print_audit, audit).splitlines() if "Outcome" in x)
    figure = audit["ledger"]["outcome_bits"]
    assert f"{figure['value']:.3f}   {figure['low']:.3f} to {figure['high']:.3f}" in line


def test_bars_are_as_long_as_their_values(audit: dict[str, Any]) -> None:
    lines = screen(print_audit, audit).splitlines()
    blocks = {name: next(x for x in lines if name in x).count("█") for name in ("Capacity", "Outcome", "Generalised")}
    assert blocks["Outcome"] == int(blocks["Capacity"] * audit["ledger"]["outcome_bits"]["value"])
    assert 0 < blocks["Generalised"] < blocks["Outcome"]


def test_a_missing_figure_shows_its_reason_and_no_number(sparse: dict[str, Any]) -> None:
    text = screen(print_audit, sparse)
    for name in ("Outcome", "Absorbed", "Pass rate", "Group size", "mixed "):
        line = next(x for x in text.splitlines() if x.strip().startswith(name))
        assert "no figure" in line
        assert not any(c.isdigit() for c in line)
    assert "every group holds one rollout" in text
    assert "no token counts in these files" in text


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
    assert f"{100 * gap['value']:+.1f} points".replace("-", "−") in mixed
    assert ("not told apart" in mixed) == (gap["low"] <= 0 <= gap["high"])
    assert any("bits per dollar: no difference, the price is not in the log" in x for x in lines)


def test_formats_are_listed_with_what_they_cannot_tell() -> None:
    entry = {
        "name": "trl",
        "trainer": "TRL [1.16]",
        "files": "*.parquet",
        "prompt_id": "hash",
        "group_id": "positional",
    }
    text = screen(print_formats, [{**entry, "caveats": ["an eval overwrites [the] train file"]}])
    for part in ("trl  TRL [1.16]", "prompt id: hash; group id: positional", "an eval overwrites [the] train file"):
        assert part in text
