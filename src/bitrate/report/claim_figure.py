"""The chart of a claim: formulas as lines or marks, measurements as points with their intervals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bitrate.report.theme import HEIGHT, LINES, WIDTH, Chart, altair, fields, rows_of, save_svg
from bitrate.report.words import clip
from bitrate.types import Estimate

ROW_HEIGHT = 34
MEASURED = "measured, with interval"
FORMULAS = (("prediction", "exact theory"), ("stated", "the source's formula"), ("rival", "rival formula"))
SHAPES = ("circle", "diamond", "cross")


def claim_charts(record: Mapping[str, Any]) -> dict[str, Chart]:
    """The charts of one claim's record by file name; none where nothing was measured.

    Args:
        record: one of ``claims`` in the JSON of ``bitrate claims run``.
    """
    charts = {}
    for number, panel in enumerate(record["panels"] if record["points"] else [], 1):
        points = [p for p in record["points"] if p["panel"] == panel["name"]]
        placed = [p for p in points if p["x"] is not None]
        chart = _over_axis(panel, placed) if panel["curves"] else _by_case(points)
        name = record["id"] if number == 1 else f"{record['id']}-{number}"
        what = f": {panel['name']}" if panel["name"] else ""
        words = f"{record['id']}{what}. {record['statement']}"
        charts[name] = chart.properties(description=words, **_height(record, panel, points))
    return charts


def save_claim_figures(records: Sequence[Mapping[str, Any]], folder: str | Path) -> list[Path]:
    """Write the charts of every claim that was measured as SVG, named by its id; further ones S4.2-2 and so on.

    Args:
        records: ``claims`` in the JSON of ``bitrate claims run``.
        folder: where to; made if it is not there.

    Returns:
        The files written.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    charts = {name: chart for record in records for name, chart in claim_charts(record).items()}
    return [save_svg(chart, Path(folder, f"{name}.svg"), width=WIDTH) for name, chart in charts.items()]


def _over_axis(panel: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> Chart:
    """Formulas as lines over a number, measurements as points; those on none of the lines are named."""
    alt, curves = altair(), panel["curves"]
    kind = "log" if panel["log_axis"] else "linear"
    every = [x for xs, _ in curves.values() for x in xs] + [p["x"] for p in points]
    span = alt.Scale(type=kind, domain=[min(every), max(every)], nice=False, padding=8)
    x = alt.X("x:Q", title=panel["axis"] or None, scale=span, axis=alt.Axis(grid=False, tickCount=6))
    y = alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=5), scale=alt.Scale(zero=True))
    rows = [
        {"x": a, "value": b, "formula": name}
        for name, (xs, ys) in curves.items()
        for a, b in zip(xs, ys, strict=True)
        if _finite(b)
    ]
    names = list(curves)
    colour = alt.Color(
        "formula:N",
        scale=alt.Scale(domain=names, range=list(LINES[: len(names)])),
        legend=_legend(symbolType="stroke", symbolStrokeWidth=3),
    )
    lines = alt.Chart(rows_of(rows)).mark_line(strokeWidth=2).encode(x=x, y=y, color=colour)
    seen = [{"x": p["x"], "case": p["case"], **fields(Estimate.from_dict(p["estimate"]))} for p in points]
    apart: dict[tuple[float, float], dict[str, Any]] = {}
    for row in seen:
        if row["value"] is not None and not _on_a_line(row, curves):
            # Points on top of each other share a name.
            place = (row["x"], float(f"{row['value']:.1g}"))
            first = apart.setdefault(place, {**row, "case": ""})
            first["case"] += ("; " if first["case"] else "") + row["case"]
    seen = [r for r in seen if r["value"] is not None]
    middle = math.sqrt(min(every) * max(every)) if kind == "log" else (min(every) + max(every)) / 2
    named = []
    for side, away in (("left", 8), ("right", -8)):
        rows = [r for r in apart.values() if (r["x"] > middle) == (side == "right")]
        note = alt.Chart(rows_of(rows)).mark_text(style="quiet", align=side, dx=away, dy=12, fontSize=11)
        named += [note.encode(x=x, y=y, text="case:N")] if rows else []
    return alt.layer(lines, *_measured(seen, x, y), *named)


