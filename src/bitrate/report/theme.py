"""Colours and the one theme of all charts, light and dark, and the parts that charts share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bitrate import files
from bitrate.errors import InputError
from bitrate.report.words import clip, interval_words, value_words
from bitrate.types import Estimate

#: An Altair chart: Altair is imported when the first one is drawn.
Chart = Any
WIDTH, HEIGHT = 680, 220
#: Faces of one width: where text is laid out here and drawn elsewhere, labels must not run into each other.
FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"

#: Colours that stay apart for colour-blind readers, by mode.
PALETTE = {
    "light": {
        "paper": "#ffffff", "wash": "#f6f7f9", "ink": "#16202c", "quiet": "#5b6675", "line": "#e3e7ec",
        "accent": "#1a63d8", "soft": "#cfe0fc", "right": "#8fa3b8", "wrong": "#d9822b",
    },
    "dark": {
        "paper": "#0f151d", "wash": "#171f2a", "ink": "#e8edf3", "quiet": "#9aa7b7", "line": "#2a3441",
        "accent": "#6ea8fe", "soft": "#24446f", "right": "#74879b", "wrong": "#e59a4c",
    },
}  # fmt: skip

#: Colours of the lines of one chart: apart for colour-blind readers, and legible on both papers.
LINES = ("#3b7ddd", "#d9822b", "#8a6fbf", "#2f9e75", "#b0556e", "#7b8794")


def theme(mode: str = "light") -> dict[str, Any]:
    """Vega-Lite config of all charts; marks name a style ("accent", "soft" ...), the mode gives it a colour.

    Args:
        mode: ``"light"`` or ``"dark"``.

    Raises:
        InputError: another mode.
    """
    if mode not in PALETTE:
        raise InputError(f"mode = {mode!r}; want light or dark")
    c = PALETTE[mode]
    text = {
        "labelColor": c["quiet"],
        "titleColor": c["quiet"],
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    }
    styles = {name: {"color": colour} for name, colour in c.items()}
    return {
        "background": "transparent",
        "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', sans-serif",
        "view": {"stroke": None},
        "axis": {
            **text,
            "domain": False,
            "ticks": False,
            "gridColor": c["line"],
            "labelPadding": 8,
            "titlePadding": 12,
        },
        "title": {
            "anchor": "start",
            "frame": "bounds",
            "color": c["quiet"],
            "fontSize": 12,
            "fontWeight": "normal",
            "offset": 12,
        },
        "legend": {
            **text,
            "title": None,
            "orient": "top",
            "symbolType": "square",
            "symbolStrokeWidth": 0,
            "padding": 0,
            "offset": 12,
        },
        "text": {"fontSize": 12},
        "range": {"category": [c["soft"], c["right"], c["wrong"]], "ordinal": [c["right"], c["accent"]]},
        "style": styles,
    }


def altair() -> Any:
    """Altair, imported when it is first needed."""
    with files.some_home():
        import altair as module

    return module


def save_svg(chart: Chart, path: Path, **more: Any) -> Path:
    """Write a chart for a page of the documentation; ``more`` is added to its spec."""
    import vl_convert

    config = {**theme("light"), "background": PALETTE["light"]["paper"], "font": FONT}
    spec = {**chart.to_dict(), **more, "config": config, "padding": 12}
    version = ".".join(altair().SCHEMA_VERSION.split(".")[:2])  # what Altair writes, as vl-convert names it
    files.write(path, vl_convert.vegalite_to_svg(spec, vl_version=version) + "\n")
    return path


def rows_of(rows: list[dict[str, Any]]) -> Any:
    """Rows as a chart's inline data."""
    return altair().Data(values=rows)


def fields(figure: Estimate) -> dict[str, Any]:
    """A figure as columns of a chart's data; nulls where it is missing."""
    words = {"shown": value_words(figure), "interval": clip(interval_words(figure), 400)}
    return {"value": figure.value, "low": figure.low, "high": figure.high, **words}
