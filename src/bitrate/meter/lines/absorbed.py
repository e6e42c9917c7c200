"""Absorbed: how much likelier right answers became on prompts seen again."""

from __future__ import annotations

from bitrate.meter.change import paired_change
from bitrate.meter.groups import GRADED
from bitrate.meter.keys import KnownKeys
from bitrate.meter.lines import Line, missing
from bitrate.meter.prompts import NO_IDENTITY
from bitrate.meter.run import Run
from bitrate.stats import Log2PassRate
from bitrate.types import Estimate


def measure(run: Run) -> Estimate:
    """Mean of log2(p_end / p_start) over prompts visited more than once: a lower bound on the bits the policy holds.

    Barber-Agakov, with the policy as decoder and the starting policy as prior over the key. Where the log holds the
    surprisal of each prompt's target, p is known and not estimated: then it is also the prequential code length less
    the final one.
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
    if not table.binary:
        return missing(GRADED)
    if not prompts.followed:
        return missing(NO_IDENTITY)
    again = table.visits > 1
    if not again.any():
        return missing("no prompt was visited twice")
    first, last = table.starts[:-1][again], table.starts[1:][again] - 1
    found = paired_change(table, Log2PassRate(prompts.floor), first, last, level=run.level)
    method = (
        f"{found.method}, pass rates resolved down to {prompts.floor:g}; "
        f"the starting policy is taken as the prior over the key"
    )
    return found.renamed("", method=method)


def overdrawn(run: Run) -> str | None:
    """A sentence where the policy absorbed more than it can have received: something leaked, or the prior is wrong."""
    if run.keys() is not None:
        return _overdrawn_keys(run)
    absorbed, received = run.line("absorbed_bits"), run.received
    if absorbed.low is None or received.high is None:
        return None
    most = received.high * run.table.totals["rollouts"] / run.table.totals["prompts"]
    if absorbed.low <= most:
        return None
    return (
        f"The policy absorbed at least {absorbed.low:.2f} bits a prompt and received at most {most:.2f}: "
        f"the answers leaked in by another way, or the starting policy is not the prior over the key."
    )


def _overdrawn_keys(run: Run) -> str | None:
    """The same where keys are known, prompt by prompt."""
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
    means="How much likelier right answers became on prompts seen again.",
    formula="mean over prompts of log2(p last / p first)",
    place=60,
    measure=measure,
)
