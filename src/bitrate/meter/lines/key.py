"""Key: what finding a prompt's answer for the first time said about the answer key."""

from __future__ import annotations

import numpy as np

from bitrate.meter.clusters import prompt_ratio
from bitrate.meter.lines import Line, missing
from bitrate.meter.run import Run
from bitrate.stats import Log2PassRate
from bitrate.types import Estimate
from bitrate.wording import number_of


def measure(run: Run) -> Estimate:
    """Mean over prompts of log2(1/p0) at the first success, and 0 where there was none."""
    prompts, table = run.prompts, run.table
    if problem := prompts.unfit():
        return missing(problem)
    several = int((table.column["n_right_answers"] > 1).sum())
    if several:
        return missing(
            f"{number_of(several, 'group holds', 'groups hold')} several different right answers: "
            f"the key is a set of answers, and log2(1/p0) is not its bits"
        )
    log2 = Log2PassRate(prompts.floor)
    first = prompts.rates["first"].posterior_mean(log2, prompts["k_first"], prompts["n_first"])
    bits = np.where(prompts["k"] > 0, -first, 0.0)
    method = (
        f"log2(1/p0) at the first success, posterior mean on the first visit, "
        f"p0 resolved down to {prompts.floor:g}; one right answer a prompt assumed"
    )
    return prompt_ratio(
        table, np.arange(bits.size), np.ones(bits.size), bits, 0.0, -log2.low, name="", unit="", level=run.level,
        method=method, within=(0.0, -log2.low),
    )  # fmt: skip


LINE = Line(
    key="key_bits",
    title="key bits per prompt",
    unit="bits/prompt",
    name="Key",
    means="What finding a prompt's answer for the first time said about the answer key.",
    formula="mean over prompts of log2(1/p0) where an answer was right, 0 where none was",
    place=50,
    measure=measure,
)
