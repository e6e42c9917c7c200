"""The charts of an audit, one Altair chart a function; the same in the report, in the docs and as files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bitrate import files
from bitrate.errors import InputError
from bitrate.report.ledger import ledger, ledgers
from bitrate.report.sentences import kinds
from bitrate.report.theme import PALETTE, WIDTH, Chart, altair, described, fields, rows_of, theme, vega_lite_version
from bitrate.report.words import checked, clean, estimate, is_share, number, value_words
from bitrate.types import Estimate


def pass_rates(audit: Mapping[str, Any]) -> Chart | None:
    """Histogram of prompts' pass rates, first visits beside last ones; of all visits where these are not known."""
    alt = altair()
    series = _series(audit, "pass_rates")
    shown = [key for key in ("first", "last") if series.get(key)] or [key for key in ("all",) if series.get(key)]
    if not shown:
        return None
    names = {"first": "first visits", "last": "last visits", "all": "all visits"}
    edges, rows = series["edges"], []
    for place, key in enumerate(shown):
        for left, right, share in zip(edges[:-1], edges[1:], series[key], strict=True):
            step = (right - left) * 0.9 / len(shown)
            start = left + (right - left) * 0.05 + place * step
            rows.append(
                {
                    "from": start,
                    "to": start + step,
                    "share": share,
                    "visits": names[key],
                    "bin": f"{number(left, 'share')} to {number(right, 'share')}",
                }
            )
    domain = [names[key] for key in shown]
    mark = {"style": "accent"} if len(shown) == 1 else {}
    chart = alt.Chart(rows_of(rows)).mark_rect(**mark)
    chart = chart.encode(
        x=alt.X(
            "from:Q",
            title="pass rate of a prompt",
            axis=alt.Axis(format="%", tickCount=5, grid=False),
            scale=alt.Scale(domain=[0, 1]),
        ),
        x2="to:Q",
        y=alt.Y("share:Q", title=None, axis=alt.Axis(format="%", tickCount=4), scale=alt.Scale(zero=True)),
        y2=alt.datum(0),
        tooltip=[
            "visits:N",
            alt.Tooltip("bin:N", title="pass rate"),
            alt.Tooltip("share:Q", title="share of prompts", format=".1%"),
        ],
    )
    if len(shown) > 1:
        chart = chart.encode(color=alt.Color("visits:N", scale=alt.Scale(domain=domain, range="ordinal")))
    return described(chart, "Share of prompts by pass rate, " + " and ".join(domain), title="share of prompts")


def bits_over_steps(audit: Mapping[str, Any]) -> Chart | None:
    """Outcome bits per rollout over the steps with their interval; steps without a figure leave a gap."""
    rows = [
        {"x": (s["step_first"] + s["step_last"]) / 2, "steps": _span(s), **fields(estimate(s, "outcome_bits"))}
        for s in _steps(audit)
    ]
    if not any(r["value"] is not None for r in rows):
        return None
    return described(
        _band(rows, _step_axis(audit, "x"), "bits per rollout", "steps"),
        "Outcome bits per rollout over the steps, with intervals",
        title="bits per rollout",
    )


def groups_over_steps(audit: Mapping[str, Any]) -> Chart | None:
    """Share of each kind of groups over the steps, stacked."""
    alt = altair()
    shown, rows = kinds(audit), []
    for s in _steps(audit):
        shares = [s.get(key) for key, _ in reversed(shown)]
        known = [share for share in shares if share is not None]
        if len(known) < len(shown):
            continue
        base = 0.0
        for (_, name), share in zip(reversed(shown), known, strict=True):
            span = {"from": s["step_first"] - 0.5, "to": s["step_last"] + 0.5, "steps": _span(s)}
            rows.append({**span, "low": base, "high": base + share, "share": share, "groups": name})
            base += share
    if not rows:
        return None
    chart = alt.Chart(rows_of(rows)).mark_rect(strokeWidth=0)
    chart = chart.encode(
        x=_step_axis(audit, "from"),
        x2="to:Q",
        y=alt.Y("low:Q", title=None, axis=alt.Axis(format="%", tickCount=4), scale=alt.Scale(domain=[0, 1])),
        y2="high:Q",
        color=alt.Color("groups:N", scale=alt.Scale(domain=[name for _, name in shown])),
        tooltip=[
            alt.Tooltip("steps:N", title="steps"),
            "groups:N",
            alt.Tooltip("share:Q", title="share of groups", format=".1%"),
        ],
    )
    said = f"Share of groups over the steps: {', '.join(name for _, name in shown)}"
    return described(chart, said, title="share of groups")


