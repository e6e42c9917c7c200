"""Histogram of prompts' pass rates, first visits beside last ones; of all visits where these are not known."""

from __future__ import annotations

from bitrate.meter.audit import Audit
from bitrate.report.charts import Chart
from bitrate.report.marks import Spec, label, quantity
from bitrate.report.theme import HEIGHT
from bitrate.report.words import number


def draw(audit: Audit) -> Spec | str:
    """A bar a bin for each of the visits shown."""
    rates = audit.series.pass_rates
    if rates.all is None:
        return rates.note
    shown = {"all visits": rates.all}
    if rates.first is not None and rates.last is not None:
        shown = {"first visits": rates.first, "last visits": rates.last}
    rows = []
    for place, (name, shares) in enumerate(shown.items()):
        for left, right, share in zip(rates.edges[:-1], rates.edges[1:], shares, strict=True):
            width = (right - left) * 0.9 / len(shown)
            start = left + (right - left) * 0.05 + place * width
            bin_ = f"{number(left, 'share')} to {number(right, 'share')}"
            rows.append({"from": start, "to": start + width, "share": share, "visits": name, "bin": bin_})
    across = {"format": "%", "tickCount": 5, "grid": False}
    encoding = {
        "x": quantity("from", title="pass rate of a prompt", axis=across, scale={"domain": [0, 1]}),
        "x2": {"field": "to"},
        "y": quantity("share", title=None, axis={"format": "%", "tickCount": 4}, scale={"zero": True}),
        "y2": {"datum": 0},
        "tooltip": [
            label("visits"),
            label("bin", title="pass rate"),
            quantity("share", title="share of prompts", format=".1%"),
        ],
    }
    if len(shown) > 1:
        encoding["color"] = label("visits", scale={"domain": [*shown], "range": "ordinal"})
    return {
        "data": {"values": rows},
        "mark": {"type": "rect"} if len(shown) > 1 else {"type": "rect", "style": "accent"},
        "encoding": encoding,
        "description": "Share of prompts by pass rate, " + " and ".join(shown),
        "title": "share of prompts",
        "height": HEIGHT,
    }


def caption(audit: Audit) -> str:
    """How the shares were estimated, where there are any."""
    return audit.series.pass_rates.note if audit.series.pass_rates.all else "Pass rates by prompt."


CHART = Chart(name="pass_rates", section="run", place=20, caption=caption, draw=draw)
