"""Parts of Vega-Lite specs that charts share: encodings, the axis of steps, a line with its band, a line over K."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bitrate.meter.audit import Audit
from bitrate.report.theme import HEIGHT, fields
from bitrate.report.words import is_share, value_words
from bitrate.types import Estimate

#: A part of a Vega-Lite spec, or a whole one without width or colours, which are the page's.
Spec = dict[str, Any]


def quantity(field: str, **more: Any) -> Spec:
    """The encoding of a number."""
    return {"field": field, "type": "quantitative", **more}


def label(field: str, **more: Any) -> Spec:
    """The encoding of a name."""
    return {"field": field, "type": "nominal", **more}


def layer(rows: Sequence[Spec], mark: str, encoding: Spec, **look: Any) -> Spec:
    """One mark over rows of data."""
    return {"data": {"values": [*rows]}, "mark": {"type": mark, **look}, "encoding": encoding}


def span(step: Any) -> str:
    """The steps of a bin."""
    return str(step.step_first) if step.step_first == step.step_last else f"{step.step_first} to {step.step_last}"


def step_axis(audit: Audit, field: str) -> Spec:
    """All steps of the run from edge to edge, with ticks at whole steps: each of a few bins, or some of many."""
    steps = audit.series.steps
    first = sorted({s.step_first for s in steps})
    ticks: Spec = {"values": first} if len(first) <= 6 else {"tickCount": 6, "tickMinStep": 1}
    scale = {"domain": [first[0] - 0.5, max(s.step_last for s in steps) + 0.5], "nice": False}
    return quantity(field, title="step", scale=scale, axis={"grid": False, "format": "d", **ticks})


def band(rows: Sequence[Spec], x: Spec, measure: str, tip: str, **axis: Any) -> list[Spec]:
    """A line with its interval as a band, and points to see and to hover; whiskers where a neighbour is missing."""
    y = quantity("value", title=None, axis={"tickCount": 4, **axis}, scale={"zero": True})
    reach = {"x": x, "y": quantity("low", title=None), "y2": {"field": "high"}}
    tips = [label(tip), label("shown", title=measure), label("interval")]
    known = [r for r in rows if r["value"] is not None]
    ends = [None, *(r["value"] for r in rows), None]
    alone = [r for i, r in enumerate(rows) if r in known and ends[i] is None and ends[i + 2] is None]
    size = 28 if len(rows) <= 30 else 10
    points = {"x": x, "y": y, "tooltip": tips}
    return [
        layer(rows, "area", reach, style="soft", opacity=0.7),
        *([layer(alone, "rule", reach, style="accent", opacity=0.5)] if alone else []),
        layer(rows, "line", {"x": x, "y": y}, style="accent", strokeWidth=2),
        layer(known, "point", points, style="accent", filled=True, size=size, opacity=1),
    ]


def by_group_size(audit: Audit, figure: str, measure: str) -> Spec | str:
    """A figure of the advice on K as a line with its band, this run's own K marked; or why there is none."""
    figures: list[Estimate] = [getattr(advice, figure) for advice in audit.k_advice]
    rows = [{"x": a.k, "K": str(a.k), **fields(e)} for a, e in zip(audit.k_advice, figures, strict=True)]
    known = [e for e in figures if e.value is not None]
    if not known:
        return figures[0].reason or ""
    own, sizes = audit.own_k, [r["x"] for r in rows]
    ends = [min(sizes), max(sizes)] if own.value is None else [min(*sizes, max(own.value, 1)), max(*sizes, own.value)]
    scale = {"type": "log", "base": 2, "domain": ends, "nice": False, "padding": 12}
    axis = {"values": sizes, "grid": False, "format": "d"}
    x = quantity("x", title="rollouts per group, K", scale=scale, axis=axis)
    layers = band(rows, x, measure, "K", **({"format": "%"} if is_share(known[0].unit) else {}))
    if own.value is not None and own.value >= 1:
        here = [{"x": own.value, "words": f"here {value_words(own)}"}]
        right = own.value**2 > ends[0] * ends[1]
        side = {"align": "right", "dx": -6} if right else {"align": "left", "dx": 6}
        note = {"x": x, "y": {"value": 0}, "text": label("words")}
        layers = [
            layer(here, "rule", {"x": x}, style="quiet", strokeDash=[4, 4]),
            *layers,
            layer(here, "text", note, style="quiet", baseline="top", **side),
        ]
    return {
        "layer": layers,
        "description": f"{measure} at each group size",
        "title": measure,
        "height": HEIGHT,
    }
