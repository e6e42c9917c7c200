"""What bits cost: a line of the audit for which the user has to state the size of the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bitrate.lab.signals.rows import LEVEL
from bitrate.logs.engines import duck
from bitrate.logs.read import open_source
from bitrate.logs.reduce import reduce
from bitrate.meter.audit import measure
from bitrate.meter.costs import Assumptions
from bitrate.types import Estimate


@dataclass(frozen=True)
class Price:
    """Bits per PFLOP, as ``bitrate audit --model-params`` prints them.

    Args:
        model_params: parameters of the model, as the user would state them; a log does not hold them.
    """

    model_params: float

    def __call__(self, folder: Path) -> Estimate:
        """The figure from the files of a folder."""
        con = duck.connect("2GB")
        try:
            with reduce(open_source(con, [folder])) as groups:
                found = measure(groups, Assumptions(level=LEVEL, model_params=self.model_params))
        finally:
            con.close()
        return Estimate.from_dict(found["cost"]["bits_per_pflop"])
