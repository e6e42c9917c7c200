"""How an option is declared: once, as a field of a frozen dataclass. Keyword arguments and flags are made of the field.

>>> @dataclass(frozen=True, kw_only=True)
... class Brewing(Options):
...     minutes: float = option(3.0, "How long it stands.", check=want(lambda m: m > 0, "a positive number"))
>>> Brewing(minutes=-1)
Traceback (most recent call last):
bitrate.errors.InputError: minutes = -1; want a positive number
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from functools import wraps
from typing import Any, Self, TypeVar, cast

from bitrate.errors import InputError

Function = TypeVar("Function", bound=Callable[..., Any])
Check = Callable[[str, Any], object]


def option(
    default: Any,
    help: str,
    *,
    check: Check | None = None,
    words: Callable[[list[str]], Any] | None = None,
    in_python: str = "",
    repr: bool = True,
) -> Any:
    """A field that is an option.

    Args:
        default: its value where the user says nothing.
        help: what it means, as ``--help`` says it.
        check: given the name and a value, raises InputError for a value that cannot be used.
        words: makes the value of a flag that may be given several times.
        in_python: what it means as a keyword argument, where that is another thing.
        repr: whether two values of it may make different rollouts of the same files.
    """
    metadata = {"help": help, "check": check, "words": words, "in_python": in_python or help}
    return field(default=default, repr=repr, metadata=metadata)


def want(fits: Callable[[Any], bool], what: str, hint: str | None = None) -> Check:
    """A check in one line: what a value must be, as a function and in words."""

    def check(name: str, value: Any) -> None:
        if not fits(value):
            shown = repr(value) if isinstance(value, str) else value
            raise InputError(f"{name} = {shown}; want {what}", hint=hint)

    return check


@dataclass(frozen=True)
class Options:
    """Options of one kind: the fields that are made by :func:`option`; each has passed its check.

    Raises:
        InputError: a value that cannot be used.
    """

    def __post_init__(self) -> None:
        for name, f in declared(type(self)).items():
            value = getattr(self, name)
            if f.metadata["check"] and value is not None:
                f.metadata["check"](name, value)

    @classmethod
    def among(cls, given: Mapping[str, Any]) -> Self:
        """Those of this kind among the options that a function was given."""
        return cls(**{name: given[name] for name in declared(cls) if name in given})


def declared(*kinds: type[Options]) -> dict[str, Field[Any]]:
    """The options of these kinds by name, in order."""
    return {f.name: f for kind in kinds for f in fields(kind) if "help" in f.metadata}


def takes(*kinds: type[Options]) -> Callable[[Function], Function]:
    """Let the ``**options`` of a function be the options of these kinds, for Python and for who asks for ``help``.

    Its signature spells them out, its docstring says what they mean in place of the line ``options:``, and another
    keyword is a TypeError. Type checkers read the ``TypedDict`` that stands beside each kind.
    """
    known = declared(*kinds)

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        taken = {*known, *(p.name for p in own)}

        @wraps(function)
        def checked(*args: Any, **given: Any) -> Any:
            for name in given:
                if name not in taken:
                    near = get_close_matches(name, taken, 1)
                    also = f". Did you mean {near[0]!r}?" if near else ""
                    raise TypeError(f"{function.__name__}() got an unexpected keyword argument {name!r}{also}")
            return function(*args, **given)

        spelt = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=f.type)
                 for n, f in known.items()]  # fmt: skip
        parameters = [*(p for p in own if p.kind is not p.KEYWORD_ONLY), *spelt,
                      *(p for p in own if p.kind is p.KEYWORD_ONLY)]  # fmt: skip
        said = "\n".join(f"        {n}: {f.metadata['in_python']}" for n, f in known.items())
        checked.__doc__ = re.sub(r" +options:.*", lambda _: said, function.__doc__ or "")
        checked.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        del checked.__wrapped__  # what makes pages of documentation would show it in place of this
        return cast(Function, checked)

    return decorate
