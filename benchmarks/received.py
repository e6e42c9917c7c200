"""Every "at most" against learners whose received bits are known exactly: writes its part of docs/coverage.md.

    python benchmarks/received.py [--replications 200] [--seed 0]

Bayesian learners whose policy is greedy, sharper than, equal to or flatter than its belief; with one right answer and
with several; visited once, or again and again. The audit reads the files and nothing else.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import bitrate
from bitrate.lab.worlds.believers import Believers

PAGE = Path(__file__).resolve().parents[1] / "docs" / "coverage.md"
START, END = "<!-- measured: benchmarks/received.py -->", "<!-- /measured: received -->"
PROMPTS = 100
POLICIES = {"greedy": 0.0, "sharper": 0.3, "as believed": 1.0, "flatter": 3.0}
#: (V, K, visits, several right answers)
WORLDS = ((2, 2, 1, False), (5, 4, 1, False), (5, 4, 4, False), (3, 1, 6, False), (4, 4, 1, True), (4, 4, 4, True))
#: Beliefs that are nearly sure: what comes in is rare, and most logs show little or nothing of it.
SURE = (0.99, 0.01)
Row = tuple[float, ...]


def cells() -> Iterator[tuple[str, Believers]]:
    for answers, rollouts, visits, several in WORLDS:
        for name, temperature in POLICIES.items():
            yield name, Believers(answers, rollouts, visits, temperature, several=several)
    for rollouts in (1, 2, 8):
        yield f"greedy, {SURE[0]:.0%} sure", Believers(2, rollouts, 1, 0.0, SURE)


def once(believers: Believers, seed: list[int]) -> Row:
    """Exact received bits; the audit's received, answers and E h(p); and whether each upper end holds the truth."""
    with tempfile.TemporaryDirectory() as folder:
        exact = believers.run(PROMPTS, Path(folder), np.random.default_rng(seed)).received.mean()
        audit = bitrate.audit(folder)
    received, answers, chance = (audit[key] for key in ("received_bits", "answer_bound_bits", "outcome_bits"))
    values = [float("nan") if e.value is None else e.value for e in (received, answers, chance)]
    return exact, *values, *(float(e.high is not None and e.high >= exact) for e in (received, answers, chance))


def measure(replications: int, seed: int) -> Iterator[str]:
    yield "| V | K | visits | right answers | policy | received, exactly | received, at most | answers | E h(p) |"
    yield " at most holds | answers hold | E h(p) would hold |\n" + "| --- " * 12 + "|"
    worst = 1.0
    with ProcessPoolExecutor(2) as pool:
        for cell, (name, believers) in enumerate(cells()):
            seeds = [[seed, cell, i] for i in range(replications)]
            rows = np.array(list(pool.map(once, [believers] * replications, seeds, chunksize=8)))
            exact, most, answers, chance, held, by_answers, would = rows.mean(axis=0)
            worst = min(worst, held, by_answers)
            one = "several" if believers.several else "one"
            would_hold = f"{would:.0%}" if np.isfinite(chance) else "none"
            shown = f"{chance:.3f}" if np.isfinite(chance) else "none"
            line = (
                f"| {believers.answers} | {believers.rollouts} | {believers.visits} | {one} | {name} | {exact:.3f} | "
                f"{most:.3f} | {answers:.3f} | {shown} | {held:.1%} | {by_answers:.1%} | {would_hold} |"
            )
            print(line, flush=True)
            yield "\n" + line
    sides = "The upper ends of *received, at most* and of the *answer bound* held the truth"
    yield f"\n\n{sides} in at least **{worst:.1%}** of the runs of every row.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    said = "".join(measure(args.replications, args.seed))
    page = PAGE.read_text()
    before, _, rest = page.partition(START)
    said = f"{PROMPTS} prompts, {args.replications} runs a row.\n\n{said}"
    PAGE.write_text(f"{before}{START}\n\n{said}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
