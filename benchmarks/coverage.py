"""How often the intervals hold the truth, and how far the estimates are from it: writes docs/coverage.md.

    python benchmarks/coverage.py [--replications 1000] [--seed 0] [--out docs/coverage.md]

The baselines (naive, Miller-Madow, jackknife) live in coverage_cases.py only. The form of the interval of
``bitrate.stats.cluster_ratio`` was settled on other populations than those of the main table.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from coverage_cases import (
    BASELINES,
    GROUP_SIZES,
    LEVEL,
    POPULATIONS,
    RARE,
    Population,
    Tally,
    adversaries,
    study,
    study_clusters,
    study_means,
)

from bitrate.stats import (
    DeadShare,
    Functional,
    LearningValue,
    Log2PassRate,
    OutcomeEntropy,
    PassRate,
    SurprisalTerm,
    UpdateBits,
)


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
        self.seed = seed
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
        """Beside scipy's bootstrap of the same clusters; from a stream of chance of its own."""
        options = {**self.options, "rng": np.random.default_rng(self.seed)}
        lines = header("clusters", "cluster_ratio", "bootstrap, BCa", "bootstrap, percentile")
        for clusters in (20, 50, 200):
            cell = study_means(clusters, **options)
            lines.append(row(clusters, *(shown(cell[name]) for name in ("ratio", "BCa", "percentile"))))
        return lines

    def large(self) -> list[str]:
        """Groups above the size whose scores are solved for; from a stream of chance of its own."""
        options = {**self.options, "rng": np.random.default_rng(self.seed)}
        lines = header("figure", "population", "K", "RMSE / coverage", "half-width")
        for functional in (OutcomeEntropy(), UpdateBits(16), Log2PassRate(1 / 512)):
            for population in (*POPULATIONS, *RARE):
                for label, sizes in (("1,000", [1000]), ("100,000", [100_000]), ("8 or 999,999", [8, 999_999])):
                    cell = study(population, functional, sizes, 100, **options)["minimax"]
                    lines.append(row(functional.name, population.name, label, shown(cell), f"{cell.half:.3f}"))
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
than 95%. No constant of the interval is fitted to a simulation: the allowance for unseen prompts is the rule of three,
the skewness term Hall's expansion. That both are needed was settled on other populations than those of the first table:
Beta(2,2), Beta(1,20), Beta(.1,.1), Beta(.05,1), 1% at .5 and the rest at 0, and all prompts at one rate. The rule of
three took the place of a smaller constant, with which the first four tables held too, after an exact look at data
without any success: there the smaller one fell short."""


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
        "\n## Very large groups, N = 100\n\nScores are solved for up to 256 rollouts; a larger group has the mean "
        "score of its subsets of that size.",
        *report.large(),
    ]
    introduction = INTRODUCTION.format(replications=given.replications, seed=given.seed, error=error)
    # The last section is that of benchmarks/received.py, and stays as it is.
    _, start, received = given.out.read_text().partition("\n## Received, at most") if given.out.exists() else ("",) * 3
    given.out.write_text("\n".join([introduction, *report.summary(), *tables]) + "\n" + start + received)
    print(*report.summary(), sep="\n")


if __name__ == "__main__":
    main()
