"""What a log itself knows of each prompt before its next visit: beliefs about pass rates, and what outcomes cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit, ndtr

from bitrate.errors import InputError
from bitrate.stats.codes import Code, population_code
from bitrate.stats.counts import check_counts, distinct
from bitrate.types import Bools, Floats, Ints

#: Log-odds at which beliefs are held; the far ones let a prompt be known to be solved, or hopeless.
NODES = np.r_[-14.0, -10.0, np.linspace(-7, 7, 35), 10.0, 14.0]
WIDTH = np.gradient(NODES)
#: How far the nodes may move with all prompts, in log-odds.
FARTHEST = 6.0
#: How far a prompt's log-odds move from visit to visit, as variances: of most visits, share of leaps, of a leap.
PACES = ((0.003, 0.0, 1.0), (0.02, 0.0, 1.0), (0.05, 0.05, 9.0))
#: What weight each expert starts with: the paces, then "as prompts did that last went like this one".
START = np.array([0.2, 0.4, 0.2, 0.2])
#: Share of the weights that is dealt out anew at each step, so that another expert can take over.
SHARE = 1e-4
#: Share of what was learnt of all prompts that is kept from step to step.
KEPT = 0.8
#: How a prompt's last visit went: there was none, all wrong, some right, all right.
UNSEEN, WRONG, MIXED, RIGHT = range(4)
#: Share of a vague belief in every belief, so that no outcome is impossible.
EASE = 1e-3
#: How fast the common drift follows its news, and how many prompts' news it takes half as seriously.
DRIFT, FEW = 0.3, 10
ROUNDS = 6
#: Groups that all have one size, up to this, are looked up among all counts that it allows.
EVERY = 256


@dataclass(frozen=True)
class _Step:
    """Outcomes of a step's groups: ``what`` each shows as a row of ``like``; ``other``, with right and wrong swapped.

    ``like`` is the chance of a count at each node over the greatest of them, whose base 2 logarithm is ``scale``;
    ``went`` says whether a group was all wrong, mixed or all right.
    """

    what: Ints
    other: Ints
    went: Ints
    like: Floats
    scale: Floats


@cache
def _kernel(pace: tuple[float, float, float]) -> Floats:
    """Chances of moving from node to node in a visit."""
    often, leaps, far = pace
    edges = np.r_[-np.inf, (NODES[1:] + NODES[:-1]) / 2, np.inf]

    def step(variance: float) -> Floats:
        below = ndtr((edges - NODES[:, None]) / np.sqrt(variance))
        return np.asarray(below[:, 1:] - below[:, :-1])

    return np.asarray((1 - leaps) * step(often) + leaps * step(far), np.float32)


def _vague(moved: float) -> Floats:
    """Jeffreys' prior of a share, on nodes that have moved: density of log-odds proportional to sqrt(p (1-p))."""
    odds = NODES + moved
    density = np.sqrt(expit(odds) * expit(-odds)) * WIDTH
    return np.asarray(density / density.sum())


