"""A task whose answers are simple to check and hard to write: use exactly so many tokens of one class.

A prompt is a context, which does not matter, and a number n. A class of tokens is hidden; an answer is right if n of
its tokens are of the class. To check is to count. To write takes the class and a plan: what the next token may be
depends on the tokens so far and on those to come. With one token an answer there is no plan to make.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitrate.errors import InputError
from bitrate.types import Ints

Texts = NDArray[np.str_]

#: Tokens of an answer's vocabulary; half of them are of the class.
TOKENS = 8
#: Prompts held out from every network.
HELD_OUT = 8


@dataclass(frozen=True)
class Counting:
    """The hidden class and the prompts of each network.

    Args:
        member: whether a token is of the class, shape [seeds, TOKENS].
        prompts: context and number as tokens, shape [seeds, prompts, 2]; the last ``HELD_OUT`` are held out.
        horizon: tokens of an answer.
        contexts: how many contexts there are.
    """

    member: Ints
    prompts: Ints
    horizon: int
    contexts: int

    @classmethod
    def draw(cls, seeds: int, horizon: int, contexts: int, rng: np.random.Generator) -> Counting:
        """A class and an order of the prompts for each seed.

        Numbers run from 1 to T - 1, so that a right answer has tokens of both kinds; with one token from 0 to 1.

        Raises:
            InputError: too few prompts to hold some out.

        >>> Counting.draw(2, 6, 8, np.random.default_rng(0)).prompts.shape
        (2, 40, 2)
        """
        numbers = np.arange(2) if horizon == 1 else np.arange(1, horizon)
        if contexts * numbers.size <= HELD_OUT:
            raise InputError(f"contexts = {contexts}, numbers = {numbers.size}; want more than {HELD_OUT} prompts")
        every = np.array([(TOKENS + c, TOKENS + contexts + n) for c in range(contexts) for n in numbers])
        member = rng.permuted(np.tile(np.arange(TOKENS) % 2, (seeds, 1)), axis=1)
        return cls(member, np.stack([rng.permutation(every) for _ in range(seeds)]), horizon, contexts)

    @property
    def vocabulary(self) -> int:
        """Tokens of answers, contexts and numbers."""
        return TOKENS + self.contexts + self.horizon + 1

    @property
    def train(self) -> Ints:
        """Prompts to train on, shape [seeds, prompts, 2]."""
        return self.prompts[:, :-HELD_OUT]

    @property
    def held_out(self) -> Ints:
        """Prompts that no preference and no update is about, shape [seeds, HELD_OUT, 2]."""
        return self.prompts[:, -HELD_OUT:]

    def number(self, prompts: Ints) -> Ints:
        """How many tokens of the class each prompt asks for, shape of ``prompts`` without the last axis."""
        return prompts[..., 1] - TOKENS - self.contexts

    def error(self, prompts: Ints, answers: Ints) -> Ints:
        """By how many tokens of the class each answer is off, 0 where it is right.

        Args:
            prompts: shape [seeds, n, 2].
            answers: shape [seeds, n, horizon].

        Returns:
            Shape [seeds, n].
        """
        has = self.member[np.arange(len(self.member))[:, None, None], answers].sum(axis=2)
        return np.asarray(np.abs(has - self.number(prompts)))

    def names(self, prompts: Ints) -> Texts:
        """Ids for the log, ``context:number``."""
        pairs = np.stack([prompts[..., 0] - TOKENS, self.number(prompts)], axis=-1).reshape(-1, 2)
        return np.array([f"{c}:{n}" for c, n in pairs.tolist()]).reshape(prompts.shape[:-1])


@dataclass(frozen=True)
class Preferences:
    """Pairs of answers of the uniform policy to training prompts, of which one is less far off.

    Args:
        prompts: shape [seeds, pairs, 2].
        better: shape [seeds, pairs, horizon].
        worse: shape [seeds, pairs, horizon].
    """

    prompts: Ints
    better: Ints
    worse: Ints

    @classmethod
    def draw(cls, task: Counting, pairs: int, rng: np.random.Generator) -> Preferences:
        """Pairs without a tie: two answers that are equally far off are drawn again."""
        size = (len(task.prompts), pairs)
        prompts = np.zeros((*size, 2), np.int64)
        better, worse = np.zeros((2, *size, task.horizon), np.int64)
        missing = np.ones(size, bool)
        while missing.any():
            asked = np.take_along_axis(task.train, rng.integers(task.train.shape[1], size=size)[..., None], axis=1)
            one, other = rng.integers(TOKENS, size=(2, *better.shape))
            lead = task.error(asked, other) - task.error(asked, one)
            fresh = missing & (lead != 0)
            first = (lead > 0)[..., None]
            prompts[fresh] = asked[fresh]
            better[fresh], worse[fresh] = np.where(first, one, other)[fresh], np.where(first, other, one)[fresh]
            missing &= ~fresh
        return cls(prompts, better, worse)


def text(answers: Ints) -> Texts:
    """Answers as a log has them: tokens with spaces between, shape without the last axis.

    >>> text(np.array([[[1, 2], [3, 4]]])).tolist()
    [['1 2', '3 4']]
    """
    flat = [" ".join(map(str, a)) for a in answers.reshape(-1, answers.shape[-1]).tolist()]
    return np.array(flat).reshape(answers.shape[:-1])
