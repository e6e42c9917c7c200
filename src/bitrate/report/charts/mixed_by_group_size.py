"""Share of groups that would be mixed at other group sizes K; this run's own K is marked."""

from __future__ import annotations

from functools import partial

from bitrate.report.charts import Chart
from bitrate.report.marks import by_group_size

CHART = Chart(
    name="mixed_by_group_size",
    section="sizes",
    place=20,
    caption="Groups with something to compare.",
    draw=partial(by_group_size, figure="mixed_groups", measure="share of groups that are mixed"),
)
