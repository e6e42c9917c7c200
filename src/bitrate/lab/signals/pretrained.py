"""The ledger of a pretrained model that learns answers: what it was told, what its update kept, what it holds after."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitrate.errors import InputError
from bitrate.lab.cells import COST_FILE
from bitrate.lab.signals.rows import rollouts
from bitrate.logs.engines import duck
from bitrate.stats import cluster_ratio
from bitrate.theory import binary_entropy, group_normalised_information
from bitrate.types import Estimate, Floats

#: Intervals over a few seeds: there are not enough of them for the lab's 0.9999.
LEVEL = 0.95
#: With so many runs or more they are the independent units, else the prompts of the runs that there are.
RUNS = 3
#: One row a visit: the first and the last visit of a prompt are examinations, what is between was trained on.
VISITS = """
SELECT run, prompt_id, step, any_value(target_surprisal) AS bits, count(reward) AS n,
       coalesce(bool_or(shown), false) AS label, coalesce(bool_or(reward = 1), false) AS hit,
       coalesce(bool_or(advantage IS NOT NULL OR components IS NOT NULL), false) AS normalised
FROM rollouts WHERE split = '{split}' GROUP BY ALL ORDER BY run, prompt_id, step
"""
LINES = {
    "capacity": "1 bit a scored rollout, log2 of the answers there are a label",
    "received": "at most: the surprisal of the answer before training, once hit or shown; else the sum of K h(p)",
    "update": "of these, what group-normalised advantages keep: K h(p) - P_dead h(P_right / P_dead) a group",
    "absorbed": "surprisal of the answer before training less after: Barber-Agakov, the starting policy as prior",
    "prequential": "surprisal at the first visit that was trained on less after training: prequential code length",
    "overdraft": "absorbed less received",
    "generalised": "surprisal of the answer before training less after, prompts that were held out",
    "before": "pass rate before training, 2^-surprisal, prompts to train on",
    "after": "pass rate after training, prompts to train on",
    "held out before": "pass rate before training, prompts held out",
    "held out after": "pass rate after training, prompts held out",
}
SHARES = {"before", "after", "held out before", "held out after"}


@dataclass(frozen=True)
class PretrainedBits:
    """A line of the ledger of one arm of a pretrained model, a prompt.

    The reward is 1 with probability ``p = 2^-surprisal`` of the target, so the outcome bits of a visit are known and
    not estimated. Nothing says what prior the keys have for the model but its own policy before training.

    Args:
        line: one of ``LINES``.

    Raises:
        InputError: another line.

    Reference: THEORY.md sections 1 and 4.
    """

    line: str

    def __post_init__(self) -> None:
        if self.line not in LINES:
            raise InputError(f"line = {self.line!r}; want one of {', '.join(LINES)}")

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        held_out = self.line == "generalised" or self.line.startswith("held out")
        with rollouts(folder, "target_surprisal IS NOT NULL") as con:
            rows = duck.run(con, VISITS.format(split="eval" if held_out else "train"))
            [(answers,)] = duck.run(con, "SELECT count(DISTINCT target) FROM rollouts")
        unit = "share" if self.line in SHARES else "bits/prompt"
        if not rows:
            return Estimate.missing(self.line, unit, "no prompt with a surprisal of its target")
        names = np.array([f"{run}\n{prompt}" for run, prompt, *_ in rows])
        start = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
        last = np.r_[start[1:], len(rows)] - 1
        bits, n = (np.array([row[i] for row in rows], float) for i in (3, 4))
        label, hit, normalised = (np.array([row[i] for row in rows], bool) for i in (5, 6, 7))
        found = self._by_prompt(_Visits(start, last, bits, n, label, hit, normalised, answers))
        runs = np.array([rows[i][0] for i in start])
        return _mean(found, runs, self.line, unit)

    def _by_prompt(self, v: _Visits) -> Floats:
        """The line of each prompt of each run."""
        before, after = v.bits[v.start], v.bits[v.last]
        if self.line in {"capacity", "received", "update"}:
            return {"capacity": v.capacity, "received": v.received, "update": v.update}[self.line]()
        if self.line in SHARES:
            return np.asarray(2.0 ** -(before if self.line.endswith("before") else after))
        since = v.bits[v.start + 1] if self.line == "prequential" else before
        return np.asarray(since - after - (v.received() if self.line == "overdraft" else 0.0))


@dataclass(frozen=True)
class _Visits:
    """Visits in the order of their prompts: places of each prompt's first and last, then one figure a visit."""

    start: NDArray[np.int64]
    last: NDArray[np.int64]
    bits: Floats
    n: Floats
    label: NDArray[np.bool_]
    hit: NDArray[np.bool_]
    normalised: NDArray[np.bool_]
    answers: int

    def _sum(self, value: Floats) -> Floats:
        """Over each prompt's visits that were trained on."""
        inside = np.ones(self.bits.size, bool)
        inside[self.start] = inside[self.last] = False
        return np.asarray(np.add.reduceat(np.where(inside, value, 0.0), self.start), float)

    def capacity(self) -> Floats:
        """What the scores and labels of each prompt could have carried."""
        return self._sum(np.where(self.label, np.log2(self.answers), self.n))

    def received(self) -> Floats:
        """At most what they did carry, under the starting policy as prior."""
        told = self._sum(np.asarray(self.label | self.hit, float)) > 0
        prior = self.bits[self.start]
        scored = self._sum(self.n * binary_entropy(2.0**-self.bits))
        return np.asarray(np.where(told, prior, np.minimum(prior, scored)))

    def update(self) -> Floats:
        """At most what the advantages keep of it."""
        p, size = 2.0**-self.bits, np.maximum(self.n, 1)
        scored = size * np.where(self.normalised, group_normalised_information(p, size), binary_entropy(p))
        kept = self._sum(np.where(self.label, self.bits, np.where(self.n > 0, scored, 0.0)))
        return np.asarray(np.minimum(self.received(), kept))


