"""How surprising an event was: minus log2 of how often it happened."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from bitrate.lab.signals.counts import Mean
from bitrate.types import Estimate


@dataclass(frozen=True)
class Surprisal:
    """``-log2`` of the share of prompts in which something happened: the surprise of a learner whose belief was right.

    Args:
        event: what happened, true or false of each prompt: an SQL aggregate over its rows of the view ``rollouts``.
        name: what it is.
    """

    event: str
    name: str

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder; the ends of the interval are those of the share."""
        share = Mean(f"({self.event})::INT", self.name, "share of prompts")(folder)
        unit = "bits/label"
        if share.known and share.known[0] <= 0:
            return Estimate.missing(self.name, unit, "too rare for the interval of its share to be above 0", share.n)
        return share.map(lambda x: -math.log2(x), self.name, unit, "-log2 of the share")
