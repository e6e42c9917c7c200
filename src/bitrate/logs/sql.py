"""SQL text: the one reduction every engine runs, and small helpers to write SQL safely."""

from __future__ import annotations

from collections.abc import Iterable

from bitrate.logs.schema import REWARD_LIMIT, Outcome

KEYS = "run, split, step, prompt_id, group_id"

#: Answers first, then groups: COUNT(DISTINCT answer) over strings would not stay in memory.
#: ``score < limit`` guards NaN, which every engine here holds to be larger than any number.
GROUPS_SQL = """
WITH answers AS (
  SELECT {keys}, answer, COUNT(*) AS n, {right} AS n_correct,
    SUM(reward) AS reward_sum, SUM(reward * reward) AS reward_sumsq, MIN(reward) AS reward_min, MAX(reward) AS reward_max,
    SUM(completion_tokens) AS completion_tokens, SUM(prompt_tokens) AS prompt_tokens, COUNT(completion_tokens) AS n_counted,
    SUM(CASE WHEN truncated THEN 1 ELSE 0 END) AS n_truncated, MAX(ABS(advantage)) AS advantage_max
  FROM rollouts WHERE {measured} GROUP BY {keys}, answer)
SELECT {keys}, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(n_correct) AS BIGINT) AS n_correct,
  SUM(reward_sum) AS reward_sum, SUM(reward_sumsq) AS reward_sumsq, MIN(reward_min) AS reward_min, MAX(reward_max) AS reward_max,
  CASE WHEN COUNT(answer) = COUNT(*) THEN COUNT(answer) END AS n_distinct_answers,
  CAST(SUM(CASE WHEN n_correct > 0 THEN 1 ELSE 0 END) AS BIGINT) AS n_right_answers,
  CAST(SUM(CASE WHEN n_correct > 0 AND n_correct < n THEN 1 ELSE 0 END) AS BIGINT) AS n_torn_answers,
  CAST(SUM(completion_tokens) AS BIGINT) AS completion_tokens, CAST(SUM(prompt_tokens) AS BIGINT) AS prompt_tokens,
  CAST(SUM(n_counted) AS BIGINT) AS n_counted, CAST(SUM(n_truncated) AS BIGINT) AS n_truncated,
  MAX(advantage_max) AS advantage_max
FROM answers GROUP BY {keys}
"""

#: How often each reward level was drawn in each group, for rewards that are graded.
LEVELS_SQL = """
SELECT {keys}, ROUND({score}, 6) AS reward_level, COUNT(*) AS n_level
FROM rollouts WHERE {measured} GROUP BY {keys}, ROUND({score}, 6)
"""

#: The groups of a run as counts: what the figures need of them, small enough to look at.
HISTOGRAM_SQL = """
SELECT n, n_correct, n_distinct_answers, COUNT(*) AS n_groups FROM groups GROUP BY n, n_correct, n_distinct_answers
"""


def groups_sql(outcome: Outcome) -> str:
    """The reduction from rollouts to groups, for this outcome; reads a table called ``rollouts``."""
    right = "CAST(NULL AS BIGINT)"
    if outcome.binary:
        right = f"SUM(CASE WHEN {outcome.column} > {outcome.threshold!r} THEN 1 ELSE 0 END)"
    return GROUPS_SQL.format(keys=KEYS, right=right, measured=_measured(outcome))


def levels_sql(outcome: Outcome) -> str:
    """The count of each reward level in each group; reads a table called ``rollouts``."""
    return LEVELS_SQL.format(keys=KEYS, score=outcome.column, measured=_measured(outcome))


def _measured(outcome: Outcome) -> str:
    score, limit = outcome.column, f"{REWARD_LIMIT:.0f}"
    return f"{score} > -{limit} AND {score} < {limit} AND prompt_id IS NOT NULL AND step IS NOT NULL"


def name(identifier: str) -> str:
    """Quote a column name."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: object) -> str:
    """Quote a string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def text_list(values: Iterable[object]) -> str:
    """A SQL list of string literals."""
    return "[" + ", ".join(map(text, values)) + "]"
