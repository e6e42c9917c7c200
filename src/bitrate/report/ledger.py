"""The ledger as a chart: one row a line, with its bar, interval and value, or an empty slot with the reason."""

from __future__ import annotations

import textwrap
from typing import Any

from bitrate.meter.audit import Audit
from bitrate.report.sentences import blocks
from bitrate.report.theme import WIDTH, Chart, altair, described, fields, rows_of
from bitrate.report.words import clean
from bitrate.types import Estimate

#: Height of a row, of a line of a reason, and of how many such lines a row of that height has room.
ROW, LINE, LINES = 62, 14, 2
#: A reason of more lines than this, of so many characters, stands in the text beside the chart.
MOST_LINES, CHARACTERS = 5, 50


def ledger(audit: Audit, unit: str) -> Chart:
    """The ledger's lines of one unit in order: bar, interval and value, or an empty slot with the reason.

    Args:
        audit: its figures.
        unit: what the lines count by, ``"rollout"`` or ``"prompt"``.
    """
    alt = altair()
    rows = [_ledger_row(i, line.name, figure) for i, (line, figure) in enumerate(blocks(audit)[unit])]
    most = max([r["high"] for r in rows if r["value"] is not None] + [0.0]) or 1.0
    low = min([r["low"] for r in rows if r["value"] is not None] + [0.0])
    deeper = LINE * max(0, max(r["lines"] for r in rows) - LINES)
    known, unknown = ([r for r in rows if (r["value"] is None) is absent] for absent in (False, True))
    scale = alt.Scale(domain=[low, most], nice=False, zero=False)
    x = alt.X("value:Q", title=None, axis=None, scale=scale)
    y = alt.Y("row:Q", axis=None, scale=alt.Scale(domain=[0, len(rows)], reverse=True, nice=False, padding=0))
    tip = [
        alt.Tooltip("name:N", title="line"),
        alt.Tooltip("shown:N", title=f"bits per {unit}"),
        alt.Tooltip("interval:N"),
    ]
    here = alt.Chart(rows_of(known)).encode(x=x, y=y)
    gone = alt.Chart(rows_of(unknown)).encode(y=y, tooltip=[tip[0], alt.Tooltip("interval:N", title="no figure")])
    bar = alt.condition("datum.row == 0", alt.value(0.4), alt.value(1)) if unit == "rollout" else alt.value(1)
    zero = here.mark_rule(style="quiet", yOffset=24, y2Offset=-14).encode(x=alt.X("zero:Q", axis=None), y2="next:Q")
    # A clear fill, so that the whole slot shows its reason under the pointer.
    slot = {"style": "quiet", "filled": False, "fill": "transparent", "strokeDash": [3, 3]}
    layers = [
        *([zero] if low < 0 else []),
        here.mark_bar(style="accent", height=16, yOffset=36, cornerRadiusEnd=2).encode(
            x2=alt.datum(0), tooltip=tip, opacity=bar
        ),
        here.mark_rule(style="ink", strokeWidth=1.5, yOffset=36).encode(
            x=alt.X("low:Q", axis=None), x2="high:Q", tooltip=tip
        ),
        gone.mark_rect(**slot, yOffset=24, y2Offset=56 + deeper, cornerRadius=2).encode(
            x=alt.value(0), x2=alt.value("width"), y2="row:Q"
        ),
        _words(alt.Chart(rows_of(rows)).encode(y=y), "name", "ink", 14, fontWeight=600),
        _words(here, "words", "quiet", 14, right=True),
        *(
            _words(gone.transform_filter(f"datum.lines == {n}"), "why", "quiet", down, dx=8, fontSize=11)
            for n in sorted({r["lines"] for r in unknown})
            for down in [40 + deeper // 2 - LINE // 2 * (n - 1)]
        ),
    ]
    said = "; ".join(f"{r['name']} {r['words']}" for r in rows)
    return described(alt.layer(*layers), f"Bits per {unit}: {said}", len(rows) * (ROW + deeper))


def too_long(reason: str) -> bool:
    """Whether a reason has more lines than a slot of the chart shows, and has to stand beside it."""
    return len(textwrap.wrap(clean(reason), CHARACTERS)) > MOST_LINES


def ledgers(audit: Audit) -> Chart:
    """The whole ledger in one picture: bits per rollout above bits per prompt, each on its own scale."""
    alt = altair()
    parts = [
        ledger(audit, unit).properties(width=WIDTH, title=alt.TitleParams(f"Bits per {unit}", fontSize=13))
        for unit in blocks(audit)
    ]
    return alt.vconcat(*parts, spacing=24).resolve_scale(x="independent", y="independent")


def _ledger_row(place: int, name: str, figure: Estimate) -> dict[str, Any]:
    row = {"row": place, "next": place + 1, "zero": 0, "name": name, "lines": 0, **fields(figure)}
    if figure.value is None:
        reason = (
            "the reason is too long for a picture: it stands in the text"
            if too_long(figure.reason or "")
            else figure.reason
        )
        why = textwrap.wrap(clean(reason), CHARACTERS)
        return row | {"words": "no figure", "why": "\n".join(why), "lines": len(why)}
    return row | {"words": row["shown"] + ("" if row["interval"] == "exact" else f" ({row['interval']})")}


def _words(chart: Any, field: str, style: str, down: int, right: bool = False, **mark: Any) -> Any:
    """Text at the left or the right end of a row."""
    alt = altair()
    look = {
        "align": "right" if right else "left",
        "baseline": "middle",
        "fontSize": 13,
        "lineBreak": "\n",
        "lineHeight": 14,
        **mark,
    }
    return chart.mark_text(style=style, yOffset=down, **look).encode(
        text=f"{field}:N", x=alt.value("width" if right else 0)
    )
