"""What a policy-gradient update says about the target: enumerate rollouts and outcomes, merge equal updates."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain, combinations_with_replacement, product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitrate.errors import InputError
from bitrate.theory.checks import distribution, group_size, numbers, one
from bitrate.theory.divergence import divergence_term, log_choose, shannon
from bitrate.types import Floats

#: How rewards become advantages: "grpo", "rloo", a constant baseline, or a function of the K rewards of a group.
Advantage = str | float | Callable[[Floats], ArrayLike]

#: The most pairs of a multiset of K answers and a target that are enumerated.
MOST_PAIRS = 5_000_000
#: Rollouts of a multiset that cost what a pair does.
MOST_ROLLOUTS_A_PAIR = 32
#: A function of the rewards is called on every one of the 2^K reward patterns, so K is bounded.
MOST_ROLLOUTS_OF_A_FUNCTION = 16
#: Gradients closer than this, in units of the largest advantage, are one gradient.
SAME = 1e-10


def update_information(
    prior: ArrayLike, policy: ArrayLike, k: int, advantage: Advantage, *, given_rollouts: bool = False
) -> float:
    """Bits about the right answer in one update of the tabular softmax policy, exact-match reward: ``I(g; S)``.

    ``g = sum_i A_i (e_{t_i} - policy)`` over the K rollouts ``t_i``, with advantages ``A`` computed from their rewards
    ``1[t_i = S]``. Whoever sees only the update does not know which rollouts made it. Two pairs of rollouts and
    outcomes with the same ``g`` are one update to him, and so ``I(g; S)`` is less than ``I(g; S | rollouts)``,
    where only the outcomes of the same rollouts can merge.

    Args:
        prior: probability of each answer to be the right one, shape [V].
        policy: probability of each answer to be sampled, shape [V].
        k: rollouts of the group.
        advantage: "grpo" is ``(r - mean) / std``, 0 where the rewards are all equal; the divisor of the variance, K or
            K - 1, makes no difference. "rloo" is the reward minus the mean reward of the others. A number is a
            constant baseline: ``r - baseline``. A function takes the rewards, shape [K], and gives the advantages,
            shape [K]; it must treat the rollouts alike.
        given_rollouts: the rollouts are in view: ``I(g; S | rollouts)``.

    Returns:
        Bits per update; at most the feedback, ``group_information``.

    Raises:
        InputError: a prior or policy that is no distribution, lengths that differ, ``k`` not a whole number from 1, an
            unknown advantage, "rloo" with one rollout, a function that looks at the order of the rollouts, or too many
            pairs to enumerate.

    Reference: docs/theory.md#updates, claim S1.15; docs/estimators.md#update-bits.

    >>> fair = [0.5, 0.5]
    >>> round(update_information(fair, fair, 1, 0.0), 12)  # a failure is the zero update, whichever answer failed
    0.5
    >>> round(update_information(fair, fair, 1, 0.0, given_rollouts=True), 12)
    1.0
    """
    q = distribution("prior", prior)
    if q.ndim != 1:
        raise InputError(f"prior has shape {q.shape}; want one axis, the answers")
    return verifier_information(q, np.eye(q.size, dtype=bool), policy, k, advantage, given_rollouts=given_rollouts)


def verifier_information(
    prior: ArrayLike, accepts: ArrayLike, policy: ArrayLike, k: int, advantage: Advantage | None = None, *,
    given_rollouts: bool = False,
) -> float:  # fmt: skip
    """Bits about the target in the feedback ``I(rewards; S | rollouts)``, or in the update ``I(g; S)``, any verifier.

    Target ``s`` accepts a set of answers: rollout ``t_i`` has reward ``accepts[s, t_i]``. See `update_information`
    for the update, which is the case of one accepted answer for each target.

    Args:
        prior: probability of each target, shape [S].
        accepts: whether a target accepts an answer, True and False, shape [S, V].
        policy: probability of each answer to be sampled, shape [V].
        k: rollouts of the group.
        advantage: as in `update_information`; None for the feedback itself.
        given_rollouts: the rollouts are in view, beside the update; they always are beside the feedback.

    Returns:
        Bits per group of K rollouts.

    Raises:
        InputError: as in `update_information`, or ``accepts`` of another type or shape.

    Reference: docs/theory.md#groups, claim S1.9; docs/theory.md#updates, claim S1.15;
    docs/theory.md#preferences, claim S2.2.

    >>> half = [[True, True, False, False], [False, False, True, True]]
    >>> round(verifier_information([0.5, 0.5], half, [0.25, 0.25, 0.25, 0.25], 1), 12)
    1.0
    >>> round(verifier_information([0.5, 0.5], half, [0.25, 0.25, 0.25, 0.25], 1, 0.0), 12)  # failures merge
    0.5
    """
    q, allowed, pi = _checked(prior, accepts, policy)
    size = int(one("k", group_size("k", k)))
    multisets = math.exp(min(float(log_choose(pi.size + size - 1.0, size)), 700.0))
    if multisets * max(q.size, size / MOST_ROLLOUTS_A_PAIR) > MOST_PAIRS:
        raise InputError(
            f"k = {size} with {pi.size} answers and {q.size} targets makes {multisets * q.size:.0f} pairs of rollouts "
            f"and target; want {MOST_PAIRS} or fewer, of {MOST_ROLLOUTS_A_PAIR} rollouts",
            hint="use a smaller group or fewer answers; group_information prices the feedback at any size",
        )
    if advantage is not None and not isinstance(advantage, str) and not callable(advantage):
        advantage, given_rollouts = _baseline(advantage, size, given_rollouts)
    right, wrong = (np.ones(size + 1), np.zeros(size + 1)) if advantage is None else _advantages(advantage, size)
    scale = max(np.abs(right[1:]).max(), np.abs(wrong[:-1]).max())
    if scale == 0:
        return 0.0
    right, wrong = right / scale, wrong / scale

    rollouts, chance = _multisets(pi, size)
    n_right = _total(allowed, rollouts).astype(np.int64)
    columns: list[Floats] = []
    if given_rollouts or advantage is None:
        columns.append(np.repeat(np.arange(chance.size, dtype=np.float64), q.size))
    # Updates are told apart by their products with two directions. In exact arithmetic one would do: cosines of
    # different whole numbers are linearly independent over the algebraic numbers (Lindemann and Weierstrass).
    drift = np.zeros(size + 1) if advantage is None else np.arange(size + 1) * (right - wrong) + size * wrong
    for frequency in (1, 2):
        direction = np.cos(frequency * np.arange(1.0, pi.size + 1) ** 2)
        drawn = _total(direction[:, np.newaxis], rollouts)
        accepted = _total(allowed * direction[:, np.newaxis], rollouts)
        update = wrong[n_right] * drawn + (right - wrong)[n_right] * accepted - drift[n_right] * (direction @ pi)
        columns.append(update.ravel())
    return _information(_merged(columns), q, chance)


def _checked(prior: ArrayLike, accepts: ArrayLike, policy: ArrayLike) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Prior, accepted answers [V, S] and policy, less what cannot happen or cannot be told apart."""
    q, pi = distribution("prior", prior), distribution("policy", policy)
    try:
        allowed = np.asarray(accepts)
    except ValueError:  # rows of different lengths
        raise InputError("accepts has rows of different lengths; want True and False in one shape") from None
    for name, array in (("prior", q), ("policy", pi)):
        if array.ndim != 1:
            raise InputError(f"{name} has shape {array.shape}; want one axis")
    if allowed.dtype != np.bool_:
        raise InputError(f"accepts has type {allowed.dtype}; want True and False")
    if allowed.shape != (q.size, pi.size):
        raise InputError(f"accepts has shape {allowed.shape}; want (targets, answers) = {(q.size, pi.size)}")
    # Targets that accept the same of the answers ever sampled are one target: no reward tells them apart.
    rows, which = np.unique(allowed[q > 0][:, pi > 0], axis=0, return_inverse=True)
    return np.bincount(which.ravel(), weights=q[q > 0]).astype(np.float64), rows.T, pi[pi > 0]


