"""Answer bound: the cap from how many different answers each group tried."""

from __future__ import annotations

import numpy as np

from bitrate.meter.groups import ONE_ROLLOUT, GroupTable
from bitrate.meter.lines import Line, missing
from bitrate.meter.run import Run
from bitrate.stats import cluster_ratio
from bitrate.theory import binary_entropy
from bitrate.types import Bools, Estimate, Floats
from bitrate.wording import number_of

#: A column answer that holds what was asked for, as in most data sets.
TARGETS = (
    "each group has one answer, scored both right and wrong: these are the right answers and not the model's; "
    "name the model's with --columns answer=COLUMN"
)


def answers_unknown(table: GroupTable) -> str | None:
    """Why the model's final answers cannot be compared, or None where every rollout has one."""
    known, rollouts = table.total("n_answered"), table.totals["rollouts"]
    if not known:
        return "final answers are not in these files; say --columns answer=COLUMN where there is one"
    if known < rollouts:
        return f"final answers are known for only {known:,} of {number_of(rollouts, 'rollout')}"
    one_each = (table.column["n_distinct_answers"] == 1).all()
    return TARGETS if one_each and (table.column["n_torn_answers"] > 0).any() else None


def measure(run: Run) -> Estimate:
    """At most log2(M+1) bits from a group with M distinct answers and one right one.

    Per group the tighter of it and K h(p). Where a group shows two right answers the verifier takes a set of them:
    then at most one bit for each distinct answer (docs/theory.md#groups). Where one answer was scored both ways, the
    group counts K bits. The posterior mean of h(p) has an error of its own, which no spread between prompts shows: for
    the share of rollouts where it is the tighter side, the interval allows for what the outcome bits' interval does.
    """
    table, outcome = run.table, run.line("outcome_bits")
    groups = table.totals["groups"]
    if unknown := answers_unknown(table):
        return missing(unknown, groups)
    if not table.binary:
        return missing("the reward is graded, and the bound is for right or wrong", groups)
    if table.sizes == [1]:
        return missing(ONE_ROLLOUT, groups)
    torn = table.column["n_torn_answers"] > 0
    several = int((table.column["n_right_answers"] > 1).sum())
    what = (
        f"one bit a distinct answer, since {number_of(several, 'group holds', 'groups hold')} several right ones"
        if several
        else "log2(M+1) for M distinct answers of which one is right"
    )
    method = f"per group the tighter of {what}, and K times the posterior mean of h(p)"
    if torn.any():
        scored = number_of(int(torn.sum()), "group")
        method += f"; in {scored} one answer was scored both right and wrong, and K bits stand"
    bound, expected = _bound(table, torn, bool(several)), _expected(table)
    sums = table.sums({"bits": np.minimum(bound, expected)})
    many, rollouts = table.several, table.totals["rollouts"]
    leaning = int(table.n[many & (expected < bound)].sum())
    bias = 0.0
    if outcome.known is not None and leaning:
        low, value, high = outcome.known
        off = abs(float(expected[many].sum()) / float(table.n[many].sum()) - value)
        bias = leaning / rollouts * (max(high - value, value - low) + off)
    weight = table.sums({"n": table.n}).score["n"]
    return cluster_ratio(
        weight, sums.score["bits"], bias, 1.0, name="", unit="", level=run.level, within=(0.0, 1.0), method=method
    )


def _bound(table: GroupTable, torn: Bools, several: bool) -> Floats:
    """Bits that each group can carry by its distinct answers."""
    answers = table.column["n_distinct_answers"].astype(float)
    return np.where(torn, table.n, answers if several else np.log2(answers + 1))


def _expected(table: GroupTable) -> Floats:
    """Posterior mean of K h(p) of each group; K for a rollout alone, which says nothing about how pass rates spread."""
    bits = table.n.astype(float)
    many = table.several
    bits[many] *= table.rates.posterior_mean(binary_entropy, table.right[many], table.n[many])
    return bits


LINE = Line(
    key="answer_bound_bits",
    title="answer bound per rollout",
    unit="bits/rollout",
    name="Answer bound",
    means="The cap from how many different answers each group tried.",
    formula="per group the smaller of log2(M+1), M its distinct answers, and K E[h(p) | counts]; over rollouts",
    place=30,
    measure=measure,
)
