"""The exact algorithms against their targets: ``python benchmarks/exact.py [--write]`` (docs/exact.md).

Speeds are ratios within one run on one machine. The independent library is stopped after a while.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import entr

from bitrate.theory import ExactMatchBelief, group_information
from bitrate.theory.contour import unseen_entropy

PAGE = Path(__file__).resolve().parents[1] / "docs" / "exact.md"
Row = tuple[str, str, str, bool]


def seconds(call: Callable[[], object], least: float = 0.2) -> float:
    """Best time of one call."""
    best, spent = math.inf, 0.0
    while spent < least:
        began = time.perf_counter()
        call()
        took = time.perf_counter() - began
        best, spent = min(best, took), spent + took
    return best


def by_sets(prior: np.ndarray, policy: np.ndarray, k: int) -> float:
    """The group's bits over all 2^V sets of answers that K rollouts can give."""
    n = prior.size
    inside = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    chance = np.minimum(inside @ policy, 1.0) ** k
    for i in range(n):
        pair = chance.reshape(-1, 2, 2**i)
        pair[:, 1] -= pair[:, 0]
    left = np.maximum(1 - inside @ prior, 0.0)
    left[left < 1e-15] = 0.0
    return float(chance @ (inside @ entr(prior) + entr(left)) / math.log(2))


def random_cases(rng: np.random.Generator) -> Row:
    """600 random priors and policies, with zeros and near-ones, K up to 1024."""
    worst = 0.0
    for _ in range(600):
        n, k = int(rng.integers(2, 12)), int(rng.choice([1, 2, 3, 5, 8, 16, 64, 256, 1024]))
        prior, policy = (rng.dirichlet(np.full(n, 10 ** rng.uniform(-1.5, 1))) for _ in range(2))
        for side in prior, policy:
            if n > 2 and rng.random() < 0.4:
                side[side.argmin()] = 0.0
                np.divide(side, side.sum(), out=side)
        error = abs(group_information(prior, policy, k) - by_sets(prior, policy, k))
        worst = max(worst, math.inf if math.isnan(error) else error)
    return (
        "general prior and policy, 600 random cases against all 2^V sets",
        "1e-9 bits, no NaN",
        f"{worst:.1e} bits",
        worst <= 1e-9,
    )


def by_dit(n: int, k: int) -> float:
    """I(rollouts and rewards; S) of the uniform case from the joint table, by dit."""
    import dit

    outcomes, weights = [], []
    for target in range(n):
        for answers in product(range(n), repeat=k):
            outcomes.append((target, (answers, tuple(a == target for a in answers))))
            weights.append(n ** -(k + 1.0))
    return float(dit.shannon.mutual_information(dit.Distribution(outcomes, weights), [0], [1]))


def against_dit(patience: float) -> list[Row]:
    """The uniform case: every size that dit can do in seconds, and the time of one that it can not."""
    sizes = [(2, 1), (2, 3), (3, 3), (5, 3), (8, 3), (8, 4)]
    flat = {n: np.full(n, 1 / n) for n, _ in [*sizes, (16, 4)]}
    worst = max(abs(by_dit(n, k) - group_information(flat[n], flat[n], k)) for n, k in sizes)
    began = time.perf_counter()
    other = multiprocessing.get_context("spawn").Process(target=by_dit, args=(16, 4))
    other.start()
    other.join(patience)
    more = "more than " if other.is_alive() else ""
    other.kill()
    ratio = (time.perf_counter() - began) / seconds(lambda: group_information(flat[16], flat[16], 4))
    named = ", ".join(map(str, sizes))
    return [
        (f"uniform case against dit, (V, K) = {named}", "1e-13 bits", f"{worst:.1e} bits", worst <= 1e-13),
        ("speed against dit at (V, K) = (16, 4)", "1e4 x", f"{more}{ratio:.0e} x", ratio >= 1e4),
    ]