def _baseline(baseline: ArrayLike, k: int, given_rollouts: bool) -> tuple[float, bool]:
    """The baseline, and whether the update gives the rollouts away.

    ``g = sum r_i (e_i - policy) - b sum (e_i - policy)``. The last sums of two multisets differ by whole numbers, and
    the first by no more than K in each: with ``|b| > 2K`` equal updates have equal first and equal last sums, however
    little of the rewards rounding would leave in g. With a baseline next to 0 or 1 the small part is the last.
    """
    try:
        value = one("advantage", numbers("advantage", baseline))
    except InputError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"advantage = {baseline!r}; want 'grpo', 'rloo', a finite baseline or a function")
    both = abs(value) > 2 * k or 0 < abs(value) < SAME or 0 < abs(1 - value) < SAME
    return (0.0, True) if both else (value, given_rollouts)


def _advantages(advantage: Advantage, k: int) -> tuple[Floats, Floats]:
    """Advantage of a right and of a wrong rollout when m = 0..K of the group are right; 0 where there is none."""
    m = np.arange(k + 1.0)
    if callable(advantage):
        right, wrong = _tried(advantage, k)
    elif advantage == "grpo":
        mixed = (m > 0) & (m < k)
        right, wrong = np.zeros(k + 1), np.zeros(k + 1)
        right[mixed], wrong[mixed] = np.sqrt((k - m[mixed]) / m[mixed]), -np.sqrt(m[mixed] / (k - m[mixed]))
    elif advantage == "rloo":
        if k == 1:
            raise InputError("k = 1 with advantage 'rloo'; want 2 rollouts or more, the others are the baseline")
        right, wrong = (k - m) / (k - 1), -m / (k - 1)
    elif isinstance(advantage, str):
        raise InputError(f"advantage = {advantage!r}; want 'grpo', 'rloo', a finite baseline or a function")
    else:
        right, wrong = np.full(k + 1, 1.0 - advantage), np.full(k + 1, -float(advantage))
    right[0] = wrong[k] = 0.0
    return right, wrong


