"""What each run was told and what it gained, from its log alone, and how far the one predicts the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitrate.errors import DataError, InputError
from bitrate.lab.signals.ledger import known_keys
from bitrate.lab.signals.pairs import More
from bitrate.lab.signals.rows import LEVEL
from bitrate.meter.keys import KnownKeys
from bitrate.stats import cluster_ratio
from bitrate.types import Bools, Estimate, Floats, Ints

LINES = {
    "received": "posterior of the answers under the channel that the log shows, from a uniform prior; bits a prompt",
    "total received": "the same, summed over all prompts trained on",
    "memorised": "fall of the surprisal of the answers trained on",
    "absorbed": "Barber-Agakov: log2 V less the surprisal for a decoder that believes half the policy, half in V alike",
    "held out": "fall of the surprisal of the answers of prompts held out",
    "held-out pass rate": "pass rate on prompts held out, end less start",
    "overdraft": "log2 V less surprisal, less received: at most 0",
}
UNITS = {"total received": "bits/run", "held-out pass rate": "share"}
RESAMPLES = 20_000


def ledger(folder: Path, kind: str = "key", held: str = "rule") -> dict[str, Floats]:
    """Lines of ``LINES``, an array of one figure a run each, from the log of an arm.

    Args:
        folder: the arm's files.
        kind: of the trained prompts whose received and memorised bits are meant: the first word of their ids.
        held: of the prompts held out.

    Raises:
        DataError: keys of which more was absorbed than received, or of which every answer was ruled out.
    """
    trained, out = known_keys(folder, marked=True), known_keys(folder, "eval")  # runs that were only examined, too
    ours, apart = _first_word(trained) == kind, _first_word(out) == held

    def mean(keys: KnownKeys, which: Bools, values: Floats) -> Floats:
        counts, sums = (np.bincount(keys.run[which], weights=x, minlength=keys.runs.size)
                        for x in (None, values[which]))  # fmt: skip
        return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), math.nan))

    every = np.ones(trained.start.size, bool)
    lines = {
        "received": mean(trained, ours, trained.received),
        "total received": mean(trained, every, trained.received) * trained.start.size / trained.runs.size,
        "memorised": mean(trained, ours, trained.absorbed),
        "absorbed": mean(trained, ours, np.log2(trained.alphabet * 2.0**-trained.last_bits + 1) - 1),
        "held out": mean(out, apart, out.absorbed),
        "held-out pass rate": mean(out, apart, _pass_rate(out, out.last) - _pass_rate(out, out.start)),
        "overdraft": mean(trained, ours, trained.held - trained.received),
    }
    if kind == "key" and ours.any():
        _check(lines["overdraft"], folder)
    return lines


def _first_word(keys: KnownKeys) -> NDArray[np.str_]:
    """The kind of each prompt: the first word of its id."""
    return np.array([str(p).split(" ")[0] for p in keys.prompts], dtype=np.str_)


def _pass_rate(keys: KnownKeys, visits: Ints) -> Floats:
    """Right rollouts of those scored in some visits; NaN where none was scored."""
    right, scored = (keys.visit[c][visits].astype(float) for c in ("n_right", "n"))
    return np.asarray(np.divide(right, scored, out=np.full(scored.size, np.nan), where=scored > 0))


def _check(overdraft: Floats, folder: Path) -> None:
    """Nothing can be absorbed of a key that was not received."""
    found = _mean("overdraft", overdraft, "bits/prompt")
    if found.low is not None and found.low > 0:
        raise DataError(
            f"the policies absorbed at least {found.low:.3g} bits a key more than the log says they received",
            where=str(folder),
            hint="did answers reach the updates that were not logged?",
        )


def _mean(name: str, values: Floats, unit: str, weight: Floats | None = None) -> Estimate:
    """Mean over runs, or a ratio of sums; an unseen run may differ as runs do, or by half a bit of one prompt in 16."""
    w = np.ones(values.size) if weight is None else weight
    spread = max(float((values / w).std()), 1 / 32) if w.all() else 1.0
    return cluster_ratio(w, values, 0.0, spread, name=name, unit=unit, level=LEVEL, method=LINES.get(name, name))


@dataclass(frozen=True)
class Gain:
    """A line of one arm, mean over runs (networks), which are independent.

    Args:
        arm: its folder.
        line: one of ``LINES``.
        kind, held: as for :func:`ledger`.
        per: another line: then the ratio of both sums over runs, times ``scale``.
        scale: of a ratio.
    """

    arm: str
    line: str
    kind: str = "key"
    held: str = "rule"
    per: str = ""
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name in {self.line, self.per or self.line}:
            if name not in LINES:
                raise InputError(f"line = {name!r}; want one of {', '.join(LINES)}")

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of the arm."""
        lines = ledger(folder / self.arm, self.kind, self.held)
        unit = UNITS.get(self.line, "bits/prompt")
        if not self.per:
            return _mean(self.line, lines[self.line], unit)
        if not lines[self.per].min() > 0:
            return Estimate.missing(f"{self.line} per {self.per}", "ratio", f"a run without {self.per}")
        return _mean(f"{self.line} per {self.per}", lines[self.line] * self.scale, "ratio", lines[self.per])


