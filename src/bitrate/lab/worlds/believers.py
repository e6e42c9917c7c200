"""Learners that believe: exact posteriors over what is right, and policies surer or less sure than their belief.

What a rollout brings such a learner is known exactly, whatever its policy: a bound from logs must hold it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import binary_entropy, entropy
from bitrate.types import Floats, Ints


@dataclass(frozen=True)
class Believers:
    """Many prompts, each with a learner of its own that knows all it was told.

    Args:
        answers: V, how many there are.
        rollouts: K, a group.
        visits: groups of each prompt, one a step.
        temperature: the policy is the belief to the power 1/temperature: 1 samples what it believes, 3 is flatter than
            its belief, 0 is greedy and says what it holds likeliest.
        prior: chance of each answer beforehand, for all prompts; None: each has its own, from a Dirichlet(1/2).
        several: whether any set of answers but none may be right, and not just one answer.
        learns: whether visits teach; else each is the first, and there is no history.
    """

    answers: int
    rollouts: int
    visits: int
    temperature: float = 1.0
    prior: tuple[float, ...] | None = None
    several: bool = False
    learns: bool = True

    def run(self, prompts: int, folder: Path | None, rng: np.random.Generator) -> Exact:
        """Let them learn, and log it as a trainer would.

        Args:
            prompts: how many learners.
            folder: where the log goes; None writes none.
            rng: of keys, rollouts and, beside the log, of scores that were lost.

        Returns:
            what each rollout brought, and could have brought by each reading.
        """
        right = self._hypotheses()
        if self.prior is None:
            prior = self._weights(np.maximum(rng.dirichlet(np.full(self.answers, 0.5), prompts), 1e-9), right)
        else:
            prior = self._weights(np.tile(self.prior, (prompts, 1)), right)
        truth = (rng.random((prompts, 1)) > prior.cumsum(axis=1)).sum(axis=1).clip(0, len(right) - 1)
        belief, exact = prior, Exact(*(np.zeros((self.visits, prompts)) for _ in range(4)))
        with SimulatedRun(folder, rng, unscored=0.0) if folder else _Nothing() as log:
            for visit in range(self.visits):
                policy = self._policy(belief @ right)
                said = (rng.random((prompts, self.rollouts, 1)) > policy.cumsum(axis=1)[:, None]).sum(axis=2)
                said = said.clip(0, self.answers - 1)
                tried = np.zeros((prompts, self.answers), bool)
                np.put_along_axis(tried, said, True, axis=1)
                # What was learnt of the answers tried, under each hypothesis, as one number.
                told = (tried[:, None, :] & right[None]) @ (1 << np.arange(self.answers))
                rewards = right[truth][np.arange(prompts)[:, None], said]
                exact.received[visit] = _told(belief, told) / self.rollouts
                exact.answers[visit] = np.log2(tried.sum(axis=1) + 1) / self.rollouts
                exact.chance[visit] = binary_entropy(np.clip((policy * right[truth]).sum(axis=1), 0, 1))
                exact.right[visit] = rewards.sum(axis=1)
                log.step(
                    visit, answers=said, rewards=rewards.astype(float),
                    prompts=np.arange(prompts) + (0 if self.learns else visit * prompts),
                )  # fmt: skip
                if self.learns:
                    belief = belief * (told == told[np.arange(prompts), truth][:, None])
                    belief /= belief.sum(axis=1, keepdims=True)
        return exact

    def _hypotheses(self) -> np.ndarray:
        """Which answers are right under each hypothesis, shape [hypotheses, answers]."""
        if not self.several:
            return np.eye(self.answers, dtype=bool)
        return np.array(list(itertools.product([False, True], repeat=self.answers)))[1:]

    def _weights(self, prior: Floats, right: np.ndarray) -> Floats:
        """Prior over hypotheses: of a set, as if each answer were right by itself with its odds; shape [prompts, H]."""
        if not self.several:
            return prior
        odds = np.where(right[None], prior[:, None], 1 - prior[:, None]).prod(axis=2)
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def _policy(self, chance: Floats) -> Floats:
        """From the chance of each answer to be right."""
        if not self.temperature:
            return np.asarray(np.eye(self.answers)[chance.argmax(axis=1)])
        power = (chance / chance.max(axis=1, keepdims=True)) ** (1 / self.temperature)
        return np.asarray(power / power.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Exact:
    """Bits a rollout, shape [visits, prompts].

    Args:
        received: what the group's outcomes told, ``H(outcomes | answers tried, history)`` over K.
        answers: ``log2(M+1)`` over K.
        chance: ``h(p)``, p the policy's chance to be right given the truth.
        right: how many rollouts were right.
    """

    received: Floats
    answers: Floats
    chance: Floats
    right: Floats


def _told(belief: Floats, told: Ints) -> Floats:
    """Entropy of what is told, under the belief over hypotheses; shape [prompts]."""
    mass = np.zeros((belief.shape[0], int(told.max()) + 1))
    np.add.at(mass, (np.arange(belief.shape[0])[:, None], told), belief)
    return np.asarray(entropy(mass / mass.sum(axis=1, keepdims=True)))


class _Nothing:
    """A log that is not written."""

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def step(self, *_: object, **__: object) -> None:
        return None