def _tried(advantage: Callable[[Floats], ArrayLike], k: int) -> tuple[Floats, Floats]:
    """The advantages that a function gives to right and wrong rollouts, found by calling it on every pattern."""
    if k > MOST_ROLLOUTS_OF_A_FUNCTION:
        raise InputError(f"k = {k} with a function as advantage; want {MOST_ROLLOUTS_OF_A_FUNCTION} or fewer rollouts")
    seen = np.full((k + 1, 2), np.nan)
    for pattern in product((0.0, 1.0), repeat=k):
        rewards = np.array(pattern)
        values = np.asarray(advantage(rewards.copy()), dtype=np.float64)
        if values.shape != (k,) or not np.isfinite(values).all():
            raise InputError(f"advantage({list(pattern)}) = {values.tolist()}; want {k} finite numbers")
        cells = int(sum(pattern)), rewards.astype(np.int64)
        known = seen[cells]
        seen[cells] = np.where(np.isnan(known), values, known)
        if not np.allclose(seen[cells], values, rtol=0.0, atol=SAME * np.abs(values).max()):
            raise InputError(
                f"advantage({list(pattern)}) = {values.tolist()} depends on the order of the rollouts; "
                "want the same advantage for every right and for every wrong rollout of a group"
            )
    seen = np.nan_to_num(seen)
    return seen[:, 1], seen[:, 0]


def _multisets(policy: Floats, k: int) -> tuple[NDArray[np.int64], Floats]:
    """Every multiset of K answers as a sorted row, and its multinomial probability."""
    n = math.comb(policy.size + k - 1, k)
    flat = chain.from_iterable(combinations_with_replacement(range(policy.size), k))
    rows = np.fromiter(flat, dtype=np.int64, count=n * k).reshape(n, k)
    # In logs: at large K a part of the product underflows where the whole does not.
    log_chance, run = np.zeros(n), np.ones(n)
    for i in range(k):
        run = np.where(rows[:, i] == rows[:, i - 1], run + 1, 1) if i else run
        log_chance += np.log((i + 1) / run * policy[rows[:, i]])
    return rows, np.exp(log_chance)


def _total(values: ArrayLike, rollouts: NDArray[np.int64]) -> Floats:
    """Sum of ``values`` [V, S] over the rollouts of each multiset, shape [multisets, S]."""
    table = np.asarray(values, dtype=np.float64)
    total = np.zeros((rollouts.shape[0], table.shape[1]))
    for i in range(rollouts.shape[1]):
        total += table[rollouts[:, i]]
    return total


def _merged(columns: list[Floats]) -> NDArray[np.int64]:
    """Number of the update of each row: rows are one update where every column agrees up to rounding.

    Sorted values are cut where the gap is wide. Rounding to a grid would part equal values that straddle its lines.
    """
    update = np.zeros(columns[0].size, dtype=np.int64)
    for column in columns:
        order = np.argsort(column)
        cut = np.diff(column[order], prepend=column[order[0]]) > SAME
        value = np.empty_like(update)
        value[order] = np.cumsum(cut)
        both = update * column.size + value
        update = np.unique(both, return_inverse=True)[1].ravel() if update.any() else value
    return update


def _information(update: NDArray[np.int64], prior: Floats, chance: Floats) -> float:
    """Mean divergence of the update given the target from the update, bits; rows run over multisets, then targets."""
    target = np.tile(np.arange(prior.size), chance.size)
    cell, which = np.unique(update * prior.size + target, return_inverse=True)
    given = np.bincount(which.ravel(), weights=np.repeat(chance, prior.size))
    row, weight = cell // prior.size, prior[cell % prior.size]
    marginal = np.bincount(row, weights=weight * given)
    nats = float(weight @ divergence_term(marginal[row], given - marginal[row]))
    # A target that excludes an update diverges by the update's chance. None does where all targets have the cell.
    excluded = np.where(np.bincount(row) == prior.size, 0.0, prior.sum() - np.bincount(row, weights=weight))
    nats += float(marginal @ np.maximum(excluded, 0.0))
    return min(nats / math.log(2), float(shannon(prior)))  # rounding can exceed what there is to know
