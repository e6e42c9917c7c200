"""Generalised: the gain on prompts before they were trained on."""

from __future__ import annotations

import numpy as np

from bitrate.meter.change import paired_change, thirds
from bitrate.meter.groups import GroupTable
from bitrate.meter.lines import Line, missing
from bitrate.meter.pool import Pool
from bitrate.meter.prompts import NO_IDENTITY, resolved
from bitrate.meter.run import Run
from bitrate.stats import Log2PassRate, difference
from bitrate.types import Estimate


def measure(run: Run) -> Estimate:
    """Gain in log2 pass rate on an evaluation split; without one, at first visits to prompts, late against early."""
    keys = run.keys("eval") if run.table.split == "train" else None
    if keys is not None and (keys.last > keys.start).any():
        if problem := keys.problem():
            return missing(problem)
        return keys.mean(keys.absorbed, run.level, "evaluation split, surprisal of the target at first less at last")
    if run.held_out is not None and not run.held_out.no_rates and len(run.held_out.steps) > 1:
        return _held_out(run.held_out, run.level)
    return _first_visits(run)


def _held_out(table: GroupTable, level: float) -> Estimate:
    """The evaluation split's first step against its last."""
    first, last = int(table.steps[0]), int(table.steps[-1])
    functional = Log2PassRate(resolved(float(np.median(table.n))))
    found = paired_change(table, functional, table.step == first, table.step == last, level=level)
    return found.renamed("", method=f"evaluation split, step {first} against {last}; {found.method}")


def _first_visits(run: Run) -> Estimate:
    """Prompts at their first visit, late in the run against early: each is held out until then."""
    table = run.table
    if table.no_rates:
        return missing(table.no_rates)
    if not table.followed:
        return missing(NO_IDENTITY)
    firsts = table.starts[:-1]
    parts = thirds(table.step[firsts])
    if parts is None:
        return missing("all prompts were first visited at one step, and there is no evaluation split")
    functional = Log2PassRate(run.prompts.floor)
    early, late = (_mean(table, functional, firsts[part], run.level) for part in parts)
    method = (
        f"first visits only, last third of their steps less first third; {functional.name}; "
        f"minimax linear, prompts of a step taken as alike in difficulty"
    )
    return difference(early, late, name="").renamed("", method=method)


def _mean(table: GroupTable, functional: Log2PassRate, where: np.ndarray, level: float) -> Estimate:
    return Pool(table, level, where).means({"f": functional}, {"f": (functional.name, functional.unit)})["f"]


LINE = Line(
    key="generalised_bits",
    title="generalised bits per prompt",
    unit="bits/prompt",
    name="Generalised",
    means="The gain on prompts before they were trained on; no line above bounds it.",
    formula="mean of log2 p late less early, on held-out prompts or at first visits",
    place=70,
    measure=measure,
)
