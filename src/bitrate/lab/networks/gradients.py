"""What the real gradient of a network says about the right answer: take every gradient there can be, merge equal ones.

A network comes in as a function from a group's answers and advantages to a flat gradient, or to whatever is kept of
it: the gradient itself, Adam's step, a random projection, the weights after the step.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components

from bitrate.errors import InputError
from bitrate.lab.worlds.learners import Baseline, advantages
from bitrate.theory import mutual_information
from bitrate.theory.checks import distribution, whole
from bitrate.types import Floats, Ints

Numbers = NDArray[np.floating[Any]]
#: Answers and advantages of a group, both [k], to a vector of numbers: the gradient, or what is kept of it.
Gradient = Callable[[Ints, Floats], Numbers]

#: Each outcome costs one backward pass, and the distances of all pairs are taken.
MOST_OUTCOMES = 5_000
#: Distances below this are rounding of the distances themselves: they are differences of squares in float64.
FINEST = 1e-7
#: Numbers of a random direction that are drawn at a time.
BLOCK = 1 << 16


@dataclass(frozen=True)
class Outcomes:
    """Every group that can be told apart before the update: a multiset of answers, and which of them was right.

    Args:
        answers: sorted, shape [outcomes, k].
        rewards: 1 for the right answer, shape [outcomes, k].
        rollouts: number of the multiset, shape [outcomes].
        chance: P(outcome, S), shape [outcomes, answers]; all elements sum to 1.
    """

    answers: Ints
    rewards: Floats
    rollouts: Ints
    chance: Floats


def outcomes(prior: ArrayLike, policy: ArrayLike, k: int) -> Outcomes:
    """Enumerates the multisets of k answers and the targets, exact-match reward.

    Args:
        prior: probability of each answer to be the right one, shape [V].
        policy: probability of each answer to be sampled, shape [V].
        k: rollouts of the group.

    Returns:
        The outcomes. A multiset of d different answers has d + 1: each of them right, or none.

    Raises:
        InputError: no distributions of the same length, ``k`` not a whole number from 1, or more than 5000 outcomes.

    Reference: docs/estimators.md#update-bits.

    >>> outcomes([0.5, 0.5], [0.5, 0.5], 1).rewards.ravel().tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    q, pi, size = distribution("prior", prior), distribution("policy", policy), int(whole("k", k))
    if q.ndim != 1 or q.shape != pi.shape:
        raise InputError(f"prior and policy have shapes {q.shape}, {pi.shape}; want the same [answers]")
    n = math.comb(q.size + size - 1, size)
    if n > MOST_OUTCOMES:
        raise InputError(f"k = {size} with {q.size} answers makes {n} multisets; want {MOST_OUTCOMES} or fewer")
    flat = chain.from_iterable(combinations_with_replacement(range(q.size), size))
    groups = np.fromiter(flat, np.int64, n * size).reshape(n, size)
    count = (groups[:, :, None] == np.arange(q.size)).sum(axis=1)
    orders = [math.factorial(size) / math.prod(map(math.factorial, c)) for c in count.tolist()]
    sampled = np.array(orders) * np.prod(pi**count, axis=1)

    hit, target = np.nonzero(count)  # one outcome for each answer tried that may be the right one, ...
    which = np.concatenate([hit, np.arange(n)])  # ... and one for no hit
    right = np.concatenate([target, np.full(n, -1)])
    if which.size > MOST_OUTCOMES:
        raise InputError(f"k = {size} with {q.size} answers makes {which.size} outcomes; want {MOST_OUTCOMES} or fewer")
    fits = np.where(right[:, None] >= 0, right[:, None] == np.arange(q.size), count[which] == 0)
    order = np.lexsort([-right, which])
    rewards = np.asarray(groups[which] == right[:, None], float)
    chance = sampled[which][:, None] * fits * q
    return Outcomes(groups[which][order], rewards[order], which[order], chance[order])


@dataclass(frozen=True)
class Merged:
    """Which vectors are one, and how clear that is.

    Args:
        number: of the cluster of each vector, shape [n].
        widest: largest distance of two neighbours that were merged, in units of the longest vector.
        narrowest: least distance of two vectors that were not; infinite where all are one.
    """

    number: Ints
    widest: float
    narrowest: float


