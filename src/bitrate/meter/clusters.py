"""Clusters of an interval: which groups are of one prompt, as far as the files say, and which prompts of one run."""

from __future__ import annotations

import math

import numpy as np

from bitrate.meter.groups import GroupTable
from bitrate.stats import cluster_ratio, second_way, worst_clusters
from bitrate.types import Estimate, Floats, Ints

#: From so many runs on they are clusters too; fewer say too little of how runs differ.
LEAST_RUNS = 10
ANY_PROMPT = "every step has one group, and all of them may be of one prompt: no interval can be given"
WORST = "visits matched over steps so that prompts differ most, since ids are positional"


def by_prompt(table: GroupTable, who: Ints, weight: Floats, score: Floats) -> tuple[Floats, Floats, str]:
    """Weight and score of each independent prompt, and in words how its groups were found.

    A prompt that several runs have is one. Where ids are positional, the k-th largest of every step are taken for one
    prompt: of all ways that the file allows the one that spreads the prompts' sums most.

    Args:
        table: the groups.
        who: prompts within their runs, each once.
        weight: of each, not negative.
        score: weight times score of each.
    """
    if not table.followed:
        cell, how = table.cell[who], WORST
        if not who.size or not weight.sum() or (cell == cell[0]).all():
            return weight, score, ""
        label = worst_clusters(cell, weight, score)
    elif table.run_count < 2:
        return weight, score, ""
    else:
        label, how = table.prompt[who], "a prompt of several runs is one cluster"
        if np.unique(label).size == label.size:
            return weight, score, ""
    return np.asarray(np.bincount(label, weight), float), np.asarray(np.bincount(label, score), float), how


def prompt_ratio(
    table: GroupTable, who: Ints, weight: Floats, score: Floats, bias: float, spread: float, *, name: str, unit: str,
    level: float, method: str, within: tuple[float, float] = (-math.inf, math.inf),
    each: tuple[float, float] | None = None,
) -> Estimate:  # fmt: skip
    """:func:`bitrate.stats.cluster_ratio` over prompts, arguments as in :func:`by_prompt`; over runs where many are."""
    weights, scores, how = by_prompt(table, who, weight, score)
    if how == WORST and (weights > 0).sum() < 2:
        return Estimate.missing(name, unit, ANY_PROMPT, int((weights > 0).sum()))
    also, there = (0.0, math.inf), weight > 0
    runs = np.unique(table.run_of[who[there]]).size if table.run_count >= LEAST_RUNS else 0
    if runs >= LEAST_RUNS:
        also = second_way(table.run_of[who[there]], weight[there], score[there], spread, level)
        how = "; ".join(filter(None, (how, f"{runs} runs are clusters too")))
    return cluster_ratio(
        weights, scores, bias, spread, name=name, unit=unit, level=level, within=within, also=also,
        each=each,
        method="; ".join(filter(None, (method, how))),
    )  # fmt: skip
