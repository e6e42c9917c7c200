"""How much of what was planted a network holds, over how much was planted: the largest amount, and the knee."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.errors import InputError
from bitrate.lab.signals.ledger import LedgerLine, known_keys
from bitrate.lab.signals.rows import LEVEL
from bitrate.stats import cluster_ratio
from bitrate.types import Estimate, Floats

METHOD = "log2 V - surprisal of the key at the end: Barber-Agakov, the policy as decoder; mean over runs"
#: What is absorbed follows what is planted as long as it is this share of it.
FOLLOWS = 0.9
#: The audit's line: bits of its planted key that a run's policy holds, a prompt.
HELD = LedgerLine("ledger.held_key_bits")


def _runs(folder: Path) -> Floats:
    """Bits planted, absorbed and of one key, shape [runs, 3]; ordered by run."""
    keys = known_keys(folder)
    prompts, held = keys.by_run(keys.held)
    key = math.log2(keys.alphabet) if keys.alphabet else 0.0
    return np.stack([prompts * key, held, np.full(held.size, key)], axis=1)


def _mean(runs: Floats, over: float, name: str, unit: str, method: str = METHOD) -> Estimate:
    """Mean absorbed bits over a number; an unseen run may differ as runs do, or by the key of one prompt."""
    held = runs[:, 1] / over
    spread = max(float(held.std()), float(runs[:, 2].max()) / over) if len(runs) else 1.0
    return cluster_ratio(np.ones(len(held)), held, 0.0, spread, name=name, unit=unit, level=LEVEL, method=method)


@dataclass(frozen=True)
class Absorbed:
    """Bits that a run's policy holds of its planted key, the audit's line, over its trained parameters.

    Args:
        parameters: what the bits are divided by.
    """

    parameters: int

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        keys = known_keys(folder)
        prompts = keys.start.size / keys.runs.size
        return HELD(folder).scaled(prompts / self.parameters, "absorbed", "bits/parameter")


@dataclass(frozen=True)
class _Loads:
    """Arms that differ in how much was planted.

    Args:
        arms: folders of the loads.
        parameters: trained numbers of each run.

    Raises:
        InputError: no load, or no parameter.
    """

    arms: Sequence[str]
    parameters: int

    def __post_init__(self) -> None:
        if not self.arms or self.parameters < 1:
            found = f"arms = {self.arms!r}, parameters = {self.parameters}"
            raise InputError(f"{found}; want a load or more, and a parameter or more")


@dataclass(frozen=True)
class Capacity(_Loads):
    """The most that runs hold on average, over how much was planted in them, in bits a parameter.

    Every other run chooses the load, and the rest measure it there: the largest of several noisy means, measured on
    the runs that made it the largest, would be too large.
    """

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of the arms' folders."""
        loads = [_runs(folder / arm) for arm in self.arms]
        choose = [float(runs[::2, 1].mean()) if len(runs) > 1 else -np.inf for runs in loads]
        best = loads[int(np.argmax(choose))]
        planted = float(best[0, 0]) / self.parameters if len(best) else 0.0
        how = f"{METHOD}; at {planted:.3g} bits planted a parameter, chosen on every other run, measured on the rest"
        return _mean(best[1::2], self.parameters, "capacity", "bits/parameter", how)


@dataclass(frozen=True)
class Knee(_Loads):
    """The planted bits a parameter up to which nine tenths of them are absorbed.

    Between loads the share is taken to change linearly, from 1 where nothing is planted. The interval holds the loads
    at which the interval of the share holds nine tenths, found in the same way from its ends. The least load is first.
    """

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of the arms' folders."""
        unit, loads, shares = "bits/parameter", [0.0], list[Estimate]()
        for arm in self.arms:
            runs = _runs(folder / arm)
            planted = float(runs[0, 0]) if len(runs) else 1.0
            loads.append(planted / self.parameters)
            shares.append(_mean(runs, planted, "share absorbed", "share"))
        n, found = min(s.n for s in shares), list[float]()
        for end in ("low", "value", "high"):
            ends = [getattr(s, end) for s in shares]
            if None in ends:
                return Estimate.missing("knee", unit, "a load with fewer than two runs", n)
            crossed = crossing(loads, [1.0, *ends], FOLLOWS)
            if crossed is None:
                return Estimate.missing("knee", unit, f"up to {loads[-1]:.3g} no load is surely beyond it", n)
            found.append(crossed)
        how = f"load at which the absorbed share falls below {FOLLOWS:g}, linear between loads; {METHOD}"
        return Estimate("knee", found[1], found[0], found[2], unit, LEVEL, n, how)


def crossing(loads: Sequence[float], shares: Sequence[float], at: float) -> float | None:
    """Where a line through points first falls below a height; None where it does not.

    >>> crossing([0.0, 1.0, 2.0], [1.0, 1.0, 0.8], 0.9)
    1.5
    """
    for i in range(1, len(loads)):
        if shares[i] < at:
            part = (shares[i - 1] - at) / (shares[i - 1] - shares[i])
            return float(round(loads[i - 1] + part * (loads[i] - loads[i - 1]), 12))
    return None
