"""What the user told us that no log holds."""

from __future__ import annotations

from dataclasses import dataclass

from bitrate.errors import InputError


@dataclass(frozen=True)
class Assumptions:
    """What the user told us that no log holds.

    Raises:
        InputError: a figure that cannot be.
    """

    split: str | None = None
    model_params: float | None = None
    price_per_hour: float | None = None
    flops_per_second: float | None = None
    verifier_noise: float = 0.0
    level: float = 0.95
    #: The step at which known keys are looked at; the end by default.
    keys_until: int | None = None

    def __post_init__(self) -> None:
        for name in ("model_params", "price_per_hour", "flops_per_second"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise InputError(f"{name} = {value}; want a positive number")
        if not 0 <= self.verifier_noise < 0.5:
            raise InputError(f"verifier_noise = {self.verifier_noise}; want a rate from 0 to below 0.5")
        if not 0.5 <= self.level < 1:
            raise InputError(f"level = {self.level}; want a coverage from 0.5 to below 1, e.g. 0.95")
        if self.split not in {None, "train", "eval"}:
            raise InputError(f"split = {self.split!r}; want train or eval")