def merge(vectors: ArrayLike, resolution: float) -> Merged:
    """Puts vectors together that agree within rounding: those joined by steps of at most ``resolution``.

    Args:
        vectors: shape [n, parameters].
        resolution: distance in units of the longest vector; 0 merges only what agrees in every bit. Distances are
            known to 1e-7, and no resolution between is taken.

    Returns:
        The clusters.

    Raises:
        InputError: a table that is not two-dimensional and finite, or a resolution between 0 and 1e-7.

    Reference: docs/estimators.md#update-bits.

    >>> merge([[1.0, 0.0], [1.0, 1e-6], [0.0, 1.0]], 1e-5).number.tolist()
    [0, 0, 1]
    """
    table = np.asarray(vectors) + 0.0  # -0.0 is 0.0
    if table.ndim != 2 or not np.isfinite(table).all():
        raise InputError(f"vectors has shape {table.shape}; want finite numbers, [vectors, parameters]")
    if resolution != 0 and not resolution >= FINEST:
        raise InputError(f"resolution = {resolution:g}; want 0, or {FINEST:g} or more")
    names: dict[bytes, int] = {}
    same = np.array([names.setdefault(row.tobytes(), len(names)) for row in table])
    first = np.unique(same, return_index=True)[1]
    x = table[first].astype(float)
    square = (x * x).sum(axis=1)
    longest = square.max()
    if longest == 0:
        return Merged(np.zeros(len(table), np.int64), 0.0, math.inf)
    # Differences of squares can be below 0 by rounding.
    apart = np.sqrt(np.maximum(square[:, None] + square - 2 * x @ x.T, 0.0) / longest)
    near = (apart <= resolution) & (resolution > 0)
    number = connected_components(near | np.eye(len(x), dtype=bool), directed=False)[1]
    alike = number[:, None] == number
    inside, outside = apart[near & ~np.eye(len(x), dtype=bool)], apart[~alike]
    widest, narrowest = inside.max(initial=0.0), outside.min(initial=math.inf)
    return Merged(np.asarray(number, np.int64)[same], float(widest), float(narrowest))


@dataclass(frozen=True)
class GradientInformation:
    """Bits about the right answer, before and in the update.

    Args:
        received: I(rewards; S | rollouts).
        update: I(g; S): the update alone is seen.
        update_given_rollouts: I(g; S | rollouts).
        outcomes: how many outcomes there are.
        updates: how many different updates they make.
        widest: see :class:`Merged`.
        narrowest: see :class:`Merged`.
    """

    received: float
    update: float
    update_given_rollouts: float
    outcomes: int
    updates: int
    widest: float
    narrowest: float


def gradient_information(
    gradient: Gradient, prior: ArrayLike, policy: ArrayLike, k: int, baseline: Baseline, *, resolution: float
) -> GradientInformation:
    """Exact bits about the right answer in a network's update: ``I(g; S | theta)``, by a backward pass per outcome.

    Every gradient is the real one of its own group, not put together from those of single answers. The answers of a
    group are sorted: their order changes the gradient by rounding only, and does not depend on the right answer.
    Gradients that agree within ``resolution`` are one update.

    Args:
        gradient: what is kept of the gradient of a group with these answers and advantages.
        prior: probability of each answer to be the right one, shape [V].
        policy: what the network samples from, shape [V].
        k: rollouts of the group.
        baseline: as for :func:`bitrate.lab.worlds.learners.advantages`.
        resolution: as for :func:`merge`; a few times the rounding of the network's precision.

    Returns:
        Bits per group, and how clear the merging was.

    Raises:
        InputError: as for :func:`outcomes`, :func:`merge` and :func:`bitrate.lab.worlds.learners.advantages`.

    Reference: docs/theory.md#updates, claim S1.15.

    >>> def tabular(answers, advantages):
    ...     return advantages @ (np.eye(2)[answers] - 0.5)
    >>> found = gradient_information(tabular, [0.5, 0.5], [0.5, 0.5], 1, 0.0, resolution=1e-6)
    >>> round(found.received, 12), round(found.update, 12)
    (1.0, 0.5)
    """
    every = outcomes(prior, policy, k)
    weights = advantages(every.rewards, baseline)
    vectors = np.array([gradient(a, w) for a, w in zip(every.answers, weights, strict=True)])
    made = merge(vectors, resolution)
    with_rollouts = np.unique([every.rollouts, made.number], axis=1, return_inverse=True)[1].ravel()
    return GradientInformation(
        float(mutual_information(every.chance)),
        _bits(made.number, every.chance),
        _bits(with_rollouts, every.chance),
        len(vectors),
        int(made.number.max()) + 1,
        made.widest,
        made.narrowest,
    )


def _bits(number: Ints, chance: Floats) -> float:
    """I(number; S) where rows of the table with the same number are one."""
    joint = np.zeros((int(number.max()) + 1, chance.shape[1]))
    np.add.at(joint, number, chance)
    return float(mutual_information(joint))


