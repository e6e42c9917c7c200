"""How often the intervals hold the truth, and how far the estimates are from it: writes docs/coverage.md.

    python benchmarks/coverage.py [--replications 1000] [--seed 0] [--out docs/coverage.md]

The baselines (naive, Miller-Madow, jackknife) live here only. The allowance for unseen clusters and the skewness term
of ``bitrate.stats.cluster_ratio`` were chosen on other populations than those below.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, roots_sh_jacobi

from bitrate.stats import (
    DeadShare,
    Functional,
    LearningValue,
    Log2PassRate,
    OutcomeEntropy,
    PassRate,
    SurprisalTerm,
    UpdateBits,
    cluster_bootstrap,
    cluster_ratio,
    mean_functional,
)
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
    points = [Population(f"all {p:.4f}", ((1.0, p),)) for p in np.geomspace(0.001, 0.5, 12)]
    rare = [(share, other, rest) for share in (0.01, 0.03, 0.1, 0.3) for other, rest in ((0.2, 0), (0.6, 0), (0, 0.5))]
    return points + [Population(f"{s:.0%} at {p}, rest {q}", ((s, p), (1 - s, q))) for s, p, q in rare]


def study_means(clusters: int, replications: int, rng: np.random.Generator) -> dict[str, Tally]:
    """The ratio of two sums over clusters of 1 to 4 exponential values with mean 1."""
    tallies = {name: Tally(1.0, [], [], []) for name in ("ratio", "bca", "percentile")}

    def ratio(means: Floats) -> Floats:
        return np.asarray(means[:, 0] / means[:, 1])

    for _ in range(replications):
        weight = rng.integers(1, 5, clusters).astype(float)
        sums = np.stack([weight * rng.exponential(size=clusters), weight], axis=1)
        tallies["ratio"].add(figures(cluster_ratio(weight, sums[:, 0], 0.0, 1.0, name="mean", unit="")))
        for interval in ("bca", "percentile"):
            made = cluster_bootstrap(sums, ratio, name="mean", unit="", rng=rng, resamples=1000, interval=interval)
            tallies[interval].add(figures(made))
    return tallies


def row(*cells: object) -> str:
    line = "| " + " | ".join(map(str, cells)) + " |"
    print(line, flush=True)
    return line


def header(*names: str) -> list[str]:
    return ["", row(*names), row(*["---"] * len(names))]


def shown(tally: Tally) -> str:
    return f"{tally.rmse:.3f} / {tally.coverage:.1%}"


class Report:
    """Collects the tables and the minimax cells that the targets speak of."""

    def __init__(self, replications: int, seed: int) -> None:
        self.options: dict[str, Any] = {"replications": replications, "rng": np.random.default_rng(seed)}
        self.rng, self.screening = self.options["rng"], max(50, replications // 5)
        self.cells: dict[tuple[str, str, int], dict[str, Tally]] = {}
        self.others: list[Tally] = []
        self.worst: list[Tally] = []

    def entropy(self, populations: Sequence[Population], prompts: Sequence[int]) -> list[str]:
        lines = header("population", "K", "N", "naive", "Miller-Madow", "jackknife", "minimax linear", "half-width")
        for population in populations:
            for label, sizes in [*((str(k), [k]) for k in GROUP_SIZES), ("mixed", list(GROUP_SIZES))]:
                for n_prompts in prompts:
                    cell = study(population, OutcomeEntropy(), sizes, n_prompts, **self.options, baselines=BASELINES)
                    self.cells[population.name, label, n_prompts] = cell
                    figures = [shown(cell[name]) for name in (*BASELINES, "minimax")]
                    lines.append(row(population.name, label, n_prompts, *figures, f"{cell['minimax'].half:.3f}"))
        return lines

    def functionals(self) -> list[str]:
        lines = header("figure", "from K", "population", "RMSE / coverage", "half-width")
        wanted: list[tuple[Functional, int]] = [
            (PassRate(), 8),
            (LearningValue(), 4),
            (DeadShare(4), 8),
            (DeadShare(16), 8),
            (DeadShare(64), 8),
            (UpdateBits(4), 8),
            (UpdateBits(16), 8),
            (SurprisalTerm(), 8),
            (Log2PassRate(1 / 64), 16),
        ]
        for functional, k in wanted:
            for population in POPULATIONS:
                cell = study(population, functional, [k], 100, **self.options)["minimax"]
                self.others.append(cell)
                lines.append(row(functional.name, k, population.name, shown(cell), f"{cell.half:.3f}"))
        return lines

    def clusters(self) -> list[str]:
        lines = header("population at the first visit", "K", "prompts", "by prompt", "by group (wrong)")
        for population in POPULATIONS:
            for n_prompts in (30, 100):
                cell = study_clusters(population, 8, n_prompts, **self.options)
                self.others.append(cell["by prompt"])
                lines.append(row(population.name, 8, n_prompts, shown(cell["by prompt"]), shown(cell["by group"])))
        return lines

    def search(self, kept: int = 10) -> list[str]:
        """Screens every adversary cheaply, then measures the worst anew, free of the luck of the screening."""
        cells = []
        for population in adversaries():
            for k in GROUP_SIZES:
                for n_prompts in (30, 100, 500):
                    screened = study(
                        population, OutcomeEntropy(), [k], n_prompts, replications=self.screening, rng=self.rng
                    )
                    cells.append((screened["minimax"].coverage, population, k, n_prompts))
        cells.sort(key=lambda cell: cell[0])
        lines = [f"\n{len(cells)} cells screened, the {kept} that covered least measured anew.\n"]
        lines += header("population", "K", "N", "RMSE / coverage", "half-width")
        for _, population, k, n_prompts in cells[:kept]:
            cell = study(population, OutcomeEntropy(), [k], n_prompts, **self.options)["minimax"]
            self.worst.append(cell)
            lines.append(row(population.name, k, n_prompts, shown(cell), f"{cell.half:.3f}"))
        return lines

    def means(self) -> list[str]:
        lines = header("clusters", "cluster_ratio", "bootstrap, BCa", "bootstrap, percentile")
        for clusters in (20, 50, 200):
            cell = study_means(clusters, **self.options)
            lines.append(row(clusters, *(shown(cell[name]) for name in ("ratio", "bca", "percentile"))))
        return lines

    def summary(self) -> list[str]:
        worst_key, worst = min(self.cells.items(), key=lambda item: item[1]["minimax"].coverage)
        four, eight = (self.cells["Beta(.3, .5)", k, 500] for k in ("4", "8"))
        everything = [x.coverage for x in self.others]
        return [
            "",
            f"- Lowest coverage of the outcome bits: **{worst['minimax'].coverage:.1%}** of {len(self.cells)} cells "
            f"({worst_key[0]}, K={worst_key[1]}, N={worst_key[2]}; target 94%).",
            f"- Lowest coverage of the minimax intervals of the other tables: **{min(everything):.1%}** of "
            f"{len(everything)} cells.",
            f"- Lowest coverage that the search for a worst population found: "
            f"**{min(x.coverage for x in self.worst):.1%}**.",
            f"- RMSE against naive on Beta(.3, .5), N=500: **{four['minimax'].rmse / four['naive'].rmse:.2f}** at K=4 "
            f"(target 0.25), **{eight['minimax'].rmse / eight['naive'].rmse:.2f}** at K=8 (target 0.33).",
        ]


INTRODUCTION = """# Do the intervals hold?

