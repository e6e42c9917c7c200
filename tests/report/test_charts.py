"""Charts show what the audit says, and nothing where it says nothing."""

from __future__ import annotations

import pkgutil
import re
from dataclasses import replace
from typing import Any

import pytest
import runs
import vl_convert

from bitrate import Audit
from bitrate.errors import InputError
from bitrate.meter.change import StepBin
from bitrate.meter.lines import all_lines
from bitrate.report import charts
from bitrate.report.charts import all_charts
from bitrate.report.html import drawings, render
from bitrate.report.ledger import ledger
from bitrate.report.sentences import blocks
from bitrate.report.theme import PALETTE, WIDTH, theme


def rows(spec: Any) -> list[dict[str, Any]]:
    """All rows of inline data in a spec, wherever they are."""
    if isinstance(spec, dict):
        own = spec["values"] if isinstance(spec.get("values"), list) else []
        return [r for r in own if isinstance(r, dict)] + [r for v in spec.values() for r in rows(v)]
    return [r for v in spec for r in rows(v)] if isinstance(spec, list) else []


def svg(spec: dict[str, Any], mode: str) -> str:
    """The chart as the browser draws it."""
    whole = {**spec, "config": theme(mode), "width": WIDTH}
    return vl_convert.vegalite_to_svg(whole)


def specs_of(audit: Audit) -> dict[str, dict[str, Any]]:
    """The charts that are drawn."""
    return {name: drawn for name, drawn in drawings(audit).items() if not isinstance(drawn, str)}


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.1)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", PALETTE)
def test_text_has_the_contrast_that_wcag_asks_for(mode: str) -> None:
    colours = PALETTE[mode]
    for text in ("ink", "quiet", "accent"):
        for ground in ("paper", "wash"):
            low, high = sorted((luminance(colours[text]), luminance(colours[ground])))
            assert (high + 0.05) / (low + 0.05) >= 4.5, f"{text} on {ground}"


def test_the_ledger_holds_every_line_with_its_value(audit: Audit) -> None:
    shown = {r["name"]: r for unit in blocks(audit) for r in rows(ledger(audit, unit)) if "name" in r}
    for lines in blocks(audit).values():
        here = sorted((shown[line.name] for line, _ in lines), key=lambda row: row["row"])
        assert [row["name"] for row in here] == [line.name for line, _ in lines]
    assert set(shown) == {line.name for line in all_lines().values() if not line.special}
    assert shown["Outcome, policy = belief"]["value"] == audit["outcome_bits"].value
    assert shown["Answer bound"]["value"] is None
    assert shown["Answer bound"]["why"].startswith("final answers are not in these files")


@pytest.mark.parametrize("missing", [(), (0,), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("low", [0.1, -0.7])
def test_the_ledger_is_drawn_whatever_is_missing_or_negative(
    audit: Audit, missing: tuple[int, ...], low: float
) -> None:
    keys = ("key_bits", "absorbed_bits", "generalised_bits")
    for i, key in enumerate(keys):
        there = replace(audit[key], value=low, low=low - 0.1, high=0.2)
        gone = runs.without(there, "no prompt was visited twice")
        audit = runs.changed(audit, "ledger", **{key: gone if i in missing else there})
    drawn = svg(ledger(audit, "prompt"), "dark")
    assert drawn.count("no prompt was visited twice</text>") == len(missing)
    assert drawn.count("to 0.200)</text>") == len(keys) - len(missing)


def test_a_chart_is_known_by_the_name_of_its_file() -> None:
    names = {chart.name for chart in all_charts()}
    files = {m.name for m in pkgutil.iter_modules(charts.__path__)}
    assert names == files
    assert names >= {"bits_over_steps", "groups_over_steps", "pass_rates", "bits_by_group_size", "mixed_by_group_size"}


def test_every_chart_is_shown_once_in_a_section_of_the_page(audit: Audit) -> None:
    shown = re.findall(r'data-chart="(\w+)"', render(audit))
    assert sorted(shown) == sorted(drawings(audit))


def test_a_chart_without_figures_is_the_reason_why_there_are_none(audit: Audit, sparse: Audit) -> None:
    assert not [name for name, drawn in drawings(audit).items() if isinstance(drawn, str)]
    reasons = {name: drawn for name, drawn in drawings(sparse).items() if isinstance(drawn, str)}
    # What was received is known of rollouts that are alone in their groups too.
    assert set(reasons) == {chart.name for chart in all_charts()} - {"bits_over_steps"}
    assert reasons["groups_over_steps"].startswith("every group holds one rollout")
    page = render(sparse)
    assert sorted(re.findall(r'data-chart="(\w+)"', page)) == ["bits_over_steps", "ledger_prompt", "ledger_rollout"]
    for reason in reasons.values():
        assert f"No figure: <bdi>{reason}</bdi>" in page


def stepped(audit: Audit, *steps: StepBin) -> Audit:
    """The audit with other steps."""
    return replace(audit, series=replace(audit.series, steps=steps))


def test_a_step_without_a_figure_leaves_a_gap(audit: Audit) -> None:
    steps = [*audit.series.steps]
    steps[3] = replace(steps[3], received_bits=runs.without(steps[3].received_bits, "too few groups"))
    found = [r["value"] for r in rows(specs_of(stepped(audit, *steps))["bits_over_steps"])]
    assert None in found
    assert 0 not in found


def test_steps_without_shares_are_not_drawn_as_zero(audit: Audit) -> None:
    steps = [*audit.series.steps]
    steps[2] = replace(steps[2], all_right=None)
    found = rows(specs_of(stepped(audit, *steps))["groups_over_steps"])
    assert len(found) == 3 * (len(steps) - 1)


def test_shares_of_a_step_stack_to_one(audit: Audit) -> None:
    tops = {r["from"]: r["high"] for r in rows(specs_of(audit)["groups_over_steps"])}
    assert list(tops.values()) == pytest.approx([1.0] * len(audit.series.steps))


def test_own_group_size_is_marked_even_off_the_advised_ones(audit: Audit) -> None:
    spec = specs_of(replace(audit, own_k=runs.exactly(audit.own_k, 100.0)))["bits_by_group_size"]
    assert {"x": 100.0, "words": "here 100"} in rows(spec)
    domains = str(spec).split("'domain': ")[1:]
    assert domains
    assert all(d.startswith("[2, 100.0]") for d in domains)


def test_every_chart_is_drawn_with_its_figures(audit: Audit) -> None:
    for name, spec in specs_of(audit).items():
        for mode in PALETTE:
            assert svg(spec, mode).startswith("<svg"), name
    text = svg(specs_of(audit)["ledger_rollout"], "light")
    assert PALETTE["light"]["accent"] in text
    assert "final answers are not in these files" in text


def test_a_single_step_is_drawn(audit: Audit) -> None:
    found = specs_of(stepped(audit, audit.series.steps[0]))
    for name in ("bits_over_steps", "groups_over_steps"):
        text = svg(found[name], "light")
        assert text.count(">1</text>") == 1, "one step is one tick"
        assert "0.5</text>" not in text.partition(">step<")[0].partition(">1</text>")[0]


def test_another_mode_is_refused() -> None:
    with pytest.raises(InputError, match="want light or dark"):
        theme("sepia")