def fingerprints(
    gradient: Gradient, answers: ArrayLike, rewards: ArrayLike, baseline: Baseline, *, resolution: float
) -> NDArray[np.str_]:
    """A name for the update of each group in a log: groups have the same name where their gradients are one.

    The gradient of each different group is taken once, and they are merged as :func:`merge` does. A name is a hash of
    one gradient of its cluster: names of one call can be compared, those of two calls only where no rounding differs.

    Args:
        gradient: as for :func:`gradient_information`.
        answers: shape [worlds, k].
        rewards: shape [worlds, k].
        baseline: as for :func:`bitrate.lab.worlds.learners.advantages`.
        resolution: as for :func:`merge`.

    Returns:
        Shape [worlds].

    Raises:
        InputError: shapes that differ, or more than 5000 different groups.

    Reference: docs/estimators.md#update-bits.

    >>> def tabular(answers, advantages):
    ...     return advantages @ (np.eye(2)[answers] - 0.5)
    >>> a, b, c = fingerprints(tabular, [[0], [1], [1]], [[0.0], [0.0], [1.0]], 0.0, resolution=1e-6)
    >>> bool(a == b), bool(b == c)
    (True, False)
    """
    said, scored = np.asarray(answers, np.int64), np.asarray(rewards, float)
    if said.ndim != 2 or said.shape != scored.shape:
        raise InputError(f"answers and rewards have shapes {said.shape}, {scored.shape}; want the same [worlds, k]")
    order = np.lexsort([scored, said], axis=1)
    pairs = np.stack([np.take_along_axis(v, order, axis=1) for v in (said.astype(float), scored)], axis=1)
    groups, which = np.unique(pairs, axis=0, return_inverse=True)
    if len(groups) > MOST_OUTCOMES:
        raise InputError(f"{len(groups)} different groups; want {MOST_OUTCOMES} or fewer")
    weights = advantages(groups[:, 1], baseline)
    found = [gradient(a, w) for a, w in zip(groups[:, 0].astype(np.int64), weights, strict=True)]
    vectors = np.array(found) + 0.0
    number = merge(vectors, resolution).number
    first = np.unique(number, return_index=True)[1]
    names = np.array([hashlib.sha256(vectors[i].tobytes()).hexdigest()[:16] for i in first])
    return np.asarray(names[number][which.ravel()])


def adam_step(
    gradient: ArrayLike, first: ArrayLike = 0.0, second: ArrayLike = 0.0, steps: int = 0, *,
    betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8,
) -> Numbers:  # fmt: skip
    """Adam's next step at learning rate 1: ``m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)``.

    From moments of 0 it is the sign of the gradient, up to ``epsilon``: the size of an advantage is gone, and with it
    whatever only the size told.

    Args:
        gradient: shape [..., parameters]; its precision is kept.
        first: running mean of gradients, shape [parameters].
        second: running mean of their squares, shape [parameters].
        steps: how many steps made these moments.
        betas: decay of the two.
        epsilon: added to the root, 0 or more.

    Returns:
        Shape of ``gradient``; 0 where gradient and moments are 0.

    Raises:
        InputError: fewer than 0 steps.

    Reference: Kingma and Ba (2015), Adam, algorithm 1.

    >>> adam_step([0.5, -2.0, 0.0], epsilon=0.0).tolist()
    [1.0, -1.0, 0.0]
    """
    t = int(whole("steps", steps, 0)) + 1
    g = np.asarray(gradient)
    g = g if g.dtype == np.float32 else g.astype(float)
    m, v = np.asarray(first, g.dtype), np.asarray(second, g.dtype)
    (b1, b2), one = betas, g.dtype.type
    mean = (one(b1) * m + one(1 - b1) * g) / one(1 - b1**t)
    root = np.sqrt((one(b2) * v + one(1 - b2) * g * g) / one(1 - b2**t)) + one(epsilon)
    return np.asarray(np.divide(mean, root, out=np.zeros_like(mean), where=root > 0))


class Projection:
    """A few random directions to see a gradient from: a probe of networks whose gradients are too large to be kept.

    Distances survive: that of two gradients, seen from m directions, is off by a share of about ``1 / sqrt(2 m)``.
    So gradients that are one stay one, and others are told apart where the directions are not too few. The signs are
    drawn anew for each gradient, block by block, from the same seed: nothing as large as the gradient is kept.

    Args:
        directions: how many, 1 or more.
        rng: draws the seed of the signs.

    Reference: Achlioptas (2003), Database-friendly random projections, theorem 1.1.

    >>> seen = Projection(8, rng=np.random.default_rng(0))(np.array([3.0, 0.0]))
    >>> [round(float(x), 12) for x in np.abs(seen) * 8 ** 0.5]
    [3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0]
    """

    def __init__(self, directions: int, *, rng: np.random.Generator) -> None:
        self.directions = int(whole("directions", directions))
        self.seed = int(rng.integers(1 << 62))

    def __call__(self, gradient: ArrayLike) -> Floats:
        """The gradient as the directions see it, shape [directions]."""
        flat = np.asarray(gradient, float).ravel()
        rng = np.random.default_rng(self.seed)
        seen = np.zeros(self.directions)
        for start in range(0, flat.size, BLOCK):
            part = flat[start : start + BLOCK]
            seen += (2.0 * rng.integers(0, 2, (self.directions, part.size), dtype=np.int8) - 1) @ part
        return np.asarray(seen / math.sqrt(self.directions))
