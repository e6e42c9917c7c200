"""Share of each kind of groups over the steps, stacked."""

from __future__ import annotations

from bitrate.meter.audit import Audit
from bitrate.report.charts import Chart
from bitrate.report.marks import Spec, label, quantity, span, step_axis
from bitrate.report.sentences import kinds
from bitrate.report.theme import HEIGHT


def draw(audit: Audit) -> Spec | str:
    """A bar a step; a step that does not know all of the shares is left out."""
    shown, rows = kinds(audit), []
    for s in audit.series.steps:
        shares = [getattr(s, key) for key, _ in reversed(shown)]
        if None in shares:
            continue
        base = 0.0
        for (_, name), share in zip(reversed(shown), shares, strict=True):
            ends = {"from": s.step_first - 0.5, "to": s.step_last + 0.5, "steps": span(s)}
            rows.append({**ends, "low": base, "high": base + share, "share": share, "groups": name})
            base += share
    if not rows:
        return audit.groups["mixed"].reason or "no step knows all the shares"
    names = [name for _, name in shown]
    return {
        "data": {"values": rows},
        "mark": {"type": "rect", "strokeWidth": 0},
        "encoding": {
            "x": step_axis(audit, "from"),
            "x2": {"field": "to"},
            "y": quantity("low", title=None, axis={"format": "%", "tickCount": 4}, scale={"domain": [0, 1]}),
            "y2": {"field": "high"},
            "color": label("groups", scale={"domain": names}),
            "tooltip": [
                label("steps", title="steps"),
                label("groups"),
                quantity("share", title="share of groups", format=".1%"),
            ],
        },
        "description": f"Share of groups over the steps: {', '.join(names)}",
        "title": "share of groups",
        "height": HEIGHT,
    }


CHART = Chart(name="groups_over_steps", section="groups", place=10, caption="Groups over the steps.", draw=draw)
