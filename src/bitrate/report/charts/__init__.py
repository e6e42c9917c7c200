"""The charts of the report, one file each: found here, drawn in the section of the page that they name.

To add a chart, put a file into this folder that defines ``CHART``; see docs/extending.md. A chart is a plain Vega-Lite
spec; marks name a style of :mod:`bitrate.report.theme`, so that it has the page's colours, light and dark.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Literal

from bitrate.meter.audit import Audit
from bitrate.report.marks import Spec


@dataclass(frozen=True)
class Chart:
    """A chart of the report.

    Args:
        name: its name in the page, that of its file.
        section: where it stands: beside the kinds of groups, over the run, or with the other group sizes.
        place: charts of a section are ordered by it.
        caption: what stands below it, or a function of the audit that says so.
        draw: audit -> spec, or the reason why there is nothing to draw.
    """

    name: str
    section: Literal["groups", "run", "sizes"]
    place: int
    caption: str | Callable[[Audit], str]
    draw: Callable[[Audit], Spec | str]

    def below(self, audit: Audit) -> str:
        """The caption."""
        return self.caption if isinstance(self.caption, str) else self.caption(audit)


@cache
def all_charts() -> tuple[Chart, ...]:
    """Every chart, section by section.

    >>> [chart.name for chart in all_charts() if chart.section == "run"]
    ['bits_over_steps', 'pass_rates']
    """
    charts = (import_module(f"{__name__}.{m.name}").CHART for m in pkgutil.iter_modules(__path__))
    return tuple(sorted(charts, key=lambda chart: (chart.section, chart.place)))
