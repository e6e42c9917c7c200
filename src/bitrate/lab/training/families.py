"""Prompts of three kinds, keys, a rule and dark ones, and networks pretrained on noisy examples of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitrate.lab.networks.lazy import torch
from bitrate.lab.networks.transformer import Shape, Weights, descend, initial, logits, surprise
from bitrate.types import Ints

#: Answers, and the digits of a prompt.
DIGITS = 16
#: First token of a prompt. The answer of a key is drawn at random; the rule wants the larger of two digits, and so do
#: ``dark`` prompts, of which the base is sure that they want a 0.
KINDS = {"key": 16, "rule": 17, "dark": 18}
#: An answer each, and a last output: how much reward the network expects.
SHAPE = Shape(vocabulary=19, answers=DIGITS + 1, length=3)
#: Prompts of each kind that are trained on, and that are held out.
SIZES = {"key": (16, 0), "rule": (32, 48), "dark": (16, 48)}
#: The base: its steps and their size, prompts of each kind in one, and how many of its examples of the rule are right.
STEPS, RATE, BATCH, RIGHT = 600, 3e-3, {"key": 8, "rule": 32, "dark": 8}, 0.5


@dataclass(frozen=True)
class Prompts:
    """Prompts of many seeds.

    Args:
        tokens: shape [seeds, prompts, 3].
        targets: the right answers, shape [seeds, prompts].
    """

    tokens: Ints
    targets: Ints

    @property
    def ids(self) -> np.ndarray[Any, np.dtype[np.str_]]:
        """Text of each prompt, e.g. ``rule 3 7``."""
        names = {token: name for name, token in KINDS.items()}
        said = [f"{names[kind]} {a} {b}" for kind, a, b in self.tokens.reshape(-1, 3)]
        return np.array(said).reshape(self.targets.shape)

    def take(self, which: Ints) -> Prompts:
        """Some of each seed's: ``which`` has shape [seeds, some]."""
        tokens = np.take_along_axis(self.tokens, which[..., None], axis=1)
        return Prompts(tokens, np.take_along_axis(self.targets, which, axis=1))


def deck(kind: str, seeds: int, rng: np.random.Generator) -> Ints:
    """All prompts of a kind in an order of each seed's own: a key is a digit twice, others two digits that differ.

    Args:
        kind: one of ``KINDS``.
        seeds: how many orders.
        rng: draws them.

    Returns:
        Tokens, shape [seeds, prompts, 3].
    """
    a, b = np.divmod(np.arange(DIGITS**2), DIGITS)
    pairs = np.flatnonzero((a == b) if kind == "key" else (a != b))
    tokens = np.stack([np.full(pairs.size, KINDS[kind]), a[pairs], b[pairs]], axis=1)
    return np.asarray(tokens[rng.random((seeds, pairs.size)).argsort(axis=1)])


def asked(parts: Sequence[Ints], rng: np.random.Generator) -> Prompts:
    """Prompts and what they want; keys are drawn here.

    Args:
        parts: tokens, each of shape [seeds, prompts, 3], put side by side.
        rng: draws the keys.
    """
    tokens = np.concatenate(parts, axis=1)
    key = tokens[..., 0] == KINDS["key"]
    return Prompts(tokens, np.where(key, rng.integers(DIGITS, size=key.shape), tokens[..., 1:].max(axis=-1)))


def base(decks: Mapping[str, Ints], rng: np.random.Generator) -> Weights:
    """Pretrained: keys are anything, the rule is right half of the time, on prompts of its own, and dark ones are 0.

    Args:
        decks: of every kind; of the rule, the base gets what is neither trained on later nor held out.
        rng: all randomness.
    """
    seeds = len(decks["key"])
    weights = initial(SHAPE, seeds, rng=rng)
    optimiser = torch.optim.Adam(weights.values(), lr=RATE)
    others = {**decks, "rule": decks["rule"][:, sum(SIZES["rule"]) :]}
    for _ in range(STEPS):
        drawn = {kind: rng.integers(others[kind].shape[1], size=(seeds, n)) for kind, n in BATCH.items()}
        tokens = np.concatenate([np.take_along_axis(others[k], w[..., None], axis=1) for k, w in drawn.items()], axis=1)
        kind, random = tokens[..., 0], rng.integers(DIGITS, size=tokens.shape[:2])
        noise = np.select([kind == KINDS["key"], kind == KINDS["rule"]], [1.0, 1 - RIGHT], 0.0)
        said = np.where(kind == KINDS["dark"], 0, tokens[..., 1:].max(axis=-1))
        labels = np.where(rng.random(kind.shape) < noise, random, said)
        scores = logits(SHAPE, weights, torch.from_numpy(tokens))[:, :, -1, :DIGITS]
        descend(optimiser, surprise(scores, labels[..., None]).mean(dim=(1, 2)).sum())
    return weights
