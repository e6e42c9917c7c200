"""Known keys: of a log that holds each prompt's target and how surprising it was, what was told of it and what is held.

A planted answer key is the case in which received and absorbed bits can be worked out, not just bounded. A row holds
``target`` and ``target_surprisal``, the bits ``-log2 pi(target)`` of the policy that wrote it; a label that was shown
and not sampled has ``shown``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bitrate.errors import DataError
from bitrate.logs.engines import duck
from bitrate.logs.reduce import Groups
from bitrate.stats import cluster_ratio
from bitrate.types import Bools, Estimate, Floats, Ints

COLUMNS = (
    "run", "split", "step", "prompt_id", "reward", "correct", "answer", "target", "target_surprisal", "shown",
    "advantage", "components",
)  # fmt: skip
NO_KEYS = "the files do not hold target_surprisal, the bits of each prompt's target under the policy"
#: With so many runs or more they are the independent units, else the prompts of the runs that there are.
LEAST_RUNS = 3
#: Log-odds of what never happened, nats: beyond all that was counted, and finite, so that sums are numbers.
NEVER = -1e9
#: Up to which token of its target a rollout was judged, where the log holds scores of single tokens or the first error.
JUDGED = """CASE WHEN NOT {scored} THEN 0 WHEN element_at(components, 'token_0')[1] IS NOT NULL THEN length(target)
 WHEN element_at(components, 'first_error')[1] >= 0 THEN 1 + element_at(components, 'first_error')[1]
 WHEN components IS NOT NULL OR {right} THEN length(target) ELSE 0 END"""
#: One row a visit to a prompt, and how many different wrong answers all visits before it have ruled out.
VISITS = """
WITH firsts AS (SELECT run, prompt_id, answer, min(step) AS step FROM keyed WHERE {wrong} AND judged = 0
                GROUP BY run, prompt_id, answer),
     fresh AS (SELECT run, prompt_id, step, count(*) AS fresh FROM firsts GROUP BY ALL),
     v AS (SELECT run, prompt_id, step, median(target_surprisal) AS bits, any_value(length(target)) AS length,
           count(*) FILTER ({scored}) AS n, count(*) FILTER ({right}) AS n_right,
           coalesce(bool_or(shown), false) AS label,
           coalesce(bool_or({right}), false) AS hit, max(judged) AS judged,
           coalesce(bool_or(advantage IS NOT NULL OR components IS NOT NULL), false) AS normalised
           FROM keyed GROUP BY run, prompt_id, step)
SELECT v.*, coalesce(fresh, 0) AS fresh FROM v LEFT JOIN fresh USING (run, prompt_id, step)
ORDER BY run, prompt_id, step
"""
#: How often a prompt's answer was shown, or scored right or wrong, before the visit that is under way; ``mode``: no
#: answer of the group was more common.
HEARD = """
WITH n AS (SELECT *, step = max(step) OVER (PARTITION BY run, prompt_id) AS now FROM keyed),
     r AS (SELECT *, count(*) OVER (PARTITION BY run, step, prompt_id, answer) AS votes FROM n
           WHERE NOT now AND {told}),
     m AS (SELECT *, votes = max(votes) OVER (PARTITION BY run, step, prompt_id) AS mode FROM r)
SELECT dense_rank() OVER (ORDER BY run, prompt_id) - 1, run, prompt_id, answer, mode, shown, bool_or(answer = target),
       count(*) FILTER (shown OR {right}), count(*) FILTER (NOT shown AND {wrong})
