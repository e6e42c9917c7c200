"""Curricula: strings of several lengths, translated letter by letter by a hidden alphabet, in one order or another.

All lengths share the hidden alphabet, so what is learned of short strings carries over to long ones. A string is right
when all of its letters are: a policy that gets a letter right with chance p gets a string of L with about p^L.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitrate.costs import Cost, flops
from bitrate.errors import InputError
from bitrate.lab.networks.lazy import Tensor, torch
from bitrate.lab.networks.transformer import Shape, descend, initial, logits
from bitrate.lab.worlds.learners import advantages
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.types import Floats, Ints

#: See :mod:`bitrate.lab.training.store`: stays as it is when this file moves.
SEEDED_AS = "bitrate.lab.training.curricula"
CURRICULA = ("uniform", "hard", "easy to hard", "control", "self-play")
#: Of a tracked pass rate, the part that one more visit replaces.
FRESH = 0.2
#: Under control, prompts of a step that are drawn from all lengths, so that no tracked rate grows old.
SCOUTS = 1


@dataclass(frozen=True)
class Strings:
    """Prompts of every seed with their translations.

    Args:
        letters: shape [seeds, prompts, longest]; places behind the end hold 0.
        answers: the letters translated, same shape.
        lengths: shape [seeds, prompts].
    """

    letters: Ints
    answers: Ints
    lengths: Ints

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which places are before the end, shape of ``letters``."""
        return np.asarray(np.arange(self.letters.shape[-1]) < self.lengths[..., None])


@dataclass(frozen=True)
class Settings:
    """An arm.

    Args:
        method: ``"grpo"`` (K rollouts a prompt, reward 1 for a string that is right in every letter) or ``"sft"`` (one
            translation shown a prompt).
        curriculum: ``"uniform"`` over lengths; ``"hard"``: the longest only; ``"easy to hard"``: one length after the
            other, in equal parts of the first ``schedule`` steps, then the longest; ``"control"``: the length whose
            tracked pass rate is nearest 1/2, one prompt a step from any; ``"self-play"`` (GRPO only): longest strings,
            and of two rollouts to the same prompt the one with more letters right wins, by a coin where they are even.
        alphabet: letters.
        longest: letters of the longest string.
        prompts: of a step.
        k: rollouts of a prompt.
        steps: updates.
        schedule: see ``curriculum``.
        rate: learning rate.
        held_out: strings that are not trained on.
        every: steps from one visit to them to the next.
        seeds: networks.

    Raises:
        InputError: another method or curriculum, self-play by labels or with an odd group, or more prompts a step than
            there are strings of one letter.
    """

    method: str
    curriculum: str
    alphabet: int
    longest: int
    prompts: int
    k: int
    steps: int
    schedule: int
    rate: float
    held_out: int
    every: int
    seeds: int

    def __post_init__(self) -> None:
        if self.method not in {"grpo", "sft"}:
            raise InputError(f"method = {self.method!r}; want grpo or sft")
        if self.curriculum not in CURRICULA:
            raise InputError(f"curriculum = {self.curriculum!r}; want one of {', '.join(CURRICULA)}")
        if self.curriculum == "self-play" and (self.method == "sft" or self.k % 2):
            found = f"self-play with {self.method}, k = {self.k}"
            raise InputError(f"{found}; want grpo and an even k: rollouts play in pairs")
        if self.prompts > self.alphabet:
            found = f"prompts = {self.prompts} a step"
            raise InputError(f"{found}; want {self.alphabet} or fewer, the strings of one letter")


