"""Share of groups that would be mixed at other group sizes K; this run's own K is marked."""

from __future__ import annotations

from bitrate.meter.audit import Audit
from bitrate.report.charts import Chart
from bitrate.report.marks import Spec, by_group_size


def draw(audit: Audit) -> Spec | str:
    """A line over K with its band."""
    return by_group_size(audit, [a.mixed_groups for a in audit.k_advice], "share of groups that are mixed")


CHART = Chart(
    name="mixed_by_group_size",
    section="sizes",
    place=20,
    caption="Groups with something to compare.",
    draw=draw,
)
