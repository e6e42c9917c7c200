"""Several ways of training in one log, network by network: what each was told, and what it does on held-out prompts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, groupby
from pathlib import Path

import numpy as np

from bitrate.errors import DataError
from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.logs.engines import duck
from bitrate.stats import mean_difference
from bitrate.types import Estimate

#: Runs are called ``<cell>/<way>-<seed>``: the way, and the network that was trained in it and in the others.
NAMED = "regexp_extract(run, '([^/]+)-[0-9]+$', 1) AS way, regexp_replace(run, '[^/]+-([0-9]+)$', '\\1') AS network"
PASS_RATES = f"""
SELECT network, way, count(DISTINCT prompt_id), avg(reward) FILTER (first), avg(reward) FILTER (last)
FROM (SELECT *, {NAMED} FROM rollouts WHERE split = 'eval') GROUP BY network, way ORDER BY network, way
"""
PAIRS = f"SELECT network, prompt_id, answer, way FROM (SELECT *, {NAMED} FROM rollouts) ORDER BY ALL"
#: In place of another way: the policy that all ways start from.
START = "start"


@dataclass(frozen=True)
class PassRateLead:
    """Pass rate after training in one way, less that in another way of the same network; networks are independent.

    Args:
        way: the way.
        less: the other way, or ``"start"`` for the way's own policy before training.
    """

    way: str
    less: str = START

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        name, unit = f"pass rate: {self.way} less {self.less}", "pass rate"
        with rollouts(folder) as con:
            rows = duck.run(con, PASS_RATES)
        before = {n: first for n, way, _, first, _ in rows if way == self.way}
        after = {w: {n: last for n, way, _, _, last in rows if way == w} for w in (self.way, self.less)}
        there, other = after[self.way], before if self.less == START else after[self.less]
        if not there or there.keys() != other.keys():
            return Estimate.missing(name, unit, f"{len(there)} and {len(other)} networks; want the same in both")
        a, b = (np.array([found[n] for n in sorted(found)], float) for found in (other, there))
        # A network that was not drawn may differ by one prompt from those that were, if they all agree.
        spread = max(float((b - a).std()), 1 / float(np.mean([prompts for _, _, prompts, _, _ in rows])))
        return mean_difference(a, b, name=name, unit=unit, level=LEVEL, spread=spread)


@dataclass(frozen=True)
class ReceivedFromPreferences:
    """Bits that the pairs of a way say of the hidden class, by counting the classes that agree with all of them.

    ``log2 C(V, V/2) - log2 |classes that agree|``: half of V tokens are of the class, all such classes are alike at
    first, and the better answer of a pair is less far off the number of class tokens that its prompt asks for.
    Exact for the networks in the log.

    Args:
        way: the way.
        less: another way, of which the bits are taken off, network by network; or None.
        tokens: V.

    Raises:
        DataError: pairs that no class agrees with.

    Reference: docs/theory.md#ledger: the information of noise-free labels is the prior's entropy less what is left.
    """

    way: str
    less: str | None = None
    tokens: int = 8

    def __call__(self, folder: Path) -> Estimate:
        """The figure from the files of a folder."""
        found = [dict(self._bits(folder, way)) for way in (self.way, self.less) if way is not None]
        name, unit = "received from the preferences", "bits/network"
        if not found[0] or any(f.keys() != found[0].keys() for f in found):
            return Estimate.missing(name, unit, "no preferences of the same networks in both ways")
        bits = [found[0][n] - (found[1][n] if self.less else 0.0) for n in found[0]]
        return Estimate.exact(name, float(np.mean(bits)), unit, len(bits), "classes that agree with all pairs, counted")

    def _bits(self, folder: Path, way: str) -> Iterator[tuple[str, float]]:
        with rollouts(folder, "shown") as con:
            rows = [row for row in duck.run(con, PAIRS) if row[3] == way]
        half = combinations(range(self.tokens), self.tokens // 2)
        classes = np.array([[t in c for t in range(self.tokens)] for c in half], dtype=np.int64)
        for network, pairs in groupby(rows, key=lambda row: str(row[0])):
            listed = [(prompt.split(":")[1], *said.split(" > ")) for _, prompt, said, _ in pairs]
            asked = np.array([int(number) for number, _, _ in listed])
            off = [
                np.abs(classes[:, np.array([[int(t) for t in row[side].split()] for row in listed])].sum(-1) - asked)
                for side in (1, 2)
            ]
            agree = int((off[0] < off[1]).all(axis=1).sum())
            if not agree:
                raise DataError(
                    f"network {network}: no class of {self.tokens // 2} of {self.tokens} tokens agrees with all pairs",
                    where=str(folder),
                    hint="are the better answers first in 'better > worse', and are labels free of noise?",
                )
            yield network, math.log2(len(classes) / agree)
