"""Two runs side by side: how much more one carries than the other, or what part of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bitrate.stats import difference
from bitrate.types import Estimate

Signal = Callable[[Path], Estimate]


@dataclass(frozen=True)
class Of:
    """A signal of one arm of several: the folder called after it.

    Args:
        arm: the arm's name.
        signal: what is measured in its runs.
    """

    arm: str
    signal: Signal

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the arm's files."""
        return self.signal(folder / self.arm)


@dataclass(frozen=True)
class More:
    """One figure less another, from independent runs.

    Args:
        name: what the difference is called.
        signal: the figure.
        less: what is subtracted, in the same unit.
    """

    name: str
    signal: Signal
    less: Signal

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        return difference(self.less(folder), self.signal(folder), name=self.name)


@dataclass(frozen=True)
class Lead:
    """One signal of one run less another of another run; each run has a folder of its own below the claim's.

    Args:
        run: folder of the first run.
        signal: what is measured in it.
        other: folder of the run it is compared with.
        other_signal: what is measured there, in the same unit.
    """

    run: str
    signal: Signal
    other: str
    other_signal: Signal

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of both folders."""
        one, other = Of(self.run, self.signal), Of(self.other, self.other_signal)
        return More(f"{self.run} less {self.other}", one, other)(folder)


@dataclass(frozen=True)
class Ratio:
    """One signal of one run over another of another run, both of them positive; folders as in :class:`Lead`."""

    run: str
    signal: Signal
    other: str
    other_signal: Signal

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of both folders; its interval holds every ratio of the two intervals."""
        a, b = self.signal(folder / self.run), self.other_signal(folder / self.other)
        name, unit, n = f"{self.run} over {self.other}", "ratio", min(a.n, b.n)
        if a.known is None or b.known is None:
            return Estimate.missing(name, unit, (a if a.known is None else b).reason or "", n)
        over, under = a.known, b.known
        if min(over[0], under[0]) <= 0:
            return Estimate.missing(name, unit, "one of the two may be 0", n)
        # Both intervals hold their figures at once with this level, whether or not the runs have anything in common.
        level = max(0.0, a.level + b.level - 1)
        return Estimate(
            name, over[1] / under[1], over[0] / under[2], over[2] / under[0], unit, level, n, "ratio of two figures"
        )
