"""Outcome bits that the update keeps, per rollout, at other group sizes K; this run's own K is marked."""

from __future__ import annotations

from functools import partial

from bitrate.report.charts import Chart
from bitrate.report.marks import by_group_size

CHART = Chart(
    name="bits_by_group_size",
    section="sizes",
    place=10,
    caption="Outcome bits that a group-normalised advantage keeps, per rollout.",
    draw=partial(by_group_size, figure="update_bits", measure="outcome bits kept, per rollout"),
)
