"""Planted answer keys: every prompt has one right answer, drawn at random, and nothing but feedback tells it.

What a learner's parameters come to hold of such a key can have come from the feedback only, so it can be held against
the bits that the feedback carried. Keys may depend on one another: then half of them tell more than they are asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitrate.costs import Cost, flops
from bitrate.errors import InputError
from bitrate.lab.networks.lazy import Generator, Tensor, torch
from bitrate.lab.networks.transformer import (
    Shape,
    Weights,
    choose,
    descend,
    dice,
    initial,
    logits,
    surprisal,
    surprise,
    visits,
)
from bitrate.lab.training.codes import linear_code
from bitrate.lab.worlds.learners import advantages
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.types import Floats, Ints

#: See :mod:`bitrate.lab.training.store`: stays as it is when this file moves.
SEEDED_AS = "bitrate.lab.training.planted"
#: One run learns this many prompts at a time, K rollouts or one label of each.
BATCH = 4


@dataclass(frozen=True)
class Settings:
    """An arm.

    Args:
        learner: ``"tabular"`` or ``"transformer"``.
        method: ``"sft"`` (a label a visit), ``"rejection"`` (the mean likelihood of the policy's own right answers to a
            prompt), ``"grpo"``, ``"rloo"``, or a number, the baseline of REINFORCE.
        prompts: of each network; a multiple of the four of a step.
        answers: V, as many to every prompt.
        k: rollouts of a prompt in a step.
        epochs: visits to each prompt.
        rate: learning rate.
        seeds: networks or tables.
        dependent: whether the keys of a network are those of a :func:`~bitrate.lab.training.codes.linear_code`, and
            the first half of its rows alone is trained on.
        leak: whether the labels of the other half reach the updates, too, with no word in the log: what holding
            absorbed against received bits must find out.

    Raises:
        InputError: prompts that do not fill batches, dependent keys that fill no square table of an even side, a leak
            of keys that are all trained on, or another learner.
    """

    learner: str
    method: str | float
    prompts: int
    answers: int
    k: int
    epochs: int
    rate: float
    seeds: int
    dependent: bool = False
    leak: bool = False

    def __post_init__(self) -> None:
        if self.dependent and (math.isqrt(self.prompts) ** 2 != self.prompts or math.isqrt(self.prompts) % 2):
            raise InputError(f"prompts = {self.prompts} of dependent keys; want the square of an even number")
        if self.leak and not self.dependent:
            raise InputError("a leak of independent keys; all of them are trained on already")
        if self.prompts % BATCH:
            raise InputError(f"prompts = {self.prompts}; want a multiple of {BATCH}, the prompts of a step")
        if self.learner not in {"tabular", "transformer"}:
            raise InputError(f"learner = {self.learner!r}; want tabular or transformer")


def train(settings: Settings, folder: Path, rng: np.random.Generator) -> Cost:
    """Train many networks or tables on keys of their own, and log all that they were told.

    A step visits four prompts; an epoch visits each prompt that is trained on once, in an order of its own. At the end
    every prompt is visited once more, without an update.

    Args:
        settings: of the arm.
        folder: where the log goes.
        rng: all randomness.

    Returns:
        What it cost.
    """
    s = settings
    learner = _Table(s) if s.learner == "tabular" else _Transformer(s, rng)
    optimiser = torch.optim.Adam(learner.weights.values(), lr=s.rate)
    keys = rng.integers(s.answers, size=(s.seeds, s.prompts))
    taught, side = s.prompts, math.isqrt(s.prompts)
    names: Any = np.arange(s.prompts)
    if s.dependent:
        keys, taught = linear_code(s.seeds, side, s.answers, rng).reshape(keys.shape), s.prompts // 2
        names = np.array([f"{i // side},{i % side}" for i in range(s.prompts)])
    thrown, cost, steps = dice(rng), Cost(), s.epochs * taught // BATCH
    every = np.tile(np.arange(s.prompts), (s.seeds, 1))
    with SimulatedRun(folder, rng) as run:
        for step, shown in enumerate(chain(visits(s.seeds, taught, BATCH, steps, rng), [every])):
            probe = step == steps
            scores = learner.scores(torch.from_numpy(shown))
            key = np.take_along_axis(keys, shown, axis=1)
            said, weight = _visit(run, step, s, names[shown], key, scores, None if probe else s.method, thrown)
            if not probe:
                descend(optimiser, (surprise(scores, said) * torch.from_numpy(weight)).mean(dim=(1, 2)).sum())
                if s.leak:
                    hidden = learner.scores(torch.from_numpy(every[:, taught:]))
                    descend(optimiser, surprise(hidden, keys[:, taught:, None]).mean(dim=(1, 2)).sum())
            tokens = said.size * 2  # a prompt and an answer
            sampled = 0 if s.method == "sft" and not probe else tokens
            spent = flops(learner.parameters, forward=sampled, trained=0 if probe else tokens)
            cost += Cost(said.size, tokens, spent)
    return cost


def _visit(
    run: SimulatedRun, step: int, s: Settings, prompts: NDArray[Any], key: Ints, scores: Tensor,
    method: str | float | None, thrown: Generator,
) -> tuple[Ints, Floats]:  # fmt: skip
    """One step's labels or rollouts, logged: answers and their weights in the update, shape [seeds, prompts, k]."""
    where: dict[str, Any] = {
        "targets": key, "prompts": prompts, "target_surprisal": surprisal(scores, key), "tokens": 1, "prompt_tokens": 1,
    }  # fmt: skip
    if method == "sft":
        run.step(step, answers=key[..., None], rewards=None, **where)
        return key[..., None], np.ones((*key.shape, 1), np.float32)
    answers = choose(scores.detach().double().log_softmax(-1).exp(), s.k, thrown).numpy()
    rewards = (answers == key[..., None]).astype(float)
    given: Floats | None
    weight, given = rewards * s.k / np.maximum(rewards.sum(axis=-1, keepdims=True), 1), None
    if method is not None and method != "rejection":
        weight = given = advantages(rewards, method)
    run.step(step, answers=answers, rewards=rewards, advantages=given, **where)
    return answers, weight.astype(np.float32)


class _Table:
    """A row of logits for each prompt of each seed."""

    def __init__(self, s: Settings) -> None:
        size = (s.seeds, s.prompts, s.answers)
        self.weights: Weights = {"table": torch.zeros(size, requires_grad=True)}
        self.parameters = s.prompts * s.answers

    def scores(self, shown: Tensor) -> Tensor:
        """Logits of the prompts shown."""
        return self.weights["table"][torch.arange(len(shown))[:, None], shown]


class _Transformer:
    """A start token and a prompt token in, an answer token out."""

    def __init__(self, s: Settings, rng: np.random.Generator) -> None:
        self.shape = Shape(vocabulary=s.prompts, answers=s.answers, length=1)
        self.weights = initial(self.shape, s.seeds, rng=rng)
        self.parameters = self.shape.parameters

    def scores(self, shown: Tensor) -> Tensor:
        """Logits of the prompts shown."""
        return logits(self.shape, self.weights, shown[..., None])[:, :, -1]
