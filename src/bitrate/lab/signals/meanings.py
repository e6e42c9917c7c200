"""Answers that can be said in many ways: bits heard of their meaning, and what came of them, by way of training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from bitrate.errors import InputError
from bitrate.lab.signals.ledger import Log, log_of
from bitrate.lab.signals.preferences import NAMED
from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.logs.engines import duck
from bitrate.stats import cluster_ratio, mean_difference
from bitrate.types import Estimate

LINES = {
    "received": "log2 V less what verdicts and labels leave open, mean over prompts trained on",
    "absorbed": "Barber-Agakov on keys, for a decoder that believes half the policy, half in V alike",
    "held-out bits": "fall of the surprisal of the meaning on prompts held out",
    "held-out pass rate": "pass rate on prompts held out, after less before",
}
#: Rows with the surprisal of the target are of the examinations before and after training; the others made updates.
HEARD = f"""
SELECT network, bool_or(shown OR reward > 0.5), count(DISTINCT answer) FILTER (NOT shown AND reward <= 0.5)
FROM (SELECT *, {NAMED} FROM rollouts) WHERE way = '{{way}}' AND target_surprisal IS NULL GROUP BY network, prompt_id
ORDER BY network, prompt_id
"""
EXAMS = f"""
SELECT network, last, count(DISTINCT prompt_id) FILTER (split = 'train'),
       avg(log2(pow(2, -target_surprisal) * {{v}} + 1) - 1) FILTER (split = 'train' AND prompt_id LIKE 'key %'),
       avg(target_surprisal) FILTER (split = 'eval'), avg(reward) FILTER (split = 'eval')
FROM (SELECT *, {NAMED} FROM rollouts) WHERE way = '{{way}}' AND target_surprisal IS NOT NULL
GROUP BY network, last ORDER BY network, last
"""


@dataclass(frozen=True)
class MeaningLead:
    """A line of one way of training less that of another from the same bases, network by network.

    Verdicts and labels are taken to be free of errors.

    Args:
        way: the way.
        line: one of ``LINES``.
        less: the other way; none, to have the line itself.
        a_bit: whether the line is divided by the bits that the network received a prompt.

    Raises:
        InputError: another line.

    Reference: docs/theory.md#ledger.
    """

    way: str
    line: str
    less: str = ""
    a_bit: bool = False

    def __post_init__(self) -> None:
        if self.line not in LINES:
            raise InputError(f"line = {self.line!r}; want one of {', '.join(LINES)}")

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        name = f"{self.line}{' a bit' * self.a_bit}: {self.way}" + f" less {self.less}" * bool(self.less)
        unit = "share" if "rate" in self.line else "bits/prompt"
        found = [self._figures(folder, way) for way in (self.way, self.less) if way]
        if not found[0] or any(f.keys() != found[0].keys() for f in found):
            return Estimate.missing(name, unit, "the ways were not examined on the same networks")
        figures = [np.array([f[n] for n in sorted(f)], float) for f in found]
        if not np.isfinite(figures).all():
            return Estimate.missing(name, unit, "a network that received nothing", len(figures[0]))
        # A network that was not drawn may differ by one prompt of fifty, or by as much in bits, if all seen agree.
        spread = max(float((figures[0] - figures[-1] * (len(found) > 1)).std()), 0.02)
        if self.less:
            return mean_difference(figures[1], figures[0], name=name, unit=unit, level=LEVEL, spread=spread)
        ones, how = np.ones(figures[0].size), LINES[self.line]
        return cluster_ratio(ones, figures[0], 0.0, spread, name=name, unit=unit, level=LEVEL, method=how)

    def _figures(self, folder: Path, way: str) -> dict[str, float]:
        """The line of each network."""
        lines = _networks(log_of(folder), way)
        if not self.a_bit:
            return {network: line[self.line] for network, line in lines.items()}
        told = {network: line["received"] or math.nan for network, line in lines.items()}
        return {network: line[self.line] / told[network] for network, line in lines.items()}


@lru_cache(maxsize=64)
def _networks(log: Log, way: str) -> dict[str, dict[str, float]]:
    """All lines of each network that was trained in one way; read once for all cases."""
    with rollouts(log.folder, "reward IS NOT NULL OR shown") as con:
        [(v,)] = duck.run(con, "SELECT count(DISTINCT target) FROM rollouts")
        heard = duck.run(con, HEARD.format(way=way))
        exams = duck.run(con, EXAMS.format(way=way, v=v))
    received = dict[str, float]()
    for network, hit, wrong in heard:
        received[network] = received.get(network, 0.0) + math.log2(v) - (0.0 if hit else math.log2(v - wrong))
    found = {}
    for before, after in zip(exams[::2], exams[1::2], strict=True):
        (network, *_, bits, rate), (_, _, prompts, absorbed, end_bits, end_rate) = before, after
        figures = received.get(network, 0.0) / prompts, absorbed, bits - end_bits, end_rate - rate
        found[network] = dict(zip(LINES, figures, strict=True))
    return found
