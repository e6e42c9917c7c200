"""Intervals of few prompts, beside those that the normal theory would give: writes its part of docs/coverage.md.

python benchmarks/few.py [--replications 1000] [--seed 0]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
from coverage_cases import FEW, Enumerated, Population, Tally, study_few

from bitrate.stats import Functional, LearningValue, OutcomeEntropy, PassRate

PAGE = Path(__file__).resolve().parents[1] / "docs" / "coverage.md"
START, END = "<!-- measured: benchmarks/few.py -->", "<!-- /measured: few -->"
PROMPTS = (2, 5, 8, 12, 20, 25, 30)
EXACT = ((2, (2, 3, 5, 8, 12, 16, 20, 25, 30)), (4, (2, 3, 5, 8)))
FIGURES: tuple[tuple[Functional, tuple[int, ...]], ...] = ((OutcomeEntropy(), (2, 8, 64)), (PassRate(), (8,)))


def row(*cells: object) -> str:
    line = "| " + " | ".join(map(str, cells)) + " |\n"
    print(line, end="", flush=True)
    return line


def simulated(replications: int, seed: int) -> Iterator[str]:
    yield row("figure", "K", "population", *(f"N = {n}" for n in PROMPTS))
    yield row(*["---"] * (3 + len(PROMPTS)))
    for functional, sizes in FIGURES:
        for k in sizes:
            for population in FEW:
                cells = [cell(population, functional, k, n, replications, seed) for n in PROMPTS]
                yield row(functional.name, k, population.name, *cells)


def cell(population: Population, functional: Functional, k: int, prompts: int, replications: int, seed: int) -> str:
    """Width by the normal theory and now, and coverage now, of the same samples."""

    def made() -> Tally:
        rng = np.random.default_rng([seed, k, prompts])
        return study_few(population, functional, k, prompts, replications=replications, rng=rng)

    with patch("bitrate.stats.clusters.part_of_bounds", lambda clusters: 0.0):
        before = made()
    now = made()
    return f"{2 * before.half:.2f} to {2 * now.half:.2f} / {now.coverage:.1%}"


def exact() -> Iterator[str]:
    yield row("figure", "K", "level", *(f"N = {n}" for n in EXACT[0][1]))
    yield row(*["---"] * (3 + len(EXACT[0][1])))
    for functional in (OutcomeEntropy(), PassRate(), LearningValue()):
        for k, prompts in EXACT:
            for level in (0.95, 0.9999):
                worst = [f"{Enumerated(functional, k, n, level).worst():.{2 if level < 0.99 else 4}%}" for n in prompts]
                yield row(functional.name, k, f"{level:.4g}", *worst, *[""] * (len(EXACT[0][1]) - len(prompts)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    said = (
        f"{args.replications} samples a cell: mean width by the normal theory, *to* the mean width now, and the\n"
        f"coverage of the latter (nominal 95%).\n\n{''.join(simulated(args.replications, args.seed))}\n"
        "Least coverage over all prompts at one rate and mixtures of two, 49 rates and 7 shares. Every sample that\n"
        f"there can be is enumerated, so these are exact.\n\n{''.join(exact())}"
    )
    page = PAGE.read_text()
    before, _, rest = page.partition(START)
    PAGE.write_text(f"{before}{START}\n\n{said}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
