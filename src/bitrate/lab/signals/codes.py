"""Bits between parts of a log, each written as one code a prompt and counted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitrate.errors import InputError
from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.logs.engines import duck
from bitrate.stats import conditional_entropy, mutual_information
from bitrate.types import Estimate

#: A rollout's score: its reward, and what it is made of where the log has it.
SCORE = "round(reward, 6)::VARCHAR || coalesce(components::VARCHAR, '')"
SAID = "step || ':' || answer"
HEARD = f"{SAID} || '=' || {SCORE}"
ORDER = f"step, answer, {SCORE}"


def _joined(text: str, order: str, where: str = "true") -> str:
    return f"string_agg({text}, ',' ORDER BY {order}) FILTER (WHERE {where})"


#: What is written down of a prompt. Rollouts of one step have no order: they are sorted by what they say.
CODES = {
    "target": "any_value(target)",
    "prompt": "world",
    "fingerprint": "any_value(update)",
    "answers": _joined(SAID, ORDER),
    "scores": _joined(SCORE, ORDER),
    "feedback": _joined(HEARD, ORDER),
    "rewards": _joined("round(reward, 6)::VARCHAR", "step, answer, reward"),
    "history": f"coalesce({_joined(HEARD, ORDER, 'NOT last')}, '') || ';' || {_joined(SAID, ORDER, 'last')}",
    "last scores": _joined(SCORE, ORDER, "last"),
    "last answers": _joined("answer", f"answer, {SCORE}", "last"),
}
#: What a policy gradient is made of: the sum of advantages of each answer that got any.
UPDATE = (
    "SELECT world, string_agg(step || ':' || answer || '=' || pull, ',' ORDER BY step, answer) AS code FROM "
    "(SELECT world, step, answer, round(sum(advantage), 6) + 0.0 AS pull FROM rollouts GROUP BY ALL) "
    "WHERE pull <> 0 GROUP BY world"
)


@dataclass(frozen=True)
class Information:
    """Mutual information of two parts of the log over prompts, ``I(of; about)``, in bits a prompt.

    Args:
        of: ``feedback`` (answers and scores), ``update`` (advantages summed by answer: what a tabular policy gradient
            is made of), ``fingerprint`` (of a real gradient, where it was logged), ``answers``, ``scores``,
            ``rewards``, ``last answers``, ``last scores``, ``history``. An ``update`` is known by its
            sums as long as more than half of the answers were not drawn: what they share is the policy's part.
        about: ``target``, or any of the same.
    """

    of: str
    about: str = "target"

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        x, y, count = _counted(folder, self.of, self.about)
        name = f"I({self.of}; {self.about})"
        return mutual_information(x, y, count, name=name, unit="bits/prompt", level=LEVEL)


@dataclass(frozen=True)
class Unresolved:
    """Entropy of one part of the log when another is known, ``H(of | given)``, in bits a prompt.

    With a verifier that makes no errors, ``H(scores | answers)`` is the information that feedback carries about
    everything it depends on, whatever that is; ``H(last scores | history)`` is the last step's.
    """

    of: str
    given: str

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        x, y, count = _counted(folder, self.given, self.of)
        name = f"H({self.of} | {self.given})"
        return conditional_entropy(x, y, count, name=name, unit="bits/prompt", level=LEVEL)


def _counted(folder: Path, x: str, y: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many prompts have each pair of codes, the pairs as numbers."""
    with rollouts(folder) as con:
        sides = [f"{_code(part)} AS {side}" for part, side in ((x, "x"), (y, "y"))]
        worlds = (
            f"SELECT {', '.join(sides)} FROM rollouts LEFT JOIN ({UPDATE}) USING (world) GROUP BY world"
            if "update" in (x, y)
            else f"SELECT {', '.join(sides)} FROM rollouts GROUP BY world"
        )
        pairs = f"SELECT coalesce(x, '') AS x, coalesce(y, '') AS y, count(*) AS n FROM ({worlds}) GROUP BY ALL"
        numbered = (
            f"SELECT dense_rank() OVER (ORDER BY x), dense_rank() OVER (ORDER BY y), n FROM ({pairs}) ORDER BY 1, 2"
        )
        table = np.array(duck.run(con, numbered), dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _code(part: str) -> str:
    if part == "update":
        return "any_value(code)"
    if part not in CODES:
        raise InputError(f"no part {part!r} of a log; want one of {', '.join([*CODES, 'update'])}")
    return CODES[part]
