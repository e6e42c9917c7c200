"""The KL-regularised optimum of a reward, and what one sample of it can say about that reward."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, softmax

from bitrate.errors import InputError
from bitrate.theory.checks import distribution, finite, one, positive, probability
from bitrate.theory.divergence import divergence, shannon
from bitrate.types import Floats

_SMALLEST = np.finfo(np.float64).tiny  # 1/beta overflows below this; the optimum has long been at its limit


def regularised_pass_rate(p: ArrayLike, beta: ArrayLike) -> Floats:
    """Pass rate of the policy that maximises ``E r - beta KL(pi || pi_0)``, reward 0/1.

    ``p e^(1/beta) / (p e^(1/beta) + 1 - p)``, with KL in nats, as trainers use it.

    Args:
        p: pass rates of the reference policy, each in [0, 1].
        beta: weights of the KL term in reward per nat, above 0; broadcasts with ``p``.

    Returns:
        Pass rates, the broadcast shape.

    Raises:
        InputError: ``p`` outside [0, 1], or ``beta`` not finite and positive.

    Reference: docs/theory.md#kl, claim S0.11.

    >>> bool(np.isclose(regularised_pass_rate(0.25, 1 / np.log(3)), 0.5))  # the odds grow by e^(1/beta) = 3
    True
    >>> float(regularised_pass_rate(0.01, 1e-6))
    1.0
    """
    x, weight = probability("p", p), positive("beta", beta)
    return np.asarray(expit(logit(x) + 1 / np.maximum(weight, _SMALLEST)))


def regularised_policy(reference: ArrayLike, reward: ArrayLike, beta: float) -> Floats:
    """Policy that maximises ``E r - beta KL(pi || reference)``: ``reference e^(reward/beta) / Z``.

    Args:
        reference: probability of each rollout under the reference policy, shape (..., n).
        reward: reward of each rollout, finite, shape (..., n); broadcasts with ``reference``.
        beta: weight of the KL term in reward per nat, above 0.

    Returns:
        Probabilities, the broadcast shape.

    Raises:
        InputError: ``reference`` not a distribution, ``reward`` not finite, ``beta`` not finite and positive.

    Reference: docs/theory.md#kl, claim S0.11; Rafailov et al. 2023 (DPO), eq. 4.

    >>> regularised_policy([0.5, 0.25, 0.25], [0, 1, 1], 1 / np.log(2)).round(12).tolist()
    [0.333333333333, 0.333333333333, 0.333333333333]
    """
    start, gain = distribution("reference", reference), finite("reward", reward)
    if gain.shape[-1:] not in {(), (1,), start.shape[-1:]}:
        raise InputError(f"reward has shape {gain.shape}; want {start.shape[-1]} rollouts along the last axis")
    start, gain = np.broadcast_arrays(start, gain)
    weight = max(one("beta", positive("beta", beta)), _SMALLEST)
    seen = start > 0
    # Rewards relative to the best that the reference can reach: no exponent is above 0, whatever beta is.
    best = np.where(seen, gain, -np.inf).max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", over="ignore"):
        log_weight = np.where(
            seen, np.log(start) + np.where(seen, gain - np.where(seen, best, gain), 0.0) / weight, -np.inf
        )
    return np.asarray(softmax(log_weight, axis=-1))


def kl_divergence(p: ArrayLike, q: ArrayLike) -> Floats:
    """Divergence of ``q`` from ``p``: ``KL(p || q) = sum_t p_t log2(p_t / q_t)``.

    Args:
        p: distributions, shape (..., n).
        q: distributions, shape (..., n); broadcasts with ``p``.

    Returns:
        Bits, the broadcast shape without the last axis; ``inf`` where ``q`` is 0 and ``p`` is not.

    Raises:
        InputError: ``p`` or ``q`` not a distribution, or last axes that differ.

    Reference: Cover and Thomas, Elements of Information Theory, eq. 2.26.

    >>> float(kl_divergence([1, 0], [0.5, 0.5]))
    1.0
    >>> float(kl_divergence([0.5, 0.5], [1, 0]))
    inf
    """
    x, y = distribution("p", p), distribution("q", q)
    if x.shape[-1] != y.shape[-1]:
        raise InputError(f"q has {y.shape[-1]} elements; want {x.shape[-1]}, as p has")
    return divergence(x, y)


def _trained(prior: ArrayLike, policies: ArrayLike) -> tuple[Floats, Floats]:
    """Targets of positive probability and the policy of each; the others would give 0 times infinity."""
    chance, table = distribution("prior", prior), distribution("policies", policies)
    if chance.ndim != 1 or table.shape[:-1] != chance.shape:
        raise InputError(f"policies has shape {table.shape}; want one row for each of {chance.size} elements of prior")
    return chance[chance > 0], table[chance > 0]


def sample_information(prior: ArrayLike, policies: ArrayLike) -> Floats:
    """Bits about the target in one sample of the policy trained on it: ``sum_s q_s KL(pi_s || mean)``.

    The mean policy is ``sum_s q_s pi_s``.

    Args:
        prior: probability of each target, shape (targets,).
        policies: the policy each target leads to, shape (targets, n).

    Returns:
        Bits per sample, no shape.

    Raises:
        InputError: ``prior`` or a row of ``policies`` not a distribution, or another number of rows.

    Reference: docs/theory.md#kl, claim S0.11.

    >>> float(sample_information([0.5, 0.5], [[1, 0, 0], [0, 0.5, 0.5]]))
    1.0
    """
    chance, table = _trained(prior, policies)
    # Rounding can exceed the target's own entropy by a few units in the last place.
    return np.asarray(np.minimum(chance @ divergence(table, chance @ table), shannon(chance)))


def regularised_information_bound(prior: ArrayLike, policies: ArrayLike, reference: ArrayLike) -> Floats:
    """What the KL term allows one sample to say about the target: ``I(tau';S) <= sum_s q_s KL(pi_s || reference)``.

    The bound exceeds :func:`sample_information` by ``KL(sum_s q_s pi_s || reference)``, so it is met exactly when the
    trained policies average to the reference.

    Args:
        prior: probability of each target, shape (targets,).
        policies: the policy each target leads to, shape (targets, n).
        reference: the policy that training starts from and is held to, shape (n,).

    Returns:
        Bits per sample, no shape; ``inf`` where a policy leaves the support of the reference.

    Raises:
        InputError: an input that is not a distribution, or shapes that differ.

    Reference: docs/theory.md#kl, claim S0.11; Cover and Thomas, section 13.1.

    >>> float(regularised_information_bound([0.5, 0.5], [[1, 0], [0, 1]], [0.5, 0.5]))
    1.0
    >>> float(regularised_information_bound([1, 0], [[1, 0], [0, 1]], [0.5, 0.5]))  # a known target: I is 0
    1.0
    """
    chance, table = _trained(prior, policies)
    start = distribution("reference", reference)
    if start.shape != table.shape[1:]:
        raise InputError(f"reference has shape {start.shape}; want ({table.shape[1]},), a row of policies")
    return np.asarray(chance @ divergence(table, start))
