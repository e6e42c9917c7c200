"""Signal to noise of gradients, and how far a success moves the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlog1py, xlogy

from bitrate.errors import InputError
from bitrate.theory.checks import distribution, finite, group_size, one, positive, probability, whole
from bitrate.theory.divergence import complement, log_choose
from bitrate.types import Floats

#: Noise below this share of the signal is what rounding left of none.
SAME = 1e-12
#: The largest group whose outcomes are summed.
MOST_ROLLOUTS = 1_000_000


def gradient_snr(p: ArrayLike, baseline: ArrayLike = 0.0, others: ArrayLike = 1) -> Floats:
    """Signal to noise ``|E g|^2 / tr Var g`` of one rollout's policy gradient ``g = (r - b)(e_t - policy)``.

    Tabular softmax policy: one right answer of mass p, and n ``others``, all wrong, that share the rest evenly:
    ``p^2 (1-p) / (p (1-p-b)^2 + b^2 (n-1)/(n+1))``. With no baseline this is ``p / (1-p)`` at any n. With n = 1
    (a Bernoulli logit) the baseline ``1 - p`` gives every rollout the same gradient, without noise.

    Args:
        p: pass rates, each strictly between 0 and 1: at the ends both the signal and the noise are 0.
        baseline: b, subtracted from the reward, finite; broadcasts, so that ``baseline=p`` is the mean reward.
        others: n, wrong answers, whole numbers from 1; broadcasts.

    Returns:
        A ratio without unit, the broadcast shape; inf where the gradient has no noise.

    Raises:
        InputError: ``p`` not strictly between 0 and 1, a baseline that is not finite, or ``others`` not a whole
            number from 1.

    Reference: docs/theory.md#gradient-noise, claim S3.8.

    >>> gradient_snr([0.25, 0.5]).round(4).tolist()
    [0.3333, 1.0]
    >>> gradient_snr([0.001, 0.999], baseline=[0.001, 0.999]).round(4).tolist()  # vanishes at both ends
    [0.001, 0.001]
    """
    x, b = positive("p", probability("p", p)), finite("baseline", baseline)
    fails = positive("1 - p", 1 - x)
    n = whole("others", others)
    # Over p, so that a small p does not underflow. Where the square of a baseline overflows, 0 is the nearest number.
    with np.errstate(divide="ignore", over="ignore"):
        noise = (fails - b) ** 2 + b**2 * ((n - 1) / (n + 1)) / x
        return np.asarray(x * fails / noise)


def group_gradient_snr(p: ArrayLike, k: int, advantage: str | float, right: int = 1, wrong: int = 1) -> Floats:
    """Signal to noise ``|E g|^2 / tr Var g`` of a group's policy gradient ``g = sum_i A_i (e_ti - policy) / K``.

    Tabular softmax policy: the mass p is spread evenly over the right answers, the rest over the wrong ones.

    Args:
        p: pass rates, each strictly between 0 and 1.
        k: rollouts of the group, a whole number from 1.
        advantage: "rloo", the reward less the mean reward of the others; "grpo", less the group's mean, over its
            standard deviation, 0 where all rewards agree; or a number, the reward less it.
        right: G, right answers alike, a whole number from 1.
        wrong: n, wrong answers alike, a whole number from 1.

    Returns:
        A ratio without unit, shape of ``p``; inf where the gradient has no noise. "rloo" has the mean of a number: the
        ratio of two of these is the inverse ratio of their variances.

    Raises:
        InputError: ``p`` not strictly between 0 and 1, an argument that is not a whole number from 1, more than a
            million rollouts, "rloo" or "grpo" with one, or an unknown advantage.

    Reference: docs/theory.md#gradient-noise, claim S1.18.

    >>> round(float(group_gradient_snr(0.25, 6, 0.0)), 9)  # six times that of one rollout, p / (1-p)
    2.0
    >>> plain, rloo = (group_gradient_snr([0.02, 0.5, 0.9], 8, a, wrong=3) for a in (0.0, "rloo"))
    >>> (plain / rloo).round(2).tolist()  # the variance with the group's mean over that without
    [1.05, 1.43, 112.29]
    """
    x = positive("p", probability("p", p))[..., np.newaxis]
    positive("1 - p", 1 - x)
    size = int(one("k", group_size("k", k)))
    if size > MOST_ROLLOUTS:
        raise InputError(f"k = {size}; want {MOST_ROLLOUTS} rollouts or fewer")
    g, n = one("right", whole("right", right)), one("wrong", whole("wrong", wrong))
    m = np.arange(size + 1.0)
    chance = np.exp(log_choose(float(size), m) + xlogy(m, x) + xlog1py(size - m, -x))
    up, down = _group_advantages(advantage, m, size)
    total = m * up + (size - m) * down
    signal = np.square((chance * (m * up - total * x)).sum(-1)) * (1 / g + 1 / n)
    square = up**2 * (m * (1 - 1 / g) + m**2 / g) + down**2 * ((size - m) * (1 - 1 / n) + (size - m) ** 2 / n)
    square = square - 2 * total * (m * up * x / g + (size - m) * down * (1 - x) / n)
    square = square + total**2 * (x**2 / g + (1 - x) ** 2 / n)
    noise = (chance * square).sum(-1) - signal
    with np.errstate(divide="ignore"):
        ratio = signal / np.where((noise > SAME * signal) | (signal == 0), np.maximum(noise, 5e-324), 0.0)
    return np.asarray(ratio)


def _group_advantages(advantage: str | float, m: Floats, k: int) -> tuple[Floats, Floats]:
    """Advantage of a right and of a wrong rollout where m = 0..K of the group are right."""
    if not isinstance(advantage, str):
        baseline = one("advantage", finite("advantage", advantage))
        scale = max(1.0, abs(baseline))  # the ratio does not know it, and squares of a large baseline would overflow
        return np.full(m.size, (1 - baseline) / scale), np.full(m.size, -baseline / scale)
    if advantage not in {"rloo", "grpo"}:
        raise InputError(f"advantage = {advantage!r}; want 'rloo', 'grpo' or a baseline")
    if k == 1:
        raise InputError(f"k = 1 with advantage {advantage!r}; want 2 rollouts or more, the others are the baseline")
    if advantage == "rloo":
        return (k - m) / (k - 1), -m / (k - 1)
    spread = np.sqrt(np.maximum(m * (k - m), 1))  # where all rewards agree both advantages are 0
    return (k - m) / spread, -m / spread


def label_gradient_snr(target: ArrayLike, policy: ArrayLike) -> Floats:
    """Signal to noise of the log-loss gradient of one sampled label: ``||q - pi||^2 / (1 - ||q||^2)``.

    The gradient in the logits is ``e_y - pi`` with ``y ~ q``. Near the end of training the signal vanishes and the
    noise of a stochastic target does not.

    Args:
        target: q, probabilities of the labels, last axis the vocabulary.
        policy: pi, probabilities of the model, same last axis; broadcasts.

    Returns:
        A ratio without unit, the broadcast shape less the last axis; inf where the target is deterministic.

    Raises:
        InputError: rows that are no distributions, last axes that differ, or a policy that is a deterministic target:
            there both the signal and the noise are 0.

    Reference: docs/theory.md#gradient-noise, claim S3.9.

    >>> float(label_gradient_snr([0.5, 0.5], [1.0, 0.0]))
    1.0
    >>> float(label_gradient_snr([1.0, 0.0], [0.5, 0.5]))
    inf
    """
    q, pi = distribution("target", target), distribution("policy", policy)
    if q.shape[-1] != pi.shape[-1]:
        raise InputError(f"policy has {pi.shape[-1]} labels; want {q.shape[-1]}, as target has")
    signal = np.square(q - pi).sum(-1)
    noise = (q * complement(q)).sum(-1)  # 1 - ||q||^2, exactly 0 for a deterministic target
    if ((signal == 0) & (noise == 0)).any():
        raise InputError("policy = target, and target is deterministic; want another policy: no signal, and no noise")
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(signal / noise)


def success_advantage(p: ArrayLike, method: str) -> Floats:
    """Advantage of a right rollout at pass rate p: ``1 - p`` ("reinforce"), ``sqrt((1-p) / p)`` ("grpo").

    Args:
        p: pass rates, each in [0, 1].
        method: "reinforce", the mean reward as baseline; "grpo", also divided by the standard deviation.

    Returns:
        Advantage in units of the reward ("reinforce") or of its standard deviation ("grpo"), shape of ``p``;
        "grpo" is inf at 0.

    Raises:
        InputError: ``p`` outside [0, 1], or an unknown method.

    Reference: docs/theory.md#outcome, claim S1.3.

    >>> float(success_advantage(0.2, "reinforce")), float(success_advantage(0.2, "grpo"))
    (0.8, 2.0)
    """
    x = probability("p", p)
    if not isinstance(method, str) or method not in {"reinforce", "grpo"}:
        raise InputError(f"method = {method!r}; want 'reinforce' or 'grpo'")
    with np.errstate(divide="ignore"):
        return np.asarray(1 - x if method == "reinforce" else np.sqrt(1 - x) / np.sqrt(x))
