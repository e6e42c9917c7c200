"""The ledger of a planted answer key, from a log that holds each prompt's target and how surprising it was."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.errors import DataError, InputError
from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.logs.engines import duck
from bitrate.stats import cluster_ratio
from bitrate.types import Estimate, Floats

#: What was said, and what was made of it, of every prompt of every run before a step; surprisal is that at the step.
WORLDS = """
WITH v AS (SELECT *, step = min(step) OVER w AS begin, step = max(step) OVER w AS now FROM rollouts
           WHERE split = 'train' AND step <= {until} WINDOW w AS (PARTITION BY run, prompt_id)),
     u AS (SELECT count(DISTINCT target) AS alphabet FROM rollouts WHERE split = 'train'),
     x AS (SELECT run, prompt_id, any_value(target_surprisal) FILTER (begin) AS first,
           any_value(target_surprisal) FILTER (now) AS last,
           count(DISTINCT answer) FILTER (NOT now AND reward = 0) AS ruled_out,
           bool_or(coalesce(reward = 1 OR shown, false)) FILTER (NOT now) AS told FROM v GROUP BY run, prompt_id)
SELECT run, count(*), max(alphabet), sum(last ORDER BY prompt_id), sum(first ORDER BY prompt_id),
       sum(CASE WHEN told THEN log2(alphabet) ELSE log2(alphabet) - log2(alphabet - ruled_out) END ORDER BY prompt_id)
FROM x, u WHERE {which} GROUP BY run ORDER BY run
"""
LINES = {
    "received": "posterior of the key after all answers tried, from a uniform prior over the targets of the log",
    "absorbed": "log2 V - surprisal of the key: Barber-Agakov, the policy as decoder",
    "prequential": "surprisal of the key at its first visit less now: prequential code length less the final one",
    "overdraft": "absorbed less received, by run",
}


@dataclass(frozen=True)
class KeyBits:
    """A line of the ledger of planted keys, in bits a prompt; runs (networks) are independent, prompts of one are not.

    With V answers alike, ``received = log2 V - log2(V - M)`` for M different wrong answers, and ``log2 V`` once a right
    answer was sampled or shown; ``absorbed = log2 V + log2 pi(key)``. The visit that is under way counts for the
    policy, and not yet for what was received.

    Args:
        line: ``received``, ``absorbed``, ``prequential``, or ``overdraft``: absorbed less received.
        until: step at which the policy is looked at, or the last visit before it; None for the end.
        which: SQL condition over ``told``, ``ruled_out``, ``alphabet``: which prompts.

    Raises:
        InputError: another line.
        DataError: the policies absorbed more than they received, outside of the interval.

    Reference: THEORY.md section 1; Barber and Agakov (2003), The IM algorithm; Blier and Ollivier (2018), The
    description length of deep learning models, for prequential codes.
    """

    line: str
    until: int | None = None
    which: str = "true"

    def __post_init__(self) -> None:
        if self.line not in LINES:
            raise InputError(f"line = {self.line!r}; want one of {', '.join(LINES)}")

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        until = "(SELECT max(step) FROM rollouts)" if self.until is None else str(self.until)
        with rollouts(folder, "target_surprisal IS NOT NULL") as con:
            rows = duck.run(con, WORLDS.format(until=until, which=self.which))
        if not rows:
            return Estimate.missing(self.line, "bits/prompt", "no prompt with a surprisal of its target")
        prompts, alphabet, last, first, received = np.array([row[1:] for row in rows], float).T
        absorbed = prompts * np.log2(alphabet) - last
        lines = {
            "received": received, "absorbed": absorbed, "prequential": first - last, "overdraft": absorbed - received,
        }  # fmt: skip
        found = {name: _by_run(name, prompts, bits, float(alphabet[0])) for name, bits in lines.items()}
        over = found["overdraft"]
        if over.low is not None and over.low > 0:
            raise DataError(
                f"the policy absorbed at least {over.low:.3g} bits a prompt more than the log says it received",
                where=str(folder),
                hint="did answers reach the updates that were not logged, or are the keys not uniform and independent?",
            )
        return found[self.line]


def _by_run(line: str, prompts: Floats, bits: Floats, alphabet: float) -> Estimate:
    """A line's mean; an unseen run may differ as runs do, or by one prompt's key."""
    spread = max(float((bits / prompts).std()), math.log2(alphabet) / float(prompts.mean()))
    unit = "bits/prompt"
    return cluster_ratio(prompts, bits, 0.0, spread, name=line, unit=unit, level=LEVEL, method=LINES[line])


@dataclass(frozen=True)
class Of:
    """A signal of one arm of several: the folder called after it.

    Args:
        arm: the arm's name.
        signal: what is measured in its runs.
    """

    arm: str
    signal: Callable[[Path], Estimate]

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the arm's files."""
        return self.signal(folder / self.arm)