FROM m GROUP BY run, prompt_id, answer, mode, shown ORDER BY run, prompt_id, answer, mode, shown
"""


@dataclass(frozen=True)
class Channel:
    """What a reward or a label says of the answer it is about, estimated from a log that holds the right answers.

    The verifier's errors, or the labels', are counted where the log holds the right answers. A reward that knows
    nothing of them is as frequent for right answers as for wrong ones, and so is seen to carry nothing.

    Args:
        yes: log-odds that a "right", or a label, puts on the answer, nats, by whether it was its group's most common.
        no: the same of a "wrong".
    """

    yes: tuple[float, float]
    no: tuple[float, float]

    @classmethod
    def of_labels(cls, hit: Bools, yes: Floats, alphabet: int) -> Channel:
        """From counts of labels; wrong labels are taken to be alike."""
        right = float(yes[hit].sum() / yes.sum())
        lift = _log(right) - _log((1 - right) / (alphabet - 1))
        return cls((lift, lift), (0.0, 0.0))

    @classmethod
    def of_scores(cls, mode: Bools, hit: Bools, yes: Floats, no: Floats) -> Channel:
        """From counts of scores; a most common answer has rates of its own: a majority's vote is seen to say nothing.

        Where only right or only wrong answers were seen, the verifier is taken to make no errors if it made none on
        them, and to say nothing if it did.
        """
        if hit.all() or not hit.any():
            errs = (no if hit.all() else yes).any()
            return cls((0.0, 0.0), (0.0, 0.0)) if errs else cls((-NEVER, -NEVER), (NEVER, NEVER))
        lifts = []
        for context in (False, True):
            rates = []
            for truth in (True, False):
                here = (mode == context) & (hit == truth)
                here = here if here.any() else hit == truth
                rates.append(float(yes[here].sum() / max(1.0, (yes + no)[here].sum())))
            lifts.append((_log(rates[0]) - _log(rates[1]), _log(1 - rates[0]) - _log(1 - rates[1])))
        return cls((lifts[0][0], lifts[1][0]), (lifts[0][1], lifts[1][1]))


def _log(x: float) -> float:
    return math.log(x) if x > 0 else NEVER


def posterior_bits(scores: Floats, alphabet: int) -> float:
    """``log2 V - H(answer | told)`` of one prompt.

    Args:
        scores: log-odds of the answers that something was said of, nats; 0 for all others of the V.
        alphabet: V.

    Raises:
        DataError: every answer was ruled out.

    >>> posterior_bits(np.array([-1e9, -1e9]), 4)
    1.0
    >>> posterior_bits(np.array([1e9, -1e9]), 4)
    2.0
    """
    s = np.zeros(max(alphabet, len(scores)))
    s[: len(scores)] = scores
    if s.max() < NEVER / 10:
        raise DataError("every answer was ruled out", hint="does the verifier change its mind about a prompt?")
    odds = np.exp(s - s.max())
    p = odds / odds.sum()
    return math.log2(alphabet) + float((p[p > 0] * np.log2(p[p > 0])).sum())


class KnownKeys:
    """The prompts of one split whose target's surprisal is known, in the order of runs and prompts.

    Args:
        reduced: the reduced input.
        split: ``"train"`` or ``"eval"``.
        until: the step at which policies are looked at, or the last visit before it; None for the end. The visit that
            is under way counts for the policy, and not yet for what was received.
        marked: whether only labels and rollouts with an advantage count as heard, also in a log that holds neither.

    ``alphabet`` is V, the different targets of the training split, ``answers`` those of all splits.
    """

    def __init__(
        self, reduced: Groups, split: str = "train", until: int | None = None, *, marked: bool = False
    ) -> None:
        con, outcome = reduced.con, reduced.outcome
        threshold = outcome.threshold if outcome.threshold is not None else 0.5
        terms = {
            "scored": f"{outcome.column} IS NOT NULL",
            "right": f"coalesce({outcome.column} > {threshold!r}, false)",
            "wrong": f"coalesce({outcome.column} <= {threshold!r}, false)",
        }
        some = "" if until is None else f"AND step <= {until}"
        known = f"split = '{split}' AND target_surprisal IS NOT NULL {some}"
        judged = JUDGED.format(**terms)
        duck.run(
            con,
            "CREATE OR REPLACE TEMP TABLE keyed AS "
            f"SELECT * REPLACE (coalesce(shown, false) AS shown), {judged} AS judged "
            f"FROM ({reduced.select(COLUMNS)}) WHERE {known}",
        )
        [(self.alphabet, self.answers)] = duck.run(
            con,
            "SELECT count(DISTINCT target) FILTER (split = 'train'), count(DISTINCT target) "
            f"FROM ({reduced.select(COLUMNS)}) WHERE target_surprisal IS NOT NULL",
        )
        self.visit = duck.arrays(con, VISITS.format(**terms))
        run, prompt = (self.visit.pop(name).astype(object) for name in ("run", "prompt_id"))
        new = np.r_[True, (run[1:] != run[:-1]) | (prompt[1:] != prompt[:-1])] if run.size else np.zeros(0, bool)
        self.start = np.flatnonzero(new)
        self.last = np.append(self.start[1:], run.size)[: self.start.size] - 1
        self.prompts = prompt[self.start]
        self.runs, self.run = np.unique(run[self.start].astype(str), return_inverse=True)
        # Where the log holds labels or advantages, a rollout without either made no update.
        [(says,)] = duck.run(con, "SELECT count(*) FILTER (shown OR advantage IS NOT NULL) > 0 FROM keyed")
        told = "(shown OR advantage IS NOT NULL)" if says or marked else terms["scored"]
        self._heard = duck.run(con, HEARD.format(**terms, told=told))
        duck.run(con, "DROP TABLE keyed")

    def problem(self) -> str | None:
        """Why nothing can be said of the keys, or None."""
        if not self.start.size:
            return NO_KEYS
        if self.alphabet < 2:
            return "the log has one target: nothing is to be known of it"
        endless = int((~np.isfinite(self.visit["bits"])).sum())
        return f"target_surprisal is not finite in {endless:,} visits" if endless else None

    @cached_property
    def first_bits(self) -> Floats:
        """Surprisal of each prompt's target at its first visit, bits, shape [prompts]."""
        return np.asarray(self.visit["bits"][self.start], dtype=np.float64)

    @cached_property
    def last_bits(self) -> Floats:
        """Surprisal of each prompt's target at the visit under way, bits, shape [prompts]."""
        return np.asarray(self.visit["bits"][self.last], dtype=np.float64)

    @property
    def held(self) -> Floats:
        """``log2 V + log2 pi(target)`` of each prompt: Barber-Agakov from a uniform prior, the policy as decoder."""
        return np.asarray(math.log2(self.alphabet) - self.last_bits)

    @property
    def absorbed(self) -> Floats:
        """Fall of the surprisal from the first visit to the last: the same with the starting policy as prior."""
        return np.asarray(self.first_bits - self.last_bits)

    @cached_property
    def ruled_out(self) -> Ints:
        """Different answers that were scored wrong as a whole before the visit under way, shape [prompts]."""
        return self.before(self.visit["fresh"], np.add)

    def before(self, values: np.ndarray, by: np.ufunc) -> np.ndarray:
        """Sum or maximum of a figure over each prompt's visits before the one under way; 0 where there was none."""
        inside = np.ones(values.size, bool)
        inside[self.last] = False
        return np.asarray(by.reduceat(np.where(inside, values, 0), self.start)) if values.size else values[:0]

    @cached_property
    def received(self) -> Floats:
        """``log2 V - H(target | all that was heard)`` of each prompt, from a uniform prior over the log's targets.

        Labels and scores are heard through the channels that the log shows; with no errors it is
        ``log2 V - log2 (V - M)`` for M different wrong answers, and ``log2 V`` once the right one was scored or shown.

        Raises:
            DataError: every answer to a prompt was ruled out.
        """
        found = np.zeros(self.start.size)
        if not self._heard:
            return found
        mode, label, hit = (np.array([row[i] for row in self._heard], bool) for i in (4, 5, 6))
        yes, no = (np.array([row[i] for row in self._heard], float) for i in (7, 8))
        score = np.zeros(len(self._heard))
        for kind in (label, ~label):
            if kind.any():
                channel = (
                    Channel.of_labels(hit[kind], yes[kind], self.alphabet)
                    if label[kind][0]
                    else Channel.of_scores(mode[kind], hit[kind], yes[kind], no[kind])
                )
                context = mode[kind].astype(int)
                score[kind] = yes[kind] * np.array(channel.yes)[context] + no[kind] * np.array(channel.no)[context]
        place = {(self.runs[r], p): i for i, (r, p) in enumerate(zip(self.run, self.prompts, strict=True))}
        told: dict[int, dict[str, float]] = {}
        for (_, run, prompt, answer, *_), lift in zip(self._heard, score, strict=True):
            of = told.setdefault(place[run, prompt], {})
            of[answer] = of.get(answer, 0.0) + float(lift)
        for i, answers in told.items():
            found[i] = posterior_bits(np.array(list(answers.values())), self.alphabet)
        return found

    def mean(self, bits: Floats, level: float, method: str, reach: float | None = None) -> Estimate:
        """Mean over prompts of a figure, bits a prompt; its name and unit are left to the caller.

        Runs are independent and prompts of one are not: with three runs or more the interval is over runs, an unseen
        one of which may differ as runs do, or by one prompt's key.

        Args:
            bits: shape [prompts].
            level: coverage.
            method: how it was computed.
            reach: how far one prompt may lie from the others, bits; a whole key by default.
        """
        one = math.log2(self.alphabet) if reach is None else reach
        if self.runs.size >= LEAST_RUNS:
            weight, score = self.by_run(bits)
            spread = max(float((score / weight).std()), one / float(weight.mean()))
            how = f"{method}; by run"
        else:
            weight, score = np.ones(bits.size), bits
            spread, how = max(float(bits.std()), one), f"{method}; by prompt of {self.runs.size} run(s)"
        return cluster_ratio(weight, score, 0.0, spread, name="", unit="", level=level, method=how)

    def by_run(self, bits: Floats) -> tuple[Floats, Floats]:
        """Prompts of each run, and the sum of a figure over them."""
        weight = np.bincount(self.run, minlength=self.runs.size).astype(float)
        return weight, np.asarray(np.bincount(self.run, weights=bits, minlength=self.runs.size))


#: What the figures of known keys are a mean of.
OfPrompts = Callable[[KnownKeys], Floats]
