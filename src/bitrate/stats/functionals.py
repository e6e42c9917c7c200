"""What is wanted of a population of pass rates: its mean of f(p), for each f that the ledger needs.

Every functional is a small frozen object: hashable, so that its table of scores is computed once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import entr, gammaln

from bitrate.errors import InputError
from bitrate.theory import binary_entropy, dead_group_probability, group_normalised_information
from bitrate.types import Floats


def log_choose(n: Floats | float, k: Floats | float) -> Floats:
    """Natural log of the binomial coefficient, ``-inf`` where ``k`` lies outside 0..n.

    >>> bool(np.isclose(np.exp(log_choose(5, 2)), 10))
    True
    """
    top, chosen = np.broadcast_arrays(np.asarray(n, float), np.asarray(k, float))
    inside = (chosen >= 0) & (chosen <= top)
    safe = np.where(inside, chosen, 0.0)
    return np.where(inside, gammaln(top + 1) - gammaln(safe + 1) - gammaln(np.maximum(top - safe, 0.0) + 1), -np.inf)


@dataclass(frozen=True)
class Functional:
    """A function f of one pass rate, whose mean over prompts is estimated from counts.

    ``low`` and ``high`` bound f on [0, 1]; a group smaller than ``min_rollouts`` says nothing about E f beyond E p;
    ``symmetric`` says that f(p) = f(1-p).
    """

    title: ClassVar[str]
    unit: ClassVar[str]
    high: ClassVar[float] = 1.0
    min_rollouts: ClassVar[int] = 2
    symmetric: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """In the field's words, with its parameters."""
        return self.title

    @property
    def low(self) -> float:
        """The least value of f on [0, 1]."""
        return 0.0

    @property
    def kinks(self) -> tuple[float, ...]:
        """Pass rates where f is not smooth, so that no grid misses them."""
        return ()

    def __call__(self, p: Floats) -> Floats:
        """f at pass rates ``p``."""
        raise NotImplementedError

    def at(self, n: int) -> Functional:
        """What is wanted of a group of ``n`` rollouts: the same of every group, but for figures at the group's size."""
        return self

    def unbiased_at(self, right: Floats, n: Floats) -> Floats:
        """Scores of ``right`` of ``n`` whose mean is f(p) exactly at every p; NaN at sizes that have none."""
        return np.full(np.broadcast(right, n).shape, np.nan)

    def unbiased(self, n: int) -> Floats | None:
        """Scores of k = 0..n right whose mean is f(p) exactly at every p, or None where there are none."""
        scores = self.unbiased_at(np.arange(n + 1.0), np.full(n + 1, float(n)))
        return None if np.isnan(scores).any() else scores


@dataclass(frozen=True)
class PassRate(Functional):
    """p itself.

    >>> PassRate().unbiased(2).tolist()
    [0.0, 0.5, 1.0]
    """

    title = "pass rate"
    unit = "share"
    min_rollouts = 1

    def __call__(self, p: Floats) -> Floats:
        return p

    def unbiased_at(self, right: Floats, n: Floats) -> Floats:
        return np.asarray(right / n)


@dataclass(frozen=True)
class OutcomeEntropy(Functional):
    """h(p), the entropy of one 0/1 outcome.

    >>> float(OutcomeEntropy()(np.array(0.5)))
    1.0
    """

    title = "outcome bits"
    unit = "bits/rollout"
    symmetric = True

    def __call__(self, p: Floats) -> Floats:
        return binary_entropy(p)


@dataclass(frozen=True)
class SurprisalTerm(Functional):
    """-p log2 p, one reward level's share of the entropy of a graded reward.

    >>> float(SurprisalTerm()(np.array(0.5)))
    0.5
    """

    title = "surprisal term"
    unit = "bits/rollout"
    high = math.log2(math.e) / math.e

    def __call__(self, p: Floats) -> Floats:
        return np.asarray(entr(p) / math.log(2))


@dataclass(frozen=True)
class LearningValue(Functional):
    """p(1-p), the variance of one 0/1 outcome.

    >>> LearningValue().unbiased(2).tolist()
    [0.0, 0.5, 0.0]
    """

    title = "learning value p(1-p)"
    unit = "variance/rollout"
    high = 0.25
    symmetric = True

    def __call__(self, p: Floats) -> Floats:
        return p * (1 - p)

    def unbiased_at(self, right: Floats, n: Floats) -> Floats:
        return np.where(n > 1, right * (n - right) / (n * np.maximum(n - 1, 1)), np.nan)


@dataclass(frozen=True)
class _AtGroupSize(Functional):
    k: int

    def __post_init__(self) -> None:
        if not (self.k == int(self.k) and self.k >= 1):
            raise InputError(f"k = {self.k}; want a whole number of rollouts, 1 or more")


@dataclass(frozen=True)
class DeadShare(_AtGroupSize):
    """p^K + (1-p)^K, the share of groups of ``k`` rollouts that would be all right or all wrong.

    >>> DeadShare(2).unbiased(2).tolist()
    [1.0, 0.0, 1.0]
    """

    title = "dead groups"
    unit = "share"
    symmetric = True

    @property
    def name(self) -> str:
        return f"dead groups at K={self.k}"

    def __call__(self, p: Floats) -> Floats:
        return dead_group_probability(p, self.k)

    def unbiased_at(self, right: Floats, n: Floats) -> Floats:
        """The share of K-subsets of the group that are all right or all wrong."""
        size = np.maximum(n, self.k)
        alike = np.exp(
            np.logaddexp(log_choose(right, self.k), log_choose(n - right, self.k)) - log_choose(size, self.k)
        )
        return np.where(n < self.k, np.nan, np.where((right == 0) | (right == n), 1.0, alike))


@dataclass(frozen=True)
class UpdateBits(_AtGroupSize):
    """Bits per rollout that a group-normalised advantage over ``k`` rollouts keeps.

    >>> float(UpdateBits(2)(np.array(0.5)))
    0.75
    """

    title = "update bits"
    unit = "bits/rollout"
    symmetric = True

    @property
    def name(self) -> str:
        return f"update bits at K={self.k}"

    def __call__(self, p: Floats) -> Floats:
        return group_normalised_information(p, self.k)


@dataclass(frozen=True)
class OwnUpdateBits(Functional):
    """Bits per rollout that a group-normalised advantage keeps of a group, at that group's own size.

    >>> OwnUpdateBits().at(8) == UpdateBits(8)
    True
    """

    title = "update bits"
    unit = "bits/rollout"

    def at(self, n: int) -> Functional:
        """From 64 rollouts on, what is merged is below 2^-60 bits a rollout, and one function serves all sizes."""
        return UpdateBits(min(n, 64))


@dataclass(frozen=True)
class Log2PassRate(Functional):
    """log2(max(p, floor)): without a floor no finite table bounds it at p = 0.

    >>> float(Log2PassRate(0.25)(np.array(0.125)))
    -2.0
    """

    floor: float

    title = "log2 pass rate"
    unit = "bits/prompt"
    high = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.floor < 1:
            raise InputError(f"floor = {self.floor}; want a pass rate in (0, 1)")

    @property
    def name(self) -> str:
        return f"log2 pass rate, floored at {self.floor:g}"

    @property
    def low(self) -> float:
        return math.log2(self.floor)

    @property
    def kinks(self) -> tuple[float, ...]:
        return (self.floor,)

    def __call__(self, p: Floats) -> Floats:
        return np.log2(np.maximum(p, self.floor))