class Tracker:
    """Beliefs about the pass rates of prompts that are visited again while the policy learns.

    Experts predict each visit from what came before it: filters in which a prompt's log-odds wander at several paces,
    all carried along by a drift that the prompts have in common, and one that goes by how prompts fared whose last
    visit went as this one's. They are averaged by how well they foretold the steps before (Bayesian averaging), so that
    their average is a code: its expected length bounds the entropy of outcomes from above, whatever the learner
    believes.

    Args:
        prompts: how many there are; they are called by their numbers from 0.
        fixed: whether the size of a group was fixed before its outcomes came. If not, it tells nothing for free, and
            rollouts are told one by one.

    Reference: docs/estimators.md#code; Dawid (1984), prequential; Herbster and Warmuth (1998), fixed share.

    >>> tracker = Tracker(2)
    >>> first = tracker.visit([0, 1], [8, 0], [8, 8])
    >>> bool(tracker.visit([0], [8], [8]).bits[0] < first.bits[0])
    True
    """

    def __init__(self, prompts: int, *, fixed: bool = True) -> None:
        self.fixed = fixed
        self.weight = START.copy()
        self.drift = self.moved = 0.0
        self._vague = _vague(0.0)
        self.steps = 0
        # One place more is for prompts that nobody asks for again.
        self._belief = np.zeros((len(PACES), prompts + 1, NODES.size), np.float32)
        self._went = np.zeros(prompts + 1, np.int8)
        self._when = np.zeros(prompts + 1, np.int32)
        self._tally = np.zeros((4, NODES.size))

    def visit(self, who: ArrayLike, right: ArrayLike, n: ArrayLike) -> Code:
        """Bits to write down the outcomes of one step's groups, given all steps before; then learn from them.

        ``-log2 sum_e w_e E_e[p^k (1-p)^(n-k)]`` for k right of n; at the first step, of which nothing is known before,
        each group is predicted from the other groups of the step.

        Args:
            who: number of each group's prompt, shape [groups]; -1 for one that never comes again, of which nothing is
                remembered.
            right: rollouts that were right, shape [groups].
            n: rollouts, 1 or more, shape [groups].

        Raises:
            InputError: counts are not 0 <= right <= n, or a prompt has no such number.
        """
        who = np.asarray(who, np.int64)
        right, n = check_counts(right, n)
        prompts = self._went.size - 1
        if who.shape != right.shape or (who >= prompts).any():
            raise InputError(f"who = {who[:5]} of {right.size} groups; want a number below {prompts} for each")
        seen = self._went[who] != UNSEEN
        before, step = self.predicted(who[seen]), self._told(right, n)
        # Prompts without a number are all different.
        apart = np.where(who < 0, -1 - np.arange(who.size), who)
        if self.steps:
            code = self._code(step, seen, before)
        elif self.fixed:
            code = population_code(right, n, np.zeros_like(who), apart)
        else:
            code = self._by_halves(step, np.unique(apart, return_inverse=True)[1].reshape(-1) % 2)
        named = who[who >= 0]
        if not (named[1:] > named[:-1]).all():
            each, first, home = np.unique(apart, return_index=True, return_inverse=True)
            if each.size < who.size:  # what the groups of one prompt showed is added up
                right, n = (np.bincount(home.reshape(-1), weights=counts).astype(np.int64) for counts in (right, n))
                who, seen, step = who[first], seen[first], self._told(right, n)
                before = self.predicted(who[seen])
        self._learn(who, step, seen, before)
        return code

    def predicted(self, who: Ints) -> Floats:
        """What each expert believes of prompts seen before, at their next visit: shape [experts, prompts, nodes]."""
        found = np.empty((len(START), who.size, NODES.size), np.float32)
        found[-1] = self._usual()[self._went[who]]
        for e, pace in enumerate(PACES):
            found[e] = self._belief[e, who] @ _kernel(pace)
        return (1 - EASE) * found + EASE * self._vague.astype(np.float32)

    def _usual(self) -> Floats:
        """How prompts fare, by how their last visit went, shape [4, nodes]."""
        return _population(self._tally, self._vague).astype(np.float32)

    def _told(self, right: Ints, n: Ints) -> _Step:
        """The counts of a step, and how likely each is at each node."""
        if int(n[0]) <= EVERY and (n == n[0]).all():  # all that there may be: to look for those that are takes longer
            k, what, other = np.arange(n[0] + 1), right, n - right
            size = np.full(k.size, n[0])
        else:
            k, size, both = distinct(np.r_[right, n - right], np.r_[n, n])
            what, other = both[: n.size], both[n.size :]
        odds = NODES + self.moved
        log = k[:, None] * log_expit(odds) + (size - k)[:, None] * log_expit(-odds)
        top = log.max(axis=1)
        constant = np.where(right == 0, WRONG, np.where(right == n, RIGHT, MIXED))
        return _Step(what, other, constant, np.exp(log - top[:, None]).astype(np.float32), top / np.log(2))

    def _code(self, step: _Step, seen: Bools, before: Floats) -> Code:
        """Bits of outcomes under the experts' average, and with all right and all wrong as one."""
        average = np.tensordot(self.weight.astype(np.float32), before, 1)
        usual = step.like @ self._usual()[UNSEEN]

        def log2_chance(what: Ints, where: Bools) -> Floats:
            told, chance = seen[where], usual[what[where]]
            chance[told] = np.einsum("vx,vx->v", average[where[seen]], step.like[what[where & seen]])
            return np.asarray(np.log2(chance) + step.scale[what[where]])

        said, constant = log2_chance(step.what, np.ones(seen.size, bool)), step.went != MIXED
        merged = said.copy()
        merged[constant] = np.logaddexp2(said[constant], log2_chance(step.other, constant))
        return Code(-said, -merged)

    def _by_halves(self, step: _Step, half: Ints) -> Code:
        """Bits of outcomes, each half of the prompts forecast from the other, rollout by rollout."""
        bits = np.zeros(half.size)
        for part in (0, 1):
            counts = np.bincount(step.what[half != part], minlength=len(step.like))
            others = _population(_with(np.zeros(NODES.size), step.like, counts, self._vague), self._vague)
            bits[half == part] = -(np.log2(step.like @ others) + step.scale)[step.what[half == part]]
        return Code(bits, bits)

    def _learn(self, who: Ints, step: _Step, seen: Bools, before: Floats) -> None:
        """Weigh the experts by what they gave to a step's outcomes, and know its prompts and all prompts better."""
        went = self._went[who]
        if seen.any():
            belief = before * step.like[step.what[seen]]
            chance = belief.sum(axis=2)
            belief /= chance[:, :, None]
            log = np.log(self.weight) + np.log(chance).sum(axis=1)
            weight = np.exp(log - log.max())
            self.weight = (1 - SHARE) * weight / weight.sum() + SHARE * START
            self._follow(before, belief, float((self.steps - self._when[who[seen]]).mean()))
            self._belief[:, who[seen]] = belief[:-1]
        for kind in np.flatnonzero(np.bincount(went, minlength=4)):
            counts = np.bincount(step.what[went == kind], minlength=len(step.like))
            self._tally[kind] = _with(KEPT * self._tally[kind], step.like, counts, self._vague)
        new = ~seen & (who >= 0)
        if new.any():
            # Of a prompt seen for the first time it is known how the others of its step fared.
            joint = step.like * self._usual()[UNSEEN]
            self._belief[:, who[new]] = (joint / joint.sum(axis=1, keepdims=True))[step.what[new]]
        self._went[who] = step.went
        self._went[-1] = UNSEEN
        self._when[who] = self.steps
        self.steps += 1
        self.moved = float(np.clip(self.moved + self.drift, -FARTHEST, FARTHEST))
        self._vague = _vague(self.moved)

    def _follow(self, before: Floats, belief: Floats, gap: float) -> None:
        """Let the common drift follow how prompts seen again moved beyond what was foretold, ``gap`` steps later."""
        weight, count = self.weight[:-1] / self.weight[:-1].sum(), belief.shape[1]
        each = np.full(count, 1 / count, np.float32)
        moved = [(each @ b - each @ a) @ NODES for a, b in zip(before[:-1], belief[:-1], strict=True)]
        self.drift += DRIFT * count / (count + FEW) * float(weight @ np.array(moved)) / gap


def _population(tally: Floats, vague: Floats) -> Floats:
    """Populations as they were tallied, [..., nodes], beside a vague one that weighs as much as one group."""
    return np.asarray((tally + vague) / (tally.sum(axis=-1, keepdims=True) + 1))


def _with(tally: Floats, like: Floats, counts: Ints, vague: Floats) -> Floats:
    """A tally with more groups added, each shared out among the nodes by expectation maximisation."""
    some = counts > 0
    like, counts, new = like[some], counts[some], np.zeros(NODES.size)
    for _ in range(ROUNDS):
        joint = like * (tally + new + vague)
        new = (counts / joint.sum(axis=1)) @ joint
    return np.asarray(tally + new)
