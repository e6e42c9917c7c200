"""A line of the audit that users run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitrate.lab.signals.rows import LEVEL
from bitrate.logs.engines import duck
from bitrate.logs.read import open_source
from bitrate.logs.reduce import reduce
from bitrate.meter.audit import measure
from bitrate.meter.costs import Assumptions
from bitrate.types import Estimate


@dataclass(frozen=True)
class LedgerLine:
    """One figure of ``bitrate audit``, by its place in the JSON.

    Args:
        line: e.g. ``"ledger.outcome_bits"`` or ``"groups.mixed"``.
        verifier_noise: as the user would state it.
    """

    line: str
    verifier_noise: float = 0.0

    def __call__(self, folder: Path) -> Estimate:
        """The figure from the files of a folder."""
        con = duck.connect("2GB")
        try:
            with reduce(open_source(con, [folder])) as groups:
                found: Any = measure(groups, Assumptions(level=LEVEL, verifier_noise=self.verifier_noise))
        finally:
            con.close()
        for key in self.line.split("."):
            found = found[key]
        return Estimate.from_dict(found)
