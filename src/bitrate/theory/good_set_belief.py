"""Later steps in the joke model: what is known about the good set after some rollouts, and what the next one adds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bitrate.errors import InputError
from bitrate.theory.checks import distribution, one, place, probability, verdict, whole
from bitrate.theory.divergence import log_choose
from bitrate.theory.entropy import binary_entropy
from bitrate.theory.good_sets import _set_sizes
from bitrate.theory.labels import surprisal
from bitrate.types import Floats

#: Memory for more jokes is not asked for.
MOST_JOKES = 1_000_000_000


class GoodSetBelief:
    """What a learner believes about the good set after the rollouts it has seen, by Bayes' rule.

    A joke that was seen is known; every other one is good with the same probability: ``alpha`` for the random set,
    ``(size - good seen) / (n - seen)`` for the fixed set.

    Args:
        n: jokes, a whole number from 1.
        alpha: probability that a joke is good, in [0, 1]: the random set. Give this or ``size``.
        size: number of good jokes, a whole number from 1 to ``n``: the fixed set.

    Raises:
        InputError: a number outside its range, or both or neither of ``alpha`` and ``size``.

    Reference: docs/theory.md#good-sets, claim S0.4.

    >>> belief = GoodSetBelief(4, size=1)
    >>> round(belief.entropy, 12)
    2.0
    >>> belief.observe(0, True)  # the one good joke: nothing is left to learn
    2.0
    >>> belief.entropy
    0.0
    """

    def __init__(self, n: int, alpha: float | None = None, *, size: int | None = None) -> None:
        if (alpha is None) == (size is None):
            raise InputError(f"alpha = {alpha}, size = {size}; want exactly one of them")
        self._alpha = None if alpha is None else one("alpha", probability("alpha", alpha))
        self._left = int(one("n", whole("n", n)))
        self._good_left = 0 if size is None else int(one("size", _set_sizes(n, size)[1]))
        if self._left > MOST_JOKES:
            raise InputError(f"n = {self._left}; want {MOST_JOKES} jokes or fewer, each is remembered")
        self._unseen = np.ones(self._left, dtype=bool)
        self._good = np.zeros(self._left, dtype=bool)

    def _rate(self) -> float:
        """P(a joke that was not seen is good | history)."""
        return self._alpha if self._alpha is not None else self._good_left / max(self._left, 1)

    @property
    def entropy(self) -> float:
        """Bits still unknown about the good set, H(S | history)."""
        left, good = self._left, self._good_left
        if self._alpha is not None:
            return left * float(binary_entropy(self._alpha))
        return float(log_choose(left, good) / np.log(2))

    @property
    def probabilities(self) -> Floats:
        """P(joke is good | history) of each joke, shape (n,)."""
        return np.where(self._unseen, self._rate(), self._good)

    def information(self, policy: ArrayLike) -> float:
        """Expected bits of the next rollout and its reward: ``sum_t policy_t h(P(t is good))``, never above 1.

        Args:
            policy: probability of rolling out each joke, shape (n,); it may depend on the history.

        Returns:
            Bits per rollout.

        Raises:
            InputError: ``policy`` has another shape or is not a distribution.
        """
        chance = distribution("policy", policy)
        if chance.shape != self._unseen.shape:
            raise InputError(f"policy has shape {chance.shape}; want ({len(self._unseen)},), one element for each joke")
        # Of the share of unseen jokes, rounding can make a unit in the last place more than 1.
        return float(min(chance[self._unseen].sum(), 1.0) * binary_entropy(self._rate()))

    def observe(self, joke: int, good: bool) -> float:
        """Take in one rollout and its reward; return the bits by which :attr:`entropy` falls.

        Args:
            joke: which one was rolled out, from 0.
            good: its reward.

        Returns:
            Bits, 0 for a joke that was seen before.

        Raises:
            InputError: no such joke, no 0/1 reward, or a reward that the history rules out.
        """
        joke, good = place("joke", joke, len(self._unseen)), verdict("good", good)
        rate = self._rate() if self._unseen[joke] else float(self._good[joke])
        if rate == (0 if good else 1):
            raise InputError(f"good = {good} for joke {joke}; want {not good}, the history leaves nothing else")
        if not self._unseen[joke]:
            return 0.0
        self._unseen[joke], self._good[joke] = False, good
        if self._alpha is not None:
            self._left -= 1
            return float(binary_entropy(rate))
        fitting, left = (self._good_left if good else self._left - self._good_left), self._left
        self._left, self._good_left = left - 1, self._good_left - good
        # All sets of the size that fit the history are equally likely: entropy falls by the surprisal of the reward.
        return float(surprisal(fitting / left))
