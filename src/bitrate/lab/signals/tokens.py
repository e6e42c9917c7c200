"""Keys of many tokens: bits of the first rollout, and what was received and absorbed of a key in the end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bitrate.errors import DataError, InputError
from bitrate.lab.signals.ledger import known_keys
from bitrate.lab.signals.rows import LEVEL, rollouts
from bitrate.logs.engines import duck
from bitrate.stats import cluster_ratio
from bitrate.types import Estimate, Floats, Ints

#: The first visits to all prompts: what was said and what was heard.
FIRST = "SELECT run, answer, reward, components FROM rollouts WHERE first ORDER BY run, prompt_id, sample"
LINES = {
    "received": "tokens of the key that the log has judged, or sequences that it has ruled out, by posterior",
    "absorbed": "1 - surprisal of the key a token: Barber-Agakov, the policy as decoder",
    "overdraft": "absorbed less received, by run",
}


@dataclass(frozen=True)
class FirstRollout:
    """Information of a prompt's first rollout about its key, bits a rollout, a token at a time.

    ``sum_t H(s_t | s_(t-1), said_t)``, s_t what was heard of token t: right, wrong, or nothing. With a verifier that
    makes no errors it is the entropy of the feedback given the answer, where the scores before the last one tell
    nothing more; else it is more than that. The rollouts of the first visit each stand for a first one. The start
    policy has learnt nothing; runs are independent.

    Args:
        of: ``scores``: all that the log has, or ``reward``: the reward alone.

    Raises:
        InputError: another part.

    Reference: docs/theory.md#tokens, S1.13 and S3.12; Miller (1955) for the correction of the bias.
    """

    of: str = "scores"

    def __post_init__(self) -> None:
        if self.of not in {"scores", "reward"}:
            raise InputError(f"of = {self.of!r}; want scores or reward")

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        name, unit = f"H({self.of} | answer)", "bits/rollout"
        with rollouts(folder) as con:
            rows = duck.run(con, FIRST)
        if not rows:
            return Estimate.missing(name, unit, "no rollout with a score")
        runs = np.array([row[0] for row in rows])
        said = np.array([[int(c) for c in row[1]] for row in rows])
        heard = np.array([_heard(len(row[1]), row[2], row[3] if self.of == "scores" else None) for row in rows])
        bits, bias = np.zeros(len(rows)), 0.0
        for t in range(heard.shape[1]):
            before = heard[:, t - 1] if t else np.zeros(len(rows), int)
            context = before * 2 + (said[:, t] if heard.shape[1] > 1 else 0)
            more, off = _surprisal(context, heard[:, t])
            bits, bias = bits + more, bias + off
        _, where, count = np.unique(runs, return_inverse=True, return_counts=True)
        sums = np.bincount(where, bits + bias)
        spread = max(float((sums / count).std()), math.log2(len(rows)) / float(count.mean()))
        how = "chain rule, plug-in entropies, Miller-Madow"
        return cluster_ratio(count, sums, bias, spread, name=name, unit=unit, level=LEVEL, method=how)


def _heard(length: int, reward: float, components: Any) -> list[int]:
    """What was said of each token: 1 right, 0 wrong, 2 nothing; or of the whole, its reward in tokens."""
    parts = dict(components or {})
    if "token_0" in parts:
        return [int(parts[f"token_{t}"]) for t in range(length)]
    if "first_error" in parts:
        error = int(parts["first_error"])
        return [1] * length if error < 0 else [1] * error + [0] + [2] * (length - error - 1)
    return [round(reward * length)]


def _surprisal(context: np.ndarray, event: np.ndarray) -> tuple[Floats, float]:
    """``-log2`` of how often each row's event happened in its context; how far their mean is too low, about."""
    both, row, often = np.unique(np.stack([context, event]), axis=1, return_inverse=True, return_counts=True)
    which, place, total = np.unique(context, return_inverse=True, return_counts=True)
    bits = -np.log2(often[row.ravel()] / total[place])
    return bits, (both.shape[1] - which.size) / (2 * len(context) * math.log(2))


@dataclass(frozen=True)
class TokenKeyBits:
    """A line of the ledger of keys of T fair binary tokens, in bits a token of the key; runs are independent.

    ``received``: a token that was judged is known. Where no token was judged and the whole was wrong M different times,
    it is ``-log2(1 - M/2^T) / T``. ``absorbed = 1 + log2 pi(key) / T``, a lower bound: a policy that is sure of a wrong
    answer is below 0. The visit under way counts for the policy, and not yet for what was received.

    Args:
        line: ``received``, ``absorbed``, or ``overdraft``: absorbed less received.
        until: step at which the policy is looked at; None for the end.
        split: ``train``, or ``eval``: prompts of which the updates heard nothing.

    Raises:
        InputError: another line, or what was received of prompts that were held out.
        DataError: the policies absorbed more than they received, outside of the interval.

    Reference: docs/theory.md#ledger; Barber and Agakov (2003), The IM algorithm.
    """

    line: str
    until: int | None = None
    split: str = "train"

    def __post_init__(self) -> None:
        if self.line not in LINES or (self.line != "absorbed" and self.split != "train"):
            found = f"line = {self.line!r}, split = {self.split!r}"
            raise InputError(f"{found}; want one of {', '.join(LINES)}, of prompts held out absorbed alone")

    def __call__(self, folder: Path) -> Estimate:
        """The estimate from the files of a folder."""
        keys = known_keys(folder, self.split, self.until)
        if not keys.start.size:
            return Estimate.missing(self.line, "bits/token", "no prompt with a surprisal of its target")
        length = keys.visit["length"][keys.start].astype(float)
        judged, surprisal = keys.before(keys.visit["judged"], np.maximum).astype(float), keys.last_bits
        open_still = np.where(judged > 0, 0.0, keys.ruled_out)  # tokens judged say more than sequences ruled out
        received = np.where(judged > 0, judged, -np.log2(1 - open_still / 2**length))
        lines = {"received": received, "absorbed": length - surprisal, "overdraft": length - surprisal - received}
        found = {name: _by_run(name, keys.run, length, bits) for name, bits in lines.items()}
        over = found["overdraft"]
        heard = self.split == "train"
        if over.low is not None and over.low > 0 and heard:
            raise DataError(
                f"the policy absorbed at least {over.low:.3g} bits a token more than the log says it received",
                where=str(folder),
                hint="did scores reach the updates that were not logged, or are the keys not uniform and independent?",
            )
        return found[self.line]


def _by_run(line: str, where: Ints, length: Floats, bits: Floats) -> Estimate:
    """A line's mean; an unseen run may differ as runs do, or by a whole key."""
    tokens, sums = np.bincount(where, length), np.bincount(where, bits)
    spread = max(float((sums / tokens).std()), float((length.max() / tokens).max()))
    return cluster_ratio(tokens, sums, 0.0, spread, name=line, unit="bits/token", level=LEVEL, method=LINES[line])
