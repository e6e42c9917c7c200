"""Real gradients at a pass rate: a transformer is brought to a policy, and its gradient there is taken many times over.

Nothing is updated while the gradients are taken, as in one very large batch: how much of them is signal is a matter of
the policy that they are taken at.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from bitrate.costs import Cost, flops
from bitrate.errors import DataError, InputError
from bitrate.lab.networks.lazy import ModuleDict, torch
from bitrate.lab.networks.one_token import build, policy, policy_gradient
from bitrate.lab.worlds.learners import advantages
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.types import Floats, Ints

#: See :mod:`bitrate.lab.training.store`: stays as it is when this file moves.
SEEDED_AS = "bitrate.lab.training.snr"
#: Learning rate and longest step on the way to the policy that is wanted: about a tenth of a logit.
RATE, STRIDE = 0.01, 0.01
MOST_STRIDES = 2000
#: Of the largest number in a score, what a logged gradient's coordinates may miss: rounding of 32 bits.
MISSED = 1e-4


def network_at_rate(answers: int, rate: float, number: int) -> ModuleDict:
    """A transformer that gives answer 0 with this probability, having climbed there by its own gradient.

    From random weights all of them move along the gradient of the log-odds of answer 0, up or down.

    Args:
        answers: V, 2 or more.
        rate: strictly between 0 and 1.
        number: of the network; its starting weights come from it.

    Raises:
        InputError: a rate that is not strictly between 0 and 1.
    """
    if not 0 < rate < 1:
        raise InputError(f"rate = {rate}; want a pass rate strictly between 0 and 1")
    wanted = math.log(rate / (1 - rate))

    def odds(pi: Floats) -> float:
        return float(np.log(pi[0] / (1 - pi[0])))

    model = _build(answers, number)
    sign = 1.0 if odds(policy(model)) < wanted else -1.0

    def uphill(model: ModuleDict) -> Floats:
        return np.asarray(sign / (1 - policy(model)[0]) * policy_gradient(model, [0], [1.0]), float)

    _climb(model, uphill, lambda pi: sign * (odds(pi) - wanted))
    return model


def network_near(target: Floats, excess: float, number: int) -> ModuleDict:
    """A transformer on its way to a distribution of labels, when so much loss above the least is left.

    Args:
        target: q, probability of each label, shape [V].
        excess: KL(q || policy), bits, above 0.
        number: of the network; its starting weights come from it.

    Raises:
        InputError: an excess that is not above 0, or one that the untrained network is below already.
    """
    if not excess > 0:
        raise InputError(f"excess = {excess}; want bits above 0")

    def left(pi: Floats) -> float:
        some = target > 0
        return float((target[some] * np.log2(target[some] / pi[some])).sum())

    model = _build(len(target), number)
    if left(policy(model)) < excess:
        raise InputError(f"excess = {excess}; want less than the {left(policy(model)):.3g} bits before training")
    every = np.arange(len(target))
    _climb(model, lambda m: policy_gradient(m, every, target).astype(float), lambda pi: excess - left(pi))
    return model


def _build(answers: int, number: int) -> ModuleDict:
    return build(answers, rng=np.random.default_rng(number), sharpness=0.5)


def _climb(model: ModuleDict, uphill: Callable[[ModuleDict], Floats], height: Callable[[Floats], float]) -> None:
    """Moves the weights uphill until the height of the policy is 0, the last step just as far as that takes."""
    weights = list(model.parameters())

    def height_at(share: float, at: Floats, step: Floats) -> float:
        flat = at + share * step
        with torch.no_grad():
            torch.nn.utils.vector_to_parameters(torch.from_numpy(flat.astype(np.float32)), weights)
        return height(policy(model))

    at = torch.cat([w.detach().flatten() for w in weights]).double().numpy()
    for _ in range(MOST_STRIDES):
        way = uphill(model)
        step = way * min(RATE, STRIDE / float(np.sqrt(way @ way)))
        if height_at(1.0, at, step) >= 0:
            height_at(brentq(height_at, 0.0, 1.0, args=(at, step), xtol=1e-6), at, step)
            return
        at = at + step
    raise DataError(f"the network is not where it should be after {MOST_STRIDES} steps: {policy(model)}")


@dataclass(frozen=True)
class Settings:
    """An arm.

    Args:
        method: ``"grpo"``, the baseline of REINFORCE, or ``"sft"``.
        at: for a label, bits of loss above the least, else the pass rate.
        target: for a label, the distribution that it is drawn from, else how many answers there are.
        k: rollouts of a group, 1 for a label.
        networks: at which gradients are taken.
        visits: groups or labels at each.
    """

    method: str | float
    at: float
    target: int | tuple[float, ...]
    k: int
    networks: int
    visits: int


def train(settings: Settings, folder: Path, rng: np.random.Generator) -> Cost:
    """Take the gradient of many groups or labels at a few networks, and log each beside what it was taken from.

    A row's ``update`` holds the gradient's coordinates in an orthonormal basis of all gradients that the network can
    have on this prompt, of which there are fewer than answers: lengths and angles are those in all parameters.

    Args:
        settings: of the arm.
        folder: where the log goes.
        rng: draws rollouts and labels; the networks do not depend on it.

    Returns:
        What it cost; the way to the policy is not in it.

    Raises:
        DataError: a gradient that the basis does not hold.
    """
    s, parameters, cost = settings, 0, Cost()
    labels = s.method == "sft"
    with SimulatedRun(folder, rng) as run:
        for number in range(s.networks):
            if isinstance(s.target, int):
                target, model = np.eye(s.target)[0], network_at_rate(s.target, s.at, number)
            else:
                target = np.array(s.target)
                model = network_near(target, s.at, number)
            pi = policy(model)
            drawn = rng.choice(target.size, size=(s.visits, s.k), p=target if labels else pi)
            answers = np.sort(drawn, axis=1)  # a gradient does not know the order of its rollouts
            rewards = None if labels else (answers == 0).astype(float)
            weight = np.ones(answers.shape) if rewards is None else advantages(rewards, s.method)
            keys = answers[:, 0] if labels else np.zeros(s.visits, np.int64)
            run.step(
                0, answers=answers, rewards=rewards, targets=keys, updates=_gradients(model, answers, weight),
                advantages=None if labels else weight, prompts=np.arange(s.visits),
                runs=np.full(s.visits, number), target_surprisal=-np.log2(pi[keys]), tokens=1, prompt_tokens=2,
            )  # fmt: skip
            parameters = sum(w.numel() for w in model.parameters())
            read = 3 * answers.size
            cost += Cost(answers.size, read, flops(parameters, forward=0 if labels else read, trained=read))
    return cost


def _gradients(model: ModuleDict, answers: Ints, weight: Floats) -> NDArray[np.object_]:
    """Each group's gradient as text, shape [groups]; that of equal groups is taken once."""
    groups, which = np.unique(np.concatenate([answers, weight], axis=1), axis=0, return_inverse=True)
    k = answers.shape[1]
    found = np.array([policy_gradient(model, g[:k].astype(np.int64), g[k:]) for g in groups], float)
    scores = np.array([policy_gradient(model, [t], [1.0]) for t in range(policy(model).size)], float)
    # The scores' mean under the policy is 0: one of them is a mixture of the others.
    basis = np.linalg.svd(scores, full_matrices=False)[2][: len(scores) - 1]
    seen = found @ basis.T
    missed = np.abs(found - seen @ basis).max(axis=1) > MISSED * np.abs(scores).max()
    if missed.any():
        raise DataError(f"{missed.sum()} of {len(found)} gradients are no mixtures of the scores of single answers")
    text = np.array([" ".join(f"{x:.7e}" for x in row) for row in seen], object)
    return np.asarray(text[which.ravel()])