def _on_a_line(row: Mapping[str, Any], curves: Mapping[str, Any]) -> bool:
    """Whether a measurement lies where one of the formulas is drawn."""
    values = [v for _, ys in curves.values() for v in ys if _finite(v)]
    near = 0.02 * (max(values) - min(*values, 0.0))
    for xs, ys in curves.values():
        known = [(a, b) for a, b in zip(xs, ys, strict=True) if _finite(b)]
        for (x0, y0), (x1, y1) in itertools.pairwise(known):
            if x0 <= row["x"] <= x1:
                share = (row["x"] - x0) / (x1 - x0) if x1 > x0 else 0.0
                if abs(y0 + share * (y1 - y0) - row["value"]) <= near:
                    return True
    return False


def _by_case(points: Sequence[Mapping[str, Any]]) -> Chart:
    """One row a case: what each formula says as a mark, the measurement as a point with its interval."""
    alt = altair()
    order = [clip(p["case"], 60) for p in points]
    y = alt.Y("case:N", title=None, sort=order, axis=alt.Axis(labelLimit=300))
    unit = points[0]["prediction"]["unit"].replace("/", " per ")
    x = alt.X("value:Q", title=unit, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=6))
    marks, seen = [], []
    for p in points:
        case = clip(p["case"], 60)
        for key, name in FORMULAS:
            if p[key] and _finite(p[key]["value"]) and (key == "prediction" or not _same(p[key], p["prediction"])):
                marks.append({"case": case, "value": p[key]["value"], "formula": name})
        seen.append({"case": case, **fields(Estimate.from_dict(p["estimate"]))})
    seen = [r for r in seen if r["value"] is not None]
    names = [name for _, name in FORMULAS if any(m["formula"] == name for m in marks)]
    colours = [colour for (_, name), colour in zip(FORMULAS, LINES, strict=False) if name in names]
    colour = alt.Color("formula:N", scale=alt.Scale(domain=names, range=colours))
    shapes = [shape for (_, name), shape in zip(FORMULAS, SHAPES, strict=True) if name in names]
    shape = alt.Shape("formula:N", scale=alt.Scale(domain=names, range=shapes), legend=_legend())
    chart = alt.Chart(rows_of(marks)).mark_point(size=170, strokeWidth=2, opacity=1)
    return alt.layer(chart.encode(x=x, y=y, color=colour, shape=shape), *_measured(seen, x, y))


def _measured(rows: list[dict[str, Any]], x: Any, y: Any) -> list[Any]:
    """Points with whiskers, in ink."""
    alt = altair()
    chart = alt.Chart(rows_of(rows))
    upright = x.to_dict()["field"] == "x"
    span = {"x": x, "y": alt.Y("low:Q"), "y2": "high:Q"} if upright else {"y": y, "x": alt.X("low:Q"), "x2": "high:Q"}
    tips = [alt.Tooltip("case:N"), alt.Tooltip("shown:N", title="measured"), alt.Tooltip("interval:N")]
    return [
        chart.mark_rule(style="ink", strokeWidth=1.5).encode(**span),
        chart.mark_point(style="ink", filled=True, size=36, opacity=1).encode(x=x, y=y, tooltip=tips),
    ]


def _legend(**symbol: Any) -> Any:
    return altair().Legend(**{"columns": 3, "labelLimit": 320, "columnPadding": 20, "symbolStrokeWidth": 2, **symbol})


def _height(record: Mapping[str, Any], panel: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    unit = (panel["unit"] or (points or record["points"])[0]["prediction"]["unit"]).replace("/", " per ")
    if panel["curves"]:
        return {"height": HEIGHT + 40, "title": f"{unit}; points: {MEASURED}" if points else unit}
    return {"height": ROW_HEIGHT * len(points), "title": f"points: {MEASURED}"}


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Two formulas that say the same of a case get one mark."""
    return _finite(other["value"]) and abs(one["value"] - other["value"]) <= 1e-6


def _finite(value: float | str) -> bool:
    """Infinite values are texts in a record."""
    return not isinstance(value, str)