def many_answers(rng: np.random.Generator) -> list[Row]:
    """V = 1e5, K = 1024: error against no merging, and time."""
    from bitrate.theory import contour

    n, k = 100_000, 1024
    prior = 1 / np.arange(1, n + 1)
    prior /= prior.sum()
    flatter = prior**0.7 / (prior**0.7).sum()
    cases = {
        "Zipf": prior, "flatter Zipf": flatter, "Zipf in another order": rng.permutation(flatter),
        "Dirichlet(1/2)": rng.dirichlet(np.full(n, 0.5)),
    }  # fmt: skip
    rows: list[Row] = []
    for name, policy in cases.items():
        took = seconds(lambda p=policy: group_information(prior, p, k), 1.0)
        merged, most = unseen_entropy(prior, policy, k), contour.MOST_SYMBOLS
        contour.MOST_SYMBOLS = n
        error = abs(merged - unseen_entropy(prior, policy, k))
        contour.MOST_SYMBOLS = most
        rows.append((
            f"V=1e5, K=1024, Zipf prior, policy {name}: error against no merging, time", "1e-6 bits, 0.2 s",
            f"{error:.1e} bits, {took:.2f} s", error <= 1e-6 and took <= 0.2,
        ))  # fmt: skip
    return rows


def against_simulation(rng: np.random.Generator) -> Row:
    """Time of plain Monte Carlo to a standard error of 1e-4 bits, from its measured spread and speed."""
    n, k, groups = 1000, 64, 2000
    prior = 1 / np.arange(1, n + 1)
    prior /= prior.sum()
    began = time.perf_counter()
    bits = []
    for _ in range(groups):
        seen = np.unique(rng.choice(n, size=k, p=prior))
        bits.append((entr(prior[seen]).sum() + entr(1 - prior[seen].sum())) / math.log(2))
    each = (time.perf_counter() - began) / groups
    ratio = each * (np.std(bits) / 1e-4) ** 2 / seconds(lambda: group_information(prior, prior, k))
    return (
        "speed against plain Monte Carlo at 1e-4 bits, Zipf V=1000, K=64",
        "1e3 x",
        f"{ratio:.1e} x",
        bool(ratio >= 1e3),
    )


def sequential(rng: np.random.Generator) -> list[Row]:
    """Drift over 1e4 steps, and time of a step, against summing over all answers again."""
    prior = rng.dirichlet(np.full(100_000, 0.5))
    order = rng.permutation(prior.size)[:10_000].tolist()
    belief, posterior, worst = ExactMatchBelief(prior), prior.copy(), 0.0
    for step, answer in enumerate(order):
        belief.observe(answer, correct=False)
        posterior[answer] = 0.0
        if step % 50 == 49:
            p = posterior / posterior.sum()
            worst = max(worst, abs(belief.entropy - float(entr(p).sum() / math.log(2))))
    began = time.perf_counter()
    fresh = ExactMatchBelief(prior)
    for answer in order:
        fresh.observe(answer, correct=False)
    step_time = (time.perf_counter() - began) / len(order)

    def again() -> float:
        p = posterior / posterior.sum()
        return float(entr(p).sum() / math.log(2))

    ratio = seconds(again) / step_time
    return [
        ("sequential belief, V=1e5: drift over 1e4 steps", "1e-11 bits", f"{worst:.1e} bits", worst <= 1e-11),
        ("sequential belief: speed against summing over all answers", "20 x", f"{ratio:.0f} x", ratio >= 20),
    ]


def page(rows: list[Row]) -> str:
    """The table as Markdown."""
    head = (
        "# Exact algorithms\n\nWhat `bitrate.theory` computes without sampling, against the targets set for it. "
        "Made by `python benchmarks/exact.py --write`\non 2 cores; speeds are ratios within one run.\n\n"
        "| | target | reached | |\n|---|---|---|---|\n"
    )
    body = "".join(
        f"| {what} | {target} | {reached} | {'met' if met else 'missed'} |\n" for what, target, reached, met in rows
    )
    note = (
        "\nThe uniform case is the occupancy recursion; anything else is one contour integral of a generating\n"
        "function (`bitrate.theory.contour`). With more than 4096 answers the light ones are merged in bins of like\n"
        "prior and like policy; where the two have nothing to do with each other there are many bins, and it takes\n"
        "longer. Simulation is timed by the spread and the speed of 2,000 groups.\n"
    )
    return head + body + note


def main() -> None:
    """Measure, print, and write the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds to wait for dit")
    asked = parser.parse_args()
    rng = np.random.default_rng(20261121)
    rows = [
        random_cases(rng),
        *against_dit(asked.patience),
        *many_answers(rng),
        against_simulation(rng),
        *sequential(rng),
    ]
    print(page(rows))
    if asked.write:
        PAGE.write_text(page(rows), "utf-8")


if __name__ == "__main__":
    main()
