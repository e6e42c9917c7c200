"""Planted keys of many tokens: how finely a reward says where an answer is wrong, and what the learner does with it.

Every prompt has a right answer of T fair binary tokens, and nothing but feedback tells it. A reward for every token
carries T bits a rollout, the place of the first error about two, one reward for the whole next to none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.costs import Cost, flops
from bitrate.errors import InputError
from bitrate.lab.networks.lazy import Generator, Tensor, torch
from bitrate.lab.networks.lazy import functional as f
from bitrate.lab.networks.transformer import Shape, Weights, descend, dice, initial, log_policy
from bitrate.lab.worlds.learners import RESIDUE
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.types import Floats, Ints

#: See :mod:`bitrate.lab.training.store`: stays as it is when this file moves.
SEEDED_AS = "bitrate.lab.training.token_rewards"
#: How each kind of feedback becomes the credit of a token; the first two are logged as scores of every token.
FEEDBACK = ("tokens", "sum", "first error", "outcome")


@dataclass(frozen=True)
class Settings:
    """An arm.

    Args:
        feedback: ``"tokens"`` (a reward a token, an advantage at each position), ``"sum"`` (the same rewards, one
            advantage a rollout from their sum), ``"first error"`` (tokens before it are right, it is wrong, what
            follows is not judged), ``"outcome"`` (one reward for the whole).
        baseline: ``"grpo"`` or a number that is taken from each score.
        length: T, tokens of an answer.
        prompts: of each network, to train on.
        held_out: prompts that are not trained on.
        k: rollouts of a prompt in a step.
        visits: to each prompt.
        rate: learning rate.
        seeds: networks.

    Raises:
        InputError: another feedback.
    """

    feedback: str
    baseline: str | float
    length: int
    prompts: int
    held_out: int
    k: int
    visits: int
    rate: float
    seeds: int

    def __post_init__(self) -> None:
        if self.feedback not in FEEDBACK:
            raise InputError(f"feedback = {self.feedback!r}; want one of {', '.join(FEEDBACK)}")


def train(settings: Settings, folder: Path, rng: np.random.Generator) -> Cost:
    """Train many transformers, each on keys of its own, and log all that they were told.

    A step visits each training prompt. Held-out prompts are visited in the first step and in the last, for the record
    alone; the last step updates nothing.

    Args:
        settings: of the arm.
        folder: where the log goes.
        rng: all randomness.

    Returns:
        What it cost.
    """
    s = settings
    every = s.prompts + s.held_out
    shape = Shape(vocabulary=2 + every, answers=2, length=s.length)
    weights = initial(shape, s.seeds, rng=rng)
    keys, thrown, cost = rng.integers(2, size=(s.seeds, every, s.length)), dice(rng), Cost()
    optimiser = torch.optim.Adam(weights.values(), lr=s.rate)
    with SimulatedRun(folder, rng) as run:
        for step in range(s.visits + 1):
            probe = step == s.visits
            if step == 0 or probe:
                seen = range(s.prompts, every)
                cost += _visit(run, step, s, shape, weights, keys, seen, "eval", thrown)[2]
            said, credit, spent = _visit(run, step, s, shape, weights, keys, range(s.prompts), "train", thrown)
            cost += spent
            if probe:
                break
            spoken = log_policy(shape, weights, _prompts(range(s.prompts), s.k, s.seeds), said)
            descend(optimiser, -(spoken * torch.as_tensor(credit, dtype=spoken.dtype)).sum(-1).mean(dim=1).sum())
            cost += Cost(flops=flops(shape.parameters, trained=said.numel()))
    return cost


def credits(feedback: str, right: Floats, baseline: str | float = "grpo") -> Floats:
    """What the score function of each token is multiplied with.

    Args:
        feedback: one of ``FEEDBACK``.
        right: 1 where a token is right, 0 where it is wrong, shape [..., k, tokens].
        baseline: ``"grpo"``: less the mean, over the standard deviation, of the rollouts that were judged at the same
            token; or a number that is taken from each score.

    Returns:
        Shape of ``right``; 0 where a token was not judged, and with ``"grpo"`` where all that were judged got the same.

    Reference: Shao et al. (2024), DeepSeekMath, eq. 3, and section 4.1.3 for rewards of steps.

    >>> right = np.array([[[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]])
    >>> credits("tokens", right)[0].tolist()
    [[1.0, 0.0, -1.0], [-1.0, 0.0, 1.0]]
    >>> credits("first error", right)[0].tolist()
    [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]
    >>> credits("sum", right)[0].tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    judged, scores = np.ones(right.shape), right
    if feedback == "first error":
        judged[..., 1:] = np.cumprod(right, axis=-1)[..., :-1]
    elif feedback == "sum":
        scores = np.broadcast_to(right.sum(axis=-1, keepdims=True), right.shape)
    elif feedback == "outcome":
        scores = np.broadcast_to(right.min(axis=-1, keepdims=True), right.shape)
    if baseline != "grpo":
        return np.asarray(judged * (scores - float(baseline)))
    count = np.maximum(judged.sum(axis=-2, keepdims=True), 1)
    off = judged * (scores - (judged * scores).sum(axis=-2, keepdims=True) / count)
    spread = np.sqrt((off**2).sum(axis=-2, keepdims=True) / count)
    return np.asarray(np.where(spread > RESIDUE, off / np.maximum(spread, RESIDUE), 0.0))


def _visit(
    run: SimulatedRun, step: int, s: Settings, shape: Shape, weights: Weights, keys: Ints, seen: range,
    split: str, thrown: Generator,
) -> tuple[Tensor, Floats, Cost]:  # fmt: skip
    """One step's rollouts, logged: answers and credits [seeds, prompts x k, tokens], and what they cost."""
    length, feedback = s.length, s.feedback
    said = draw(shape, weights, _prompts(seen, s.k, s.seeds), length, thrown)
    key = keys[:, seen.start : seen.stop]
    with torch.no_grad():
        known = log_policy(shape, weights, _prompts(seen, 1, s.seeds), torch.from_numpy(key)).double().sum(-1)
    answers = said.numpy().reshape(s.seeds, len(seen), s.k, length)
    right = (answers == key[:, :, None]).astype(float)
    credit, solved = credits(feedback, right, s.baseline), right.min(axis=-1)
    parts, rewards = None, solved
    if feedback in {"tokens", "sum"}:
        parts, rewards = {f"token_{t}": right[..., t] for t in range(length)}, right.mean(axis=-1)
    elif feedback == "first error":
        parts = {"first_error": np.where(solved == 1, -1, right.argmin(axis=-1))}
    run.step(
        step, answers=_texts(answers), rewards=rewards, targets=_texts(key), components=parts,
        advantages=credit[..., 0] if feedback in {"sum", "outcome"} else None, prompts=np.tile(seen, s.seeds),
        target_surprisal=-known.numpy() / math.log(2), tokens=length, prompt_tokens=1, split=split,
    )  # fmt: skip
    rollouts = solved.size
    spent = flops(shape.parameters, forward=(rollouts + known.numel()) * length)
    return said, credit.reshape(*said.shape), Cost(rollouts, rollouts * (1 + length), spent)


def _prompts(seen: range, k: int, seeds: int) -> Tensor:
    """The tokens of prompts, each k times in a row, shape [seeds, prompts x k, 1]."""
    asked = 2 + torch.arange(seen.start, seen.stop).repeat_interleave(k)
    return asked[None, :, None].expand(seeds, -1, 1)


def _texts(tokens: Ints) -> np.ndarray:
    """Sequences of 0 and 1 as texts, as a log has them; the last axis is read."""
    letters = np.ascontiguousarray(tokens.astype(np.uint8) + ord("0"))
    return letters.view(f"S{tokens.shape[-1]}")[..., 0].astype(str)


def draw(shape: Shape, weights: Mapping[str, Tensor], prompts: Tensor, tokens: int, thrown: Generator) -> Tensor:
    """An answer to every prompt of one token, at temperature 1; keys and values of tokens before are kept.

    Args:
        shape: of the networks.
        weights: seeds first, as in :func:`bitrate.lab.networks.transformer.initial`.
        prompts: shape [seeds, sequences, 1].
        tokens: tokens an answer.
        thrown: where chance comes from.

    Returns:
        Shape [seeds, sequences, tokens].
    """
    (seeds, rows, _), said = prompts.shape, list[torch.Tensor]()
    every = torch.arange(seeds)[:, None]
    size = (seeds * rows, shape.heads, tokens, shape.width // shape.heads)
    kept = [torch.zeros(2, *size) for _ in range(shape.layers)]

    def norm(x: Tensor, name: str) -> Tensor:
        return f.layer_norm(x, x.shape[-1:]) * weights[name][:, None]

    with torch.no_grad():
        one = prompts[..., 0]
        for t in range(tokens):
            x = weights["embed"][every, one] + weights["place"][:, t, None]
            for i, cache in enumerate(kept):
                qkv = torch.bmm(norm(x, f"{i}.norm1"), weights[f"{i}.qkv"])
                q, k, v = qkv.view(seeds * rows, 3, shape.heads, 1, -1).unbind(1)
                cache[0, :, :, t], cache[1, :, :, t] = k[:, :, 0], v[:, :, 0]
                seen = f.scaled_dot_product_attention(q, cache[0, :, :, : t + 1], cache[1, :, :, : t + 1])
                x = x + torch.bmm(seen.reshape(seeds, rows, -1), weights[f"{i}.out"])
                x = x + torch.bmm(f.gelu(torch.bmm(norm(x, f"{i}.norm2"), weights[f"{i}.up"])), weights[f"{i}.down"])
            odds = torch.bmm(norm(x, "norm"), weights["head"]).softmax(-1)
            one = torch.multinomial(odds.flatten(0, 1), 1, generator=thrown).view(seeds, rows)
            said.append(one)
    return torch.stack(said, dim=-1)