def bits_by_group_size(audit: Mapping[str, Any]) -> Chart | None:
    """Outcome bits that the update keeps, per rollout, at other group sizes K; this run's own K is marked."""
    return _by_group_size(audit, [estimate(a, "update_bits") for a in _advice(audit)], "outcome bits kept, per rollout")


def mixed_by_group_size(audit: Mapping[str, Any]) -> Chart | None:
    """Share of groups that would be mixed at other group sizes K; this run's own K is marked."""
    mixed = [_mixed(estimate(a, "dead_groups")) for a in _advice(audit)]
    return _by_group_size(audit, mixed, "share of groups that are mixed")


def save_figures(
    audit: Mapping[str, Any], folder: str | Path, formats: Sequence[str] = ("png", "svg"), mode: str = "light"
) -> list[Path]:
    """Write every chart that the audit has figures for.

    Args:
        audit: the dict of ``Audit.to_dict()``.
        folder: where to; made if it is not there.
        formats: of ``"png"`` and ``"svg"``.
        mode: ``"light"`` or ``"dark"``.

    Returns:
        The files written.

    Raises:
        InputError: another format or mode, or another kind of dict.
    """
    import vl_convert

    version = vega_lite_version()
    writers = {
        "png": lambda s: vl_convert.vegalite_to_png(s, vl_version=version, scale=2),
        "svg": lambda s: vl_convert.vegalite_to_svg(s, vl_version=version).encode(),
    }
    if unknown := set(formats) - set(writers):
        raise InputError(f"formats = {tuple(formats)}; want png or svg, not {sorted(unknown)}")
    config, folder, written = theme(mode), Path(folder), []
    checked(audit)
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in {"ledger": ledgers, **CHARTS}.items():
        chart = draw(audit)
        if chart is None:
            continue
        spec = {**sized(chart.to_dict()), "config": {**config, "background": PALETTE[mode]["paper"]}, "padding": 16}
        for ending in formats:
            path = folder / f"{name}.{ending}"
            files.write(path, writers[ending](spec))
            written.append(path)
    return written


