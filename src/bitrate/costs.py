"""What training takes: FLOPs of tokens, dollars of FLOPs, and the sum of what a run spent. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass

#: FLOPs a parameter and token: a token generated or scored takes one pass forward, a token trained on two more back.
FORWARD, TRAIN = 2.0, 6.0


def flops(parameters: float, *, forward: float = 0, trained: float = 0) -> float:
    """FLOPs of tokens: ``(2 x forward + 6 x trained) x parameters``.

    Args:
        parameters: of the model.
        forward: tokens generated or scored.
        trained: tokens trained on, forward and back.

    Reference: Kaplan et al. (2020), Scaling laws for neural language models, section 2.1.

    >>> flops(1e9, forward=1000, trained=1000)
    8000000000000.0
    """
    return (FORWARD * forward + TRAIN * trained) * parameters


def dollars(flops: float, *, flops_per_second: float, price_per_hour: float) -> float:
    """Dollars of FLOPs on rented hardware: ``FLOPs / (FLOPs/s) / 3600 x price an hour``.

    >>> dollars(3600e14, flops_per_second=1e14, price_per_hour=2.5)
    2.5
    """
    return flops / flops_per_second / 3600 * price_per_hour


@dataclass(frozen=True, slots=True)
class Cost:
    """What a training run took.

    Args:
        rollouts: answers sampled or shown.
        tokens: tokens generated and trained on, prompts with them.
        flops: as :func:`flops` counts them, unless said otherwise.
        seconds: on the machine that ran it.

    Reference: docs/ledger.md, "Costs".

    >>> Cost(8, 80, 1e6, 0.5) + Cost(2, 20, 1e6, 0.5)
    Cost(rollouts=10, tokens=100, flops=2000000.0, seconds=1.0)
    """

    rollouts: int = 0
    tokens: int = 0
    flops: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.rollouts + other.rollouts,
            self.tokens + other.tokens,
            self.flops + other.flops,
            self.seconds + other.seconds,
        )
