"""bitrate: how many bits a training signal carries, how many arrive, and what they cost.

>>> import bitrate
>>> bitrate.__version__
'0.1.0'
"""

from __future__ import annotations

from typing import Any

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
