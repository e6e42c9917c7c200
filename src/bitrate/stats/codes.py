"""Codes: what it costs to write outcomes down, which bounds their entropy from above whatever the learner believes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, logsumexp

from bitrate.errors import InputError
from bitrate.stats.counts import check_counts, distinct
from bitrate.stats.functionals import log_choose
from bitrate.types import Floats, Ints

#: How unlike prompts may be in the levels that they end at: parameters of a Dirichlet, smaller for less alike.
SPREADS = (0.1, 0.3, 1.0, 3.0, 10.0, 1e4)
ROUNDS = 20
#: Keys up to so many times their number are counted in an array.
DENSE = 16


@dataclass(frozen=True)
class Code:
    """Length of each group's outcomes in a code.

    Args:
        bits: to tell which of its rollouts were right, shape [groups].
        merged: to tell as much, but for whether a constant group was all right or all wrong, shape [groups]: what an
            advantage that is zero on both can tell.
    """

    bits: Floats
    merged: Floats


def population_code(right: ArrayLike, n: ArrayLike, cell: ArrayLike, who: ArrayLike) -> Code:
    """Each group's outcomes, predicted from the groups of the other prompts in its cell.

    ``-log2 (N_k + 1/2) / (N + (n+1)/2)`` for a count that N_k of the N others show, each group of the same size, and
    ``log2 C(n, k)`` for its order. Its mean lies above the entropy of a group of the cell, by about n/2N nats.

    Args:
        right: rollouts that were right, shape [groups].
        n: rollouts, 1 or more, shape [groups].
        cell: what is known of each group beforehand, as numbers: e.g. its step; shape [groups].
        who: number of each group's prompt, shape [groups].

    Raises:
        InputError: counts are not 0 <= right <= n, or shapes differ.

    Reference: docs/estimators.md#code; Krichevsky and Trofimov (1981).

    >>> population_code([1, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 2, 3]).bits.round(3).tolist()
    [0.678, 0.678, 0.678, 3.0]
    """
    right, n = check_counts(right, n)
    who = np.asarray(who, np.int64)
    if not right.shape == who.shape == np.shape(cell):
        raise InputError(f"cell and who have shapes {np.shape(cell)} and {who.shape}; want one of each per group")
    home = _ranks(_ranks(np.asarray(cell, np.int64)) * (int(n.max(initial=0)) + 1) + n)
    span = int(n.max(initial=0)) + 1
    here = _tally(home * span + right)
    who = _ranks(who)
    pair = home * (int(who.max(initial=0)) + 1) + who
    others = np.bincount(home, minlength=1)[home] - 1
    ordered = np.sort(pair)
    alone = not (ordered[1:] == ordered[:-1]).any()
    if not alone:
        own = _ranks(pair)
        mine = _tally(own * span + right)
        others = others + 1 - _tally(own)(own)

    def log2_chance(k: Ints) -> Floats:
        """Of k right among each group's rollouts."""
        alike = here(home * span + k) - ((k == right) if alone else mine(own * span + k))
        return np.asarray(np.log2(alike + 0.5) - np.log2(others + (n + 1) / 2))

    said = log2_chance(right)
    merged = said.copy()
    constant = (right == 0) | (right == n)
    merged[constant] = np.logaddexp2(said, log2_chance(n - right))[constant]
    k, size, what = distinct(right, n)
    order = (log_choose(size.astype(float), k.astype(float)) / np.log(2))[what]
    return Code(order - said, order - merged)


def graded_code(counts: Ints, who: ArrayLike, cell: ArrayLike) -> Floats:
    """Bits to tell which level each rollout of a group was given, predicted from the other prompts of its cell.

    ``-log2`` of a mean over some spreads c of the Dirichlet-multinomial chance of the group's levels in their order,
    with c times the levels' shares among other prompts as its parameters: from prompts that always end at one level
    (c small) to prompts that are all alike (c large). How much each weighs is seen in the other half of the prompts.

    Args:
        counts: rollouts at each level, shape [groups, levels].
        who: number of each group's prompt, shape [groups].
        cell: what is known of each group beforehand, as numbers: e.g. its run; shape [groups].

    Returns:
        bits of each group, shape [groups].

    >>> graded_code(np.array([[4, 0, 0], [4, 0, 0], [0, 4, 0], [0, 4, 0]]), [0, 1, 2, 3], [0] * 4).round(2).tolist()
    [2.12, 2.12, 2.12, 2.12]
    """
    who, cell = np.asarray(who, np.int64), np.asarray(cell, np.int64)
    found = np.zeros(len(counts))
    for each in np.unique(cell):
        found[cell == each] = _graded(counts[cell == each], np.unique(who[cell == each], return_inverse=True)[1])
    return found


def _graded(counts: Ints, who: Ints) -> Floats:
    log, found, half = _log_drawn(counts, who), np.zeros(len(counts)), who % 2
    for part in (0, 1):
        # How unlike prompts are is seen in the other half of them.
        apart = _log_drawn(counts[half != part], who[half != part])
        weight = np.full(len(SPREADS), 1 / len(SPREADS))
        for _ in range(ROUNDS if apart.size else 0):
            fit = weight[:, None] * np.exp(apart - apart.max(axis=0))
            told = (fit / fit.sum(axis=0)).sum(axis=1)
            weight = (told + 1 / len(SPREADS)) / (told.sum() + 1)
        found[half == part] = -logsumexp(log[:, half == part].T + np.log(weight), axis=1) / np.log(2)
    return found


def _log_drawn(counts: Ints, who: Ints) -> Floats:
    """Chance of what each group drew in its order by the shares of the other prompts, for each spread, as logarithm."""
    own = np.zeros((int(who.max(initial=0)) + 1, counts.shape[1]))
    np.add.at(own, who, counts)
    others = counts.sum(axis=0) - own[who] + 0.5
    share, n = others / others.sum(axis=1, keepdims=True), counts.sum(axis=1)
    spread = [(c, c * share) for c in SPREADS]
    return np.stack([gammaln(c) - gammaln(c + n) + (gammaln(a + counts) - gammaln(a)).sum(axis=1) for c, a in spread])


def _ranks(a: Ints) -> Ints:
    """Whole numbers as ranks from 0, those that do not occur left out."""
    if a.size and a.min() >= 0 and int(a.max()) <= DENSE * a.size:
        return np.asarray((np.cumsum(np.bincount(a) > 0) - 1)[a])  # sorting takes ten times as long
    return np.asarray(np.unique(a, return_inverse=True)[1].reshape(-1))


def _tally(keys: Ints) -> Callable[[Ints], Ints]:
    """How often a number occurs."""
    if int(keys.max(initial=0)) <= DENSE * keys.size:
        every = np.bincount(keys, minlength=1)
        return lambda asked: np.where(asked < every.size, every[np.minimum(asked, every.size - 1)], 0)
    known, count = np.unique(keys, return_counts=True)

    def of(asked: Ints) -> Ints:
        place = np.minimum(np.searchsorted(known, asked), known.size - 1)
        return np.asarray(np.where(known[place] == asked, count[place], 0), np.int64)

    return of
