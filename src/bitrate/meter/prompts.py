"""Single prompts: what was learnt of each key, what the policy absorbed, which are mastered, hopeless or flat."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitrate.meter.clusters import prompt_ratio
from bitrate.meter.flat import Flat, never_learn
from bitrate.meter.groups import GroupTable
from bitrate.stats import PassRates, fit, share_bounds
from bitrate.stats.minimax import LARGEST_SOLVED
from bitrate.theory import binary_entropy
from bitrate.types import Estimate, Floats, Ints
from bitrate.wording import number_of

SHARE = "share of prompts"
MASTERED, HOPELESS = 0.95, 0.05
VISITS_TO_JUDGE = 4
#: Prompts from which the spread of whole-run pass rates is fitted, an even sample where there are more.
FITTED = 400
NEVER_LEARN = f"prompts that never learn, of those visited {VISITS_TO_JUDGE} times or more at a middling pass rate"
NO_IDENTITY = "these files give prompts no lasting identity, so none can be followed"
HIST_EDGES = (0.0, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0)


def resolved(rollouts: float) -> float:
    """The smallest pass rate told from 0 by so many rollouts, 1/(2K), with K at most the largest size solved for."""
    return 1 / (2 * min(rollouts, LARGEST_SOLVED))


@dataclass(frozen=True)
class PassRateHistogram:
    """Shares of prompts by pass rate: at their first visit, their last one, and over all groups."""

    edges: tuple[float, ...]
    first: tuple[float, ...] | None
    last: tuple[float, ...] | None
    all: tuple[float, ...] | None
    note: str


@dataclass(frozen=True)
class PromptRow:
    """A prompt for a table: counts, pass rate in all, at its first and last visit, and how it stands."""

    prompt_id: str
    prompt: str | None
    groups: int
    rollouts: int
    right: int
    dead_rollouts: int
    pass_rate: float
    bits: float
    first: float | None
    last: float | None
    tokens: int | None
    state: str


@dataclass
class Prompts:
    """One row a prompt: counts of its first and last visit, of each half of its visits, and in all."""

    table: GroupTable
    level: float

    @cached_property
    def _column(self) -> dict[str, Ints]:
        """Arrays by column, in the order of ``who``."""
        table = self.table
        early, dead = 2 * table.visit <= np.repeat(table.visits, table.visits), table.kinds["constant"] | ~table.several
        first, last = table.starts[:-1], table.starts[1:] - 1
        found = {"groups": table.visits, "n_first": table.n[first], "n_last": table.n[last], "n": self._sum(table.n)}
        found |= {"n_early": self._sum(table.n * early), "dead": self._sum(table.n * dead)}
        if table.binary:
            right = table.right
            found |= {"k_first": right[first], "k_last": right[last], "k": self._sum(right)}
            found["k_early"] = self._sum(right * early)
        return {name: np.asarray(values, dtype=np.int64) for name, values in found.items()}

    def _sum(self, values: NDArray[Any]) -> Ints:
        """Sums of whole numbers over each prompt's groups."""
        starts = self.table.starts[:-1]
        return np.add.reduceat(np.asarray(values, dtype=np.int64), starts) if values.size else values[:0]

    def __getitem__(self, name: str) -> Ints:
        return self._column[name]

    @cached_property
    def rates(self) -> dict[str, PassRates]:
        """Population of pass rates at every prompt's first and last visit."""
        return {which: fit(self[f"k_{which}"], self[f"n_{which}"]) for which in ("first", "last")}

    @cached_property
    def floor(self) -> float:
        """Smallest pass rate that one visit can resolve."""
        return resolved(float(np.median(self["n_first"])))

    def unfit(self) -> str | None:
        """Why nothing can be said of single prompts, or None."""
        if self.table.no_rates:
            return self.table.no_rates
        if not self.table.followed:
            return NO_IDENTITY
        if self["n_first"].max(initial=0) < 2:
            return "one rollout a visit: a pass rate cannot be told from chance"
        return None

    def shares(self) -> dict[str, Estimate]:
        """Shares of prompts mastered, hopeless, and never learning."""
        names = {
            "mastered": f"prompts mastered by their last visit, p >= {MASTERED:g}",
            "hopeless": f"prompts hopeless at their last visit, p <= {HOPELESS:g}",
            "never_learn": NEVER_LEARN,
        }
        if problem := self.unfit():
            return {k: Estimate.missing(v, SHARE, problem) for k, v in names.items()}
        k, n = self["k_last"], self["n_last"]
        return {
            "mastered": self._share(names["mastered"], self.rates["last"].posterior_share(MASTERED, 1.0, k, n), k),
            "hopeless": self._share(names["hopeless"], self.rates["last"].posterior_share(0.0, HOPELESS, k, n), n - k),
            "never_learn": self.flat.share,
        }

    def _share(self, name: str, mass: Floats, count: Ints) -> Estimate:
        """The share of prompts at or beyond MASTERED, of the outcomes that are counted: its posterior between bounds.

        A fitted population is one of many that explain the counts; the interval holds for all of them.
        """
        ends = [
            [
                prompt_ratio(
                    self.table, np.arange(mass.size), np.ones(mass.size), bound.score, 0.0, bound.spread, name=name,
                    unit=SHARE, level=1 - (1 - self.level) / len(bounds), method="",
                )
                for bound in bounds
            ]
            for bounds in share_bounds(MASTERED, count, self["n_last"])
        ]  # fmt: skip
        known = [[end.known for end in each if end.known] for each in ends]
        if not all(known):
            return ends[0][0]
        low, high = max(0.0, *(k[0] for k in known[0])), min(1.0, *(k[2] for k in known[1]))
        fitted = float(mass.mean())
        value = min(max(fitted, low), high)
        method = "posterior under the fitted pass rates of the last visits; interval for any population, by its counts"
        if value != fitted:
            method += f"; estimate {fitted:.3g} moved to {value:.3g}, the edge of what counts allow"
        return Estimate(name, value, low, high, SHARE, self.level, ends[0][0].n, method)

    @cached_property
    def flat(self) -> Flat:
        """The share of middling prompts that never learn."""
        judged = np.flatnonzero(self.judged(np.arange(self["k"].size)))
        if not judged.size:
            reason = f"no prompt with a middling pass rate was visited {VISITS_TO_JUDGE} times or more"
            return Flat(Estimate.missing(NEVER_LEARN, SHARE, reason), 0)
        return never_learn(*self.halves(judged), name=NEVER_LEARN, level=self.level)

    def judged(self, rows: Ints) -> NDArray[np.bool_]:
        """Which of these prompts were visited often enough and have a middling pass rate."""
        k, n, groups = (self[c][rows] for c in ("k", "n", "groups"))
        return (groups >= VISITS_TO_JUDGE) & (k > HOPELESS * n) & (k < MASTERED * n)

    def halves(self, rows: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        """Right and all rollouts in the first and in the second half of these prompts' visits."""
        k, n, k1, n1 = (self[c][rows] for c in ("k", "n", "k_early", "n_early"))
        return k1, n1, k - k1, n - n1

    def histogram(self) -> PassRateHistogram:
        """Shares of prompts by pass rate, first visit against last, without taking k/n for p."""
        if not self.table.binary:
            return PassRateHistogram(HIST_EDGES, None, None, None, "The reward is graded: there is no pass rate.")
        if self.table.no_rates:
            note = f"{self.table.no_rates[:1].upper()}{self.table.no_rates[1:]}."
            return PassRateHistogram(HIST_EDGES, None, None, None, note)
        right, size, count = self.table.histogram(self.table.several)
        if not count.sum():
            note = "Every group holds one rollout: how pass rates spread cannot be seen."
            return PassRateHistogram(HIST_EDGES, None, None, None, note)
        every = self.table.rates.smoothed(float(np.median(size))).bin_probability(HIST_EDGES, right, size)
        note = (
            "The spread of pass rates, not of k/n: non-parametric maximum likelihood, "
            "smoothed to the resolution of one group."
        )
        again = (self["groups"] > 1) & (self["n_first"] > 1) & (self["n_last"] > 1)
        visits = dict[str, tuple[float, ...] | None](first=None, last=None)
        if self.table.followed and again.any():
            for which in visits:
                k, n = self[f"k_{which}"][again], self[f"n_{which}"][again]
                rates = (self.rates[which] if again.all() else fit(k, n)).smoothed(float(np.median(n)))
                visits[which] = tuple(rates.bin_probability(HIST_EDGES, k, n).mean(axis=0).tolist())
            visited = number_of(int(again.sum()), "prompt")
            note += f" First and last visit of the {visited} visited more than once."
        return PassRateHistogram(
            HIST_EDGES, visits["first"], visits["last"], tuple((count @ every / count.sum()).tolist()), note
        )

    def rows(self, most: int) -> tuple[PromptRow, ...]:
        """The prompts that took most rollouts in constant groups, then by name: for a table."""
        if self.table.no_rates:
            return ()
        order = np.argsort(-self["dead"], kind="stable")[:most]
        k, n = self["k"][order], self["n"][order]
        visits = self["groups"][order]
        if not n.size:
            return ()
        sample = np.unique(np.linspace(0, self["n"].size - 1, FITTED).astype(int))
        every = fit(self["k"][sample], self["n"][sample])
        p = every.posterior_mean(lambda x: x, k, n)
        bits = every.posterior_mean(binary_entropy, k, n)
        first, last = (self._at(which, order) for which in ("first", "last"))
        flat = np.where(self.judged(order), self.flat.chance(*self.halves(order)), 0.0)
        counted, tokens = self._tokens()
        ids, dead = self.table.prompt_ids(order), self["dead"][order]
        excerpts = self.table.reduced.excerpts(ids)
        return tuple(
            PromptRow(
                prompt_id=ids[i],
                prompt=excerpts.get(ids[i]),
                groups=int(visits[i]),
                rollouts=int(n[i]),
                right=int(k[i]),
                dead_rollouts=int(dead[i]),
                pass_rate=float(p[i]),
                bits=float(bits[i]),
                first=float(first[i]) if visits[i] > 1 and self.table.followed else None,
                last=float(last[i]) if visits[i] > 1 and self.table.followed else None,
                tokens=int(tokens[order[i]]) if counted[order[i]] == n[i] else None,
                state=_state(float(last[i]), int(k[i]), int(visits[i]), float(flat[i])),
            )
            for i in range(len(order))
        )

    def _tokens(self) -> tuple[Ints, Ints]:
        """Rollouts of each prompt whose tokens are counted, and their completion tokens."""
        counted, tokens = (self.table.column[c] for c in ("n_counted", "completion_tokens"))
        return self._sum(counted), self._sum(np.nan_to_num(tokens))

    def _at(self, which: str, order: Ints) -> Floats:
        rates = self.rates[which]
        return rates.posterior_mean(lambda x: x, self[f"k_{which}"][order], self[f"n_{which}"][order])


def _state(last: float, right: int, visits: int, flat: float) -> str:
    if last >= MASTERED:
        return "mastered"
    if last <= HOPELESS:
        return "hopeless" if right == 0 else "lost" if visits > 1 else "rarely right"
    if visits >= VISITS_TO_JUDGE and flat > 0.8:
        return "flat"
    return "learning" if visits > 1 else "mixed"
