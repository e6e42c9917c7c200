"""The chart of a claim: formulas as lines or marks, measurements as points with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bitrate.errors import InputError
from bitrate.report.figures import sized
from bitrate.report.theme import (
    HEIGHT,
    LINES,
    PALETTE,
    Chart,
    altair,
    described,
    fields,
    rows_of,
    theme,
    vega_lite_version,
)
from bitrate.report.words import clip
from bitrate.types import Estimate

ROW_HEIGHT = 34
MEASURED = "measured, with interval"
FORMULAS = (("prediction", "exact theory"), ("stated", "the source's formula"), ("rival", "rival formula"))
SHAPES = ("circle", "diamond", "cross")


def claim_chart(record: Mapping[str, Any]) -> Chart | None:
    """The chart of one claim's record; None where nothing was measured.

    Args:
        record: one of ``claims`` in the JSON of ``bitrate claims run``.
    """
    if not record["points"]:
        return None
    curves = record["curves"]
    placed = [p for p in record["points"] if p["x"] is not None]
    chart = _over_axis(record, curves, placed) if curves and placed else _by_case(record)
    return described(chart, f"{record['id']}: {record['statement']}", **_height(record, bool(curves and placed)))


def save_claim_figures(
    records: Sequence[Mapping[str, Any]], folder: str | Path, formats: Sequence[str] = ("svg",)
) -> list[Path]:
    """Write the chart of every claim that was measured, named by its id.

    Args:
        records: ``claims`` in the JSON of ``bitrate claims run``.
        folder: where to; made if it is not there.
        formats: of ``"svg"`` and ``"png"``.

    Returns:
        The files written.

    Raises:
        InputError: another format.
    """
    import vl_convert

    if unknown := set(formats) - {"svg", "png"}:
        raise InputError(f"formats = {tuple(formats)}; want svg or png, not {sorted(unknown)}")
    folder, written, version = Path(folder), [], vega_lite_version()
    folder.mkdir(parents=True, exist_ok=True)
    config = {**theme("light"), "background": PALETTE["light"]["paper"]}
    for record in records:
        chart = claim_chart(record)
        if chart is None:
            continue
        spec = {**sized(chart.to_dict()), "config": config, "padding": 12}
        for ending in formats:
            path = folder / f"{record['id']}.{ending}"
            if ending == "svg":
                path.write_text(vl_convert.vegalite_to_svg(spec, vl_version=version) + "\n", "utf-8")
            else:
                path.write_bytes(vl_convert.vegalite_to_png(spec, vl_version=version, scale=2))
            written.append(path)
    return written


def _over_axis(record: Mapping[str, Any], curves: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> Chart:
    """Formulas as lines over a number, measurements as points."""
    alt = altair()
    kind = "log" if record["log_axis"] else "linear"
    every = [x for xs, _ in curves.values() for x in xs] + [p["x"] for p in points]
    span = alt.Scale(type=kind, domain=[min(every), max(every)], nice=False, padding=8)
    x = alt.X("x:Q", title=record["axis"] or None, scale=span, axis=alt.Axis(grid=False, tickCount=6))
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
    apart = [r for r, p in zip(seen, points, strict=True) if not p["assumed"] and r["value"] is not None]
    seen = [r for r in seen if r["value"] is not None]
    notes = alt.Chart(rows_of(apart)).mark_text(style="quiet", align="left", dx=6, dy=14, fontSize=11)
    named = [notes.encode(x=x, y=y, text="case:N")] if apart else []
    return alt.layer(lines, *_measured(seen, x, y), *named)


def _by_case(record: Mapping[str, Any]) -> Chart:
    """One row a case: what each formula says as a mark, the measurement as a point with its interval."""
    alt = altair()
    order = [clip(p["case"], 60) for p in record["points"]]
    y = alt.Y("case:N", title=None, sort=order, axis=alt.Axis(labelLimit=300))
    unit = record["points"][0]["prediction"]["unit"].replace("/", " per ")
    x = alt.X("value:Q", title=unit, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=6))
    marks, seen = [], []
    for p in record["points"]:
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
    return altair().Legend(**{"columns": 3, "labelLimit": 320, "symbolStrokeWidth": 2, **symbol})


def _height(record: Mapping[str, Any], axis: bool) -> dict[str, Any]:
    title = f"{record['points'][0]['prediction']['unit'].replace('/', ' per ')}; points: {MEASURED}" if axis else None
    more: dict[str, Any] = {"title": title} if title else {"title": f"points: {MEASURED}"}
    return {"height": HEIGHT + 40 if axis else ROW_HEIGHT * len(record["points"]), **more}


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Two formulas that say the same of a case get one mark."""
    return _finite(other["value"]) and abs(one["value"] - other["value"]) <= 1e-6


def _finite(value: float | str) -> bool:
    """Infinite values are texts in a record."""
    return not isinstance(value, str)
