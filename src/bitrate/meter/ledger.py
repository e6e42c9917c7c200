"""The lines of the ledger that one rollout fills: capacity, outcome, answer bound, update (THEORY.md section 4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from bitrate.meter.cells import GRADED, ONE_ROLLOUT, RESIDUE, Cells, group_classes
from bitrate.meter.costs import Assumptions
from bitrate.meter.prompts import outcome_posterior
from bitrate.meter.signals import Pool, graded_entropy
from bitrate.stats import (
    DeadShare,
    LearningValue,
    OutcomeEntropy,
    OwnUpdateBits,
    PassRate,
    SurprisalTerm,
    UpdateBits,
    cluster_ratio,
)
from bitrate.theory import binary_entropy
from bitrate.types import Estimate
from bitrate.wording import number_of

#: A column answer that holds what was asked for, as in most data sets.
TARGETS = (
    "each group has one answer, scored both right and wrong: these are the right answers and not the model's; "
    "name the model's with --columns answer=COLUMN"
)
K_ADVISED = (2, 4, 8, 16, 32, 64)
ROLLOUT = "bits/rollout"
CONTINUOUS = (
    "the reward is continuous: its bits depend on how finely it is read; name a right-or-wrong column with --outcome"
)


@dataclass(frozen=True)
class Lines:
    """What the pass rates of all groups say, read in one pass."""

    outcome: Estimate
    update: Estimate
    pass_rate: Estimate
    k_advice: list[dict[str, Any]]


def capacity(cells: Cells, noise: float) -> Estimate:
    """Most bits that one score could carry: log2 of its levels, less what a noisy verifier destroys."""
    name, outcome, rollouts = "capacity per rollout", cells.groups.outcome, cells.totals["rollouts"]
    if outcome.binary:
        method = "log2 2, a right-or-wrong score" + (f"; less h({noise:g}) of verifier noise" if noise else "")
        return Estimate.exact(name, 1 - float(binary_entropy(noise)), ROLLOUT, rollouts, method)
    if outcome.levels is None:
        return Estimate.missing(name, ROLLOUT, CONTINUOUS, rollouts)
    levels = len(outcome.levels)
    method = f"log2 of the {number_of(levels, 'reward level')} found"
    return Estimate.exact(name, math.log2(levels), ROLLOUT, rollouts, method)


def outcome_lines(cells: Cells, assumptions: Assumptions) -> Lines:
    """Outcome bits, update bits, and what other group sizes would give."""
    if not cells.binary:
        return _graded(cells, assumptions.level)
    signals: dict[str, Any] = {
        "outcome": OutcomeEntropy(),
        "update": OwnUpdateBits(),
        "p": PassRate(),
        "value": LearningValue(),
    }
    names = {
        "outcome": ("outcome bits per rollout", ROLLOUT),
        "update": ("update bits per rollout", ROLLOUT),
        "p": ("pass rate", "share of rollouts"),
        "value": ("outcome variance p(1-p)", "variance/rollout"),
    }
    for k in K_ADVISED:
        signals |= {f"update{k}": UpdateBits(k), f"dead{k}": DeadShare(k)}
        names |= {
            f"update{k}": (f"outcome bits kept per rollout at K={k}", ROLLOUT),
            f"dead{k}": (f"constant groups at K={k}", "share of groups"),
        }
    found = Pool(cells, assumptions.level).means(signals, names)
    outcome = less_noise(found["outcome"], assumptions.verifier_noise)
    advice = [
        {
            "k": k,
            "update_bits": found[f"update{k}"].capped(outcome, "at most the outcome bits"),
            "dead_groups": found[f"dead{k}"],
            "learning_value": found["value"].scaled(
                (k - 1) / k, f"learning value p(1-p)(K-1)/K per rollout at K={k}", "variance/rollout"
            ),
        }
        for k in K_ADVISED
    ]
    return Lines(outcome, _update(found["update"], outcome, cells), found["p"], advice)


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
    return Estimate(outcome.name, max(value, 0.0), max(low, 0.0), high, outcome.unit, outcome.level, outcome.n, method)


def constant_groups(cells: Cells) -> tuple[int, int]:
    """How many constant groups have no advantage, and how many have one."""
    erased, kept = cells.one(
        f"SELECT count(*) FILTER (advantage_max <= {RESIDUE}), count(*) FILTER (advantage_max > {RESIDUE}) "
        f"FROM cells WHERE {group_classes(cells)['constant']}"
    )
    return int(erased), int(kept)


def advantage_kind(cells: Cells) -> tuple[str, str]:
    """What the trainer's advantage does with constant groups: ``erased``, ``kept`` or ``assumed``; and how we know."""
    erased, kept = constant_groups(cells)
    groups = number_of(kept + erased, "constant group")
    if not erased and not kept:
        return "assumed", "a group-normalised advantage is assumed: the files show none on constant groups"
    if kept > erased:
        return "kept", f"the advantage is not zero on {kept:,} of {groups}: nothing is erased"
    return "erased", f"the advantage is zero on {erased:,} of {groups}"


