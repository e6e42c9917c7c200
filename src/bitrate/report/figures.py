"""The charts of an audit, one Altair chart a function; the same in the report, in the docs and as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bitrate.meter.audit import Audit
from bitrate.report.ledger import ledger
from bitrate.report.sentences import blocks, kinds
from bitrate.report.theme import WIDTH, Chart, altair, described, fields, rows_of
from bitrate.report.words import is_share, number, value_words
from bitrate.types import Estimate


def pass_rates(audit: Audit) -> Chart | None:
    """Histogram of prompts' pass rates, first visits beside last ones; of all visits where these are not known."""
    alt = altair()
    series = audit.series.pass_rates
    shares = {"first": series.first, "last": series.last} if series.first and series.last else {"all": series.all}
    shown = [key for key, known in shares.items() if known]
    if not shown:
        return None
    names = {"first": "first visits", "last": "last visits", "all": "all visits"}
    edges, rows = series.edges, []
    for place, key in enumerate(shown):
        for left, right, share in zip(edges[:-1], edges[1:], shares[key] or (), strict=True):
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


def bits_over_steps(audit: Audit) -> Chart | None:
    """Outcome bits per rollout over the steps with their interval; steps without a figure leave a gap."""
    rows = [
        {"x": (s.step_first + s.step_last) / 2, "steps": _span(s.step_first, s.step_last), **fields(s.outcome_bits)}
        for s in audit.series.steps
    ]
    if not any(r["value"] is not None for r in rows):
        return None
    return described(
        _band(rows, _step_axis(audit, "x"), "bits per rollout", "steps"),
        "Outcome bits per rollout over the steps, with intervals",
        title="bits per rollout",
    )


def groups_over_steps(audit: Audit) -> Chart | None:
    """Share of each kind of groups over the steps, stacked."""
    alt = altair()
    shown, rows = kinds(audit), []
    for s in audit.series.steps:
        shares = [getattr(s, key) for key, _ in reversed(shown)]
        known = [share for share in shares if share is not None]
        if len(known) < len(shown):
            continue
        base = 0.0
        for (_, name), share in zip(reversed(shown), known, strict=True):
            span = {"from": s.step_first - 0.5, "to": s.step_last + 0.5, "steps": _span(s.step_first, s.step_last)}
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


def bits_by_group_size(audit: Audit) -> Chart | None:
    """Outcome bits that the update keeps, per rollout, at other group sizes K; this run's own K is marked."""
    return _by_group_size(audit, [a.update_bits for a in audit.k_advice], "outcome bits kept, per rollout")


def mixed_by_group_size(audit: Audit) -> Chart | None:
    """Share of groups that would be mixed at other group sizes K; this run's own K is marked."""
    return _by_group_size(audit, [a.mixed_groups for a in audit.k_advice], "share of groups that are mixed")


def specs(audit: Audit) -> dict[str, dict[str, Any]]:
    """Vega-Lite specs of the report's charts by name, as wide as the page gives them; ``theme`` is left to the page."""
    charts = {f"ledger_{unit}": ledger(audit, unit) for unit in blocks(audit)}
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
CHARTS: dict[str, Callable[[Audit], Any]] = {
    "bits_over_steps": bits_over_steps,
    "groups_over_steps": groups_over_steps,
    "pass_rates": pass_rates,
    "bits_by_group_size": bits_by_group_size,
    "mixed_by_group_size": mixed_by_group_size,
}


def _step_axis(audit: Audit, field: str) -> Any:
    """All steps of the run from edge to edge, with ticks at whole steps: each of a few bins, or some of many."""
    alt, steps = altair(), audit.series.steps
    first = sorted({s.step_first for s in steps})
    ticks = {"values": first} if len(first) <= 6 else {"tickCount": 6, "tickMinStep": 1}
    scale = alt.Scale(domain=[first[0] - 0.5, max(s.step_last for s in steps) + 0.5], nice=False)
    return alt.X(f"{field}:Q", title="step", scale=scale, axis=alt.Axis(grid=False, format="d", **ticks))


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"


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


def _by_group_size(audit: Audit, figures: list[Estimate], measure: str) -> Any:
    alt = altair()
    rows = [{"x": a.k, "K": str(a.k), **fields(e)} for a, e in zip(audit.k_advice, figures, strict=True)]
    known = [e for e in figures if e.value is not None]
    if not known:
        return None
    own, sizes = audit.own_k, [r["x"] for r in rows]
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
