"""The ledger of a pretrained model that learns answers: what it was told, what its update kept, what it holds after."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitrate.errors import InputError
from bitrate.lab.signals.ledger import known_keys
from bitrate.lab.training.store import COST_FILE
from bitrate.meter.keys import KnownKeys
from bitrate.stats import cluster_ratio
from bitrate.theory import binary_entropy, group_normalised_information
from bitrate.types import Estimate, Floats

#: Intervals over a few seeds: there are not enough of them for the lab's 0.9999.
LEVEL = 0.95
#: With so many runs or more they are the independent units, else the prompts of the runs that there are.
RUNS = 3
LINES = {
    "capacity": "1 bit a scored rollout, log2 of the answers there are a label",
    "received": "at most: the surprisal of the answer before training, once hit or shown; else the sum of K h(p)",
    "update": "of these, what group-normalised advantages keep: K h(p) - P_dead h(P_right / P_dead) a group; of a "
    "label, all",
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

    Reference: docs/theory.md#ledger and docs/theory.md#logs.
    """

    line: str

    def __post_init__(self) -> None:
        if self.line not in LINES:
            raise InputError(f"line = {self.line!r}; want one of {', '.join(LINES)}")

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        held_out = self.line == "generalised" or self.line.startswith("held out")
        keys = known_keys(folder, "eval" if held_out else "train")
        unit = "share" if self.line in SHARES else "bits/prompt"
        if not keys.start.size:
            return Estimate.missing(self.line, unit, "no prompt with a surprisal of its target")
        return _mean(self._by_prompt(keys), keys.runs[keys.run], self.line, unit)

    def _by_prompt(self, keys: KnownKeys) -> Floats:
        """The line of each prompt of each run; the first and the last visit are examinations."""
        if self.line in SHARES:
            return np.asarray(2.0 ** -(keys.first_bits if self.line.endswith("before") else keys.last_bits))
        if self.line == "capacity":
            return _trained_on(keys, np.where(keys.visit["label"], np.log2(keys.answers), keys.visit["n"]))
        if self.line == "received":
            return _received(keys)
        if self.line == "update":
            return _update(keys)
        if self.line == "prequential":
            return np.asarray(keys.visit["bits"][keys.start + 1] - keys.last_bits)
        return keys.absorbed - (_received(keys) if self.line == "overdraft" else 0.0)


def _trained_on(keys: KnownKeys, value: Floats) -> Floats:
    """Sum over each prompt's visits that were trained on."""
    inside = np.asarray(value, float).copy()
    inside[keys.start] = 0.0
    return keys.before(inside, np.add)


def _received(keys: KnownKeys) -> Floats:
    """At most what scores and labels carried, under the starting policy as prior."""
    visit, bits = keys.visit, keys.visit["bits"]
    told = _trained_on(keys, np.asarray(visit["label"] | visit["hit"], float)) > 0
    scored = _trained_on(keys, visit["n"] * binary_entropy(2.0**-bits))
    return np.asarray(np.where(told, keys.first_bits, np.minimum(keys.first_bits, scored)))


def _update(keys: KnownKeys) -> Floats:
    """At most what the updates keep of it, on the same basis: the prior is the policy before training.

    No two labels make the same update, so a label keeps what it said, whenever it was shown.
    """
    visit, n, p = keys.visit, keys.visit["n"], 2.0 ** -keys.visit["bits"]
    size = np.maximum(n, 1)
    scored = size * np.where(visit["normalised"], group_normalised_information(p, size), binary_entropy(p))
    kept = _trained_on(keys, np.where(visit["label"], math.inf, np.where(n > 0, scored, 0.0)))
    return np.asarray(np.minimum(_received(keys), kept))


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
        prompts = known_keys(folder).start.size
        return bits.scaled(prompts / sum(flops) * 1e15, name, unit, f"{sum(flops):.3g} FLOPs of {len(flops)} run(s)")
