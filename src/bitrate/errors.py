"""Errors a user can act on: what was found, what was expected, where, and a hint."""

from __future__ import annotations


class BitrateError(Exception):
    """Base of every error that bitrate raises on purpose.

    Args:
        message: what was found and what was expected.
        where: ``path`` or ``path:line`` of the trouble, if it has a place.
        hint: what to do next.

    >>> print(FormatError("no rows", where="run.jsonl:3", hint="is the file cut short?"))
    run.jsonl:3: no rows
      hint: is the file cut short?
    """

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class InputError(BitrateError, ValueError):
    """An option or argument that cannot be used."""


class MissingInputError(BitrateError, FileNotFoundError):
    """A path that is not there, or holds nothing to read."""


class OutputError(BitrateError, OSError):
    """A file that the system does not let be written."""


class FormatError(BitrateError, ValueError):
    """Files that no format, or more than one, can read."""


class DataError(BitrateError, ValueError):
    """Rows that were read but cannot be measured."""


class UnknownFigure(BitrateError, KeyError):
    """A key that no figure of an audit has."""


class EngineError(BitrateError, RuntimeError):
    """A reduction engine that is not installed or failed."""


class Interrupted(BitrateError, InterruptedError):
    """The user pressed Ctrl-C; finished chunks are kept for the next try."""
