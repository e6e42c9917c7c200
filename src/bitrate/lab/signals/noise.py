"""Signal to noise of the gradient of one rollout or label, from the answers and advantages of a log."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.logs.engines import duck
from bitrate.stats.clusters import biased_quantile, unseen_clusters
from bitrate.types import Estimate, Floats

#: A prompt's first answer shows the policy, its last is what was trained on; examples have no advantage and weigh 1.
CELLS = """
SELECT shown, used, weight, count(*) FROM (
    SELECT any_value(answer) FILTER (first) AS shown, any_value(answer) FILTER (last) AS used,
        coalesce(any_value(advantage) FILTER (last), 1.0) AS weight FROM rollouts GROUP BY world)
GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True)
class SignalToNoise:
    """``|E g|^2 / tr Var g`` over prompts of ``g = A (e_answer - policy)``, a tabular softmax policy that all share.

    The policy is what the first answers of the prompts were drawn from, A the advantage of the last answer, 1 for an
    example. Prompts have one answer a step.
    """

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder; it can lie a little below 0 where there is no signal."""
        with rollouts(folder) as con:
            cells = duck.run(con, CELLS)
        if not cells:
            return Estimate.missing("signal to noise", "ratio", "no rollout has a score")
        shown, used, weight, n = zip(*cells, strict=True)
        answers, place = np.unique([*shown, *used], return_inverse=True)
        one_hot = np.eye(answers.size)[place]
        return _jackknife(one_hot[: len(cells)], one_hot[len(cells) :], np.array(weight, float), np.array(n, float))


def _ratio(shown: Floats, used: Floats, weight: Floats, n: Floats) -> float:
    """The ratio where cell c holds n_c prompts; ``shown`` and ``used`` are rows of the identity matrix."""
    share = n / n.sum()
    policy = share @ shown
    gradient = weight[:, None] * (used - policy)
    mean = share @ gradient
    signal = float(mean @ mean)
    return signal / (float(share @ np.square(gradient).sum(axis=1)) - signal)


def _jackknife(shown: Floats, used: Floats, weight: Floats, n: Floats) -> Estimate:
    total = float(n.sum())
    whole = _ratio(shown, used, weight, n)
    without = np.array([_ratio(shown, used, weight, n - one) for one in np.eye(n.size)])
    mean = float(n @ without / total)
    value = total * whole - (total - 1) * mean
    first_order = (total - 1) / total * float(n @ (without - mean) ** 2)
    # Where there is no signal the first order vanishes, and the mean gradient's own noise is left, by answer.
    se = math.sqrt(first_order + (unseen_clusters(LEVEL) * shown.shape[1] / total) ** 2)
    half = biased_quantile(0.0, total - 1, LEVEL) * se
    how = f"counted gradients, jackknife; standard error {se:.2g}"
    return Estimate("signal to noise", value, value - half, value + half, "ratio", LEVEL, int(total), how)