def _mean(found: Floats, runs: NDArray[np.str_], line: str, unit: str) -> Estimate:
    """Mean over prompts, with an interval over runs, or over prompts where there are too few."""
    weight: Floats
    score: Floats
    names, run = np.unique(runs, return_inverse=True)
    method, spread = LINES[line], max(float(found.std()), 1e-6)
    if names.size >= RUNS:
        weight, score = np.bincount(run).astype(float), np.bincount(run, weights=found).astype(float)
        method, spread = f"{method}; by run", max(float((score / weight).std()), 1e-6)
    else:
        weight, score = np.ones(found.size), found
        method = f"{method}; by prompt of {names.size} run(s): other seeds may differ by more"
    within = (0.0, 1.0) if unit == "share" else (-math.inf, math.inf)
    return cluster_ratio(weight, score, 0.0, spread, name=line, unit=unit, level=LEVEL, method=method, within=within)


@dataclass(frozen=True)
class PerPflop:
    """A line of the ledger over what the training cost, as the trainer counted it: bits per PFLOP, all prompts.

    Args:
        line: one of ``LINES`` in bits a prompt.
    """

    line: str

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder; the cost is known and adds no error."""
        bits = PretrainedBits(self.line)(folder)
        name, unit = f"{self.line} per PFLOP", "bits/PFLOP"
        flops = [json.loads(f.read_text("utf-8"))["flops"] for f in sorted(folder.rglob(COST_FILE))]
        if not flops:
            return Estimate.missing(name, unit, "no file says what the training cost", bits.n)
        with rollouts(folder, "split = 'train'") as con:
            [(prompts,)] = duck.run(con, "SELECT count(DISTINCT (run, prompt_id)) FROM rollouts")
        return bits.scaled(prompts / sum(flops) * 1e15, name, unit, f"{sum(flops):.3g} FLOPs of {len(flops)} run(s)")