def train(settings: Settings, folder: Path, rng: np.random.Generator) -> Cost:
    """Train many small transformers, each on an alphabet of its own, and log all rollouts or labels.

    A network reads a string once and has a distribution over letters at every place; an answer is a letter from each.
    Prompts come as a stream, so each visit to a long one is its first; strings of the longest length that are held out
    never come in it, and are visited every few steps, first before any update and last after all of them.

    Args:
        settings: of the arm.
        folder: where the log goes.
        rng: all randomness.

    Returns:
        What the training cost; the visits to held-out strings are not in it.
    """
    s = settings
    shape = Shape(vocabulary=s.alphabet, answers=s.alphabet, length=s.longest)
    weights = initial(shape, s.seeds, rng=rng)
    optimiser = torch.optim.Adam(weights.values(), lr=s.rate)
    keys = rng.permuted(np.tile(np.arange(s.alphabet), (s.seeds, 1)), axis=1)
    held_out = _draw(s, keys, np.full((s.seeds, s.held_out), s.longest), rng)
    # Chance is what is known of a length before its first visit.
    rates = np.tile(float(s.alphabet) ** -np.arange(1, s.longest + 1), (s.seeds, 1))
    rollouts = tokens = 0
    with SimulatedRun(folder, rng) as run:
        for step in range(s.steps + 1):
            if step % s.every == 0 or step == s.steps:
                with torch.no_grad():
                    odds = logits(shape, weights, torch.from_numpy(held_out.letters)).log_softmax(-1)
                _rollouts(run, step, held_out, _numbers(odds), 1, None, rng, "eval")
            if step == s.steps:
                break
            shown = _draw(s, keys, _lengths(s, step, rates, rng), rng, held_out)
            odds = logits(shape, weights, torch.from_numpy(shown.letters)).log_softmax(-1)
            said, weight, passed = _visit(run, step, s, shown, _numbers(odds), rng)
            _track(rates, shown.lengths, passed)
            chosen = odds[:, :, None].expand(*said.shape, -1).gather(-1, torch.from_numpy(said)[..., None])[..., 0]
            # Strings of all lengths weigh the same: the log-likelihood of a string is the sum over its letters.
            descend(optimiser, -(chosen * torch.from_numpy(weight)).sum(-1).mean(dim=(1, 2)).sum())
            rollouts += said[..., 0].size
            tokens += int(shown.lengths.sum()) * said.shape[2]
    read = 2 * tokens  # a string and its translation
    return Cost(rollouts, read, flops(shape.parameters, forward=read if s.method == "grpo" else 0, trained=read))


