"""Adapters on frozen transformers: a few trained numbers, and planted keys of fewer or more bits than they can hold.

Every network is random and stays as it is; only an adapter of one of its matrices is trained. Prompts have one token
each, and a random key: which share of the answers is right. What the network says before it is adapted is taken off,
so that every run starts from a uniform policy, and all that it comes to hold is in the adapter's numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.costs import Cost, flops
from bitrate.errors import InputError
from bitrate.lab.networks.lazy import Tensor, torch
from bitrate.lab.networks.transformer import Shape, choose, descend, dice, initial, logits, surprise
from bitrate.lab.worlds.learners import advantages
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory.checks import whole
from bitrate.types import Floats, Ints

#: See :mod:`bitrate.lab.training.store`: stays as it is when this file moves.
SEEDED_AS = "bitrate.lab.training.adapters"
#: Size of the residual stream of the frozen network.
WIDTH = 16
#: The matrix that is adapted: the first of the block's perceptron, shape [inputs, outputs].
ADAPTED, INPUTS, OUTPUTS = "0.up", WIDTH, 4 * WIDTH
#: Standard deviation of the frozen logits. A norm stands before the head, so that a head of ordinary size could not be
#: sure of an answer, whatever the adapter does: what it knows would not show.
SHARPNESS = 128.0


def parameters(adapter: str, size: int) -> int:
    """How many numbers an adapter trains.

    Args:
        adapter: ``"lora"``: ``W + A B`` with A [inputs, size] and B [size, outputs]; ``"numbers"``:
            ``W + sum_i z_i E_i`` with fixed random matrices E_i and ``size`` numbers z_i.
        size: rank, or how many numbers; 1 or more.

    Raises:
        InputError: another adapter, or a size below 1.

    Reference: Hu et al. (2022), LoRA; Li et al. (2018), Measuring the intrinsic dimension, eq. 2, which TinyLoRA
    takes to single numbers.

    >>> parameters("lora", 1), parameters("numbers", 4)
    (80, 4)
    """
    whole("size", size)
    if adapter not in {"lora", "numbers"}:
        raise InputError(f"adapter = {adapter!r}; want lora or numbers")
    return size * (INPUTS + OUTPUTS) if adapter == "lora" else size


def over_the_mean(rewards: Floats) -> Floats:
    """Rewards less their group's mean, over that mean; 0 in a group without a success.

    The mean update is the gradient of ``log p`` of the pass rate p, times ``1 - (1-p)^(K-1)``. REINFORCE and GRPO
    follow bounded functions of p, to which a prompt that is surely wrong is worth little.

    Args:
        rewards: 0 or 1, shape [..., k].

    Returns:
        Advantages, shape of ``rewards``.

    >>> over_the_mean(np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])).tolist()
    [[3.0, -1.0, -1.0, -1.0], [0.0, 0.0, 0.0, 0.0]]
    """
    mean = rewards.mean(axis=-1, keepdims=True)
    return np.asarray(np.where(mean > 0, (rewards - mean) / np.where(mean > 0, mean, 1.0), 0.0))


@dataclass(frozen=True)
class Settings:
    """An arm.

    Args:
        adapter: as for :func:`parameters`.
        size: as for :func:`parameters`.
        method: ``"sft"``, one of the right answers, drawn once a prompt and shown at every visit, ``"maxrl"``
            (:func:`over_the_mean`), ``"grpo"``, ``"rloo"``, or a number, the baseline of REINFORCE.
        prompts: of each network.
        keys: V.
        answers: a multiple of V: ``answers / V`` of them are right for each key.
        k: rollouts of a prompt in a step.
        steps: updates.
        rate: learning rate of the first.
        seeds: networks.

    Raises:
        InputError: answers that the keys do not divide, or an adapter that is not known.
    """

    adapter: str
    size: int
    method: str | float
    prompts: int
    keys: int
    answers: int
    k: int
    steps: int
    rate: float
    seeds: int

    def __post_init__(self) -> None:
        parameters(self.adapter, self.size)
        if self.answers % self.keys:
            raise InputError(f"answers = {self.answers}; want a multiple of {self.keys}, the keys")


def train(settings: Settings, folder: Path, rng: np.random.Generator) -> Cost:
    """Train the adapters of many networks, each on a key of its own, and log what they were told.

    Every step visits all prompts; Adam, with a rate that falls to 0 as half a cosine. At the end every prompt is
    visited once more, without an update. The log has the visits 0, 1, 2, 4, 8 ... and the last; the cost counts all.
    The first visit, from a uniform policy, has all that labels tell, and of keys of one bit all that rollouts tell. It
    also makes the prequential code length of the first visit less the last what is absorbed, to the same number.

    Args:
        settings: of the arm.
        folder: where the log goes; its ``target`` is the key, and the surprisal is that of any right answer.
        rng: all randomness.

    Returns:
        What it cost.
    """
    s = settings
    adapted = _Adapted(s, rng)
    optimiser = torch.optim.Adam(adapted.trained, lr=s.rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, s.steps)
    taught, cost = _Lesson(s, rng), Cost()
    with SimulatedRun(folder, rng) as run:
        for step in range(s.steps + 1):
            probe = step == s.steps
            scores = adapted.scores()
            said, weight = taught.visit(run, step, scores, None if probe else s.method)
            if not probe:
                descend(optimiser, _loss(scores, said, weight))
                falling.step()
            tokens = said.size * 2  # a prompt and an answer
            sampled = 0 if s.method == "sft" and not probe else tokens
            spent = flops(adapted.shape.parameters, forward=sampled, trained=0 if probe else tokens)
            cost += Cost(said.size, tokens, spent)
    return cost


def _loss(scores: Tensor, said: Ints, weight: Floats) -> Tensor:
    """``- mean_i weight_i log pi(answer_i)`` of each network, summed over the networks."""
    return (surprise(scores, said) * torch.as_tensor(weight, dtype=scores.dtype)).mean((1, 2)).sum()


class _Lesson:
    """What is right, and what the networks are told of it."""

    def __init__(self, s: Settings, rng: np.random.Generator) -> None:
        self.k, self.each = s.k, s.answers // s.keys
        self.keys = rng.integers(s.keys, size=(s.seeds, s.prompts))
        self.labels = self.keys * self.each + rng.integers(self.each, size=self.keys.shape)
        self.dice = dice(rng)

    def visit(self, run: SimulatedRun, step: int, scores: Tensor, method: str | float | None) -> tuple[Ints, Floats]:
        """One step's labels or rollouts, and now and then a log of them: answers and weights, [seeds, prompts, k]."""
        log = scores.detach().double().log_softmax(-1)
        given: Floats | None = None
        rewards: Floats | None = None
        if method == "sft":
            answers, weight = self.labels[..., None], np.ones((*self.labels.shape, 1))
        else:
            answers = choose(log.exp(), self.k, self.dice).numpy()
            weight = rewards = (answers // self.each == self.keys[..., None]).astype(float)
            if method is not None:
                weight = given = advantages(rewards, over_the_mean if method == "maxrl" else method)
        if method is None or step & (step - 1) == 0:
            seeds, prompts = self.keys.shape
            run.step(
                step, answers=answers, rewards=rewards, advantages=given, tokens=1, prompt_tokens=1, targets=self.keys,
                prompts=np.tile(np.arange(prompts), (seeds, 1)), target_surprisal=self._surprisal(log),
            )  # fmt: skip
        return answers, weight

    def _surprisal(self, log: Tensor) -> Floats:
        """Bits: -log2 of the probability of all answers that are right, shape [seeds, prompts]."""
        right = torch.from_numpy(self.keys)[..., None, None].expand(-1, -1, 1, self.each)
        held = log.reshape(*self.keys.shape, -1, self.each).gather(2, right).logsumexp(-1)[..., 0]
        # A sum of probabilities, which rounding may take above 1 by its last digit.
        return np.asarray(-held.clamp(max=0.0).numpy() / math.log(2))


class _Adapted:
    """Frozen networks with an adapter each; ``trained`` is all that learns."""

    def __init__(self, s: Settings, rng: np.random.Generator) -> None:
        self.shape = Shape(vocabulary=s.prompts, answers=s.answers, length=1, width=WIDTH)
        drawn, seeds = initial(self.shape, s.seeds, rng=rng), s.seeds
        self.weights = {name: w.detach() for name, w in drawn.items()}
        where = self.weights["head"]
        tall = rng.standard_normal(tuple(where.shape)) * SHARPNESS / math.sqrt(WIDTH)
        self.weights["head"] = torch.as_tensor(tall, dtype=where.dtype)
        count = parameters(s.adapter, s.size)

        def fresh(*shape: int) -> Tensor:
            numbers = rng.standard_normal((seeds, *shape)) / math.sqrt(INPUTS)
            return torch.as_tensor(numbers, dtype=where.dtype)

        if s.adapter == "lora":
            self.left = fresh(INPUTS, s.size).requires_grad_()
            self.right = where.new_zeros(seeds, s.size, OUTPUTS).requires_grad_()
            self.trained = [self.left, self.right]
        else:
            self.left = where.new_zeros(seeds, 1, count).requires_grad_()
            self.right = fresh(count, INPUTS * OUTPUTS)
            self.trained = [self.left]
        every = torch.arange(s.prompts)
        self.tokens = every[None, :, None].expand(seeds, -1, 1)
        self.before = logits(self.shape, self.weights, self.tokens)[:, :, -1]

    def scores(self) -> Tensor:
        """Logits of all prompts less those before the adapter, shape [seeds, prompts, answers]."""
        change = torch.bmm(self.left, self.right).view(-1, INPUTS, OUTPUTS)
        weights = {**self.weights, ADAPTED: self.weights[ADAPTED] + change}
        return logits(self.shape, weights, self.tokens)[:, :, -1] - self.before
