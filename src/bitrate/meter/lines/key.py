"""Key: what finding a prompt's answer for the first time said about the answer key."""

from __future__ import annotations

import math

import numpy as np

from bitrate.meter.clusters import prompt_ratio
from bitrate.meter.lines import Line, missing
from bitrate.meter.prompts import FITTED, Prompts
from bitrate.meter.run import Run
from bitrate.stats import Log2PassRate, mean_range
from bitrate.stats.npmle import count_likelihood
from bitrate.types import Estimate, Ints
from bitrate.wording import number_of

#: What came after a first visit: no other, one that did not matter since a rollout was right, a success, none.
ALONE, OPEN, LATER, NEVER = range(4)


def measure(run: Run) -> Estimate:
    """Mean over prompts of log2(1/p0) at the first success, and 0 where there was none."""
    prompts, table = run.prompts, run.table
    if problem := prompts.unfit():
        return missing(problem)
    several = int((table.column["n_right_answers"] > 1).sum())
    if several:
        return missing(
            f"{number_of(several, 'group holds', 'groups hold')} several different right answers: "
            f"the key is a set of answers, and log2(1/p0) is not its bits"
        )
    log2 = Log2PassRate(prompts.floor)
    first = prompts.rates["first"].posterior_mean(log2, prompts["k_first"], prompts["n_first"])
    bits = np.where(prompts["k"] > 0, -first, 0.0)
    method = (
        f"log2(1/p0) at the first success, posterior mean on the first visit, "
        f"p0 resolved down to {prompts.floor:g}; one right answer a prompt assumed"
    )
    found = prompt_ratio(
        table, np.arange(bits.size), np.ones(bits.size), bits, 0.0, -log2.low, name="", unit="", level=run.level,
        method=method, within=(0.0, -log2.low), each=(0.0, -log2.low),
    )  # fmt: skip
    return found if found.known is None else _with_p0(found, run, log2)


def _with_p0(found: Estimate, run: Run, log2: Log2PassRate) -> Estimate:
    """The estimate with an interval that does not take the fitted population of p0 for known.

    A kind of prompt has a p0, and is right at a later visit or is not: prompts that stay wrong may have been harder
    from the start. The range of the mean over all populations that explain the counts is added to the sampling error.
    """
    prompts, rates = run.prompts, run.prompts.rates["first"].grid
    cells, units = _cells(prompts), float(found.n)
    if len(cells) > FITTED:
        sample = np.unique(np.linspace(0, prompts["n"].size - 1, FITTED).astype(int))
        cells, units = _cells(prompts, sample), min(units, float(sample.size))
    (right, size, later), count = np.array(list(cells)).T, np.array(list(cells.values()))
    chance = count_likelihood(right, size, rates)
    # The chance that a prompt's first visit has no success, of all prompts and of those without another visit.
    missed, alone = (
        sum(t * (1 - rates) ** n for n, w, t in zip(size, later, count / count.sum(), strict=True) if w in which)
        for which in ((NEVER, LATER, OPEN, ALONE), (ALONE,))
    )
    kinds = [(NEVER, -log2(rates) * (1 - alone)), (LATER, -log2(rates) * (1 - missed))]
    likelihood = np.hstack([np.where((later == impossible)[:, None], 0.0, chance) for impossible, _ in kinds])
    low, best, high = mean_range(
        likelihood, count, np.concatenate([bits for _, bits in kinds]), level=run.level, units=units
    )
    assert found.value is not None and found.low is not None and found.high is not None
    least = min(found.value, best) - math.hypot(found.value - found.low, best - low)
    most = max(found.value, best) + math.hypot(found.high - found.value, high - best)
    method = f"{found.method}; interval for any population of p0 that explains the counts"
    return Estimate("", found.value, max(least, 0.0), min(most, -log2.low), "", found.level, found.n, method)


def _cells(prompts: Prompts, rows: Ints | slice = slice(None)) -> dict[tuple[int, int, int], int]:
    """How many prompts have each count at their first visit, and what came after it."""
    k, n, groups, right = (prompts[c][rows] for c in ("k_first", "n_first", "groups", "k"))
    after = np.where(groups == 1, ALONE, np.where(k > 0, OPEN, np.where(right > 0, LATER, NEVER)))
    cells, count = np.unique(np.stack([k, n, after]), axis=1, return_counts=True)
    return {(int(a), int(b), int(c)): int(m) for (a, b, c), m in zip(cells.T, count, strict=True)}


LINE = Line(
    key="key_bits",
    title="key bits per prompt",
    unit="bits/prompt",
    name="Key",
    means="What finding a prompt's answer for the first time said about the answer key.",
    formula="mean over prompts of log2(1/p0) where an answer was right, 0 where none was",
    place=50,
    measure=measure,
)
