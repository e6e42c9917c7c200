"""What the user may say about the files, and about how to read them.

An option is a field here, and a line in the ``TypedDict`` below for type checkers; see docs/extending.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from bitrate.errors import InputError
from bitrate.logs import engines
from bitrate.logs.expression import Comparison, comparison, to_sql
from bitrate.logs.schema import ROLLOUT_COLUMNS
from bitrate.options import Options, option, want

#: What becomes of a rollout whose verdict is null: it is set aside, or counts as wrong where the user says so.
UNSCORED = ("aside", "wrong")


def parse_columns(given: list[str]) -> dict[str, str]:
    """``a=b,c=d`` (or several such) as a dict.

    Raises:
        InputError: a part without ``=``, or a target named twice.

    >>> parse_columns(["reward=score,prompt_id=qid"])
    {'reward': 'score', 'prompt_id': 'qid'}
    """
    columns = {}
    for part in (p for text in given for p in text.split(",") if p.strip()):
        target, equals, source = part.partition("=")
        if not equals or not source.strip():
            raise InputError(
                f"--columns cannot use {part!r}", hint="write target=column, e.g. --columns reward=score,prompt_id=qid"
            )
        if target.strip() in columns:
            raise InputError(f"--columns names {target.strip()!r} twice", hint="say once where it is to be read from")
        columns[target.strip()] = source.strip()
    return columns


@dataclass(frozen=True, kw_only=True)
class ReadOptions(Options):
    """What every function and command that reads rollouts takes."""

    columns: Mapping[str, str] = option(
        None,
        "Rollout columns by name: reward=score,prompt_id=qid. Also a number, or column*number.",
        words=parse_columns,
        in_python='Rollout column -> column of the file: {"reward": "score"}. Also a number, or column*number.',
    )
    outcome: str | None = option(
        None,
        "What says right or wrong, where the reward is shaped: a column, or a comparison: 'reward >= 1'.",
        check=lambda _, text: comparison(text),
    )
    format: str | None = option(None, "Read as this format; see `bitrate formats`.")
    memory: str = option("2GB", "The most memory the embedded engine may use.", repr=False)
    unscored: str = option(
        "aside",
        "What a rollout without a verdict counts as: aside or wrong.",
        check=want(
            lambda value: value in UNSCORED,
            " or ".join(UNSCORED),
            hint="wrong counts a rollout without a verdict as a wrong one, as some benchmarks do",
        ),
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", dict(self.columns or {}))
        super().__post_init__()

    @property
    def compared(self) -> Comparison | None:
        """What ``outcome`` compares, where it is a comparison."""
        return comparison(self.outcome) if self.outcome else None

    @property
    def outcome_column(self) -> str | None:
        """The file's column that ``outcome`` is about; None where that is the reward, or nothing was said."""
        return rule.column if (rule := self.compared) else self.outcome

    def raw_names(self) -> dict[str, str]:
        """Raw columns that the user named, with the type their target wants."""
        named = {}
        for target, expression in self.columns.items():
            for column in to_sql(expression).columns:
                named[column] = ROLLOUT_COLUMNS.get(target, "DOUBLE")
        if self.outcome_column:
            named[self.outcome_column] = "DOUBLE"
        return named


@dataclass(frozen=True, kw_only=True)
class ReduceOptions(ReadOptions):
    """What they take where rollouts become groups."""

    engine: str = option(
        "duckdb", "Where to reduce: duckdb, spark or ray.", check=lambda _, name: engines.check(name), repr=False
    )


class ReadKeywords(TypedDict, total=False):
    """The options of `ReadOptions`, for type checkers; None stands for the default."""

    columns: Mapping[str, str] | None
    outcome: str | None
    format: str | None
    memory: str
    unscored: str


class ReduceKeywords(ReadKeywords, total=False):
    """The options of `ReduceOptions`, for type checkers."""

    engine: str
