"""SQL text: the one reduction every engine runs, and small helpers to write SQL safely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bitrate.logs.schema import REWARD_LIMIT, Outcome

KEYS = ("run", "split", "step", "prompt_id", "group_id")

#: Answers first, then groups: COUNT(DISTINCT answer) over strings would not stay in memory.
GROUPS_SQL = """
WITH answers AS (
  SELECT {by}{answer}, {inner}
  FROM rollouts WHERE {measured} GROUP BY {by}{answer})
SELECT {keys}, {outer}
FROM answers GROUP BY {by}
"""

#: How often each reward level was drawn in each group, for rewards that are graded.
LEVELS_SQL = """
WITH scores AS (SELECT {by}, {level} AS reward_level{times} FROM rollouts WHERE {measured})
SELECT {keys}, reward_level, CAST({count} AS BIGINT) AS n_level FROM scores GROUP BY {by}, reward_level
"""

#: What a score off the outcome's levels adds to ``n_correct``: more than the group has rollouts, so it is found out.
OFF_LEVEL = 1 << 32
#: Adding this to a DOUBLE and taking it away again leaves the nearest whole number, on every engine.
TO_WHOLE = 3.0 * 2.0**51


def groups_sql(outcome: Outcome, fixed: Mapping[str, str] | None = None, times: bool = False) -> str:
    """The reduction from rollouts to groups, for this outcome; reads a table called ``rollouts``.

    Args:
        outcome: which column is the score, and its levels.
        fixed: rollout columns that hold one value throughout, as SQL; the table need not have them.
        times: whether the table has a column of that name, the number of rollouts a row stands for.
    """
    fixed = fixed or {}
    inner, outer = {"n": rollouts(times)}, {"n": "SUM(n)"}
    _right(outcome, inner, outer, times)
    _rewards(outcome, fixed, inner, outer, times)
    _answers(outcome, fixed, outer)
    _the_rest(fixed, inner, outer, times)
    return GROUPS_SQL.format(
        **_keys(fixed),
        answer="" if "answer" in fixed else ", answer",
        inner=", ".join(_column(*c) for c in inner.items()),
        outer=",\n  ".join(_column(*c) for c in outer.items()),
        measured=_measured(outcome, fixed),
    )


def levels_sql(outcome: Outcome, fixed: Mapping[str, str] | None = None, times: bool = False) -> str:
    """The count of each reward level in each group; reads a table called ``rollouts``, as `groups_sql` does."""
    fixed = fixed or {}
    count = {"count": "SUM(times)", "times": ", times"} if times else {"count": "COUNT(*)", "times": ""}
    measured = _measured(outcome, fixed)
    return LEVELS_SQL.format(**_keys(fixed), **count, level=level(outcome.column), measured=measured)


def rollouts(times: bool, known: str | None = None) -> str:
    """SQL for how many rollouts there are, or how many of which something is known, where rows stand for several."""
    if not times:
        return f"COUNT({known or '*'})"
    return f"CAST(SUM({f'CASE WHEN {known} IS NULL THEN 0 ELSE times END' if known else 'times'}) AS BIGINT)"


def _total(value: str, times: bool) -> str:
    """SQL for the sum of a value over rollouts."""
    return f"SUM(({value}) * times)" if times else f"SUM({value})"


def level(score: str) -> str:
    """SQL for a score rounded to millionths."""
    return f"{_whole(score, '1e6')} / 1e6"


def sound(score: str) -> str:
    """SQL for a score that is a number below the limit.

    ``x - x = 0`` refuses NaN and infinity. ``x < limit`` alone does not: engines hold NaN to be the largest number, and
    DuckDB drops the comparison where the file's statistics, which leave NaN out, show a lower maximum.
    """
    return f"{score} - {score} = 0 AND ABS({score}) < {REWARD_LIMIT:.0f}"


def compared(score: str, op: str, value: float) -> str:
    """SQL for 1 where a score, in millionths, compares so with a value, else 0; what is no sound score stays."""
    holds = f"{_whole(score, '1e6')} {op} {_literal(value, '1e6')}"
    return f"CASE WHEN {sound(score)} THEN CASE WHEN {holds} THEN 1e0 ELSE 0e0 END ELSE {score} END"


def _whole(value: str, unit: str) -> str:
    """SQL for a number in whole units of 1/unit: DOUBLEs that any engine may add in any order with the same digits.

    Sums of whole numbers are exact up to 2^53: here while the rewards add up to less than 9e9, their squares to 9e6.
    """
    return f"({value} * {unit} + {TO_WHOLE:.0f}e0 - {TO_WHOLE:.0f}e0)"


def _literal(value: float, unit: str = "1e0") -> str:
    """What `_whole` makes of a value, as a DOUBLE literal: without an exponent engines read a DECIMAL."""
    whole = value if unit == "1e0" else value * float(unit) + TO_WHOLE - TO_WHOLE
    return repr(whole) if "e" in repr(whole) else f"{whole!r}e0"


def _column(column: str, expression: str) -> str:
    kind = "DOUBLE" if column.startswith(("reward", "advantage")) else "BIGINT"
    return f"CAST({expression} AS {kind}) AS {column}"


def _keys(fixed: Mapping[str, str]) -> dict[str, str]:
    return {
        "by": ", ".join(k for k in KEYS if k not in fixed),
        "keys": ", ".join(f"{fixed[k]} AS {k}" if k in fixed else k for k in KEYS),
    }


def _measured(outcome: Outcome, fixed: Mapping[str, str]) -> str:
    known = [f"{c} IS NOT NULL" for c in ("prompt_id", "step") if c not in fixed]
    return " AND ".join([sound(outcome.column), *known])


def _right(outcome: Outcome, inner: dict[str, str], outer: dict[str, str], times: bool) -> None:
    """How many are right, where the score says right or wrong."""
    outer["n_correct"] = "NULL"
    if outcome.threshold is not None and outcome.levels:
        score = _whole(outcome.column, "1e6")
        told = (
            f"WHEN {score} = {_literal(x, '1e6')} THEN {int(x > outcome.threshold)}" for x in sorted(outcome.levels)
        )
        inner["n_correct"] = _total(f"CASE {' '.join(told)} ELSE {OFF_LEVEL} END", times)
        outer["n_correct"] = "SUM(n_correct)"


def _rewards(
    outcome: Outcome, fixed: Mapping[str, str], inner: dict[str, str], outer: dict[str, str], times: bool
) -> None:
    """Sum, sum of squares, least and largest reward; where the reward has two levels the counts say it all."""
    if "reward" in fixed:
        outer |= dict.fromkeys(("reward_sum", "reward_sumsq", "reward_min", "reward_max"), "NULL")
    elif outcome.column == "reward" and "n_correct" in inner and outcome.levels:
        low, high = min(outcome.levels), max(outcome.levels)
        for column, power, unit in (("reward_sum", 1, "1e6"), ("reward_sumsq", 2, "1e9")):
            low_part, high_part = (_literal(x**power, unit) for x in (low, high))
            outer[column] = f"((SUM(n) - SUM(n_correct)) * {low_part} + SUM(n_correct) * {high_part}) / {unit}"
        outer["reward_min"] = f"CASE WHEN SUM(n_correct) < SUM(n) THEN {_literal(low)} ELSE {_literal(high)} END"
        outer["reward_max"] = f"CASE WHEN SUM(n_correct) > 0 THEN {_literal(high)} ELSE {_literal(low)} END"
    else:
        reward = "reward" if outcome.column == "reward" else f"CASE WHEN {sound('reward')} THEN reward ELSE NULL END"
        inner |= {
            "n_rewarded": rollouts(times, f"({reward})"),
            "reward_sum": _total(_whole(reward, "1e6"), times),
            "reward_sumsq": _total(_whole(f"({reward}) * ({reward})", "1e9"), times),
            "reward_min": f"MIN({reward})",
            "reward_max": f"MAX({reward})",
        }
        all_known = "CASE WHEN SUM(n_rewarded) = SUM(n) THEN SUM({}) / {} ELSE NULL END"
        outer |= {
            "reward_sum": all_known.format("reward_sum", "1e6"),
            "reward_sumsq": all_known.format("reward_sumsq", "1e9"),
        }
        outer |= {"reward_min": "MIN(reward_min)", "reward_max": "MAX(reward_max)"}


def _answers(outcome: Outcome, fixed: Mapping[str, str], outer: dict[str, str]) -> None:
    """Distinct answers, those scored right, and those scored both ways, null unless all are known; how many are."""
    right, torn = "n_correct > 0", "n_correct > 0 AND n_correct < n"
    counts = {"n_distinct_answers": "COUNT(answer)"}
    for column, condition in (("n_right_answers", right), ("n_torn_answers", torn)):
        counts[column] = f"SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)" if outcome.binary else "NULL"
    for column, count in counts.items():
        outer[column] = (
            "NULL" if "answer" in fixed else f"CASE WHEN COUNT(answer) = COUNT(*) THEN {count} ELSE NULL END"
        )
    outer["n_answered"] = "0" if "answer" in fixed else "SUM(CASE WHEN answer IS NOT NULL THEN n ELSE 0 END)"


def _the_rest(fixed: Mapping[str, str], inner: dict[str, str], outer: dict[str, str], times: bool) -> None:
    """Tokens, truncations and advantages; prompt tokens and truncations null unless known of every rollout."""
    whole = "CASE WHEN COUNT({0}) = COUNT(*) THEN SUM({0}) ELSE NULL END"
    each = f"CASE WHEN COUNT({{0}}) = COUNT(*) THEN {_total('{0}', times)} ELSE NULL END"
    cut = "CASE WHEN truncated THEN 1 WHEN NOT truncated THEN 0 ELSE NULL END"
    rest = {
        "completion_tokens": ("completion_tokens", _total("completion_tokens", times), "SUM({})"),
        "prompt_tokens": ("prompt_tokens", each.format("prompt_tokens"), whole),
        "n_counted": ("completion_tokens", rollouts(times, "completion_tokens"), "SUM({})"),
        "n_numbered": ("sample", "COUNT(sample)", "SUM({})"),
        "sample_min": ("sample", "MIN(sample)", "MIN({})"),
        "sample_max": ("sample", "MAX(sample)", "MAX({})"),
        "n_truncated": ("truncated", each.format(cut), whole),
        "advantage_max": (
            "advantage",
            f"MAX(CASE WHEN {sound('advantage')} THEN ABS(advantage) ELSE NULL END)",
            "MAX({})",
        ),
    }
    for column, (source, expression, combine) in rest.items():
        if source in fixed:
            outer[column] = "0" if column in {"n_counted", "n_numbered"} else "NULL"
        else:
            inner[column], outer[column] = expression, combine.format(column)


def name(identifier: str) -> str:
    """Quote a column name."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: object) -> str:
    """Quote a string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def path(file: object) -> str:
    """Quote the path of a file to be read: DuckDB takes a name with ``*``, ``?`` or ``[`` for a pattern.

    >>> path("exp[1]/a.parquet")
    "'exp[[]1]/a.parquet'"
    """
    return text("".join(f"[{c}]" if c in "*?[" else c for c in str(file)))


def path_list(files: Iterable[object]) -> str:
    """A SQL list of the paths of files to be read."""
    return "[" + ", ".join(map(path, files)) + "]"


def text_list(values: Iterable[object]) -> str:
    """A SQL list of string literals."""
    return "[" + ", ".join(map(text, values)) + "]"
