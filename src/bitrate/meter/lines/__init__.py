"""The lines of the ledger, one file each: found here, shown wherever a ledger is shown.

To add a line, put a file into this folder that defines ``LINE``; see docs/extending.md.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from bitrate.meter.received import Side
from bitrate.meter.run import Run
from bitrate.stats import Functional
from bitrate.types import Estimate


@dataclass(frozen=True)
class Line:
    """A line of the ledger: what it is called and means, and how it is measured.

    Args:
        key: its name in JSON and in ``audit["..."]``, e.g. ``"outcome_bits"``.
        title: what the figure is called where it stands alone, e.g. ``"outcome bits per rollout"``.
        unit: ``"bits/rollout"`` or ``"bits/prompt"``.
        name: what it is called in the ledger, in a word or two.
        means: what it means, in one sentence for someone who meets it first.
        formula: how it is computed, in a line.
        place: where it stands in the ledger; lines are ordered by it.
        measure: run -> estimate; title and unit are filled in.
        functional: of a line that is the mean over rollouts of a function of the pass rate, that function: `compare`
            then pairs two runs by prompt.
        of_groups: of a line that is a mean over rollouts of what each group has, that: run -> bits of each group and
            their bounds, or None where there is no figure; `compare` then pairs likewise. Without either, runs are
            taken as independent.
        special: whether it needs what few logs hold: where it is missing it is left out on the screen, and not in JSON.
    """

    key: str
    title: str
    unit: str
    name: str
    means: str
    formula: str
    place: int
    measure: Callable[[Run], Estimate]
    functional: Functional | None = None
    of_groups: Callable[[Run], Side | None] | None = None
    special: bool = False

    @property
    def block(self) -> str:
        """What the line counts by: ``"rollout"`` or ``"prompt"``."""
        return self.unit.partition("/")[2]


@cache
def all_lines() -> dict[str, Line]:
    """Every line by its key, in the order of the ledger.

    >>> list(all_lines())[:2]
    ['capacity_bits', 'received_bits']
    """
    modules = (import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    lines = sorted((m.LINE for m in modules), key=lambda line: line.place)
    return {line.key: line for line in lines}


def missing(reason: str, n: int = 0) -> Estimate:
    """No figure, and why; the line's title and unit are filled in."""
    return Estimate.missing("", "", reason, n)
