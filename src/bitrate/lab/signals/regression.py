"""What each run was told and what it gained, from its log alone, and how far the one predicts the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.errors import DataError, InputError
from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.lab.signals.told import received
from bitrate.logs.engines import duck
from bitrate.stats import cluster_ratio, difference
from bitrate.types import Estimate, Floats

#: Both exams of every prompt: its first step and its last, which made no update.
EXAMS = """
SELECT run, split, split_part(prompt_id, ' ', 1) AS kind, prompt_id, any_value(target_surprisal) FILTER (first),
       any_value(target_surprisal) FILTER (last), avg(reward) FILTER (first), avg(reward) FILTER (last)
FROM rollouts WHERE first OR last GROUP BY run, split, kind, prompt_id ORDER BY run, split, kind, prompt_id
"""
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


@dataclass(frozen=True)
class _Log:
    """The files of an arm, wherever they are linked to: all cases of a claim read them once."""

    files: tuple[tuple[str, int, int, int], ...]
    folder: Path = field(compare=False)

    @classmethod
    def of(cls, folder: Path) -> _Log:
        found = [(str(f.relative_to(folder)), f.stat()) for f in sorted(folder.rglob("*.parquet"))]
        return cls(tuple((name, s.st_ino, s.st_size, s.st_mtime_ns) for name, s in found), folder)


@lru_cache(maxsize=64)
def _read(log: _Log) -> tuple[list[tuple[Any, ...]], dict[tuple[str, str], float], int]:
    """Both exams, the bits that each prompt received, and how many answers there are."""
    with rollouts(log.folder, "reward IS NOT NULL OR shown") as con:
        exams = duck.run(con, EXAMS)
        alphabet = int(duck.run(con, "SELECT count(DISTINCT target) FROM rollouts WHERE split = 'train'")[0][0])
        return exams, received(con, alphabet), alphabet


def ledger(folder: Path, kind: str = "key", held: str = "rule") -> dict[str, Floats]:
    """Lines of ``LINES``, an array of one figure a run each, from the log of an arm.

    Args:
        folder: the arm's files.
        kind: of the trained prompts whose received and memorised bits are meant: the first word of their ids.
        held: of the prompts held out.

    Raises:
        DataError: keys of which more was absorbed than received, or of which every answer was ruled out.
    """
    exams, told, alphabet = _read(_Log.of(folder))
    trained = [(row, told.get((row[0], row[3]), 0.0)) for row in exams if row[1] == "train"]
    runs = sorted({row[0] for row in exams})

    def mean(values: Sequence[tuple[str, float]]) -> Floats:
        sums, counts = dict.fromkeys(runs, 0.0), dict.fromkeys(runs, 0)
        for run, value in values:
            sums[run], counts[run] = sums[run] + value, counts[run] + 1
        return np.array([sums[r] / counts[r] if counts[r] else math.nan for r in runs])

    ours = [(row, bits) for row, bits in trained if row[2] == kind]
    out = [row for row in exams if row[1] == "eval" and row[2] == held]
    lines = {
        "received": mean([(row[0], bits) for row, bits in ours]),
        "total received": mean([(row[0], bits) for row, bits in trained]) * len(trained) / len(runs),
        "memorised": mean([(row[0], row[4] - row[5]) for row, _ in ours]),
        "absorbed": mean([(row[0], math.log2(alphabet * 2 ** -row[5] + 1) - 1) for row, _ in ours]),
        "held out": mean([(row[0], row[4] - row[5]) for row in out]),
        "held-out pass rate": mean([(row[0], row[7] - row[6]) for row in out]),
        "overdraft": mean([(row[0], math.log2(alphabet) - row[5] - bits) for row, bits in ours]),
    }
    if kind == "key" and ours:
        _check(lines["overdraft"], folder)
    return lines


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


@dataclass(frozen=True)
class GainLead:
    """One :class:`Gain` less another of other runs."""

    more: Gain
    less: Gain

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of both arms."""
        return difference(self.less(folder), self.more(folder), name=f"{self.more.arm} less {self.less.arm}")


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
