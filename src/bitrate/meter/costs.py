"""What rollouts cost: tokens, FLOPs and dollars, and bits for each of them."""

from __future__ import annotations

import numpy as np

from bitrate.costs import dollars, flops
from bitrate.meter.assumptions import Assumptions
from bitrate.meter.groups import KINDS, NEITHER, ONE_ROLLOUT, GroupTable
from bitrate.types import Bools, Estimate
from bitrate.wording import number_of

FORMULA = "FLOPs = (2 to generate + 6 to train) x parameters x tokens"
TOKENS_HINT = "no token counts in these files; say --columns completion_tokens=COLUMN where there is one"


def token_count(table: GroupTable, where: Bools | None = None) -> tuple[int | None, str]:
    """Tokens of some groups, prompt and completion, or None where any completion is uncounted; and how counted."""
    rollouts, counted = table.total("n", where), table.total("n_counted", where)
    if counted < rollouts:
        part = f"token counts are known for only {counted:,} of {number_of(rollouts, 'rollout')}"
        return None, part if counted else TOKENS_HINT
    completion, prompts = table.total("completion_tokens", where), table.column["prompt_tokens"]
    prompts = prompts if where is None else prompts[where]
    if rollouts and not np.isnan(prompts).any():
        return completion + int(prompts.sum()), "prompt and completion tokens"
    return completion, "completion tokens; prompt tokens are not in these files"


def spent(table: GroupTable, assumptions: Assumptions) -> dict[str, dict[str, Estimate]]:
    """Rollouts, tokens and FLOPs that each kind of groups took."""
    known, why = token_count(table)
    found = {}
    for name in KINDS:
        words = name.replace("_", "-")
        if table.sizes == [1] or name not in table.kinds:
            units, reason = ("rollouts", "tokens", "FLOPs"), ONE_ROLLOUT if table.sizes == [1] else NEITHER
            found[name] = {u.lower(): Estimate.missing(f"{u} in {words} groups", u, reason) for u in units}
            continue
        where = table.kinds[name]
        rollouts = table.total("n", where)
        tokens, how = token_count(table, where) if known is not None else (None, why)
        row = {"rollouts": Estimate.exact(f"rollouts in {words} groups", rollouts, "rollouts", rollouts)}
        if tokens is None:
            row["tokens"] = Estimate.missing(f"tokens in {words} groups", "tokens", how)
        else:
            row["tokens"] = Estimate.exact(f"tokens in {words} groups", tokens, "tokens", rollouts, how)
        row["flops"] = _flops(tokens, how, words, assumptions)
        found[name] = row
    return found


def _flops(tokens: int | None, how: str, words: str, assumptions: Assumptions) -> Estimate:
    name = f"FLOPs in {words} groups"
    if tokens is None:
        return Estimate.missing(name, "FLOPs", how)
    if assumptions.model_params is None:
        return Estimate.missing(name, "FLOPs", "the model's size is not in the log; say --model-params 1.5e9")
    return Estimate.exact(
        name, flops(assumptions.model_params, forward=tokens, trained=tokens), "FLOPs", method=f"{FORMULA}; {how}"
    )


def costs(received: Estimate, groups: GroupTable, assumptions: Assumptions) -> dict[str, Estimate]:
    """Bits per thousand tokens, per PFLOP and per dollar, from the bits a rollout carries at most."""
    tokens, how = token_count(groups)
    rollouts = groups.totals["rollouts"]
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