def _lengths(s: Settings, step: int, rates: Floats, rng: np.random.Generator) -> Ints:
    """The length of each prompt of a step, shape [seeds, prompts]."""
    longest, size = s.longest, (s.seeds, s.prompts)
    anything = rng.integers(1, longest + 1, size=size)
    if s.curriculum == "uniform":
        return anything
    if s.curriculum == "easy to hard":
        return np.full(size, min(1 + longest * step // s.schedule, longest))
    if s.curriculum == "control":
        best = 1 + np.abs(rates - 0.5).argmin(axis=1)
        return np.where(np.arange(s.prompts) < s.prompts - SCOUTS, best[:, None], anything)
    return np.full(size, longest)


def _draw(s: Settings, keys: Ints, lengths: Ints, rng: np.random.Generator, held_out: Strings | None = None) -> Strings:
    """Strings of given lengths, no two of a seed alike, and none that is held out."""
    base, places = s.alphabet, np.arange(s.longest)
    inside = places < lengths[..., None]
    letters = np.where(inside, rng.integers(base, size=inside.shape), 0)

    def names(letters: Ints, lengths: Ints) -> Ints:
        return np.asarray((letters * base**places).sum(-1) + base**s.longest * lengths)

    taken = None if held_out is None else names(held_out.letters, held_out.lengths)
    while True:
        name = names(letters, lengths)
        again = np.tril(name[:, :, None] == name[:, None, :], -1).any(-1)
        if taken is not None:
            again |= (name[:, :, None] == taken[:, None, :]).any(-1)
        if not again.any():
            break
        letters[again] = np.where(inside[again], rng.integers(base, size=(int(again.sum()), places.size)), 0)
    answers = np.take_along_axis(keys[:, None], letters.reshape(len(keys), 1, -1), axis=-1).reshape(letters.shape)
    return Strings(letters, np.where(inside, answers, 0), lengths)


def _visit(
    run: SimulatedRun, step: int, s: Settings, shown: Strings, odds: Floats, rng: np.random.Generator
) -> tuple[Ints, Floats, Floats]:
    """One step's labels or rollouts, logged: answers [seeds, prompts, k, longest], their weights, and pass rates."""
    inside = shown.inside[:, :, None]
    if s.method == "sft":
        belief = _surprisal(shown, odds)
        run.step(step, answers=_words(shown.answers, shown.inside)[..., None], rewards=None, **_where(shown, odds))
        return shown.answers[:, :, None], inside.astype(np.float32), 2.0**-belief
    said, right, weight = _rollouts(run, step, shown, odds, s.k, s.curriculum, rng, "train")
    return said, (weight[..., None] * inside).astype(np.float32), right.mean(axis=-1)


def _rollouts(
    run: SimulatedRun, step: int, shown: Strings, odds: Floats, k: int, curriculum: str | None,
    rng: np.random.Generator, split: str,
) -> tuple[Ints, Floats, Floats]:  # fmt: skip
    """K sampled answers to each prompt, logged: answers, which of them are right, and their advantages."""
    size = (*shown.lengths.shape, k, shown.letters.shape[-1])
    below = np.exp(odds).cumsum(-1)
    below /= below[..., -1:]  # rounding of the sum
    said = np.asarray((rng.random(size)[..., None] >= below[:, :, None]).sum(-1), np.int64)
    inside = np.broadcast_to(shown.inside[:, :, None], size)
    hits = (said == shown.answers[:, :, None]) & inside
    right = (hits.sum(-1) == shown.lengths[..., None]).astype(float)
    rewards = _won(hits.sum(-1), rng) if curriculum == "self-play" else right
    weight = advantages(rewards, "grpo")
    run.step(
        step, answers=_words(said, inside), rewards=rewards, split=split,
        advantages=weight if split == "train" else None, **_where(shown, odds),
    )  # fmt: skip
    return said, right, weight


def _won(hits: Ints, rng: np.random.Generator) -> Floats:
    """Rollouts 0 and 1 of a prompt play each other, 2 and 3, ...: more letters right win, a coin decides a draw."""
    pairs = hits.reshape(*hits.shape[:-1], -1, 2)
    lead = np.sign(pairs[..., 0] - pairs[..., 1])
    first = np.where(lead == 0, rng.random(lead.shape) < 0.5, lead > 0)
    return np.stack([first, ~first], axis=-1).reshape(hits.shape).astype(float)


def _track(rates: Floats, lengths: Ints, passed: Floats) -> None:
    """Moves the tracked pass rate of each visited length towards the visit's."""
    seeds = np.arange(len(rates))
    for length, rate in zip(lengths.T - 1, passed.T, strict=True):
        rates[seeds, length] += FRESH * (rate - rates[seeds, length])


def _surprisal(shown: Strings, odds: Floats) -> Floats:
    """Bits, shape [seeds, prompts]: -log2 of the chance that all letters are right."""
    each = np.take_along_axis(odds, shown.answers[..., None], axis=-1)[..., 0]
    return np.asarray(-np.where(shown.inside, each, 0.0).sum(-1) / math.log(2))


def _where(shown: Strings, odds: Floats) -> dict[str, Any]:
    """What the log says of each prompt."""
    return {
        "targets": _words(shown.answers, shown.inside), "prompts": _words(shown.letters, shown.inside),
        "target_surprisal": _surprisal(shown, odds), "tokens": shown.lengths[..., None],
        "prompt_tokens": shown.letters.shape[-1],
    }  # fmt: skip


def _words(letters: Ints, inside: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Strings as text, shape of ``letters`` less the last axis."""
    codes = np.ascontiguousarray(np.where(inside, letters + ord("a"), 0).astype(np.uint8))
    return np.asarray(codes.view(f"S{letters.shape[-1]}")[..., 0].astype(str))


def _numbers(odds: Tensor) -> Floats:
    return np.asarray(odds.detach().double().numpy())
