"""Held of a known key: how much of it can be read from the policy at the end."""

from __future__ import annotations

from bitrate.meter.keys import NO_KEYS
from bitrate.meter.lines import Line, missing
from bitrate.meter.run import Run
from bitrate.types import Estimate


def measure(run: Run) -> Estimate:
    """Mean over prompts of ``log2 V + log2 pi(target)``: Barber-Agakov, the policy as decoder of a uniform key.

    It falls below 0 where the policy is sure of what is wrong.
    """
    keys = run.keys()
    if keys is None:
        return missing(NO_KEYS)
    if problem := keys.problem():
        return missing(problem)
    how = f"log2 V - surprisal of the target at the last visit, V = {keys.alphabet:,} targets alike"
    return keys.mean(keys.held, run.level, how)


LINE = Line(
    key="held_key_bits",
    title="bits of known keys held per prompt",
    unit="bits/prompt",
    name="Held of the key",
    means="How much of a prompt's known answer can be read from the policy at the end.",
    formula="log2 V + log2 pi(target) at the last visit, mean over prompts; V targets taken to be alike",
    place=55,
    measure=measure,
    special=True,
)
