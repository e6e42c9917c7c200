"""What a prompt was told of its answer, under a channel that the log itself shows.

The verifier's errors, or the labels', are counted where the log holds the right answers. A reward that knows nothing of
them is as frequent for right answers as for wrong ones, and so is seen to carry nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bitrate.errors import DataError
from bitrate.logs.engines import duck
from bitrate.types import Bools, Floats

if TYPE_CHECKING:
    import duckdb

#: Log-odds of what never happened, nats: beyond all that was counted, and finite, so that sums are numbers.
NEVER = -1e9

#: How often a prompt's answer was shown, or scored right or wrong, in rows that made an update; ``mode``: no answer of
#: the group was more common.
HEARD = """
WITH r AS (SELECT *, count(*) OVER (PARTITION BY run, step, prompt_id, answer) AS votes FROM rollouts
           WHERE advantage IS NOT NULL OR shown),
     m AS (SELECT *, votes = max(votes) OVER (PARTITION BY run, step, prompt_id) AS mode FROM r)
SELECT run, prompt_id, answer, mode, bool_or(shown), bool_or(answer = target),
       count(*) FILTER (shown OR reward = 1), count(*) FILTER (reward = 0)
FROM m GROUP BY run, prompt_id, answer, mode ORDER BY run, prompt_id, answer, mode
"""


@dataclass(frozen=True)
class Channel:
    """What a reward or a label says of the answer it is about, estimated from a log that holds the right answers.

    Args:
        yes: log-odds that a "right", or a label, puts on the answer, nats, by whether it was its group's most common.
        no: the same of a "wrong".
    """

    yes: tuple[float, float]
    no: tuple[float, float]

    @classmethod
    def of(cls, mode: Bools, shown: Bools, hit: Bools, yes: Floats, no: Floats, alphabet: int) -> Channel:
        """From counts; a most common answer has rates of its own, so a majority's vote is seen to say nothing.

        Wrong labels are taken to be alike. Without both right and wrong answers the channel is not known, and nothing
        is counted.
        """
        if shown.any():
            right = float(yes[hit].sum() / yes.sum())
            lift = _log(right) - _log((1 - right) / (alphabet - 1))
            return cls((lift, lift), (0.0, 0.0))
        lifts = []
        if hit.all() or not hit.any():
            return cls((0.0, 0.0), (0.0, 0.0))
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


def posterior_bits(scores: Sequence[float], alphabet: int) -> float:
    """``log2 V - H(answer | told)`` of one prompt.

    Args:
        scores: log-odds of the answers that something was said of, nats; 0 for all others of the V.
        alphabet: V.

    Raises:
        DataError: every answer was ruled out.

    >>> posterior_bits([-1e9, -1e9], 4)
    1.0
    >>> posterior_bits([1e9, -1e9], 4)
    2.0
    """
    s = np.zeros(alphabet)
    s[: len(scores)] = scores
    if s.max() < NEVER / 10:
        raise DataError("every answer was ruled out", hint="does the verifier change its mind about a prompt?")
    odds = np.exp(s - s.max())
    p = odds / odds.sum()
    return math.log2(alphabet) + float((p[p > 0] * np.log2(p[p > 0])).sum())


def received(con: duckdb.DuckDBPyConnection, alphabet: int) -> dict[tuple[str, str], float]:
    """Bits about each prompt's answer, by run and prompt; those of which nothing was said are absent.

    Args:
        con: with the view ``rollouts`` of one arm: one verifier, or one source of labels.
        alphabet: how many answers there are.

    Raises:
        DataError: every answer to a prompt was ruled out.
    """
    heard = duck.run(con, HEARD)
    if not heard:
        return {}
    mode, shown, hit = (np.array([row[i] for row in heard], bool) for i in (3, 4, 5))
    yes, no = (np.array([row[i] for row in heard], float) for i in (6, 7))
    channel = Channel.of(mode, shown, hit, yes, no, alphabet)
    context = mode.astype(int)
    score = yes * np.array(channel.yes)[context] + no * np.array(channel.no)[context]
    scores: dict[tuple[str, str], dict[str, float]] = {}
    for row, lift in zip(heard, score, strict=True):
        of = scores.setdefault((row[0], row[1]), {})
        of[row[2]] = of.get(row[2], 0.0) + float(lift)
    return {prompt: posterior_bits(list(of.values()), alphabet) for prompt, of in scores.items()}