def gain_lead(more: Gain, less: Gain) -> More:
    """One :class:`Gain` less another of other runs."""
    return More(f"{more.arm} less {less.arm}", more, less)


@dataclass(frozen=True)
class Regression:
    """Least squares over all runs of all arms: a gain on bits received, ``slope`` or ``share`` of variance explained.

    Runs are drawn anew in each arm for itself: the arms are those that were registered, and its runs stand for others.

    Args:
        arms: their folders.
        says: ``"slope"`` or ``"share"`` of keys memorised, on bits received about keys; ``"held slope"`` or ``"held
            share"`` of held-out gain, on bits received about the rule's prompts; ``"lead"``: the first share less the
            second.

    Raises:
        InputError: another word.
    """

    arms: tuple[str, ...]
    says: str

    def __post_init__(self) -> None:
        if self.says not in {"slope", "share", "held slope", "held share", "lead"}:
            raise InputError(f"says = {self.says!r}; want slope, share, held slope, held share or lead")

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of all arms."""
        tables = []
        for arm in self.arms:
            keys, rules = ledger(folder / arm), ledger(folder / arm, "rule")
            columns = [keys["received"], keys["memorised"], rules["received"], rules["held out"]]
            tables.append(np.stack(columns, axis=1))
        draws = _resampled(tables, np.random.default_rng(0))
        point = self._figure(np.concatenate([_products(t) for t in tables]).mean(axis=0, keepdims=True))
        drawn = self._figure(draws)
        n = sum(map(len, tables))
        low, high = (float(x) for x in np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
        value = float(point[0])
        unit = "bits/bit" if "slope" in self.says else "share"
        how = f"least squares over {n} runs of {len(tables)} arms; {RESAMPLES} resamples of runs within arms"
        return Estimate(self.says, value, min(low, value), max(high, value), unit, LEVEL, n, how)

    def _figure(self, means: Floats) -> Floats:
        key, held = (_fit(means[:, i : i + 5]) for i in (0, 5))
        if self.says == "lead":
            return np.asarray(key[1] - held[1])
        return (held if self.says.startswith("held") else key)[0 if self.says.endswith("slope") else 1]


def _products(table: Floats) -> Floats:
    """``x, y, xx, yy, xy`` of both pairs of columns."""
    parts = []
    for x, y in (table[:, :2].T, table[:, 2:].T):
        parts += [x, y, x * x, y * y, x * y]
    return np.stack(parts, axis=1)


def _fit(means: Floats) -> tuple[Floats, Floats]:
    """Slope, and share of variance explained, from means of ``x, y, xx, yy, xy``."""
    x, y, xx, yy, xy = means.T
    together, wide, high = xy - x * y, xx - x * x, yy - y * y
    return together / wide, together**2 / (wide * high)


def _resampled(tables: Sequence[Floats], rng: np.random.Generator) -> Floats:
    """Means over all runs, the runs of each arm drawn anew, shape [resamples, 10]."""
    total = np.zeros((RESAMPLES, 10))
    for table in tables:
        products, n = _products(table), len(table)
        times = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
        total += times @ products
    return total / sum(map(len, tables))
