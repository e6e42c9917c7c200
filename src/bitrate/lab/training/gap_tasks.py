"""Tasks in which checking an answer is simpler than writing one, or just as hard: use so many tokens of a class.

A prompt is a context and a number n; a class of tokens is hidden; an answer is right if n of its tokens are of the
class. The tasks differ in the data alone:

* ``half``: one class for all contexts, of which half the tokens of an answer must be. To check takes a value for each
  token, in any order. To write takes a plan: what the next token may be depends on those so far and on those to come.
  With one token an answer, which must be of the class, there is no plan to make.
* ``keys``: a class for each context, of which all tokens must be: a key for every prompt. The table of contexts and
  tokens that checks an answer is the policy that writes it, token by token: no plan to make, nothing to generalise.
* ``either``: one class, and prompts that ask for all tokens of it or for none.
"""

from __future__ import annotations

from collections.abc import Callable
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
#: What a prompt may ask for, by the task: numbers of tokens of the class in an answer of T tokens.
TASKS: dict[str, Callable[[int], tuple[int, ...]]] = {
    "half": lambda horizon: (max(horizon // 2, 1),),
    "keys": lambda horizon: (horizon,),
    "either": lambda horizon: (0, horizon),
}


@dataclass(frozen=True)
class Counting:
    """The hidden classes and the prompts of each network.

    Args:
        member: whether a token is of the class, shape [seeds, 1 or contexts, TOKENS].
        prompts: context and number as tokens, shape [seeds, prompts, 2].
        horizon: tokens of an answer.
        contexts: how many contexts there are.
    """

    member: Ints
    prompts: Ints
    horizon: int
    contexts: int

    @classmethod
    def draw(cls, name: str, seeds: int, horizon: int, contexts: int, rng: np.random.Generator) -> Counting:
        """Classes and an order of the prompts for each seed.

        Args:
            name: one of ``TASKS``.
            seeds: how many networks.
            horizon: tokens of an answer.
            contexts: how many contexts there are.
            rng: draws both.

        Raises:
            InputError: too few prompts to hold some out.

        >>> Counting.draw("half", 2, 6, 40, np.random.default_rng(0)).prompts.shape
        (2, 40, 2)
        """
        numbers, keys = TASKS[name](horizon), name == "keys"
        if not keys and contexts * len(numbers) <= HELD_OUT:
            raise InputError(f"contexts = {contexts}, numbers = {len(numbers)}; want more than {HELD_OUT} prompts")
        every = np.array([(TOKENS + c, TOKENS + contexts + n) for c in range(contexts) for n in numbers])
        member = rng.permuted(np.tile(np.arange(TOKENS) % 2, (seeds, contexts if keys else 1, 1)), axis=2)
        return cls(member, np.stack([rng.permutation(every) for _ in range(seeds)]), horizon, contexts)

    @property
    def vocabulary(self) -> int:
        """Tokens of answers, contexts and numbers."""
        return TOKENS + self.contexts + self.horizon + 1

    @property
    def keys(self) -> bool:
        """Whether each context has a class of its own."""
        return bool(self.member.shape[1] > 1)

    @property
    def train(self) -> Ints:
        """Prompts to train on, shape [seeds, prompts, 2]: all where each has a key, else all but ``HELD_OUT``."""
        return self.prompts if self.keys else self.prompts[:, :-HELD_OUT]

    @property
    def evaluated(self) -> Ints:
        """Prompts that no preference and no update is about; those trained on where each has a key."""
        return self.prompts if self.keys else self.prompts[:, -HELD_OUT:]

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
        group = (prompts[..., 0] - TOKENS) * self.keys
        has = self.member[np.arange(len(self.member))[:, None, None], group[..., None], answers].sum(axis=2)
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
