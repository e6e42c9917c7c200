"""What a learner should find out (the target), and the verifier that tells it how it did.

A task draws one target a world, scores answers, and can give a right answer away. Worlds are independent copies of the
same problem: thousands are simulated at once, and each becomes one prompt of the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from bitrate.errors import InputError
from bitrate.types import Floats, Ints

#: Sets of answers are kept as bits of one integer.
MOST_JOKES = 62


class Task(Protocol):
    """A target, a verifier, and a teacher."""

    @property
    def answers(self) -> int:
        """How many answers there are."""

    def draw(self, worlds: int, rng: np.random.Generator) -> Ints:
        """One target a world, shape [worlds]; also what is written in the log's ``target`` column."""

    def score(self, targets: Ints, answers: Ints, rng: np.random.Generator) -> Floats:
        """Rewards of answers [worlds, k]."""

    def label(self, targets: Ints, rng: np.random.Generator) -> Ints:
        """One right answer a world, shape [worlds], uniform over the right ones."""


@dataclass(frozen=True)
class SingleAnswer:
    """The symbol bandit: one right answer a world, drawn from a prior.

    Args:
        prior: probability of each answer to be the right one, shape [answers].
    """

    prior: tuple[float, ...]

    @classmethod
    def uniform(cls, answers: int) -> SingleAnswer:
        """All answers alike."""
        return cls((1 / answers,) * answers)

    @property
    def answers(self) -> int:
        """How many answers there are."""
        return len(self.prior)

    def draw(self, worlds: int, rng: np.random.Generator) -> Ints:
        """Targets from the prior."""
        return rng.choice(self.answers, size=worlds, p=self.prior)

    def score(self, targets: Ints, answers: Ints, rng: np.random.Generator) -> Floats:
        """1 for the right answer, 0 for any other."""
        return np.asarray(answers == targets[:, None], float)

    def label(self, targets: Ints, rng: np.random.Generator) -> Ints:
        """The right answer."""
        return targets


@dataclass(frozen=True)
class OneBad:
    """All answers but one are right."""

    answers: int

    def draw(self, worlds: int, rng: np.random.Generator) -> Ints:
        """The bad answer of each world."""
        return rng.integers(self.answers, size=worlds)

    def score(self, targets: Ints, answers: Ints, rng: np.random.Generator) -> Floats:
        """0 for the bad answer, 1 for any other."""
        return np.asarray(answers != targets[:, None], float)

    def label(self, targets: Ints, rng: np.random.Generator) -> Ints:
        """Any answer but the bad one."""
        return (targets + 1 + rng.integers(self.answers - 1, size=targets.size)) % self.answers


@dataclass(frozen=True)
class GoodSet:
    """The joke model: a random set of good answers, kept as bits of an integer.

    Args:
        answers: how many jokes there are, at most 62.
        alpha: chance of each to be good, independently; give this or ``size``.
        size: number of good ones, all sets of that size alike.
        nonempty: draw again while no joke is good.
    """

    answers: int
    alpha: float | None = None
    size: int | None = None
    nonempty: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.answers <= MOST_JOKES:
            raise InputError(f"answers = {self.answers}; want 1 to {MOST_JOKES} jokes")
        if (self.alpha is None) == (self.size is None):
            raise InputError(f"alpha = {self.alpha}, size = {self.size}; want one of them")

    @cached_property
    def bits(self) -> Ints:
        """The bit of each joke."""
        return np.int64(1) << np.arange(self.answers, dtype=np.int64)

    def draw(self, worlds: int, rng: np.random.Generator) -> Ints:
        """One set a world."""
        if self.size is not None:
            order = rng.random((worlds, self.answers)).argsort(axis=1)
            return np.asarray((order < self.size) @ self.bits)
        assert self.alpha is not None
        sets = np.asarray((rng.random((worlds, self.answers)) < self.alpha) @ self.bits)
        while self.nonempty and (sets == 0).any():
            again = sets == 0
            sets[again] = (rng.random((int(again.sum()), self.answers)) < self.alpha) @ self.bits
        return sets

    def score(self, targets: Ints, answers: Ints, rng: np.random.Generator) -> Floats:
        """1 for a good joke, 0 for a bad one."""
        return np.asarray((targets[:, None] >> answers) & 1, float)

    def label(self, targets: Ints, rng: np.random.Generator) -> Ints:
        """A good joke; a world without any gets an InputError, since there is nothing to show."""
        if (targets == 0).any():
            raise InputError("a world has no good joke; want nonempty=True where examples are shown")
        good = (targets[:, None] & self.bits) > 0
        return np.asarray(np.where(good, rng.random(good.shape), -1.0).argmax(axis=1))


@dataclass(frozen=True)
class Flipped:
    """A verifier that reports the opposite at a rate.

    Args:
        task: what is verified.
        rate: chance of a flip, in [0, 1], independent for every rollout.
    """

    task: Task
    rate: float

    @property
    def answers(self) -> int:
        """How many answers there are."""
        return self.task.answers

    def draw(self, worlds: int, rng: np.random.Generator) -> Ints:
        """The task's targets."""
        return self.task.draw(worlds, rng)

    def score(self, targets: Ints, answers: Ints, rng: np.random.Generator) -> Floats:
        """The task's score, or the opposite."""
        flip = rng.random(answers.shape) < self.rate
        return np.abs(self.task.score(targets, answers, rng) - flip)

    def label(self, targets: Ints, rng: np.random.Generator) -> Ints:
        """The task's label; labels are not flipped."""
        return self.task.label(targets, rng)
