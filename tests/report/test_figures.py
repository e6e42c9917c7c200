"""Charts show what the audit says, and nothing where it says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import vl_convert

from bitrate.errors import InputError
from bitrate.report.figures import CHARTS, save_figures, specs
from bitrate.report.ledger import ledger
from bitrate.report.theme import PALETTE, theme, vega_lite_version


def rows(spec: Any) -> list[dict[str, Any]]:
    """All rows of inline data in a spec, wherever they are."""
    if isinstance(spec, dict):
        own = spec["values"] if isinstance(spec.get("values"), list) else []
        return [r for r in own if isinstance(r, dict)] + [r for v in spec.values() for r in rows(v)]
    return [r for v in spec for r in rows(v)] if isinstance(spec, list) else []


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


def test_the_ledger_holds_every_line_with_its_value(audit: dict[str, Any]) -> None:
    shown = {r["name"]: r for unit in ("rollout", "prompt") for r in rows(ledger(audit, unit).to_dict()) if "name" in r}
    assert set(shown) == {"Capacity", "Outcome", "Answer bound", "In the update", "Key", "Absorbed", "Generalised"}
    assert shown["Outcome"]["value"] == audit["ledger"]["outcome_bits"]["value"]
    assert shown["Answer bound"]["value"] is None
    assert shown["Answer bound"]["why"] == "final answers are not in these files"


@pytest.mark.parametrize("missing", [(), (0,), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("low", [0.1, -0.7])
def test_the_ledger_is_drawn_whatever_is_missing_or_negative(
    audit: dict[str, Any], missing: tuple[int, ...], low: float
) -> None:
    keys = ("key_bits", "absorbed_bits", "generalised_bits")
    for i, key in enumerate(keys):
        gone = {"value": None, "low": None, "high": None, "reason": "no prompt was visited twice"}
        audit["ledger"][key] |= gone if i in missing else {"value": low, "low": low - 0.1, "high": 0.2}
    spec = {**ledger(audit, "prompt").to_dict(), "config": theme("dark")}
    drawn = vl_convert.vegalite_to_svg(spec, vl_version=vega_lite_version())
    assert drawn.count("no prompt was visited twice</text>") == len(missing)
    assert drawn.count("to 0.200)</text>") == len(keys) - len(missing)


def test_the_ledger_refuses_another_unit(audit: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="want rollout or prompt"):
        ledger(audit, "token")


def test_charts_without_figures_are_left_out(audit: dict[str, Any], sparse: dict[str, Any]) -> None:
    assert set(specs(audit)) == {"ledger_rollout", "ledger_prompt", *CHARTS}
    assert set(specs(sparse)) == {"ledger_rollout", "ledger_prompt", "groups_over_steps", "pass_rates"}


def test_a_step_without_a_figure_leaves_a_gap(audit: dict[str, Any]) -> None:
    step = audit["series"]["steps"][3]["outcome_bits"]
    step |= {"value": None, "low": None, "high": None, "reason": "too few groups"}
    found = [r["value"] for r in rows(specs(audit)["bits_over_steps"])]
    assert None in found
    assert 0 not in found


def test_steps_without_shares_are_not_drawn_as_zero(audit: dict[str, Any]) -> None:
    audit["series"]["steps"][2]["all_right"] = None
    found = rows(specs(audit)["groups_over_steps"])
    assert len(found) == 3 * (len(audit["series"]["steps"]) - 1)


def test_shares_of_a_step_stack_to_one(audit: dict[str, Any]) -> None:
    tops = {r["from"]: r["high"] for r in rows(specs(audit)["groups_over_steps"])}
    assert list(tops.values()) == pytest.approx([1.0] * len(audit["series"]["steps"]))


def test_own_group_size_is_marked_even_off_the_advised_ones(audit: dict[str, Any]) -> None:
    audit["own_k"] |= {"value": 100.0, "low": 100.0, "high": 100.0}
    spec = specs(audit)["bits_by_group_size"]
    assert {"x": 100.0, "words": "here 100"} in rows(spec)
    domains = str(spec).split("'domain': ")[1:]
    assert domains
    assert all(d.startswith("[2, 100.0]") for d in domains)


def test_figures_are_written_as_png_and_svg(audit: dict[str, Any], tmp_path: Path) -> None:
    written = save_figures(audit, tmp_path / "new" / "figures")
    assert {p.stem for p in written} == {"ledger", *CHARTS}
    for path in written:
        head = path.read_bytes()[:8]
        assert head.startswith(b"\x89PNG") if path.suffix == ".png" else head.startswith(b"<svg")
    text = next(p for p in written if p.name == "ledger.svg").read_text("utf-8")
    assert PALETTE["light"]["accent"] in text
    assert "final answers are not in these files" in text


def test_a_single_step_is_drawn(audit: dict[str, Any], tmp_path: Path) -> None:
    audit["series"]["steps"] = audit["series"]["steps"][:1]
    written = save_figures(audit, tmp_path, ["svg"])
    assert {p.name for p in written} >= {"bits_over_steps.svg", "groups_over_steps.svg"}
    for path in written:
        if path.stem.endswith("over_steps"):
            assert path.read_text("utf-8").count(">1</text>") == 1, "one step is one tick"
            assert "0.5</text>" not in path.read_text("utf-8").partition(">step<")[0].partition(">1</text>")[0]


def test_another_format_or_mode_is_refused(audit: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="want png or svg"):
        save_figures(audit, tmp_path, ["pdf"])
    with pytest.raises(InputError, match="want light or dark"):
        theme("sepia")
