"""What the user may say that no log holds.

An option is a field here, and a line in the ``TypedDict`` below for type checkers; see docs/extending.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from bitrate.options import Options, option, want

SPLITS = ("train", "eval")
POSITIVE = want(lambda value: 0 < value < float("inf"), "a positive number")


@dataclass(frozen=True, kw_only=True)
class Scope(Options):
    """Which rollouts are measured, and how surely."""

    split: str | None = option(
        None,
        "train or eval; train where there is any, by default.",
        check=want(lambda value: value in SPLITS, " or ".join(SPLITS)),
    )
    level: float = option(
        0.95,
        "Coverage of the intervals.",
        check=want(lambda value: 0.5 <= value < 1, "a coverage from 0.5 to below 1, e.g. 0.95"),
    )


@dataclass(frozen=True, kw_only=True)
class Assumptions(Scope):
    """What the user told us that no log holds."""

    model_params: float | None = option(None, "Parameters of the model, for FLOPs: 1.5e9.", check=POSITIVE)
    price_per_hour: float | None = option(
        None, "Dollars an hour of the hardware; needs --flops-per-second.", check=POSITIVE
    )
    flops_per_second: float | None = option(None, "FLOPs the hardware really does in a second: 4e14.", check=POSITIVE)
    verifier_noise: float = option(
        0.0,
        "Rate at which the verifier flips an outcome.",
        check=want(lambda value: 0 <= value < 0.5, "a rate from 0 to below 0.5"),
    )
    #: The step at which known keys are looked at, the end by default; no option, a claim says it.
    keys_until: int | None = None


class AssumptionKeywords(TypedDict, total=False):
    """The options of `Assumptions`, for type checkers."""

    split: str | None
    level: float
    model_params: float | None
    price_per_hour: float | None
    flops_per_second: float | None
    verifier_noise: float
