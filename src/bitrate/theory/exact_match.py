"""One right answer: what rollouts that are scored right or wrong say about it, for any prior, policy and group size."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, entr, xlog1py

from bitrate.errors import InputError
from bitrate.theory.checks import distribution, group_size, numbers, one, whole
from bitrate.theory.contour import unseen_entropy
from bitrate.theory.divergence import complement, log_choose, shannon
from bitrate.theory.entropy import binary_entropy
from bitrate.types import Floats

#: A prior or policy whose probabilities differ by less than this share of their size is uniform.
UNIFORM = 1e-13
#: The most rollouts of the contour integral.
MOST_ROLLOUTS = 10_000_000
#: The most steps of the occupancy recursion.
MOST_STEPS = 20_000_000_000
#: Patterns of up to so many answers are counted in whole numbers; of more, so many terms are summed one by one.
SMALL, TERMS = 1000, 100_000


def outcome_information(prior: ArrayLike, policy: ArrayLike) -> float:
    """Bits that one rollout's outcome carries about the right answer: ``sum_t policy_t h(prior_t)``.

    Args:
        prior: probability of each answer to be right, shape [V].
        policy: probability of each answer to be sampled, shape [V].

    Returns:
        Bits per rollout, at most 1.

    Raises:
        InputError: a prior or policy that is no distribution, or lengths that differ.

    Reference: docs/theory.md#outcome, claim S1.8.

    >>> outcome_information([0.5, 0.5, 0.0], [0.5, 0.25, 0.25])
    0.75
    """
    q, pi = _both(prior, policy)
    # Of a mean of numbers up to 1, rounding can make a unit in the last place more than 1.
    return min(1.0, float(pi @ binary_entropy(np.minimum(q, complement(q)))))


def group_information(prior: ArrayLike, policy: ArrayLike, k: int) -> float:
    """Bits that K scored rollouts carry about the right answer: ``E H(q_t1, ..., q_tM, 1 - sum)``, M distinct answers.

    Uniform prior and policy by the occupancy recursion, anything else by the generating function of what is left open:
    ``I = sum_s (1 - (1 - policy_s)^K) (-q_s log2 q_s) + E[-R log2 R]``, R the prior mass of answers not given.

    Args:
        prior: q, probability of each answer to be right, shape [V].
        policy: probability of each answer to be sampled, shape [V].
        k: rollouts of the group, a whole number from 1.

    Returns:
        Bits per group, at most ``H(q)``. Exact to 1e-9 up to K = 1024; with more than 4096 answers to 1e-6.

    Raises:
        InputError: a prior or policy that is no distribution, lengths that differ, or ``k`` not a whole number from 1.

    Reference: docs/theory.md#groups, claim S1.10; docs/estimators.md#exact.

    >>> group_information([0.5, 0.5], [0.5, 0.5], 3)
    1.0
    >>> round(group_information([0.5, 0.3, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4], 3), 4)
    1.2492
    """
    q, pi = _both(prior, policy)
    rollouts, first, most = int(one("k", group_size("k", k))), outcome_information(q, pi), float(shannon(q))
    if rollouts == 1:
        return min(first, most)
    if np.ptp(q) <= UNIFORM * q.max() and np.ptp(pi) <= UNIFORM * pi.max():
        seen = distinct_answers(q.size, rollouts)
        return min(most, float(seen @ group_information_given_distinct(q.size, np.arange(seen.size)) / seen.sum()))
    sampled = pi > 0
    if rollouts * float(pi[sampled].min()) > 800:  # the chance that one of them does not come up has underflowed
        return min(most, float(entr(np.append(q[sampled], q[~sampled].sum())).sum() / math.log(2)))
    if rollouts > MOST_ROLLOUTS:
        raise InputError(f"k = {rollouts} with answers that are sampled so rarely; want {MOST_ROLLOUTS} or fewer")
    # xlog1py: the chance of an answer never to come, also where the policy gives nothing else.
    given = -np.expm1(xlog1py(float(rollouts), -np.minimum(pi, 1.0)))
    bits = float(given @ entr(q) / math.log(2)) + unseen_entropy(q, pi, rollouts)
    # More rollouts never say less, and all of them together no more than there is: the integral's error, below 1e-9,
    # must not say otherwise.
    return min(max(bits, first), most)


def distinct_answers(n_answers: int, k: int) -> Floats:
    """How many different answers K uniform draws give: ``p(m) <- p(m) m/V + p(m-1) (V-m+1)/V``, K times.

    Args:
        n_answers: V, a whole number from 1.
        k: draws, a whole number from 1.

    Returns:
        Probabilities of M = 0 ... min(K, V), shape [min(K, V) + 1].

    Raises:
        InputError: an argument that is not a whole number from 1, or both so large that 2e10 steps do not do.

    Reference: docs/estimators.md#occupancy; Feller (1968), An Introduction to Probability Theory, vol. 1, section II.5.

    >>> distinct_answers(2, 2).tolist()
    [0.0, 0.5, 0.5]
    """
    size, draws = int(one("n_answers", whole("n_answers", n_answers))), int(one("k", group_size("k", k)))
    least = min(draws, size)
    # All V come up long before the last of these draws: the chance that one is missing has underflowed.
    if draws > size * (math.log(size) + 800.0):
        draws = math.ceil(size * (math.log(size) + 800))
    if draws * least > MOST_STEPS:
        raise InputError(f"k = {k} draws of {n_answers} answers make {draws * least:.1e} steps; want {MOST_STEPS:.0e}")
    m = np.arange(least + 1)
    stay, grow = m / float(size), (float(size) - m[:-1]) / size
    p = (m == 0).astype(float)
    for _ in range(draws):
        p[1:] = p[1:] * stay[1:] + p[:-1] * grow
        p[0] = 0.0
    return np.asarray(p)


def group_information_given_distinct(n_answers: ArrayLike, distinct: ArrayLike) -> Floats:
    """Bits of a group whose rollouts gave M different answers, all V alike: ``log2 V - (V-M)/V log2(V-M)``.

    Args:
        n_answers: V, whole numbers from 1.
        distinct: M, whole numbers from 0 to V; broadcasts.

    Returns:
        Bits per group, the broadcast shape.

    Raises:
        InputError: numbers that are not whole, or M above V.

    Reference: docs/theory.md#groups, claim S1.10.

    >>> group_information_given_distinct(4, [0, 2, 3, 4]).tolist()
    [0.0, 1.5, 2.0, 2.0]
    """
    v, m = np.broadcast_arrays(whole("n_answers", n_answers), whole("distinct", distinct, 0))
    if (m > v).any():
        raise InputError(f"distinct = {m[m > v].flat[0]:g} of {v[m > v].flat[0]:g} answers; want at most all of them")
    # With x = M/V: x log2 V - (1-x) log2(1-x), which does not cancel where M is much smaller than V.
    x = m / v
    left = (v - m) / v  # 1 - x rounds where one answer of many is left
    bits = (x * np.log(v) - np.where(x < 0.5, xlog1py(left, -x), -entr(left))) / np.log(2)
    return np.asarray(np.minimum(bits, np.log2(v)))  # all answers but one say all, and rounding can exceed it


def group_bound(distinct: ArrayLike, dimension: float = 1, levels: float = 2) -> Floats:
    """Most bits of a group with M different answers: ``log2 sum_(i <= d) C(M, i) (L-1)^i``, L the levels of a reward.

    With two levels and one right answer, ``log2(M+1)``. The rewards of M answers are one of at most so many patterns, d
    the VC dimension of the verifiers that are possible (Sauer and Shelah), for more than two levels their
    pseudo-dimension (Haussler and Long). At most d answers above the lowest level is one such class. A verifier that
    may give any level to any answer has no finite d: M log2 L bits.

    Args:
        distinct: M, whole numbers from 0.
        dimension: d, a whole number from 0, or infinity.
        levels: L, values that a reward can take, a whole number from 2.

    Returns:
        Bits per group, shape of ``distinct``, within 1e-12 of their size at any M, d and L.

    Raises:
        InputError: numbers that are not whole or below 0, or fewer than 2 levels.

    Reference: docs/theory.md#groups, claims S1.9 and S1.19; Sauer (1972); Haussler and Long (1995), A generalization
    of Sauer's lemma.

    >>> group_bound([1, 3, 7]).tolist()
    [1.0, 2.0, 3.0]
    >>> group_bound(4, math.inf).tolist(), group_bound(5, levels=4).tolist()
    (4.0, 4.0)
    """
    m = whole("distinct", distinct, 0)
    most, above = one("dimension", numbers("dimension", dimension)), one("levels", whole("levels", levels, 2)) - 1
    if most != math.inf:
        whole("dimension", most, 0)
    return np.asarray([_log_patterns(float(x), most, above) for x in m.ravel()]).reshape(m.shape)


def _log_patterns(m: float, d: float, w: float) -> float:
    """``log2 sum_(i <= d) C(m, i) w^i``."""
    every = m * math.log2(1 + w)
    if d >= m:
        return every
    if m <= SMALL:
        return math.log2(sum(math.comb(int(m), i) * int(w) ** i for i in range(int(d) + 1)))
    # Near the mean of the terms and above it, the share of all (1+w)^m patterns, as a binomial distribution has it. It
    # is about 1/2 or more from the mean on, and log2 of it does not count beside an m that is far larger.
    mean, spread = m * (w / (1 + w)), math.sqrt(m * w) / (1 + w)
    if mean - d < 30 * spread:
        return every if m > 1e18 else every + math.log2(betainc(m - d, d + 1, 1 / (1 + w)))
    # Else the largest term and its ratios to those before it, which fall like a geometric series.
    i = d - np.arange(min(d, TERMS))
    ratios = i / (m - i + 1) / w
    terms = np.cumprod(ratios)
    left = terms[-1] * ratios[-1] / (1 - ratios[-1]) if d > TERMS else 0.0
    return float((log_choose(m, d) + d * math.log(w) + math.log1p(terms.sum() + left)) / math.log(2))


def expected_tries(prior: ArrayLike, policy: ArrayLike) -> float:
    """Rollouts until the right answer is found, drawn with replacement: ``sum_s prior_s / policy_s``.

    Args:
        prior: probability of each answer to be right, shape [V].
        policy: probability of each answer to be sampled, shape [V].

    Returns:
        Mean number of rollouts; infinite where an answer that may be right is never sampled.

    Raises:
        InputError: a prior or policy that is no distribution, or lengths that differ.

    Reference: docs/theory.md#search, claim S3.5.

    >>> expected_tries([0.5, 0.5, 0.0], [0.25, 0.5, 0.25])
    3.0
    """
    q, pi = _both(prior, policy)
    with np.errstate(divide="ignore", over="ignore"):
        return float((q[q > 0] / pi[q > 0]).sum())


def best_policy_for_tries(prior: ArrayLike) -> Floats:
    """The policy that finds the right answer soonest, drawn with replacement: proportional to ``sqrt(prior)``.

    Args:
        prior: probability of each answer to be right, shape [V].

    Returns:
        Policy, shape [V]; it takes ``(sum_s sqrt(prior_s))^2`` rollouts.

    Raises:
        InputError: a prior that is no distribution.

    Reference: docs/theory.md#search; Lagrange's condition on :func:`expected_tries`.

    >>> best_policy_for_tries([0.8, 0.2, 0.0]).round(4).tolist()
    [0.6667, 0.3333, 0.0]
    """
    q = distribution("prior", prior)
    if q.ndim != 1:
        raise InputError(f"prior has shape {q.shape}; want one axis, the answers")
    root = np.sqrt(q)
    return np.asarray(root / root.sum())


def tries_without_replacement(n_answers: ArrayLike) -> Floats:
    """Rollouts until the right one of V answers alike is found when none is tried twice: ``(V+1)/2``.

    Args:
        n_answers: V, whole numbers from 1.

    Returns:
        Mean number of rollouts, shape of ``n_answers``.

    Raises:
        InputError: numbers that are not whole, or below 1.

    Reference: docs/theory.md#search, claim S3.5.

    >>> float(tries_without_replacement(3))
    2.0
    """
    return np.asarray((whole("n_answers", n_answers) + 1) / 2)


def _both(prior: ArrayLike, policy: ArrayLike) -> tuple[Floats, Floats]:
    q, pi = distribution("prior", prior), distribution("policy", policy)
    if q.ndim != 1 or q.shape != pi.shape:
        raise InputError(f"prior has shape {q.shape} and policy {pi.shape}; want one probability each per answer")
    return q, pi
