"""Advice in sentences, one rule a file: found here, shown on every page.

A warning fires only where an interval excludes health; benchmarks/false_alarms.py measures how often it lies. To add a
rule, put a file into this folder that defines ``RULE``; see docs/extending.md.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from bitrate.types import Estimate

if TYPE_CHECKING:
    from bitrate.meter.audit import Audit
    from bitrate.meter.run import Run

#: Share of groups all right, or all wrong, that is no cause for a warning.
CONSTANT_HEALTHY = 0.3
#: A sentence and the figure that it rests on; None where there is nothing to say.
Says = Callable[["Audit", "Run"], "tuple[str, Estimate] | None"]


@dataclass(frozen=True)
class Advice:
    """One sentence, what it rests on, and whether it warns or just tells."""

    code: str
    kind: Literal["warning", "note"]
    text: str
    figure: Estimate


@dataclass(frozen=True)
class Rule:
    """When there is something to say, and what.

    Args:
        code: its name in JSON, e.g. ``"dead_groups"``.
        kind: whether it warns, or just tells.
        place: where its sentence stands among those of its kind.
        says: (the audit's figures, the run) -> the sentence and its figure, or None.
    """

    code: str
    kind: Literal["warning", "note"]
    place: int
    says: Says


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, warnings first."""
    rules = (import_module(f"{__name__}.{m.name}").RULE for m in pkgutil.iter_modules(__path__))
    return tuple(sorted(rules, key=lambda r: (r.kind != "warning", r.place)))


def advise(audit: Audit, run: Run) -> tuple[Advice, ...]:
    """Every piece of advice that these figures support, warnings first."""
    found = ((rule, rule.says(audit, run)) for rule in all_rules())
    return tuple(Advice(rule.code, rule.kind, *said) for rule, said in found if said)
