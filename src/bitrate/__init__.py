"""bitrate: how many bits a training signal carries, how many arrive, and what they cost.

>>> import bitrate
>>> bitrate.__version__
'0.1.0'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bitrate import stats, theory
    from bitrate.api import Audit, audit, check, claims, compare, export, formats, read
    from bitrate.errors import BitrateError
    from bitrate.lab.claim import Claim, Verdict
    from bitrate.types import Estimate, Prediction

__version__ = "0.1.0"
__all__ = [
    "Audit", "BitrateError", "Claim", "Estimate", "Prediction", "Verdict",
    "audit", "check", "claims", "compare", "export", "formats", "read", "stats", "theory",
]  # fmt: skip

_HOMES = (
    {"BitrateError": "errors"}
    | dict.fromkeys(("Estimate", "Prediction"), "types")
    | dict.fromkeys(("Claim", "Verdict"), "lab.claim")
    | dict.fromkeys(("Audit", "audit", "check", "claims", "compare", "export", "formats", "read"), "api")
)
_ROOMS = ("stats", "theory")


if not TYPE_CHECKING:  # type checkers read the imports above, and know a name that is not there

    def __getattr__(name: str) -> Any:
        """Load a public name on first use: ``import bitrate`` itself stays cheap."""
        from importlib import import_module

        if name in _ROOMS:
            return import_module(f"bitrate.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module 'bitrate' has no attribute {name!r}")
        return getattr(import_module(f"bitrate.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_ROOMS})
