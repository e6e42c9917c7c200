"""Populations, baselines and simulated studies of coverage, used by coverage.py and by tests/stats/test_coverage.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, logit, roots_sh_jacobi, xlogy
from scipy.stats import binom, bootstrap

from bitrate.stats import Functional, OutcomeEntropy, cluster_ratio, mean_functional
from bitrate.theory import binary_entropy
from bitrate.types import Estimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Interval = tuple[float, float, float]
LEVEL = 0.95
GROUP_SIZES = (4, 8, 16, 64)


@dataclass(frozen=True)
class Population:
    """A mixture of pass rates: parts (weight, a, b) are Beta(a, b), parts (weight, p) are atoms."""

    name: str
    parts: tuple[tuple[float, ...], ...]

    def draw(self, size: int, rng: np.random.Generator) -> Floats:
        part = rng.choice(len(self.parts), size, p=[part[0] for part in self.parts])
        rates = np.empty(size)
        for i, (_, *shape) in enumerate(self.parts):
            here = part == i
            rates[here] = rng.beta(*shape, here.sum()) if len(shape) == 2 else shape[0]
        return rates

    def mean(self, f: Callable[[Floats], Floats]) -> float:
        """E f(p), by Gauss-Jacobi quadrature over the Beta parts."""
        total = 0.0
        for weight, *shape in self.parts:
            if len(shape) == 2:
                a, b = shape
                nodes, mass = roots_sh_jacobi(300, a + b - 1, a)
                total += weight * float(mass @ f(nodes) / mass.sum())
            else:
                total += weight * float(f(np.array(shape))[0])
        return total


POPULATIONS = (
    Population("Beta(.3, .5)", ((1.0, 0.3, 0.5),)),
    Population("Beta(1/2, 1/2)", ((1.0, 0.5, 0.5),)),
    Population("Beta(5, 2)", ((1.0, 5.0, 2.0),)),
    Population("half .1, half .9", ((0.5, 0.1), (0.5, 0.9))),
    Population("40% 0, 30% 1, rest uniform", ((0.4, 0.0), (0.3, 1.0), (0.3, 1.0, 1.0))),
    Population("all .02", ((1.0, 0.02),)),
)
RARE = (
    Population("all .002", ((1.0, 0.002),)),
    Population("all .998", ((1.0, 0.998),)),
    Population("2% at .5, rest 0", ((0.02, 0.5), (0.98, 0.0))),
)
#: For few prompts. None of them had a part in how the interval is made.
FEW = (
    Population("all .5", ((1.0, 0.5),)),
    Population("all .1", ((1.0, 0.1),)),
    Population("Beta(1/2, 1/2)", ((1.0, 0.5, 0.5),)),
    Population("Beta(5, 5)", ((1.0, 5.0, 5.0),)),
    Population("half 0, half 1", ((0.5, 0.0), (0.5, 1.0))),
    Population("90% 0, rest Beta(2, 2)", ((0.9, 0.0), (0.1, 2.0, 2.0))),
    Population("5% at .5, rest 0", ((0.05, 0.5), (0.95, 0.0))),
)


def naive(k: Ints, n: Ints) -> Floats:
    return binary_entropy(k / n)


def miller_madow(k: Ints, n: Ints) -> Floats:
    seen_both = (k > 0) & (k < n)
    return naive(k, n) + seen_both / (2 * n * np.log(2))


def jackknife(k: Ints, n: Ints) -> Floats:
    one_wrong_less = binary_entropy(np.minimum(k / (n - 1), 1.0))
    one_right_less = binary_entropy(np.maximum(k - 1, 0) / (n - 1))
    return n * naive(k, n) - (n - 1) * (k * one_right_less + (n - k) * one_wrong_less) / n


BASELINES: dict[str, Callable[[Ints, Ints], Floats]] = {
    "naive": naive,
    "Miller-Madow": miller_madow,
    "jackknife": jackknife,
}


def normal_interval(score: Floats, weight: Ints) -> Interval:
    value = float(weight @ score / weight.sum())
    half = 1.96 * float(np.sqrt(((weight * (score - value)) ** 2).sum()) / weight.sum())
    return value, value - half, value + half


@dataclass
class Tally:
    """Squared errors, hits and half-widths of one method on one cell."""

    truth: float
    errors: list[float]
    hits: list[bool]
    halves: list[float]

    def add(self, interval: Interval) -> None:
        value, low, high = interval
        self.errors.append(value - self.truth)
        self.hits.append(low <= self.truth <= high)
        self.halves.append((high - low) / 2)

    @property
    def rmse(self) -> float:
        return float(np.sqrt(np.mean(np.square(self.errors))))

    @property
    def coverage(self) -> float:
        return float(np.mean(self.hits))

    @property
    def half(self) -> float:
        return float(np.mean(self.halves))


def measured(functional: Functional, k: Ints, n: Ints, clusters: Ints | None = None) -> Interval:
    return figures(mean_functional(functional, k, n, level=LEVEL, clusters=clusters))


def figures(estimate: Estimate) -> Interval:
    assert estimate.value is not None and estimate.low is not None and estimate.high is not None, estimate.reason
    return estimate.value, estimate.low, estimate.high


def study(
    population: Population,
    functional: Functional,
    sizes: Sequence[int],
    prompts: int,
    *,
    replications: int,
    rng: np.random.Generator,
    baselines: dict[str, Callable[[Ints, Ints], Floats]] | None = None,
) -> dict[str, Tally]:
    """One cell: every replication draws new prompts, one group each, of a size drawn from ``sizes``."""
    truth = population.mean(functional)
    baselines = baselines or {}
    tallies = {name: Tally(truth, [], [], []) for name in ("minimax", *baselines)}
    for _ in range(replications):
        n = rng.choice(np.asarray(sizes), prompts)
        k = rng.binomial(n, population.draw(prompts, rng))
        tallies["minimax"].add(measured(functional, k, n))
        for name, score in baselines.items():
            tallies[name].add(normal_interval(score(k, n), n))
    return tallies


def study_clusters(
    population: Population, n: int, prompts: int, *, replications: int, rng: np.random.Generator
) -> dict[str, Tally]:
    """Prompts visited 1 to 6 times, logit rising by 1/2 a visit: intervals by prompt, and wrongly by group."""

    def at(p: Floats, visit: int | Ints) -> Floats:
        return np.asarray(expit(logit(p) + 0.5 * visit))

    visits_of = np.array([(7 - visit - 1) / 6 for visit in range(6)])  # chance that a prompt has this visit
    bits = [population.mean(lambda p, v=visit: binary_entropy(at(p, v))) for visit in range(6)]
    truth = float(visits_of @ bits / visits_of.sum())
    tallies = {name: Tally(truth, [], [], []) for name in ("by prompt", "by group")}
    for _ in range(replications):
        prompt = np.repeat(np.arange(prompts), rng.integers(1, 7, prompts))
        visit = np.arange(prompt.size) - np.searchsorted(prompt, prompt)
        k = rng.binomial(n, at(population.draw(prompts, rng)[prompt], visit))
        size = np.full(prompt.size, n)
        tallies["by prompt"].add(measured(OutcomeEntropy(), k, size, prompt))
        tallies["by group"].add(measured(OutcomeEntropy(), k, size))
    return tallies


def adversaries() -> list[Population]:
    """Point masses, and a small share of unlike prompts: the populations that are hardest to cover."""
    points = [Population(f"all {p:.4f}", ((1.0, p),)) for p in np.geomspace(0.001, 0.5, 25)]
    rare = [(share, other, rest) for share in (0.01, 0.03, 0.1, 0.3) for other, rest in ((0.2, 0), (0.6, 0), (0, 0.5))]
    return points + [Population(f"{s:.0%} at {p}, rest {q}", ((s, p), (1 - s, q))) for s, p, q in rare]


def study_means(clusters: int, replications: int, rng: np.random.Generator) -> dict[str, Tally]:
    """The ratio of two sums over clusters of 1 to 4 exponential values with mean 1."""
    tallies = {name: Tally(1.0, [], [], []) for name in ("ratio", "BCa", "percentile")}

    def ratio(score: Floats, weight: Floats, axis: int = -1) -> Floats:
        return np.asarray(score.sum(axis) / weight.sum(axis))

    for _ in range(replications):
        weight = rng.integers(1, 5, clusters).astype(float)
        score = weight * rng.exponential(size=clusters)
        tallies["ratio"].add(figures(cluster_ratio(weight, score, 0.0, 1.0, name="mean", unit="")))
        for method in ("BCa", "percentile"):
            made = bootstrap(
                (score, weight), ratio, paired=True, method=method, n_resamples=1000, confidence_level=LEVEL, rng=rng
            ).confidence_interval
            tallies[method].add((score.sum() / weight.sum(), made.low, made.high))
    return tallies


def study_few(
    population: Population, functional: Functional, k: int, prompts: int, *, replications: int, rng: np.random.Generator
) -> Tally:
    """Few prompts visited once each. What was seen before, in any order, is looked up."""
    tally, known = Tally(population.mean(functional), [], [], []), {}
    for _ in range(replications):
        right = np.sort(rng.binomial(k, population.draw(prompts, rng)))
        if right.tobytes() not in known:
            known[right.tobytes()] = measured(functional, right, np.full(prompts, k))
        tally.add(known[right.tobytes()])
    return tally


@dataclass(frozen=True)
class Enumerated:
    """Every sample of ``prompts`` counts of k rollouts and its interval, so that coverage is exact, at any level."""

    functional: Functional
    k: int
    prompts: int
    level: float

    @cached_property
    def _samples(self) -> tuple[Floats, Floats, Floats]:
        """How often each count is in each sample, the log of the orders that sample has, and its interval."""
        found = np.array(list(combinations_with_replacement(range(self.k + 1), self.prompts)))
        often = (found[:, :, None] == np.arange(self.k + 1)).sum(axis=1).astype(float)
        ends = [mean_functional(self.functional, right, self.k, level=self.level).known for right in found]
        return often, gammaln(self.prompts + 1) - gammaln(often + 1).sum(axis=1), np.array(ends)[:, [0, 2]]

    def coverage(self, share: Floats, rates: Floats) -> Floats:
        """Exact coverage of populations of a few rates each.

        Args:
            share: of each rate, shape [populations, rates], adding up to 1.
            rates: pass rates, shape [populations, rates].
        """
        often, orders, ends = self._samples
        truth = (share * self.functional(rates)).sum(axis=1)
        counts = (share[:, :, None] * binom.pmf(np.arange(self.k + 1), self.k, rates[:, :, None])).sum(axis=1)
        chance = np.exp(orders[:, None] + sum(xlogy(often[:, [c]], counts[None, :, c]) for c in range(self.k + 1)))
        held = (ends[:, [0]] <= truth + 1e-9) & (truth - 1e-9 <= ends[:, [1]])
        return np.asarray((chance * held).sum(axis=0))

    def worst(self) -> float:
        """Least coverage of all prompts at one rate, and of mixtures of two rates."""
        grid = np.union1d(np.linspace(0, 1, 41), [0.001, 0.005, 0.01, 0.02, 0.98, 0.99, 0.995, 0.999])
        first, second, part = (
            x.ravel() for x in np.meshgrid(grid, grid, [0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0], indexing="ij")
        )
        return float(self.coverage(np.stack([part, 1 - part], axis=1), np.stack([first, second], axis=1)).min())
