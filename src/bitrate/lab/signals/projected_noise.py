"""What share of a gradient is signal, from the gradients that a log holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.errors import DataError
from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.logs.engines import duck
from bitrate.stats.clusters import biased_quantile, unseen_clusters
from bitrate.types import Estimate, Floats

#: Gradients of each run with the number of groups that had them, and the rollouts of a group.
CELLS = """
SELECT run, "update", k, count(*) FROM (
    SELECT run, any_value("update") AS "update", count(*) AS k FROM rollouts GROUP BY run, prompt_id)
GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True)
class SignalShare:
    """``s / (K + s)`` with ``s = |E g|^2 / tr Var g`` of a group's gradient g: the share of signal in one rollout's.

    K rollouts that each bring ``s / K`` as independent draws would. At K = 1 it is ``|E g|^2 / E |g|^2``. The
    ``update`` of a row holds the coordinates of its group's gradient. Mean over the runs of the log, networks whose
    weights are given; groups are independent.

    Raises:
        DataError: an ``update`` that is no row of numbers, or gradients of different lengths.
    """

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder; it can lie a little below 0 where there is no signal."""
        name, unit = "share of the gradient that is signal", "share"
        with rollouts(folder, '"update" IS NOT NULL AND (reward IS NOT NULL OR shown)') as con:
            cells = duck.run(con, CELLS)
        runs = np.array([c[0] for c in cells])
        if not cells:
            return Estimate.missing(name, unit, "no rollout with a score has its gradient in the log")
        try:
            gradients = np.array([c[1].split() for c in cells], float)
        except ValueError as error:
            raise DataError(
                f"an update is no row of numbers, or of another length than others: {error}", where=str(folder),
                hint="this signal reads gradients, coordinates with spaces between; a fingerprint is not enough",
            ) from None  # fmt: skip
        k, n = np.array([c[2] for c in cells], float), np.array([c[3] for c in cells], float)
        found = [_jackknife(gradients[at], k[at], n[at]) for at in (runs == r for r in np.unique(runs))]
        value, errors, groups = (np.array(x) for x in zip(*found, strict=True))
        se = math.sqrt(float(np.square(errors).sum())) / len(found)
        half = biased_quantile(0.0, float(groups.min()) - 1, LEVEL) * se
        centre = float(value.mean())
        how = f"logged gradients of {len(found)} networks, jackknife over groups; standard error {se:.2g}"
        return Estimate(name, centre, centre - half, centre + half, unit, LEVEL, int(n.sum()), how)


def _share(mean: Floats, square: Floats, k: float) -> Floats:
    signal = (mean**2).sum(-1)
    return np.asarray(signal / (k * (square - signal) + signal))


def _jackknife(gradients: Floats, k: Floats, n: Floats) -> tuple[float, float, float]:
    """Share, standard error and groups of one run, whose cell c is a gradient that n_c groups had."""
    total, rollouts_a_group = float(n.sum()), float(n @ k / n.sum())
    mean, square = n @ gradients / total, n @ np.square(gradients).sum(axis=1) / total
    whole = float(_share(mean, square, rollouts_a_group))
    without = _share(
        (total * mean - gradients) / (total - 1),
        (total * square - np.square(gradients).sum(axis=1)) / (total - 1),
        rollouts_a_group,
    )
    centre = float(n @ without / total)
    value = total * whole - (total - 1) * centre
    first_order = (total - 1) / total * float(n @ (without - centre) ** 2)
    # Where there is no signal the first order vanishes, and the mean gradient's own noise is left, by coordinate.
    unseen = unseen_clusters(LEVEL) * gradients.shape[1] / (total * rollouts_a_group)
    return value, math.sqrt(first_order + unseen**2), total
