"""Answers that can be said in many ways: labels that say it in one of them, and rollouts that are right in any.

Prompts are those of :mod:`bitrate.lab.training.families`: keys, that can only be memorised, and a rule, that holds for
others too. An answer is a digit in four words, one binary place a word, and four words mean the same at every place: a
digit is 4 bits, and how it is said is 8 more, of which a label is full and a verdict says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.costs import Cost, flops
from bitrate.errors import InputError
from bitrate.lab.networks.lazy import Tensor, torch
from bitrate.lab.networks.transformer import (
    Shape,
    Weights,
    descend,
    dice,
    initial,
    log_policy,
    logits,
    sample,
    visits,
)
from bitrate.lab.training.families import DIGITS, KINDS, RIGHT, SIZES, Prompts, asked, deck
from bitrate.lab.worlds.learners import advantages
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.types import Floats, Ints

#: See :mod:`bitrate.lab.training.store`: stays as it is when this file moves.
SEEDED_AS = "bitrate.lab.training.paraphrases"
#: Words of an answer, meanings of a word, and words that mean the same; word w means ``w // SYNONYMS``.
PLACES, MEANINGS, SYNONYMS = 4, 2, 4
WORDS = MEANINGS * SYNONYMS
#: Words come before the tokens of prompts.
SHAPE = Shape(vocabulary=WORDS + DIGITS + len(KINDS), answers=WORDS, length=3 + PLACES - 1)
#: Tokens of a prompt with its answer.
TOKENS = 3 + PLACES
METHODS = ("sft", "sft-fixed", "sft-plain", "own-successes", "grpo")
#: Rollouts of a prompt, prompts of a step with rollouts, and prompts of a step with labels.
K, GROUPS, BATCH = 8, 8, 48
#: The base: its steps, and their size.
STEPS, RATE, BASE_BATCH = 600, 3e-3, {"key": 8, "rule": 32}
#: Ways to say the words before the last.
PREFIXES = np.array(list(product(range(SYNONYMS), repeat=PLACES - 1)))


@dataclass(frozen=True)
class Settings:
    """An arm: all methods, from the same bases.

    Args:
        budget: training FLOPs of a network.
        rates: learning rate of each of ``METHODS``.
        seeds: networks.

    Raises:
        InputError: a budget that is not above 0, or another number of rates.
    """

    budget: float
    rates: tuple[float, ...]
    seeds: int

    def __post_init__(self) -> None:
        if self.budget <= 0:
            raise InputError(f"budget = {self.budget}; want FLOPs above 0")
        if len(self.rates) != len(METHODS):
            raise InputError(f"rates = {self.rates}; want one each for {', '.join(METHODS)}")


def train(settings: Settings, folder: Path, rng: np.random.Generator) -> Cost:
    """Pretrain a base for each seed, train a copy of it by each method at the same FLOPs, and log what it was told.

    Runs are called ``<method>-<seed>``. An answer in the log is what the words mean. Each policy is examined before its
    first update and after its last: rollouts to all prompts, held out or not, of which the learner hears nothing, with
    the bits of the right meaning, summed over all ways to say it. Rows of updates have no such bits.

    Args:
        settings: of the arm.
        folder: where the log goes.
        rng: all randomness.

    Returns:
        What the training cost, all methods together; bases and examinations are not counted.

    Reference: Shao et al. (2024), DeepSeekMath, section 4.1, for SFT on own successes and GRPO as one family.
    """
    s = settings
    decks = {kind: deck(kind, s.seeds, rng) for kind in BASE_BATCH}
    shown = asked([decks[kind][:, : SIZES[kind][0]] for kind in decks], rng)
    held = asked([decks["rule"][:, SIZES["rule"][0] : sum(SIZES["rule"])]], rng)
    start = _base(decks, rng)
    cost = Cost()
    with SimulatedRun(folder, rng) as run:
        for method, rate in zip(METHODS, s.rates, strict=True):
            cost += _Learner(method, rate, start, run, rng).fit(shown, held, s.budget)
    return cost


def _base(decks: dict[str, Ints], rng: np.random.Generator) -> Weights:
    """Pretrained in all wordings: keys mean anything, the rule is right half of the time, on prompts of its own."""
    seeds = len(decks["key"])
    weights = initial(SHAPE, seeds, rng=rng)
    optimiser = torch.optim.Adam(weights.values(), lr=RATE)
    others = {**decks, "rule": decks["rule"][:, sum(SIZES["rule"]) :]}
    for _ in range(STEPS):
        drawn = {kind: rng.integers(others[kind].shape[1], size=(seeds, n)) for kind, n in BASE_BATCH.items()}
        tokens = np.concatenate([np.take_along_axis(others[k], w[..., None], axis=1) for k, w in drawn.items()], axis=1)
        random = rng.integers(DIGITS, size=tokens.shape[:2])
        known = (tokens[..., 0] == KINDS["rule"]) & (rng.random(random.shape) < RIGHT)
        said = words(np.where(known, tokens[..., 1:].max(axis=-1), random), rng)
        loss = -log_policy(SHAPE, weights, _tokens(tokens), torch.from_numpy(said))
        descend(optimiser, loss.sum(-1).mean(dim=1).sum())
    return weights


class _Learner:
    """Copies of the bases under one method."""

    def __init__(self, method: str, rate: float, start: Weights, run: SimulatedRun, rng: np.random.Generator) -> None:
        self.method, self.run, self.rng, self.thrown, self.cost = method, run, rng, dice(rng), Cost()
        self.weights = {name: w.detach().clone().requires_grad_() for name, w in start.items()}
        self.optimiser = torch.optim.Adam(self.weights.values(), lr=rate)

    def fit(self, shown: Prompts, held: Prompts, budget: float) -> Cost:
        """Examine, train until the budget is spent, and examine."""
        wording, rollouts = words(shown.targets, self.rng), self.method in {"own-successes", "grpo"}
        self.examine(0, shown, held)
        step, seeds = 0, len(shown.targets)
        for step, which in enumerate(_forever(shown, GROUPS if rollouts else BATCH, self.rng), 1):
            if self.cost.flops >= budget * seeds:
                break
            if rollouts:
                self.rollouts(step, shown.take(which))
            else:
                self.labels(step, shown.take(which), np.take_along_axis(wording, which[..., None], axis=1))
        self.examine(step, shown, held)
        return self.cost

    def labels(self, step: int, prompts: Prompts, fixed: Ints) -> None:
        """The right answer in some words: drawn afresh, always the same, or the first that each meaning has."""
        said = fixed
        if self.method == "sft":
            said = words(prompts.targets, self.rng)
        elif self.method == "sft-plain":
            said = fixed // SYNONYMS * SYNONYMS
        self.log(step, prompts, said[:, :, None], None)
        loss = -log_policy(SHAPE, self.weights, _tokens(prompts.tokens), torch.from_numpy(said)).sum(-1)
        descend(self.optimiser, loss.mean(dim=1).sum())
        self.paid(prompts.targets.size, 0, prompts.targets.size)

    def rollouts(self, step: int, prompts: Prompts) -> None:
        """K rollouts of each prompt: a policy gradient, or the likelihood of those that are right."""
        said = sample(SHAPE, self.weights, _tokens(prompts.tokens), K, PLACES, self.thrown)
        right = meaning(said.numpy()) == prompts.targets[..., None]
        rewards = right.astype(float)
        weight = advantages(rewards, "grpo") if self.method == "grpo" else None
        self.log(step, prompts, said.numpy(), rewards, weight)
        chosen = log_policy(
            SHAPE, self.weights, _tokens(prompts.tokens).repeat_interleave(K, 1), said.flatten(1, 2)
        ).sum(-1).view(*rewards.shape)  # fmt: skip
        gain = torch.from_numpy(rewards if weight is None else weight).float()
        descend(self.optimiser, -(chosen * gain).mean(dim=(1, 2)).sum())
        self.paid(rewards.size, rewards.size, int(right.sum()) if weight is None else rewards.size)

    def paid(self, answers: int, sampled: int, trained: int) -> None:
        """Count answers of all seeds, those that were sampled, and those that were trained on."""
        work = flops(SHAPE.parameters, forward=sampled * TOKENS, trained=trained * TOKENS)
        self.cost += Cost(answers, answers * TOKENS, work)

    def examine(self, step: int, shown: Prompts, held: Prompts) -> None:
        """Every prompt, without an update."""
        for prompts, split in ((shown, "train"), (held, "eval")):
            said = sample(SHAPE, self.weights, _tokens(prompts.tokens), K, PLACES, self.thrown).numpy()
            hits = (meaning(said) == prompts.targets[..., None]).astype(float)
            bits = meaning_bits(self.weights, prompts)
            self.log(step, prompts, said, hits, split=split, target_surprisal=bits)

    def log(
        self, step: int, prompts: Prompts, said: Ints, rewards: Floats | None, weight: Floats | None = None,
        **columns: Any,
    ) -> None:  # fmt: skip
        """Answers [seeds, prompts, k, words], and what became of them."""
        runs = np.repeat([f"{self.method}-{i}" for i in range(len(said))], said.shape[1])
        k = said.shape[2]
        self.run.step(
            step, answers=meaning(said).reshape(-1, k), rewards=None if rewards is None else rewards.reshape(-1, k),
            advantages=None if weight is None else weight.reshape(-1, k), targets=prompts.targets, runs=runs,
            prompts=prompts.ids, tokens=PLACES, prompt_tokens=3, **columns,
        )  # fmt: skip


def _forever(shown: Prompts, batch: int, rng: np.random.Generator) -> Iterator[Ints]:
    """Which prompts each seed visits in each step, epoch after epoch."""
    seeds, total = shown.targets.shape
    while True:
        yield from visits(seeds, total, batch, total // batch, rng)


def _tokens(prompts: Ints) -> Tensor:
    return torch.from_numpy(prompts + WORDS)


def words(digits: Ints, rng: np.random.Generator) -> Ints:
    """One of the ways to say each digit, shape of ``digits`` and ``PLACES``."""
    places = digits[..., None] // MEANINGS ** np.arange(PLACES) % MEANINGS
    return np.asarray(places * SYNONYMS + rng.integers(SYNONYMS, size=places.shape))


def meaning(said: Ints) -> Ints:
    """The digit that words mean, shape of ``said`` less the last axis.

    >>> meaning(np.array([[0, 0, 0, 0], [7, 2, 4, 1]])).tolist()
    [0, 5]
    """
    return np.asarray((said // SYNONYMS * MEANINGS ** np.arange(PLACES)).sum(axis=-1))


def meaning_bits(weights: Weights, prompts: Prompts) -> Floats:
    """-log2 of the chance of the right meaning, summed over all ways to say it, shape [seeds, prompts]."""
    seeds, n = prompts.targets.shape
    places = prompts.targets[..., None] // MEANINGS ** np.arange(PLACES) % MEANINGS
    ways = places[:, :, None, :-1] * SYNONYMS + PREFIXES  # [seeds, prompts, ways, words]
    asked = np.repeat(prompts.tokens + WORDS, len(PREFIXES), axis=1)
    with torch.no_grad():
        read = torch.from_numpy(np.concatenate([asked, ways.reshape(seeds, -1, PLACES - 1)], axis=-1))
        odds = logits(SHAPE, weights, read)[:, :, 2:].double().softmax(-1).numpy()
    odds = odds.reshape(seeds, n, len(PREFIXES), PLACES, WORDS)
    said = np.take_along_axis(odds[..., :-1, :], ways[..., None], axis=-1)[..., 0].prod(axis=-1)
    last = odds[..., -1, :].reshape(seeds, n, len(PREFIXES), MEANINGS, SYNONYMS).sum(axis=-1)
    ends = np.take_along_axis(last, places[:, :, None, -1:], axis=-1)[..., 0]
    return np.asarray(-np.log2((said * ends).sum(axis=-1)))
