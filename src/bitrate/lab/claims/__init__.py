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
from typing import NoReturn

from bitrate.errors import InputError
from bitrate.lab.claim import Case, Claim


@cache
def all_claims() -> tuple[Claim, ...]:
    """Every claim, in the order of their ids."""
    claims = [_load(m.name) for m in pkgutil.iter_modules(__path__)]
    return tuple(sorted(claims, key=lambda c: place(c.id)))


def _load(name: str) -> Claim:
    """The claim of a module. One that cannot be loaded loses no other: it fails when it is put to the test."""
    try:
        claim: Claim = import_module(f"{__name__}.{name}").CLAIM
        return claim
    except Exception as error:
        why = error

    def fail(*_: object) -> NoReturn:
        raise why

    said = f"{name}.py cannot be loaded: {type(why).__name__}: {why}"
    return Claim(
        id=name.upper().replace("_", "."), statement=said, source=f"lab/claims/{name}.py", cases=(Case("any", {}),),
        predict=fail, simulate=fail, signal=fail, rival=fail, rival_name="none", tolerance=1.0, budget=1,
    )  # fmt: skip


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
