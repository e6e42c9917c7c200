"""A line of the audit that users run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitrate.lab.signals.rows import LEVEL, reduced
from bitrate.meter.assumptions import Assumptions
from bitrate.meter.measure import measure
from bitrate.types import Estimate


@dataclass(frozen=True)
class LedgerLine:
    """One figure of ``bitrate audit``, by its place in the JSON.

    Args:
        line: e.g. ``"ledger.outcome_bits"`` or ``"groups.mixed"``.
        verifier_noise: as the user would state it.
        model_params: the same, for figures per FLOP.
    """

    line: str
    verifier_noise: float = 0.0
    model_params: float | None = None

    def __call__(self, folder: Path) -> Estimate:
        """The figure from the files of a folder."""
        with reduced(folder) as groups:
            given = Assumptions(level=LEVEL, verifier_noise=self.verifier_noise, model_params=self.model_params)
            found = measure(groups, given)
        part, *keys = self.line.split(".")
        figure: Any = getattr(found, part)
        for key in keys:
            figure = figure[key]
        estimate: Estimate = figure
        return estimate
