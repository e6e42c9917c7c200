"""Single prompts: what was learnt of each key, what the policy absorbed, which are mastered, hopeless or flat."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitrate.meter.cells import GRADED, Cells, Sums, by_prompt
from bitrate.meter.flat import Flat, never_learn
from bitrate.stats import Log2PassRate, PassRates, cluster_ratio, fit
from bitrate.stats.minimax import LARGEST_SOLVED
from bitrate.theory import binary_entropy
from bitrate.types import Estimate, Floats, Ints
from bitrate.wording import number_of

PROMPT = "bits/prompt"
MASTERED, HOPELESS = 0.95, 0.05
VISITS_TO_JUDGE = 4
#: Prompts from which the spread of whole-run pass rates is fitted, an even sample where there are more.
FITTED = 400
NEVER_LEARN = f"prompts that never learn, of those visited {VISITS_TO_JUDGE} times or more at a middling pass rate"
NO_IDENTITY = "these files give prompts no lasting identity, so none can be followed"
HIST_EDGES = (0.0, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0)


def outcome_posterior(cells: Cells, several: bool) -> Sums:
    """By prompt, the sum over groups of the tighter of a bound and n times E[h(p) | counts].

    The bound is log2(M+1) bits for M distinct answers, or M where ``several`` answers may be right, or n where one
    answer was scored both ways. A rollout alone in its group says nothing about how pass rates spread: only the bound
    holds there. Beside ``bits``: the rollouts for which the posterior was tighter, its own sum, and the rollouts that
    have one.
    """
    keys = {"n": "n", "k": "n_correct", "m": "n_distinct_answers", "torn": "n_torn_answers > 0"}
    found = cells.counted(keys, {"c": "count(*)", "w": "sum(n)"})
    right, size, count = cells.histogram("n > 1")
    n, many = found["n"], found["n"] > 1
    bits = n.astype(float)
    bits[many] *= fit(right, size, count).posterior_mean(binary_entropy, found["k"][many], n[many])
    answers = found["m"].astype(float)
    bound = np.where(found["torn"] > 0, n, answers if several else np.log2(answers + 1))
    scores = {
        "bits": found["c"] * np.minimum(bound, bits),
        "leaning": np.where(many & (bits < bound), found["w"], 0),
        "posterior": np.where(many, found["c"] * bits, 0.0),
        "several": np.where(many, found["w"], 0),
    }
    return by_prompt(found, scores)


def resolved(rollouts: float) -> float:
    """The smallest pass rate told from 0 by so many rollouts, 1/(2K), with K at most the largest size solved for."""
    return 1 / (2 * min(rollouts, LARGEST_SOLVED))


@dataclass
class Prompts:
    """One row a prompt: counts of its first and last visit, of each half of its visits, and in all."""

    cells: Cells
    level: float

    @cached_property
    def column(self) -> dict[str, NDArray[Any]]:
        """Arrays by column, in the order of ``who``."""
        half = "2 * visit <= visits"
        return self.cells.columns(
            "SELECT who, count(*) AS groups, sum(n) AS n, sum(n_correct) AS k, "
            "arg_min(n, visit) AS n_first, arg_min(n_correct, visit) AS k_first, arg_max(n, visit) AS n_last, "
            f"arg_max(n_correct, visit) AS k_last, "
            f"sum(n) FILTER ({half}) AS n_early, sum(n_correct) FILTER ({half}) AS k_early, "
            "sum(completion_tokens) AS tokens, sum(n_counted) AS counted, "
            "sum(CASE WHEN n_correct = 0 OR n_correct = n THEN n ELSE 0 END) AS dead "
            "FROM cells GROUP BY who ORDER BY who"
        )

    def ints(self, name: str) -> Ints:
        """A column of whole numbers; a half that holds no visit counts none."""
        column = self.column[name]
        return np.nan_to_num(column).astype(np.int64) if column.dtype.kind == "f" else column.astype(np.int64)

    @cached_property
    def followed(self) -> bool:
        """Whether a prompt keeps its identity over the run."""
        return self.cells.groups.provenance.prompt_id != "positional"

    def visit_rates(self, which: str) -> PassRates:
        """Population of pass rates at every prompt's first or last visit."""
        return self._rates[which]

    @cached_property
    def _rates(self) -> dict[str, PassRates]:
        return {which: fit(self.ints(f"k_{which}"), self.ints(f"n_{which}")) for which in ("first", "last")}

    @cached_property
    def floor(self) -> float:
        """Smallest pass rate that one visit can resolve."""
        return resolved(float(np.median(self.ints("n_first"))))

    def key_bits(self) -> Estimate:
        """Mean over prompts of log2(1/p0) at the first success, and 0 where there was none."""
        name = "key bits per prompt"
        problem = self._unfit()
        if problem:
            return Estimate.missing(name, PROMPT, problem)
        [(several,)] = self.cells.ask(
            "SELECT count(*) FILTER (n_right_answers > 1 AND n_distinct_answers IS NOT NULL) FROM cells"
        )
        if several:
            reason = (
                f"{number_of(several, 'group holds', 'groups hold')} several different right answers: "
                f"the key is a set of answers, and log2(1/p0) is not its bits"
            )
            return Estimate.missing(name, PROMPT, reason)
        log2 = Log2PassRate(self.floor)
        first = self.visit_rates("first").posterior_mean(log2, self.ints("k_first"), self.ints("n_first"))
        bits = np.where(self.ints("k") > 0, -first, 0.0)
        method = (
            f"log2(1/p0) at the first success, posterior mean on the first visit, "
            f"p0 resolved down to {self.floor:g}; one right answer a prompt assumed"
        )
        return cluster_ratio(
            np.ones(bits.size),
            bits,
            0.0,
            -log2.low,
            name=name,
            unit=PROMPT,
            level=self.level,
            method=method,
            within=(0.0, -log2.low),
        )

    def _unfit(self) -> str | None:
        if not self.cells.binary:
            return GRADED
        if not self.followed:
            return NO_IDENTITY
        if self.ints("n_first").max(initial=0) < 2:
            return "one rollout a visit: a pass rate cannot be told from chance"
        return None

    def shares(self) -> dict[str, Estimate]:
        """Shares of prompts mastered, hopeless, and never learning."""
        names = {
            "mastered": f"prompts mastered by their last visit, p >= {MASTERED:g}",
            "hopeless": f"prompts hopeless at their last visit, p <= {HOPELESS:g}",
            "never_learn": NEVER_LEARN,
        }
        unit = "share of prompts"
        problem = self._unfit()
        if problem:
            return {k: Estimate.missing(v, unit, problem) for k, v in names.items()}
        masses = {"mastered": self._mass(MASTERED, 1.0), "hopeless": self._mass(0.0, HOPELESS)}
        method = "posterior under the fitted pass rates of the last visits"
        found = {k: self._share(names[k], unit, m, method) for k, m in masses.items()}
        return found | {"never_learn": self.flat.share}

    def _mass(self, low: float, high: float) -> Floats:
        return self.visit_rates("last").posterior_share(low, high, self.ints("k_last"), self.ints("n_last"))

    def _share(self, name: str, unit: str, mass: Floats, method: str) -> Estimate:
        return cluster_ratio(
            np.ones(mass.size), mass, 0.0, 1.0, name=name, unit=unit, level=self.level, method=method, within=(0.0, 1.0)
        )

    @cached_property
    def flat(self) -> Flat:
        """The share of middling prompts that never learn."""
        judged = np.flatnonzero(self.judged(np.arange(self.ints("k").size)))
        if not judged.size:
            reason = f"no prompt with a middling pass rate was visited {VISITS_TO_JUDGE} times or more"
            return Flat(Estimate.missing(NEVER_LEARN, "share of prompts", reason), 0)
        return never_learn(*self.halves(judged), name=NEVER_LEARN, level=self.level)

    def judged(self, rows: Ints) -> NDArray[np.bool_]:
        """Which of these prompts were visited often enough and have a middling pass rate."""
        k, n, groups = (self.ints(c)[rows] for c in ("k", "n", "groups"))
        return (groups >= VISITS_TO_JUDGE) & (k > HOPELESS * n) & (k < MASTERED * n)

    def halves(self, rows: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        """Right and all rollouts in the first and in the second half of these prompts' visits."""
        k, n, k1, n1 = (self.ints(c)[rows] for c in ("k", "n", "k_early", "n_early"))
        return k1, n1, k - k1, n - n1

    def histogram(self) -> dict[str, Any]:
        """Shares of prompts by pass rate, first visit against last, without taking k/n for p."""
        edges = list(HIST_EDGES)
        shown: dict[str, Any] = {"edges": edges, "first": None, "last": None, "all": None, "note": ""}
        if not self.cells.binary:
            return shown | {"note": "The reward is graded: there is no pass rate."}
        right, size, count = self.cells.histogram("n > 1")
        if not count.sum():
            return shown | {"note": "Every group holds one rollout: how pass rates spread cannot be seen."}
        every = fit(right, size, count).smoothed(float(np.median(size))).bin_probability(edges, right, size)
        shown["all"] = (count @ every / count.sum()).tolist()
        shown["note"] = (
            "The spread of pass rates, not of k/n: non-parametric maximum likelihood, "
            "smoothed to the resolution of one group."
        )
        again = (self.ints("groups") > 1) & (self.ints("n_first") > 1) & (self.ints("n_last") > 1)
        if self.followed and again.any():
            for which in ("first", "last"):
                k, n = self.ints(f"k_{which}")[again], self.ints(f"n_{which}")[again]
                rates = fit(k, n).smoothed(float(np.median(n)))
                shown[which] = rates.bin_probability(edges, k, n).mean(axis=0).tolist()
            visited = number_of(int(again.sum()), "prompt")
            shown["note"] += f" First and last visit of the {visited} visited more than once."
        return shown

    def rows(self, most: int) -> list[dict[str, Any]]:
        """The prompts that took most rollouts in constant groups, then by name: for a table."""
        if not self.cells.binary:
            return []
        order = np.argsort(-self.ints("dead"), kind="stable")[:most]
        k, n = self.ints("k")[order], self.ints("n")[order]
        visits = self.ints("groups")[order]
        if not n.size:
            return []
        sample = np.unique(np.linspace(0, self.ints("n").size - 1, FITTED).astype(int))
        every = fit(self.ints("k")[sample], self.ints("n")[sample])
        p = every.posterior_mean(lambda x: x, k, n)
        bits = every.posterior_mean(binary_entropy, k, n)
        first, last = (self._at(which, order) for which in ("first", "last"))
        flat = np.where(self.judged(order), self.flat.chance(*self.halves(order)), 0.0)
        counted, tokens = self.ints("counted")[order], self.ints("tokens")[order]
        ids, dead = self._ids(order), self.ints("dead")[order]
        excerpts = self.cells.groups.excerpts(ids)
        return [
            {
                "prompt_id": ids[i],
                "prompt": excerpts.get(ids[i]),
                "groups": int(visits[i]),
                "rollouts": int(n[i]),
                "right": int(k[i]),
                "dead_rollouts": int(dead[i]),
                "pass_rate": float(p[i]),
                "bits": float(bits[i]),
                "first": float(first[i]) if visits[i] > 1 and self.followed else None,
                "last": float(last[i]) if visits[i] > 1 and self.followed else None,
                "tokens": int(tokens[i]) if counted[i] == n[i] else None,
                "state": _state(float(last[i]), int(k[i]), int(visits[i]), float(flat[i])),
            }
            for i in range(len(order))
        ]

    def _ids(self, rows: Ints) -> list[str]:
        """Names of a few prompts: of all of them they may take more memory than all else."""
        wanted = ", ".join(map(str, self.column["who"][rows]))
        found = self.cells.ask(f"SELECT DISTINCT who, prompt_id FROM cells WHERE who IN ({wanted})")
        names = {int(who): str(prompt) for who, prompt in found}
        return [names[int(who)] for who in self.column["who"][rows]]

    def _at(self, which: str, order: Ints) -> Floats:
        rates = self.visit_rates(which)
        return rates.posterior_mean(lambda x: x, self.ints(f"k_{which}")[order], self.ints(f"n_{which}")[order])


def _state(last: float, right: int, visits: int, flat: float) -> str:
    if last >= MASTERED:
        return "mastered"
    if last <= HOPELESS:
        return "hopeless" if right == 0 else "lost" if visits > 1 else "rarely right"
    if visits >= VISITS_TO_JUDGE and flat > 0.8:
        return "flat"
    return "learning" if visits > 1 else "mixed"
