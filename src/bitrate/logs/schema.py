"""The two tables everything passes through: rollouts as trainers wrote them, and groups."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

#: Where a Parquet file of rollouts keeps what was known of the rows when it was written.
PROVENANCE_KEY = "bitrate"
#: Rows of a Parquet row group: what one thread of the engine reads at a time.
ROWS_PER_GROUP = 122_880

#: One row per rollout. A format fills the columns it knows; the rest are null, never 0.
ROLLOUT_COLUMNS: dict[str, str] = {
    "run": "VARCHAR",
    "split": "VARCHAR",
    "step": "BIGINT",
    "policy_step": "BIGINT",
    "prompt_id": "VARCHAR",
    "group_id": "VARCHAR",
    "sample": "BIGINT",
    "reward": "DOUBLE",
    "correct": "DOUBLE",
    "components": "MAP(VARCHAR, DOUBLE)",
    "answer": "VARCHAR",
    "prompt_tokens": "BIGINT",
    "completion_tokens": "BIGINT",
    "truncated": "BOOLEAN",
    "advantage": "DOUBLE",
    "prompt": "VARCHAR",
    "target": "VARCHAR",
    "target_surprisal": "DOUBLE",  # bits: -log2 of the policy's probability of the target when the row was written
    "shown": "BOOLEAN",  # whether the answer was shown to the policy, a label, and not sampled from it
    "update": "VARCHAR",
}

#: What the reduction reads; the rest of a rollout stays in the file.
REDUCED_COLUMNS = (
    "run", "split", "step", "prompt_id", "group_id", "reward", "correct", "answer",
    "prompt_tokens", "completion_tokens", "truncated", "advantage", "sample",
)  # fmt: skip

#: Names `--columns` may set: a rollout table's columns, or the two that make a table of counts.
MAPPABLE = (*[c for c in ROLLOUT_COLUMNS if c != "components"], "n", "n_correct")

#: A reward at or beyond this size is set aside: it is an overflow, not a score.
REWARD_LIMIT = 1e12


@dataclass(frozen=True)
class Outcome:
    """How a rollout's score becomes right or wrong.

    ``levels`` maps each score found (rounded to 1e-6) to its number of rollouts; None when there were too many
    to be levels. ``threshold`` parts right from wrong when there are two levels, and is None for a graded reward.
    """

    column: str
    levels: dict[float, int] | None
    threshold: float | None

    @property
    def binary(self) -> bool:
        """Whether the score says just right or wrong."""
        return self.threshold is not None


@dataclass(frozen=True)
class Provenance:
    """What a log can and cannot tell, kept beside the rows all the way to the report.

    ``caveats`` come in the order in which they matter: first what was found in these files, last those of ``fixed``,
    which hold for every file of the format. ``split_known``: whether the files tell training from evaluation.
    """

    format: str
    run: str
    prompt_id: str
    group_id: str
    filtered: str
    caveats: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    split_known: bool = True


@dataclass(frozen=True)
class SetAside:
    """Rows or files that could not be measured: how many, why, and where to look."""

    reason: str
    count: int
    unit: str = "rows"
    where: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, object]:
        """The fields as plain JSON values."""
        return {"reason": self.reason, "count": self.count, "unit": self.unit, "where": list(self.where)}


def kept(format: str, prompt_id: str, group_id: str, filtered: str, caveats: Iterable[str]) -> str:
    """What a Parquet file says under ``PROVENANCE_KEY``: what its reader should know of where the rows came from."""
    known = {"format": format, "prompt_id": prompt_id, "group_id": group_id, "filtered": filtered}
    return json.dumps(known | {"caveats": list(caveats)})
