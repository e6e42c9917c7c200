"""The ledger as a chart: one row a line, with its bar, interval and value, or an empty slot with the reason."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from bitrate.meter.audit import Audit
from bitrate.report.marks import Spec, label, layer, quantity
from bitrate.report.sentences import blocks
from bitrate.report.theme import fields
from bitrate.report.words import clean
from bitrate.types import Estimate

#: Height of a row, of a line of a reason, and of how many such lines a row of that height has room.
ROW, LINE, LINES = 62, 14, 2
#: A reason of more lines than this, of so many characters, stands in the text beside the chart.
MOST_LINES, CHARACTERS = 5, 50


def ledger(audit: Audit, block: str) -> Spec:
    """The ledger's lines of one block in order: bar, interval and value, or an empty slot with the reason.

    Args:
        audit: its figures.
        block: what the lines count by, ``"rollout"`` or ``"prompt"``.
    """
    rows = [_row(i, line.name, figure) for i, (line, figure) in enumerate(blocks(audit)[block])]
    known, unknown = ([r for r in rows if (r["value"] is None) is absent] for absent in (False, True))
    most = max([r["high"] for r in known] + [0.0]) or 1.0
    low = min([r["low"] for r in known] + [0.0])
    deeper = LINE * max(0, max(r["lines"] for r in rows) - LINES)
    x = quantity("value", title=None, axis=None, scale={"domain": [low, most], "nice": False, "zero": False})
    scale = {"domain": [0, len(rows)], "reverse": True, "nice": False, "padding": 0}
    y = {"y": quantity("row", axis=None, scale=scale)}
    tip = [label("name", title="line"), label("shown", title=f"bits per {block}"), label("interval")]
    gone = [tip[0], label("interval", title="no figure")]
    # Capacity is a limit and no measurement: its bar is paler.
    paler = {"condition": {"test": "datum.row == 0", "value": 0.4}, "value": 1} if block == "rollout" else {"value": 1}
    zero = {"x": quantity("zero", axis=None), **y, "y2": {"field": "next"}}
    bar = {"x": x, "x2": {"datum": 0}, **y, "tooltip": tip, "opacity": paler}
    reach = {"x": quantity("low", axis=None), "x2": {"field": "high"}, **y, "tooltip": tip}
    slot = {"x": {"value": 0}, "x2": {"value": "width"}, **y, "y2": {"field": "row"}, "tooltip": gone}
    # A clear fill, so that the whole slot shows its reason under the pointer.
    hollow = {"style": "quiet", "filled": False, "fill": "transparent", "strokeDash": [3, 3], "cornerRadius": 2}
    layers = [
        *([layer(known, "rule", zero, style="quiet", yOffset=24, y2Offset=-14)] if low < 0 else []),
        layer(known, "bar", bar, style="accent", height=16, yOffset=36, cornerRadiusEnd=2),
        layer(known, "rule", reach, style="ink", strokeWidth=1.5, yOffset=36),
        layer(unknown, "rect", slot, **hollow, yOffset=24, y2Offset=56 + deeper),
        _words(rows, y, "name", style="ink", yOffset=14, fontWeight=600),
        _words(known, y, "words", style="quiet", yOffset=14, align="right"),
    ]
    for n in sorted({r["lines"] for r in unknown}):
        down = 40 + deeper // 2 - LINE // 2 * (n - 1)
        alike = [r for r in unknown if r["lines"] == n]
        layers.append(_words(alike, y | {"tooltip": gone}, "why", style="quiet", yOffset=down, dx=8, fontSize=11))
    said = "; ".join(f"{r['name']} {r['words']}" for r in rows)
    return {"layer": layers, "description": f"Bits per {block}: {said}", "height": len(rows) * (ROW + deeper)}


def too_long(reason: str) -> bool:
    """Whether a reason has more lines than a slot of the chart shows, and has to stand beside it."""
    return len(textwrap.wrap(clean(reason), CHARACTERS)) > MOST_LINES


def _row(place: int, name: str, figure: Estimate) -> dict[str, Any]:
    row = {"row": place, "next": place + 1, "zero": 0, "name": name, "lines": 0, **fields(figure)}
    if figure.value is None:
        reason = figure.reason or ""
        if too_long(reason):
            reason = "the reason is too long for the chart: it stands beside it"
        why = textwrap.wrap(clean(reason), CHARACTERS)
        return row | {"words": "no figure", "why": "\n".join(why), "lines": len(why)}
    return row | {"words": row["shown"] + ("" if row["interval"] == "exact" else f" ({row['interval']})")}


def _words(rows: Sequence[Spec], y: Spec, field: str, *, align: str = "left", **look: Any) -> Spec:
    """Text at the left or the right end of a row."""
    whole = {"align": align, "baseline": "middle", "fontSize": 13, "lineBreak": "\n", "lineHeight": 14, **look}
    x = {"value": "width" if align == "right" else 0}
    return layer(rows, "text", {"x": x, **y, "text": label(field)}, **whole)
