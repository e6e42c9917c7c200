"""Bits of a group about one right answer among many alike, from whether it was hit and how many answers were tried."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bitrate.lab.signals.rows import LEVEL, reduced
from bitrate.logs.engines import duck
from bitrate.stats import cluster_ratio, conditional_entropy
from bitrate.types import Estimate

CELLS = (
    "SELECT n_distinct_answers AS tried, (n_correct > 0)::INT AS hit, count(*) FROM groups "
    "WHERE n_distinct_answers IS NOT NULL GROUP BY tried, hit ORDER BY tried, hit"
)


class HitInformation:
    """``E [h(P(hit | M)) + hit log2 M]``, M the distinct answers of a group: ``H(rewards | answers)``.

    Assumes that one answer is right, and that the answers tried are alike: each is as likely as any other to be the
    one that was hit. With many answers no two groups try the same ones, and their codes cannot be counted.
    """

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the group table of a folder's files."""
        with reduced(folder) as groups:
            tried, hit, count = np.array(duck.run(groups.con, CELLS), dtype=np.int64).reshape(-1, 3).T
        name, unit = "bits of a group about the right answer", "bits/prompt"
        whether = conditional_entropy(tried, hit, count, name=name, unit=unit, level=LEVEL)
        bits = np.repeat(hit * np.log2(tried), count)
        spread = float(np.log2(tried.max())) or 1.0  # an unseen group may have hit
        which = cluster_ratio(
            np.ones(bits.size), bits, 0.0, spread, name=name, unit=unit, level=LEVEL, method="hit log2 M"
        )
        return _sum(whether, which)


def _sum(a: Estimate, b: Estimate) -> Estimate:
    """``a + b`` of the same groups; both intervals hold their figures at once with this level, however they depend."""
    if a.known is None or b.known is None:
        return a if a.known is None else b
    how = f"whether it was hit: {a.method}; which it was: {b.method}"
    level = max(0.0, a.level + b.level - 1)
    low, value, high = (x + y for x, y in zip(a.known, b.known, strict=True))
    return Estimate(a.name, value, low, high, a.unit, level, b.n, how)
