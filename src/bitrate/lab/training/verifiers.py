"""Three reward models to be fitted to preferences, by what they are told of the task before they see a pair.

* ``rule`` is told its form: a value for each token, summed over the answer and held against the number that is asked.
* ``bag`` is told that order does not matter, and no more: a perceptron that reads how often each token is used.
* ``network`` is told nothing: the transformer of the policy, with a scalar read at each token of the answer and summed,
  as DPO sums log-ratios.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bitrate.lab.networks.lazy import Tensor, torch
from bitrate.lab.networks.lazy import functional as f
from bitrate.lab.networks.transformer import Shape, Weights, logits
from bitrate.lab.training.gap_tasks import TOKENS, Counting

VERIFIERS = ("rule", "bag", "network")
#: Hidden units of the perceptron.
HIDDEN = 64


@dataclass(frozen=True)
class Verifier:
    """A reward model that is not fitted yet.

    Args:
        weights: seeds first; all scores are alike, or as good as.
        score: weights, prompts [seeds, n, 2] and answers [seeds, n, horizon] -> scores [seeds, n].
    """

    weights: Weights
    score: Callable[[Weights, Tensor, Tensor], Tensor]


def verifier(kind: str, task: Counting, shape: Shape, start: Weights, rng: np.random.Generator) -> Verifier:
    """A reward model for each seed.

    Args:
        kind: one of ``VERIFIERS``.
        task: what the rule is told the form of; the others take from it how many tokens there are.
        shape: of the policy.
        start: the weights that the policy starts from.
        rng: draws weights.
    """
    if kind == "rule":
        return _rule(task, rng)
    return _bag(task, rng) if kind == "bag" else _network(shape, start)


def _rule(task: Counting, rng: np.random.Generator) -> Verifier:
    """-sharpness (sum of the values of the answer's tokens - number asked for)^2; values of each key's own."""

    def score(weights: Weights, prompts: Tensor, answers: Tensor) -> Tensor:
        group = (prompts[..., :1] - TOKENS) * task.keys
        counted = weights["value"].gather(1, (group * TOKENS + answers).flatten(1)).view(answers.shape).sum(-1)
        asked = prompts[..., 1] - TOKENS - task.contexts
        return -weights["sharpness"].exp() * (counted - asked) ** 2

    seeds, groups, _ = task.member.shape
    # Values that are all alike would stay so where any answer has the number that is asked.
    value = torch.tensor(rng.normal(0.5, 0.1, (seeds, groups * TOKENS)), dtype=torch.float32)
    return Verifier({"value": value, "sharpness": torch.zeros((seeds, 1))}, score)


def _bag(task: Counting, rng: np.random.Generator) -> Verifier:
    """One hidden layer on the counts of the answer's tokens and on which tokens the prompt has."""
    seeds, inputs, read = len(task.member), task.vocabulary, 2 + task.horizon
    into = torch.tensor(rng.standard_normal((seeds, inputs, HIDDEN)) / math.sqrt(read), dtype=torch.float32)
    weights = {"into": into, "bias": torch.zeros((seeds, 1, HIDDEN)), "out": torch.zeros((seeds, HIDDEN, 1))}

    def score(weights: Weights, prompts: Tensor, answers: Tensor) -> Tensor:
        used = f.one_hot(torch.cat([prompts, answers], -1), inputs).sum(-2).float()
        return (f.gelu(used @ weights["into"] + weights["bias"]) @ weights["out"])[..., 0]

    return Verifier(weights, score)


def _network(shape: Shape, start: Weights) -> Verifier:
    """The policy's transformer and weights, with a head of one scalar that is 0 at first."""
    scalar = Shape(shape.vocabulary, 1, shape.length)

    def score(weights: Weights, prompts: Tensor, answers: Tensor) -> Tensor:
        return logits(scalar, weights, torch.cat([prompts, answers], -1))[:, :, prompts.shape[-1] :, 0].sum(-1)

    return Verifier(start | {"head": torch.zeros_like(start["head"][..., :1])}, score)
