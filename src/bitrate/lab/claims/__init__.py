"""The claims, one file each.

To add a claim, write one module in this folder that binds ``CLAIM``; it is found by itself and checked by
``tests/lab/test_claims.py``. See docs/extending.md.
"""

from __future__ import annotations

import json
import pkgutil
import re
from functools import cache
from importlib import import_module, resources

from bitrate.errors import InputError
from bitrate.types import Claim


@cache
def all_claims() -> tuple[Claim, ...]:
    """Every claim, in the order of their ids."""
    modules = [import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    return tuple(sorted((m.CLAIM for m in modules), key=lambda c: place(c.id)))


def place(id: str) -> tuple[bool, str, tuple[int, ...]]:
    """Sorts ``S1.2`` before ``S1.10``, and claims of no source last.

    >>> sorted(["B1", "S1.10", "S1.2"], key=place)
    ['S1.2', 'S1.10', 'B1']
    """
    return not id.startswith("S"), re.sub(r"\d.*", "", id), tuple(map(int, re.findall(r"\d+", id)))


def find(id: str) -> Claim:
    """The claim with this id, in any case.

    Raises:
        InputError: there is none.
    """
    for claim in all_claims():
        if claim.id.casefold() == id.casefold():
            return claim
    known = ", ".join(c.id for c in all_claims())
    raise InputError(f"no claim {id!r}", hint=f"the claims are {known}")


@cache
def published() -> dict[str, dict[str, str]]:
    """The three outcomes that we published of each claim: of the statement, of the theory, of the rival."""
    text = (resources.files(__name__) / "published.json").read_text("utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found
