"""Belief about the one right answer, updated rollout by rollout in time that does not grow with the vocabulary."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr

from bitrate.errors import InputError
from bitrate.theory.checks import distribution, one, place, probability, verdict
from bitrate.theory.entropy import binary_entropy, noisy_outcome_information

#: What is alive is summed afresh each time it has shrunk by this factor, so that rounding cannot build up.
AFRESH = 0.5
#: Weights are scaled back to sum to 1 when they sum to more than this.
MOST_GROWTH = 1e6


class ExactMatchBelief:
    """Belief over the right answer under a verifier that makes no errors: a wrong answer is out, a right one is all.

    Keeps the mass alive ``R`` and ``A = sum_alive -q log2 q``: ``H(S | history) = A / R + log2 R``.

    Args:
        prior: probability of each answer to be right, shape [V].

    Raises:
        InputError: a prior that is no distribution.

    Reference: docs/estimators.md#sequential.

    >>> belief = ExactMatchBelief([0.5, 0.25, 0.25])
    >>> belief.entropy
    1.5
    >>> belief.observe(0, correct=False)
    0.5
    >>> belief.probability(1)
    0.5
    """

    def __init__(self, prior: ArrayLike) -> None:
        self._mass = distribution("prior", prior).copy()
        if self._mass.ndim != 1:
            raise InputError(f"prior has shape {self._mass.shape}; want one axis, the answers")
        self._sum()

    def _sum(self) -> None:
        """R and A from all that is alive."""
        self._mass /= self._mass.sum()  # else what is alive could grow too small for its entropy to keep its digits
        self._alive, self._terms = float(self._mass.sum()), float(entr(self._mass).sum()) / math.log(2)
        self._summed_at, self._left = self._alive, int(np.count_nonzero(self._mass))

    @property
    def entropy(self) -> float:
        """H(S | history), bits."""
        # Where one answer is left, rounding can leave 1e-16 on the wrong side of 0.
        return max(0.0, self._terms / self._alive + math.log2(self._alive))

    def probability(self, answer: int) -> float:
        """The chance that an answer is right, given the history."""
        return float(self._mass[place("answer", answer, self._mass.size)] / self._alive)

    def information(self, policy: ArrayLike) -> float:
        """Bits that the next rollout of a policy carries on average: ``sum_t policy_t h(P(t right | history))``."""
        pi = distribution("policy", policy)
        if pi.shape != self._mass.shape:
            raise InputError(f"policy has shape {pi.shape}; want {self._mass.shape}, one probability per answer")
        return float(pi @ binary_entropy(np.minimum(self._mass / self._alive, 1.0)))

    def observe(self, answer: int, correct: bool) -> float:
        """Take in one scored rollout, in time that does not grow with V.

        Args:
            answer: what the rollout gave.
            correct: what the verifier said.

        Returns:
            ``H`` before less ``H`` after, bits: what this outcome resolved. Negative where it made the rest less sure;
            its mean over outcomes is the information, and never negative.

        Raises:
            InputError: no such answer, no verdict, or an outcome of probability 0.
        """
        index, before = place("answer", answer, self._mass.size), self.entropy
        mass = float(self._mass[index])
        if verdict("correct", correct):
            if mass == 0:
                raise InputError(f"answer = {answer} was said to be right; want an answer that still can be")
            self._mass[:] = 0.0
            self._mass[index] = 1.0
            self._sum()
            return before
        if mass == 0:
            return 0.0
        if self._left == 1:
            raise InputError(f"answer = {answer} was said to be wrong; every other answer was ruled out before")
        self._mass[index] = 0.0
        self._left -= 1
        self._alive -= mass
        self._terms += mass * math.log2(mass)
        if self._alive < AFRESH * self._summed_at:
            self._sum()
        return before - self.entropy


class NoisyMatchBelief:
    """Belief over the right answer under a verifier that flips its verdict at a rate.

    One rollout multiplies one answer's weight against all others by ``(1-flip)/flip``, or by its inverse; sums are kept
    as in :class:`ExactMatchBelief`. A weight that underflows is 0 for good: its chance was below 1e-300.

    Args:
        prior: probability of each answer to be right, shape [V].
        flip: chance that the verifier reports the opposite, above 0 and below 1/2.

    Raises:
        InputError: a prior that is no distribution, or ``flip`` out of range.

    Reference: docs/estimators.md#sequential; docs/theory.md#outcome, claim S1.6.

    >>> belief = NoisyMatchBelief([0.5, 0.5], flip=0.25)
    >>> round(belief.observe(0, correct=True), 4), belief.probability(0)
    (0.1887, 0.75)
    """

    def __init__(self, prior: ArrayLike, flip: float) -> None:
        self._weight = distribution("prior", prior).copy()
        if self._weight.ndim != 1:
            raise InputError(f"prior has shape {self._weight.shape}; want one axis, the answers")
        self._flip = one("flip", probability("flip", flip))
        if not 0 < self._flip < 0.5:
            raise InputError(f"flip = {self._flip:g}; want a rate above 0 and below 1/2")
        self._sum()

    def _sum(self) -> None:
        """Weights that sum to 1, and their sums afresh."""
        self._weight /= self._weight.sum()
        self._total, self._terms = float(self._weight.sum()), float(entr(self._weight).sum())
        self._peak = self._total

    @property
    def entropy(self) -> float:
        """H(S | history), bits."""
        # Where one answer is left, rounding can leave 1e-16 on the wrong side of 0.
        return max(0.0, (self._terms / self._total + math.log(self._total)) / math.log(2))

    def probability(self, answer: int) -> float:
        """The chance that an answer is right, given the history."""
        return float(self._weight[place("answer", answer, self._weight.size)] / self._total)

    def information(self, policy: ArrayLike) -> float:
        """Bits about the right answer that the next rollout of a policy carries on average.

        ``sum_t policy_t [h(P_t (1-flip) + (1-P_t) flip) - h(flip)]``, P_t the chance that t is right.
        """
        pi = distribution("policy", policy)
        if pi.shape != self._weight.shape:
            raise InputError(f"policy has shape {pi.shape}; want {self._weight.shape}, one probability per answer")
        return float(pi @ noisy_outcome_information(np.minimum(self._weight / self._total, 1.0), self._flip))

    def observe(self, answer: int, correct: bool) -> float:
        """Take in one scored rollout, in time that does not grow with V.

        Args:
            answer: what the rollout gave.
            correct: what the verifier said.

        Returns:
            ``H`` before less ``H`` after, bits; negative where this outcome made the answer less sure.

        Raises:
            InputError: no such answer, or no verdict.
        """
        index, before = place("answer", answer, self._weight.size), self.entropy
        odds = (1 - self._flip) / self._flip
        old = float(self._weight[index])
        new = old * odds if verdict("correct", correct) else old / odds
        self._weight[index] = new
        self._total += new - old
        self._terms += float(entr(new) - entr(old))
        self._peak = max(self._peak, self._total)
        if self._total < AFRESH * self._peak or self._total > MOST_GROWTH:
            self._sum()
        return before - self.entropy
