"""Outcome: what right-or-wrong said, given how hard each prompt was and a policy that samples what it believes."""

from __future__ import annotations

from dataclasses import replace

from bitrate.meter.lines import Line, missing
from bitrate.meter.pool import graded_entropy
from bitrate.meter.received import CONTINUOUS
from bitrate.meter.run import Run
from bitrate.stats import OutcomeEntropy, SurprisalTerm
from bitrate.theory import binary_entropy
from bitrate.types import Estimate


def measure(run: Run) -> Estimate:
    """E h(p) over rollouts, minimax linear in the counts; of a graded reward the mean entropy of its levels."""
    if run.table.stopped:
        return missing(run.table.no_rates or "", run.table.totals["groups"])
    if run.table.binary:
        return less_noise(run.pooled["outcome"], run.assumptions.verifier_noise)
    if run.table.reduced.outcome.levels is None:
        return missing(CONTINUOUS, run.table.totals["groups"])
    return graded_entropy(run.table, SurprisalTerm(), run.table.level_counts, level=run.level)


def less_noise(outcome: Estimate, noise: float) -> Estimate:
    """What is left of the outcome bits when the verifier flips at a known rate: E h(p as seen) - h(noise)."""
    if not noise or outcome.known is None:
        return outcome
    low, value, high = outcome.known
    lost = float(binary_entropy(noise))
    method = f"{outcome.method}; less h({noise:g}) = {lost:.4f} bits of verifier noise"
    if high < lost:
        reason = (
            f"outcomes vary by {value:.3f} bits a rollout, and a verifier that flips {noise:g} of them "
            f"would alone cause {lost:.3f}: the stated noise cannot be right"
        )
        return Estimate.missing(outcome.name, outcome.unit, reason, outcome.n)
    low, value, high = low - lost, value - lost, high - lost
    if low < 0:
        method += "; interval cut at 0, below which there is no information"
    if value < 0:
        method += f"; estimate {value:.4f} moved to 0"
    return replace(outcome, value=max(value, 0.0), low=max(low, 0.0), high=high, method=method)


LINE = Line(
    key="outcome_bits",
    title="outcome bits per rollout, if the policy samples what it believes",
    unit="bits/rollout",
    name="Outcome, policy = belief",
    means="What was left to chance given how hard prompts are; bounds received if the policy samples what it believes.",
    formula="E h(p) over rollouts, p a prompt's pass rate, less h(verifier noise)",
    place=20,
    measure=measure,
    functional=OutcomeEntropy(),
)
