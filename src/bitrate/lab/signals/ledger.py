"""A line of the audit that users run, and the known keys from which it makes some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from bitrate.lab.signals.rows import LEVEL, reduced
from bitrate.meter.assumptions import Assumptions
from bitrate.meter.groups import GroupTable
from bitrate.meter.keys import KnownKeys
from bitrate.meter.measure import measure
from bitrate.meter.run import Run
from bitrate.types import Estimate


@dataclass(frozen=True)
class LedgerLine:
    """One figure of ``bitrate audit``, by its place in the JSON.

    Args:
        line: e.g. ``"ledger.outcome_bits"``, ``"pass_rate"`` or ``"spent.mixed.tokens"``; of what other group sizes
            would give, ``"k_advice.8.update_bits"`` is the one at K=8.
        verifier_noise: as the user would state it.
        model_params: the same, for figures per FLOP.
        until: step at which known keys are looked at; the end by default.
    """

    line: str
    verifier_noise: float = 0.0
    model_params: float | None = None
    until: int | None = None

    def __call__(self, folder: Path) -> Estimate:
        """The figure from the files of a folder."""
        part, *keys = self.line.split(".")
        given = Assumptions(
            level=LEVEL, verifier_noise=self.verifier_noise, model_params=self.model_params, keys_until=self.until
        )
        with reduced(folder) as groups:
            if part == "ledger":
                [key] = keys
                return Run(GroupTable(groups, "train"), given, GroupTable(groups, "eval")).line(key)
            figure: Any = getattr(measure(groups, given), part)
        for key in keys:
            figure = _part(figure, key)
        estimate: Estimate = figure
        return estimate


def _part(whole: Any, key: str) -> Any:
    """A part of an audit by its name, or by its group size where there is one a size."""
    if isinstance(whole, Mapping):
        return whole[key]
    if isinstance(whole, tuple):
        return next(part for part in whole if part.k == int(key))
    return getattr(whole, key)


@dataclass(frozen=True)
class Overdraft:
    """What policies hold of known keys less what the log says they received, bits a prompt: at most 0.

    Args:
        until: step at which they are looked at; the end by default.
    """

    until: int | None = None

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        keys = known_keys(folder, until=self.until)
        found = keys.mean(keys.held - keys.received, LEVEL, "held less received")
        return found.renamed("held less received", "bits/prompt")


@dataclass(frozen=True)
class Log:
    """The files of an arm, wherever they are linked to: all cases of a claim read them once."""

    files: tuple[tuple[str, int, int, int], ...]
    folder: Path = field(compare=False)


def log_of(folder: Path) -> Log:
    """The files of a folder, to know them again by."""
    found = [(str(f.relative_to(folder)), f.stat()) for f in sorted(folder.rglob("*.parquet"))]
    return Log(tuple((name, s.st_ino, s.st_size, s.st_mtime_ns) for name, s in found), folder)


def known_keys(folder: Path, split: str = "train", until: int | None = None, *, marked: bool = False) -> KnownKeys:
    """The known keys of a folder's files, from which the audit makes its lines; read once for all signals."""
    return _read(log_of(folder), split, until, marked)


@lru_cache(maxsize=64)
def _read(log: Log, split: str, until: int | None, marked: bool) -> KnownKeys:
    with reduced(log.folder) as groups:
        return KnownKeys(groups, split, until, marked=marked)
