"""A 0/1 outcome beside a bonus, told from the reward alone: its levels lie in two bands with nothing between them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bitrate.logs import sql
from bitrate.meter.groups import GroupTable
from bitrate.stats import mean_outcome_entropy
from bitrate.types import Estimate, Floats, Ints

#: The gap is so many times the wider band, and so many times the widest step within a band.
GAP_TO_BAND, GAP_TO_STEP = 1.5, 3.0
#: Each band holds this share of the rollouts, and so many.
LEAST_SHARE, LEAST_HELD = 0.01, 5
#: So many rollouts lie beside the most common level of their band: fewer may have missed the gap by chance.
LEAST_BESIDE, LEAST_ROLLOUTS = 20, 100
#: Of the groups that hold the rarer band this share holds the other too, or the bands are two kinds of prompts.
LEAST_MIXED, MIXED_GROUPS = 0.05, 2
#: A continuous reward is counted in so many cells from its least to its greatest.
CELLS = 1000


@dataclass(frozen=True)
class Bands:
    """The lower and the upper band of a reward.

    Args:
        levels: how many levels there are; None of a continuous reward.
        low: the least and the greatest reward of the lower band.
        high: those of the upper band.
        upper: share of the rollouts in the upper band.
        threshold: what parts the bands, a number of few digits; a reward at it is in the upper band.
    """

    levels: int | None
    low: tuple[float, float]
    high: tuple[float, float]
    upper: float
    threshold: float


def bands_of(table: GroupTable) -> Bands | None:
    """The two bands of a graded or a continuous reward, or None where it has no such two."""
    outcome = table.reduced.outcome
    if table.binary or outcome.column != "reward":
        return None
    if outcome.levels is not None:
        level, count = np.array(sorted(outcome.levels)), table.level_counts.sum(axis=0)
        level, count = level[count > 0], count[count > 0]
        found = two_bands(level, level, count)
    else:
        found = two_bands(*_cells(table))
    if found is None:
        return None
    least, greatest = (table.column[c][table.several] for c in ("level_min", "level_max"))
    lower, upper = least < found.threshold, greatest >= found.threshold
    mixed, rarer = int((lower & upper).sum()), min(int(lower.sum()), int(upper.sum()))
    if mixed < max(MIXED_GROUPS, LEAST_MIXED * rarer):
        return None
    return found if outcome.levels is not None else replace(found, levels=None)


def two_bands(least: Floats, greatest: Floats, count: Ints) -> Bands | None:
    """Two bands of cells that rise: the least and the greatest reward of each, and its rollouts.

    >>> level = np.array([0.0, 0.1, 1.0, 1.1])
    >>> two_bands(level, level, np.array([30, 40, 20, 60])).threshold
    1.0
    >>> level = np.arange(5) / 4
    >>> two_bands(level, level, np.full(5, 100)) is None
    True
    """
    if count.size < 3 or count.sum() < LEAST_ROLLOUTS:
        return None
    gap = least[1:] - greatest[:-1]
    i = int(np.argmax(gap))
    step = max(float(np.delete(gap, i).max()), float((greatest - least).max()))
    low, high = (float(least[0]), float(greatest[i])), (float(least[i + 1]), float(greatest[-1]))
    wide = max(low[1] - low[0], high[1] - high[0])
    # A hair less: 1.1 - 1.0 is more than 0.1.
    if gap[i] < (1 - 1e-9) * max(GAP_TO_BAND * wide, GAP_TO_STEP * step):
        return None
    below, above, total = count[: i + 1], count[i + 1 :], int(count.sum())
    if min(below.sum(), above.sum()) < max(LEAST_HELD, LEAST_SHARE * total):
        return None
    if total - below.max() - above.max() < LEAST_BESIDE:
        return None
    return Bands(int(count.size), low, high, float(above.sum() / total), between(low[1], high[0]))


def bits_at(table: GroupTable, threshold: float, level: float) -> Estimate:
    """Outcome bits a rollout of a graded reward that is read as right from a threshold on."""
    levels = sorted(table.reduced.outcome.levels or ())
    right = table.level_counts[:, np.array(levels) >= threshold].sum(axis=1)
    return binary_bits(table, right, level)


def binary_bits(table: GroupTable, right: Ints, level: float) -> Estimate:
    """Outcome bits a rollout, from other counts of right rollouts than the table's own, shape [groups]."""
    some = table.several
    return mean_outcome_entropy(right[some], table.n[some], level, clusters=table.who[some])


def between(below: float, above: float) -> float:
    """A number of few digits above ``below`` and at most ``above``: this one if it has few, else one near the middle.

    >>> between(0.1, 1.0), between(0.0, 0.80123), between(-3.5, -0.123456)
    (1.0, 0.4, -2.0)
    """
    if float(f"{above:.2g}") == above:
        return above
    digits = -int(np.floor(np.log10(above - below)))
    while not below < (number := round((below + above) / 2, digits)) <= above:
        digits += 1
    return number + 0.0


def _cells(table: GroupTable) -> tuple[Floats, Floats, Ints]:
    """The least and the greatest reward, and the rollouts, of each cell that holds any, from the least on."""
    least, most = float(table.column["level_min"].min()), float(table.column["level_max"].max())
    cell = f"least({CELLS - 1}, floor((reward - {least!r}) / ({most - least!r}) * {CELLS}))"
    found = table.ask(
        f"SELECT min(reward), max(reward), count(*) FROM ({table.reduced.scores}) "
        f"WHERE split = {sql.text(table.split)} AND prompt_id IS NOT NULL AND step IS NOT NULL "
        f"AND reward BETWEEN {least!r} AND {most!r} "
        f"GROUP BY {cell} ORDER BY 1"
    )
    low, high, count = zip(*found, strict=True)
    return np.array(low, float), np.array(high, float), np.array(count, np.int64)
