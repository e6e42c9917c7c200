"""Keys that depend on one another: what the log told of them, and what policies hold of them, jointly or one by one."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.errors import DataError, InputError
from bitrate.lab.signals.ledger import known_keys
from bitrate.meter.keys import KnownKeys
from bitrate.stats import cluster_ratio
from bitrate.types import Bools, Estimate, Floats

SAYS = {
    "received": "entropy of the keys that labels and scores were about, at most what these say",
    "absorbed": "joint entropy of all keys less the surprisal of a joint decoder: a mean over its rows and columns",
    "product": "log2 V less surprisal of every key that was trained on, each by itself",
    "overdraft": "absorbed, by the joint decoder, less received",
    "product overdraft": "absorbed, key by key, less received",
}
#: How much the joint decoder believes in any answer at all. Policies are sure, and wrong, of keys that they were not
#: taught: without it the figures of three runs of T9 lay 20 bits apart.
HEDGE = 1 / 8
#: How far an unseen run may differ where those seen do not: half a bit of one key in 16.
NARROW = 1 / 32


@dataclass(frozen=True)
class CodedBits:
    """Bits a run of keys ``(u_a + v_b) mod V`` whose u and v are hidden; mean over runs.

    The joint decoder reads a row and the column through one of its places off the policy, which it believes for 7/8 and
    takes all answers for as likely for the rest, and knows how all other keys follow from these. Its ``q(S)``, the mean
    over places of ``prod (7/8 pi(key) + 1/8 / V)``, sums to at most 1 over the ``V^(2 side - 1)`` tables that there
    are, so ``E log2 q(S) + H(S)`` is at most what the parameters hold (Barber-Agakov). That is a mean: in a single run
    a policy may guess a key that it was not told. Key by key, the sum over prompts counts what is told of one key again
    for every key that follows from it.

    Args:
        says: one of ``SAYS``.
        side: rows of the table, and columns; prompts have two numbers in their ids.
        answers: V.
        level: coverage.

    Raises:
        InputError: another word.

    Reference: docs/theory.md#ledger.
    """

    says: str
    side: int
    answers: int
    level: float

    def __post_init__(self) -> None:
        if self.says not in SAYS:
            raise InputError(f"says = {self.says!r}; want one of {', '.join(SAYS)}")

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        bits, taught = self._tables(folder)
        received = np.array([self._received(t) for t in taught])
        joint, product = self._joint(bits), ((self._key - bits) * taught).sum(axis=(1, 2))
        found = {
            "received": received, "absorbed": joint, "product": product, "overdraft": joint - received,
            "product overdraft": product - received,
        }[self.says]  # fmt: skip
        one, spread = np.ones(found.size), max(float(found.std()), NARROW)
        return cluster_ratio(
            one, found, 0.0, spread, name=self.says, unit="bits/run", level=self.level, method=SAYS[self.says]
        )

    @property
    def _key(self) -> float:
        return math.log2(self.answers)

    def _tables(self, folder: Path) -> tuple[Floats, Bools]:
        """Surprisal of every key at the last visit, and whether the log says it was trained on, [runs, side, side]."""
        parts = [known_keys(folder, split) for split in ("train", "eval")]
        runs = np.unique(np.concatenate([keys.runs for keys in parts]))
        bits = np.full((runs.size, self.side, self.side), np.nan)
        taught = np.zeros(bits.shape, bool)
        for keys in parts:
            places = np.array([[int(n) for n in re.findall(r"\d+", str(p))] for p in keys.prompts], int).reshape(-1, 2)
            where = (np.searchsorted(runs, keys.runs)[keys.run], *places.T)
            bits[where], taught[where] = keys.last_bits, _taught(keys)
        if np.isnan(bits).any():
            raise DataError(f"{int(np.isnan(bits).sum())} keys have no surprisal", where=str(folder))
        return bits, taught

    def _received(self, taught: Bools) -> float:
        """``log2 V`` for every key of a largest set of which none follows from others: a forest of rows and columns."""
        edges = np.argwhere(taught) + np.array([0, self.side])
        group = np.arange(2 * self.side)
        rank = 0
        for a, b in edges:
            if group[a] != group[b]:
                group[group == group[b]] = group[a]
                rank += 1
        return rank * self._key

    def _joint(self, bits: Floats) -> Floats:
        """Bits of the tables that the joint decoder finds in the policies, shape [runs]."""
        bits = -np.log2((1 - HEDGE) * 2.0**-bits + HEDGE / self.answers)
        star = bits.sum(axis=2, keepdims=True) + bits.sum(axis=1, keepdims=True) - bits
        decoded = np.logaddexp2.reduce(-star.reshape(len(bits), -1), axis=1) - 2 * math.log2(self.side)
        return np.asarray((2 * self.side - 1) * self._key + decoded)


def _taught(keys: KnownKeys) -> Bools:
    """Of each prompt, whether a label was shown or an advantage was computed at any of its visits."""
    told = np.asarray(keys.visit["label"] | keys.visit["normalised"], bool)
    return np.asarray(np.logical_or.reduceat(told, keys.start)) if told.size else told
