"""Absorbed: how much likelier right answers became on prompts seen again."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.special import bdtr

from bitrate.meter.change import paired_change
from bitrate.meter.groups import GroupTable
from bitrate.meter.keys import KnownKeys
from bitrate.meter.lines import Line, missing
from bitrate.meter.prompts import NO_IDENTITY
from bitrate.meter.run import Run
from bitrate.stats import Log2PassRate
from bitrate.types import Estimate, Floats, Ints


def measure(run: Run) -> Estimate:
    """Mean of log2(p_end / p_start) over prompts visited more than once: how much likelier the right answers became.

    Of keys that are independent, and as likely as the starting policy has them, it is a lower bound on the bits that
    the policy holds: Barber-Agakov with the policy as decoder. Of other prompts one bit about a rule counts once for
    each prompt that it answers. Where the log holds the surprisal of each prompt's target, p is known and not
    estimated: then it is also the prequential code length less the final one. Elsewhere rates below 1/(2K) are read as
    1/(2K): at the start that lowers the figure; at the end it would raise it, and the lower end of the interval allows
    for that.
    """
    keys = run.keys()
    return _estimated(run) if keys is None else _known(keys, run.level)


def _known(keys: KnownKeys, level: float) -> Estimate:
    """From the surprisals that the log holds."""
    if problem := keys.problem():
        return missing(problem)
    if not (keys.last > keys.start).any():
        return missing("no prompt was visited twice")
    return keys.mean(keys.absorbed, level, "surprisal of the target at the first visit less the last")


def _estimated(run: Run) -> Estimate:
    """From counts of right rollouts."""
    table, prompts = run.table, run.prompts
    if table.no_rates:
        return missing(table.no_rates)
    if not table.followed:
        return missing(NO_IDENTITY)
    again = table.visits > 1
    if not again.any():
        return missing("no prompt was visited twice")
    first, last = table.starts[:-1][again], table.starts[1:][again] - 1
    log2 = Log2PassRate(prompts.floor)
    found = paired_change(table, log2, first, last, level=run.level)
    if found.known is None:
        return found
    held = paired_change(table, log2, first, last, level=run.level, less=_below(table, last, prompts.floor))
    least = min(found.known[0], held.known[0]) if held.known else found.known[0]
    method = (
        f"{found.method}, pass rates below {prompts.floor:g} read as {prompts.floor:g}; lower end however small they "
        f"became: decoded with the starting policy there"
    )
    return replace(found, low=least, method=method)


def _below(table: GroupTable, last: Ints, floor: float) -> tuple[Floats, float]:
    """What each last visit may hold less than a rise that reads rates below the floor as the floor; and its spread.

    A rate at the end that is read as the floor makes the rise too large. Let the decoder of the key be the policy at
    the end with chance 1 - x, and the starting policy with chance x. It then holds the rise so read less log2(1/(1-x))
    where the rate at the end is above the floor, and less log2(1/x) where it is not, however small it is. So the mean
    less h(x), with x the share of prompts that end below the floor, is held in truth.
    """
    right, n = table.right[last], table.n[last]
    # So few right rollouts, 0 of K, have this chance at the floor, and a greater one below it.
    few = np.rint(n * floor - 0.5)
    chance = bdtr(few, n, floor)
    below = (right <= few) / chance
    share = min(max(float(below.mean()), 1 / last.size), 0.5)
    more = math.log2((1 - share) / share)
    cost = np.zeros(table.n.size)
    cost[last] = -math.log2(1 - share) + more * below
    return cost, more * float((1 / chance).mean())


def overdrawn(run: Run) -> str | None:
    """A sentence where policies hold more of planted keys than they can have received: something leaked.

    Only of keys that are independent is there such a bound. A rule that answers many prompts makes all of their right
    answers likelier, and is counted once for each of them.
    """
    keys = run.keys()
    if keys is None or run.line("received_key_bits").value is None:
        return None
    over = keys.mean(keys.held - keys.received, run.level, "held less received")
    if over.low is None or over.low <= 0:
        return None
    return (
        f"The policies hold at least {over.low:.3g} bits a key more than the log says they received: did answers reach "
        f"updates that were not logged, or are the keys not uniform and independent?"
    )


LINE = Line(
    key="absorbed_bits",
    title="absorbed bits per prompt",
    unit="bits/prompt",
    name="Absorbed",
    means="How much likelier right answers became on prompts seen again; of independent keys, bits held.",
    formula="mean over prompts of log2(p last / p first)",
    place=60,
    measure=measure,
)
