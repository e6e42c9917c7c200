"""Outcome bits that the update keeps, per rollout, at other group sizes K; this run's own K is marked."""

from __future__ import annotations

from bitrate.meter.audit import Audit
from bitrate.report.charts import Chart
from bitrate.report.marks import Spec, by_group_size


def draw(audit: Audit) -> Spec | str:
    """A line over K with its band."""
    return by_group_size(audit, [a.update_bits for a in audit.k_advice], "outcome bits kept, per rollout")


CHART = Chart(
    name="bits_by_group_size",
    section="sizes",
    place=10,
    caption="Outcome bits that a group-normalised advantage keeps, per rollout.",
    draw=draw,
)
