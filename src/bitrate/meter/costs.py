"""What rollouts cost: tokens, FLOPs and dollars, and bits for each of them."""

from __future__ import annotations

from dataclasses import dataclass

from bitrate.costs import dollars, flops
from bitrate.errors import InputError
from bitrate.meter.cells import KINDS, NEITHER, ONE_ROLLOUT, Cells
from bitrate.types import Estimate
from bitrate.wording import number_of

FORMULA = "FLOPs = (2 to generate + 6 to train) x parameters x tokens"
TOKENS_HINT = "no token counts in these files; say --columns completion_tokens=COLUMN where there is one"


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


def token_count(cells: Cells, where: str = "true") -> tuple[int | None, str]:
    """Tokens of the cells, prompt and completion, or None where any completion is uncounted; and how counted."""
    rollouts, counted, completion, prompt, prompted = cells.one(
        f"SELECT coalesce(sum(n), 0), coalesce(sum(n_counted), 0), coalesce(sum(completion_tokens), 0), "
        f"coalesce(sum(prompt_tokens), 0), count(prompt_tokens) = count(*) FROM cells WHERE {where}"
    )
    if counted < rollouts:
        part = f"token counts are known for only {counted:,} of {number_of(int(rollouts), 'rollout')}"
        return None, part if counted else TOKENS_HINT
    if prompted and rollouts:
        return int(completion + prompt), "prompt and completion tokens"
    return int(completion), "completion tokens; prompt tokens are not in these files"


def spent(cells: Cells, assumptions: Assumptions, classes: dict[str, str]) -> dict[str, dict[str, Estimate]]:
    """Rollouts, tokens and FLOPs that each kind of groups took."""
    known, why = token_count(cells)
    table = {}
    for name in KINDS:
        words = name.replace("_", "-")
        if cells.sizes == [1] or name not in classes:
            units, reason = ("rollouts", "tokens", "FLOPs"), ONE_ROLLOUT if cells.sizes == [1] else NEITHER
            table[name] = {u.lower(): Estimate.missing(f"{u} in {words} groups", u, reason) for u in units}
            continue
        where = classes[name]
        rollouts = int(cells.one(f"SELECT coalesce(sum(n), 0) FROM cells WHERE {where}")[0])
        tokens, how = token_count(cells, where) if known is not None else (None, why)
        row = {"rollouts": Estimate.exact(f"rollouts in {words} groups", rollouts, "rollouts", rollouts)}
        if tokens is None:
            row["tokens"] = Estimate.missing(f"tokens in {words} groups", "tokens", how)
        else:
            row["tokens"] = Estimate.exact(f"tokens in {words} groups", tokens, "tokens", rollouts, how)
        row["flops"] = _flops(tokens, how, words, assumptions)
        table[name] = row
    return table


def _flops(tokens: int | None, how: str, words: str, assumptions: Assumptions) -> Estimate:
    name = f"FLOPs in {words} groups"
    if tokens is None:
        return Estimate.missing(name, "FLOPs", how)
    if assumptions.model_params is None:
        return Estimate.missing(name, "FLOPs", "the model's size is not in the log; say --model-params 1.5e9")
    return Estimate.exact(
        name, flops(assumptions.model_params, forward=tokens, trained=tokens), "FLOPs", method=f"{FORMULA}; {how}"
    )


def costs(received: Estimate, cells: Cells, assumptions: Assumptions) -> dict[str, Estimate]:
    """Bits per thousand tokens, per PFLOP and per dollar, from the bits a rollout carries at most."""
    tokens, how = token_count(cells)
    rollouts = cells.totals["rollouts"]
    per_token, params = "bits/kilotoken", assumptions.model_params
    names = {
        "bits_per_kilotoken": ("bits per thousand tokens", per_token),
        "bits_per_pflop": ("bits per PFLOP", "bits/PFLOP"),
        "bits_per_dollar": ("bits per dollar", "bits/dollar"),
    }
    missing = {key: Estimate.missing(*names[key], received.reason or how) for key in names}
    if received.value is None or not tokens:
        return missing
    each = tokens / rollouts
    table = {"bits_per_kilotoken": received.scaled(1000 / each, *names["bits_per_kilotoken"], how)}
    if params is None:
        reason = "the model's size is not in the log; say --model-params 1.5e9"
        return table | {k: Estimate.missing(*names[k], reason) for k in ("bits_per_pflop", "bits_per_dollar")}
    work = flops(params, forward=each, trained=each)
    table["bits_per_pflop"] = received.scaled(1e15 / work, *names["bits_per_pflop"], f"{FORMULA}; {how}")
    if assumptions.price_per_hour is None or assumptions.flops_per_second is None:
        reason = "the price is not in the log; say --price-per-hour 2.5 --flops-per-second 4e14"
        return table | {"bits_per_dollar": Estimate.missing(*names["bits_per_dollar"], reason)}
    paid = dollars(work, flops_per_second=assumptions.flops_per_second, price_per_hour=assumptions.price_per_hour)
    table["bits_per_dollar"] = received.scaled(
        1 / paid, *names["bits_per_dollar"], f"{FORMULA}; dollars = FLOPs / (FLOPs/s) x price an hour / 3600"
    )
    return table
