"""A tabular policy whose rollouts are cut short where a learned value function says how they will end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from bitrate.errors import InputError
from bitrate.lab.worlds.learners import ascend, sample
from bitrate.lab.worlds.log import SimulatedRun

#: Rollouts of a step.
K = 8


@dataclass(frozen=True)
class Story:
    """Rollouts of many tokens, of which one decides: it has one right value in each world, and the rest is luck.

    Args:
        tokens: of a whole rollout.
        choices: values that the deciding token can take.
        luck: chance that a rollout with the right one passes; no other does.
        early: whether the first token decides, which the value function sees, or the last.
    """

    tokens: int = 32
    choices: int = 16
    luck: float = 0.5
    early: bool = True


def train_truncated(
    story: Story, folder: Path, *, rng: np.random.Generator, worlds: int, whole: int, rate: float = 1.0,
    threshold: float = 0.5,
) -> None:  # fmt: skip
    """Policy gradient in each world until the right choice has a chance of ``threshold``; logs every rollout.

    Of the K = 8 rollouts of a step ``whole`` are played to their end. The value function is the mean outcome so far of
    whole rollouts by their first token, 0 before any. The others stop after their first token, and its value is
    their return. Advantages are returns less the step's mean return; the last token learns from whole rollouts only.

    A log counts a token for each that the policy says, and, where there is a value function, for each that it reads or
    is trained on: one a rollout, and one more for a whole one.

    Args:
        story: what decides.
        folder: where the log goes; each world is a run, and examined before every step.
        rng: all randomness.
        worlds: independent copies.
        whole: rollouts of a step that are played to their end, 1 to 8; with 8 there is no value function.
        rate: learning rate.
        threshold: of the chance at which a world stops.

    Raises:
        InputError: ``whole`` out of range.

    Reference: Sutton and Barto (2018), Reinforcement Learning, section 13.5, actor-critic; docs/theory.md#tokens.
    """
    if not 1 <= whole <= K:
        raise InputError(f"whole = {whole}; want 1 to {K} rollouts")
    targets = rng.integers(story.choices, size=worlds)
    first, last = np.zeros((2, worlds, story.choices))
    sums, seen = np.zeros((2, worlds, story.choices))
    left, step = np.arange(worlds), 0
    paid = np.where(np.arange(K) < whole, story.tokens, 1)
    if whole < K:
        paid = paid + np.where(np.arange(K) < whole, 2, 1)
    with SimulatedRun(folder, rng) as run:
        while left.size:
            logits = (first if story.early else last)[left]
            bits = -log_softmax(logits, axis=1)[np.arange(left.size), targets[left]] / np.log(2)
            opening, ending = (sample(np.exp(log_softmax(x[left], axis=1)), left.size, K, rng) for x in (first, last))
            choice = opening if story.early else ending
            passed = (choice == targets[left, None]) & (rng.random(choice.shape) < story.luck)
            at = left[:, None], opening
            value = np.where(seen[at] > 0, sums[at] / np.maximum(seen[at], 1), 0.0)
            returns = np.where(np.arange(K) < whole, passed, value)
            known = {"runs": left, "prompts": left, "targets": targets[left], "target_surprisal": bits}
            run.step(step, answers=choice[:, :1], rewards=returns[:, :1], split="eval", **known)
            weight = returns - returns.mean(axis=1, keepdims=True)
            run.step(step, answers=choice, rewards=returns, advantages=weight, tokens=paid, **known)
            np.add.at(sums, (left[:, None], opening[:, :whole]), passed[:, :whole])
            np.add.at(seen, (left[:, None], opening[:, :whole]), 1)
            first[left] = ascend(first[left], opening, weight, rate)
            last[left] = ascend(last[left], ending[:, :whole], weight[:, :whole], rate * whole / K)
            left, step = left[2.0**-bits < threshold], step + 1