Generated by `benchmarks/coverage.py` ({replications} replications a cell, seed {seed}); do not edit. A cell reads
*root mean square error / coverage of the nominal 95% interval*. With {replications} replications a coverage of 95% is
known to about {error:.1f} percentage points (two standard errors). Only the counts of right rollouts are seen:
N prompts, K rollouts each.

A minimax interval allows for the greatest bias that any population could cause, so on most populations it covers more
than 95%. The two constants of the interval (an allowance of two unseen clusters, and the skewness term) were chosen on
other populations: Beta(2,2), Beta(1,20), Beta(.1,.1), Beta(.05,1), and all prompts at one rate from .002 to .98."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--replications", type=int, default=1000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "docs" / "coverage.md")
    given = options.parse_args()
    report = Report(given.replications, given.seed)
    error = 200 * np.sqrt(LEVEL * (1 - LEVEL) / given.replications)
    tables = [
        "\n## Outcome bits per rollout, E h(p)",
        *report.entropy(POPULATIONS, (100, 500)),
        "\n## Few prompts, rare events",
        *report.entropy(RARE, (30, 100)),
        "\n## Other figures, N = 100",
        *report.functionals(),
        "\n## Prompts visited several times\n\nEach prompt is visited 1 to 6 times and its logit rises by 1/2 a visit.",
        *report.clusters(),
        "\n## In search of the worst population",
        *report.search(),
        "\n## A ratio of sums over few, skewed clusters\n\nClusters of 1 to 4 values drawn from an exponential law.",
        *report.means(),
    ]
    introduction = INTRODUCTION.format(replications=given.replications, seed=given.seed, error=error)
    given.out.write_text("\n".join([introduction, *report.summary(), *tables]) + "\n")
    print(*report.summary(), sep="\n")


if __name__ == "__main__":
    main()