def specs(audit: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Vega-Lite specs of the report's charts by name, as wide as the page gives them; ``theme`` is left to the page."""
    charts = {f"ledger_{unit}": ledger(audit, unit) for unit in ("rollout", "prompt")}
    charts |= {name: chart for name, draw in CHARTS.items() if (chart := draw(audit)) is not None}
    found = {name: chart.to_dict() for name, chart in charts.items()}
    for spec in found.values():
        spec.pop("config", None)
        spec |= {
            "width": "container",
            "autosize": {"type": "fit-x", "contains": "padding"},
            "padding": {"left": 0, "right": 4, "top": 4, "bottom": 4},
        }
    return found


def sized(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec with a width of its own, unless its parts have one."""
    return spec if "vconcat" in spec else {**spec, "width": WIDTH}


#: Charts besides the ledger; each gives None where the audit has no figure for it.
CHARTS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "bits_over_steps": bits_over_steps,
    "groups_over_steps": groups_over_steps,
    "pass_rates": pass_rates,
    "bits_by_group_size": bits_by_group_size,
    "mixed_by_group_size": mixed_by_group_size,
}


def _mixed(dead: Estimate) -> Estimate:
    """Share of mixed groups from the share of constant ones."""
    return dead.map(lambda share: 1 - share, "mixed groups", dead.unit, "the rest of the groups")


def _series(audit: Mapping[str, Any], key: str) -> Any:
    return (checked(audit).get("series") or {}).get(key) or {}


def _steps(audit: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [s for s in _series(audit, "steps") if s.get("step_first") is not None and s.get("step_last") is not None]


def _step_axis(audit: Mapping[str, Any], field: str) -> Any:
    """All steps of the run from edge to edge, with ticks at whole steps: each of a few bins, or some of many."""
    alt, steps = altair(), _steps(audit)
    first = sorted({s["step_first"] for s in steps})
    ticks = {"values": first} if len(first) <= 6 else {"tickCount": 6, "tickMinStep": 1}
    scale = alt.Scale(domain=[first[0] - 0.5, max(s["step_last"] for s in steps) + 0.5], nice=False)
    return alt.X(f"{field}:Q", title="step", scale=scale, axis=alt.Axis(grid=False, format="d", **ticks))


def _advice(audit: Mapping[str, Any]) -> list[dict[str, Any]]:
    return checked(audit).get("k_advice") or []


def _span(step: Mapping[str, Any]) -> str:
    first, last = step["step_first"], step["step_last"]
    return clean(first) if first == last else f"{clean(first)} to {clean(last)}"


def _band(rows: list[dict[str, Any]], x: Any, measure: str, tip: str, **axis: Any) -> Any:
    """A line with its interval as a band, and points to see and to hover; whiskers where a neighbour is missing."""
    alt = altair()
    y = alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=4, **axis), scale=alt.Scale(zero=True))
    span = {"y": alt.Y("low:Q", title=None), "y2": "high:Q"}
    tips = [alt.Tooltip(f"{tip}:N"), alt.Tooltip("shown:N", title=measure), alt.Tooltip("interval:N")]
    known = [r for r in rows if r["value"] is not None]
    ends = [None, *(r["value"] for r in rows), None]
    alone = [r for i, r in enumerate(rows) if r in known and ends[i] is None and ends[i + 2] is None]
    chart, points, single = (alt.Chart(rows_of(r)).encode(x=x) for r in (rows, known, alone))
    size = 28 if len(rows) <= 30 else 10
    whiskers = [single.mark_rule(style="accent", opacity=0.5).encode(**span)] if alone else []
    return alt.layer(
        chart.mark_area(style="soft", opacity=0.7).encode(**span),
        *whiskers,
        chart.mark_line(style="accent", strokeWidth=2).encode(y=y),
        points.mark_point(style="accent", filled=True, size=size, opacity=1).encode(y=y, tooltip=tips),
    )


def _by_group_size(audit: Mapping[str, Any], figures: list[Estimate], measure: str) -> Any:
    alt = altair()
    rows = [{"x": a["k"], "K": str(a["k"]), **fields(e)} for a, e in zip(_advice(audit), figures, strict=True)]
    known = [e for e in figures if e.value is not None]
    if not known:
        return None
    own, sizes = estimate(audit, "own_k"), [r["x"] for r in rows]
    ends = [min(sizes), max(sizes)] if own.value is None else [min(*sizes, max(own.value, 1)), max(*sizes, own.value)]
    scale = alt.Scale(type="log", base=2, domain=ends, nice=False, padding=12)
    x = alt.X("x:Q", title="rollouts per group, K", scale=scale, axis=alt.Axis(values=sizes, grid=False, format="d"))
    chart = _band(rows, x, measure, "K", **({"format": "%"} if is_share(known[0].unit) else {}))
    if own.value is not None and own.value >= 1:
        mark = alt.Chart(rows_of([{"x": own.value, "words": f"here {value_words(own)}"}])).encode(x=x)
        right = own.value**2 > ends[0] * ends[1]
        note = mark.mark_text(
            style="quiet", align="right" if right else "left", dx=-6 if right else 6, baseline="top"
        ).encode(y=alt.value(0), text="words:N")
        chart = alt.layer(mark.mark_rule(style="quiet", strokeDash=[4, 4]), chart, note)
    return described(chart, f"{measure} at each group size", title=measure)