def _update(update: Estimate, outcome: Estimate, cells: Cells) -> Estimate:
    kind, how = advantage_kind(cells)
    if kind == "kept" and update.value is not None and outcome.value is not None:
        return _renamed(outcome, update.name, f"the outcome bits; {how}")
    bounded = update.capped(outcome, "the outcome bits: an update holds no more than was received")
    return _renamed(bounded, update.name, f"{bounded.method}; {how}")


def _renamed(e: Estimate, name: str, method: str) -> Estimate:
    return Estimate(
        name, e.value, e.low, e.high, e.unit, e.level, e.n, method if e.reason is None else e.method, e.reason
    )


def _graded(cells: Cells, level: float) -> Lines:
    levels, groups = cells.groups.outcome.levels, cells.totals["groups"]
    outcome = Estimate.missing("outcome bits per rollout", ROLLOUT, CONTINUOUS, groups)
    if levels is not None:
        outcome = graded_entropy(cells, SurprisalTerm(), sorted(levels), level=level)
    method = (
        f"at most the outcome bits; {outcome.method}; what constant groups erase of a graded reward is not subtracted"
    )
    advice = [
        {
            "k": k,
            "update_bits": Estimate.missing(f"outcome bits kept per rollout at K={k}", ROLLOUT, GRADED),
            "dead_groups": Estimate.missing(f"constant groups at K={k}", "share of groups", GRADED),
            "learning_value": Estimate.missing(f"learning value per rollout at K={k}", "variance/rollout", GRADED),
        }
        for k in K_ADVISED
    ]
    update = _renamed(outcome, "update bits per rollout", method)
    return Lines(outcome, update, Estimate.missing("pass rate", "share of rollouts", GRADED, groups), advice)


def answers_unknown(cells: Cells) -> str | None:
    """Why the model's final answers cannot be compared, or None where every rollout has one."""
    known, rollouts, one_each, torn = cells.one(
        "SELECT coalesce(sum(n_answered), 0), sum(n), coalesce(max(n_distinct_answers), 0) = 1, "
        "count(*) FILTER (n_torn_answers > 0) FROM cells"
    )
    if not known:
        return "final answers are not in these files; say --columns answer=COLUMN where there is one"
    if known < rollouts:
        return f"final answers are known for only {known:,} of {number_of(int(rollouts), 'rollout')}"
    return TARGETS if one_each and torn else None


def answer_bound(cells: Cells, outcome: Estimate, level: float) -> Estimate:
    """At most log2(M+1) bits from a group with M distinct answers and one right one.

    Per group the tighter of it and K h(p). Where a group shows two right answers the verifier takes a set of them:
    then at most one bit for each distinct answer (THEORY.md S1.9). Where one answer was scored both ways, the group
    counts K bits. The posterior mean of h(p) has an error of its own, which no spread between prompts shows: for the
    share of rollouts where it is the tighter side, the interval allows for what the outcome bits' interval does.
    """
    name, groups = "answer bound per rollout", cells.totals["groups"]
    if unknown := answers_unknown(cells):
        return Estimate.missing(name, ROLLOUT, unknown, groups)
    torn, several = cells.one(
        "SELECT count(*) FILTER (n_torn_answers > 0), count(*) FILTER (n_right_answers > 1) FROM cells"
    )
    if not cells.binary:
        return Estimate.missing(name, ROLLOUT, "the reward is graded, and the bound is for right or wrong", groups)
    if cells.sizes == [1]:
        return Estimate.missing(name, ROLLOUT, ONE_ROLLOUT, groups)
    what = (
        f"one bit a distinct answer, since {number_of(several, 'group holds', 'groups hold')} several right ones"
        if several
        else "log2(M+1) for M distinct answers of which one is right"
    )
    method = f"per group the tighter of {what}, and K times the posterior mean of h(p)"
    if torn:
        method += f"; in {number_of(torn, 'group')} one answer was scored both right and wrong, and K bits stand"
    sums = outcome_posterior(cells, bool(several))
    leaning, rollouts = float(sums.score["leaning"].sum()), float(sums.weight.sum())
    bias = 0.0
    if outcome.value is not None and outcome.low is not None and outcome.high is not None and leaning:
        off = abs(float(sums.score["posterior"].sum()) / float(sums.score["several"].sum()) - outcome.value)
        bias = leaning / rollouts * (max(outcome.high - outcome.value, outcome.value - outcome.low) + off)
    return cluster_ratio(
        sums.weight,
        sums.score["bits"],
        bias,
        1.0,
        name=name,
        unit=ROLLOUT,
        level=level,
        within=(0.0, 1.0),
        method=method,
    )


def tighter(a: Estimate, b: Estimate) -> Estimate:
    """The lower of two bounds on the bits received, whichever there is."""
    known = [e for e in (a, b) if e.value is not None]
    return min(known, key=lambda e: e.value or 0.0) if known else a
