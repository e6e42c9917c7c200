"""Received of a known key: what the outcomes and labels said of each prompt's answer."""

from __future__ import annotations

from bitrate.errors import DataError
from bitrate.meter.keys import NO_KEYS
from bitrate.meter.lines import Line, missing
from bitrate.meter.run import Run
from bitrate.types import Estimate


def measure(run: Run) -> Estimate:
    """Posterior of each prompt's target after all that was heard of it, from a uniform prior over the log's targets."""
    keys = run.keys()
    if keys is None:
        return missing(NO_KEYS)
    if problem := keys.problem():
        return missing(problem)
    try:
        bits = keys.received
    except DataError as error:
        return missing(f"{error.message}: {error.hint}")
    how = f"log2 V - H(target | answers tried), V = {keys.alphabet:,} targets alike"
    return keys.mean(bits, run.level, how)


LINE = Line(
    key="received_key_bits",
    title="received bits about known keys per prompt",
    unit="bits/prompt",
    name="Received of the key",
    means="What all outcomes and labels said of a prompt's known answer.",
    formula="log2 V - H(target | all that was heard), mean over prompts; V targets taken to be alike",
    place=52,
    measure=measure,
    special=True,
)
