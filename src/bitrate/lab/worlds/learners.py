"""Tabular softmax policies, thousands of worlds at once, and the rules by which trainers update them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax

from bitrate.errors import InputError
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import Task
from bitrate.types import Floats, Ints

Baseline = str | float | Callable[[Floats], Floats]
#: Standard deviations below this are zero: a group whose rewards agree has no advantage.
RESIDUE = 1e-12


def advantages(rewards: ArrayLike, baseline: Baseline) -> Floats:
    """What a trainer multiplies the score function with.

    Args:
        rewards: shape [..., k].
        baseline: ``"grpo"``: less the group's mean, over its standard deviation, 0 where that is 0; ``"rloo"``: less
            the mean of the others; a number: less it (REINFORCE); or a function of the rewards.

    Returns:
        Shape of ``rewards``.

    Raises:
        InputError: an unknown name, or RLOO with one rollout.

    Reference: Shao et al. (2024), DeepSeekMath, eq. 3; Ahmadian et al. (2024), Back to Basics, eq. 8.

    >>> advantages([[1.0, 0.0]], "rloo").tolist()
    [[1.0, -1.0]]
    """
    r = np.asarray(rewards, float)
    if callable(baseline):
        return np.asarray(baseline(r), float)
    if isinstance(baseline, str):
        k = r.shape[-1]
        centred = r - r.mean(axis=-1, keepdims=True)
        if baseline == "grpo":
            spread = r.std(axis=-1, keepdims=True)
            return np.asarray(np.where(spread > RESIDUE, centred / np.maximum(spread, RESIDUE), 0.0))
        if baseline == "rloo":
            if k < 2:
                raise InputError(f"k = {k} with rloo; want 2 rollouts or more, the others are the baseline")
            return np.asarray(centred * k / (k - 1))
        raise InputError(f"baseline = {baseline!r}; want grpo, rloo, a number or a function")
    return r - float(baseline)


def sample(policy: Floats, worlds: int, k: int, rng: np.random.Generator) -> Ints:
    """Answers [worlds, k] from a policy shared by all worlds, shape [answers], or one a world, [worlds, answers]."""
    if policy.ndim == 1:
        return rng.choice(policy.size, size=(worlds, k), p=policy)
    steps = policy.cumsum(axis=1)[:, None, :]
    thrown = rng.random((worlds, k, 1)) * steps[:, :, -1:]
    return np.asarray((thrown >= steps).sum(axis=2))


def ascend(logits: Floats, answers: Ints, weight: Floats, rate: float) -> Floats:
    """One step on the mean of ``weight_i log pi(answer_i)``: ``rate / k sum_i weight_i (e_(answer_i) - pi)``."""
    policy, (worlds, size) = np.exp(log_softmax(logits, axis=1)), logits.shape
    flat = (np.arange(worlds)[:, None] * size + answers).ravel()
    chosen = np.bincount(flat, weights=weight.ravel(), minlength=logits.size).reshape(worlds, size)
    direction = chosen - weight.sum(axis=1, keepdims=True) * policy
    return np.asarray(logits + rate / answers.shape[1] * direction)


def collect(
    task: Task,
    folder: Path,
    *,
    rng: np.random.Generator,
    worlds: int,
    k: int = 1,
    method: Baseline = "grpo",
    policy: ArrayLike | None = None,
    tokens: int | None = None,
) -> None:
    """Log one step of a policy that all worlds share, with the advantages its update would use.

    Args:
        task: target and verifier.
        folder: where the log goes.
        rng: all randomness.
        worlds: independent copies, one prompt of the log each.
        k: rollouts (or examples) a world.
        method: as for :func:`train`.
        policy: shape [answers]; uniform by default.
        tokens: completion tokens a rollout, for the log.
    """
    targets = task.draw(worlds, rng)
    with SimulatedRun(folder, rng) as run:
        _visit(run, 0, task, targets, _start(task, policy), k, method, rng, tokens)


def train(
    task: Task,
    folder: Path,
    *,
    rng: np.random.Generator,
    worlds: int,
    steps: int,
    k: int = 1,
    method: Baseline = "grpo",
    rate: float = 1.0,
    policy: ArrayLike | None = None,
    tokens: int | None = None,
) -> Floats:
    """Train one policy a world, and log every rollout.

    Args:
        task: target and verifier.
        folder: where the log goes.
        rng: all randomness.
        worlds: independent copies, one prompt of the log each.
        steps: updates.
        k: rollouts (or examples) a step.
        method: a baseline of :func:`advantages`; ``"sft"``: the log-likelihood of right answers that are shown;
            ``"rejection"``: the log-likelihood of the policy's own right answers.
        rate: learning rate.
        policy: where all worlds start, shape [answers]; uniform by default.
        tokens: completion tokens a rollout, for the log.

    Returns:
        The policies after training, shape [worlds, answers]. No claim may use them: a claim reads the log.

    Raises:
        InputError: an unknown method.
    """
    targets = task.draw(worlds, rng)
    with np.errstate(divide="ignore"):
        logits = np.tile(np.log(_start(task, policy)), (worlds, 1))
    with SimulatedRun(folder, rng) as run:
        for step in range(steps):
            policies = np.exp(log_softmax(logits, axis=1))
            answers, weight = _visit(run, step, task, targets, policies, k, method, rng, tokens)
            logits = ascend(logits, answers, weight, rate)
    return np.asarray(np.exp(log_softmax(logits, axis=1)))


def _start(task: Task, policy: ArrayLike | None) -> Floats:
    return np.full(task.answers, 1 / task.answers) if policy is None else np.asarray(policy, float)


def _visit(
    run: SimulatedRun, step: int, task: Task, targets: Ints, policy: Floats, k: int, method: Baseline,
    rng: np.random.Generator, tokens: int | None,
) -> tuple[Ints, Floats]:  # fmt: skip
    """One step's rollouts or examples, logged: the answers, and the weight of each in the update."""
    shown = None
    if method == "sft":
        answers = np.stack([task.label(targets, rng) for _ in range(k)], axis=1)
        rewards = weight = np.ones(answers.shape)
    else:
        answers = sample(policy, targets.size, k, rng)
        rewards = weight = task.score(targets, answers, rng)
        if method != "rejection":
            weight = shown = advantages(rewards, method)
    run.step(step, answers=answers, rewards=rewards, targets=targets, advantages=shown, tokens=tokens)
    return answers, weight
