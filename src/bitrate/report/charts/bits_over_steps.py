"""Received bits per rollout, at most, over the steps with their interval; steps without a figure leave a gap."""

from __future__ import annotations

from bitrate.meter.audit import Audit
from bitrate.report.charts import Chart
from bitrate.report.marks import Spec, band, span, step_axis
from bitrate.report.theme import HEIGHT, fields


def draw(audit: Audit) -> Spec | str:
    """A line of received bits with its band."""
    steps = audit.series.steps
    if all(s.received_bits.value is None for s in steps):
        return steps[0].received_bits.reason or ""
    rows = [{"x": (s.step_first + s.step_last) / 2, "steps": span(s), **fields(s.received_bits)} for s in steps]
    return {
        "layer": band(rows, step_axis(audit, "x"), "bits per rollout", "steps"),
        "description": "Received bits per rollout, at most, over the steps, with intervals",
        "title": "bits per rollout",
        "height": HEIGHT,
    }


CHART = Chart(
    name="bits_over_steps",
    section="run",
    place=10,
    caption="What a rollout carried at most, step by step, with its interval.",
    draw=draw,
)
