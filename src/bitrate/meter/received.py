"""What rollouts can have carried at most: the ways to bound it, bits of each group, and the smallest of their means."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bitrate.meter.clusters import prompt_ratio
from bitrate.meter.groups import GroupTable
from bitrate.stats import Code, Tracker, graded_code, population_code
from bitrate.stats.functionals import log_choose
from bitrate.theory import binary_entropy
from bitrate.types import Bools, Estimate, Floats, Ints
from bitrate.wording import number_of

CONTINUOUS = (
    "the reward is continuous: its bits depend on how finely it is read; name a right-or-wrong column with --outcome"
)
FROM_BEFORE = "outcome code from the steps before, the first step's from its other prompts"
FROM_STEP = "outcome code from the other prompts of the step"
#: Steps in a row are taken together until they hold so many groups.
GROUPS_TOGETHER = 100
#: A run of more steps than this is told several at once.
MOST_STEPS = 500
#: A column answer that holds what was asked for, as in most data sets.
TARGETS = (
    "each group has one answer, scored both right and wrong: these are the right answers and not the model's; "
    "name the model's with --columns answer=COLUMN"
)


@dataclass(frozen=True)
class Side:
    """One way to bound what rollouts carried: valid in the mean, and not group by group.

    Args:
        name: how, in a few words.
        bits: of each group, shape [groups].
        kept: of each group, where all right and all wrong are one outcome, shape [groups].
        unseen: bits a rollout that a kind of group may have which chance has kept out of the log.
        most: bits that a score can say.
    """

    name: str
    bits: Floats
    kept: Floats
    unseen: float
    most: float

    @property
    def update(self) -> Side:
        """The same of what an advantage keeps that is zero on all right and on all wrong."""
        return replace(self, bits=self.kept)


def code_sides(table: GroupTable, followed: bool, noise: float = 0.0) -> list[Side]:
    """Codes for the outcomes: of the earlier visits, and of the other prompts of the same steps.

    Args:
        table: groups; a reward of right or wrong, or of a few levels.
        followed: whether a prompt keeps its identity over the run.
        noise: rate at which the verifier flips outcomes: h(noise) of each is no news, and is taken off.
    """
    if not table.binary:
        bits = graded_code(table.level_counts, table.who, table.column["run_number"])
        levels = len(table.reduced.outcome.levels or ())
        order = float(np.log2(levels))
        name = "outcome code from the levels that other prompts drew"
        return [Side(name, bits, bits, _surprise(table, table.totals["rollouts"] * order), order)]
    sides = [(FROM_BEFORE if table.steps.size > 1 else FROM_STEP, _by_visit(table, followed))]
    if table.steps.size > 1 and not table.stopped:
        sides.append((FROM_STEP, _by_step(table, followed)))
    # A rollout alone is compared with nothing, and so is not erased; a group's size may tell how it ended.
    merges = table.several & (not table.stopped)
    lost = float(binary_entropy(noise))
    _, size, groups = table.histogram()
    unseen = _surprise(
        table, float(groups @ log_choose(size.astype(np.float64), (size // 2).astype(np.float64))) / np.log(2)
    )
    return [
        Side(
            name + (f"; less h({noise:g}) = {lost:.4f} bits of verifier noise" if noise else ""),
            code.bits - table.n * lost,
            np.where(merges, code.merged, code.bits) - table.n * lost,
            unseen,
            1 - lost,
        )
        for name, code in sides
    ]


def _surprise(table: GroupTable, order: float) -> float:
    """Bits a rollout of groups that nobody foretold, each one in about twice the prompts, and all bits of its order."""
    return (float(np.log2(2 * table.totals["prompts"])) * table.n.size + order) / table.totals["rollouts"]


def answers_unknown(table: GroupTable) -> str | None:
    """Why the model's final answers cannot be compared, or None where every rollout has one."""
    known, rollouts = table.total("n_answered"), table.totals["rollouts"]
    if not known:
        return "final answers are not in these files; say --columns answer=COLUMN where there is one"
    if known < rollouts:
        return f"final answers are known for only {known:,} of {number_of(rollouts, 'rollout')}"
    one_each = (table.column["n_distinct_answers"] == 1).all()
    return TARGETS if one_each and (table.column["n_torn_answers"] > 0).any() else None


def no_answer_bound(table: GroupTable) -> str | None:
    """Why answers bound nothing here, or None."""
    graded = None if table.binary else "the reward is graded, and the bound is for right or wrong"
    return answers_unknown(table) or graded


def answer_side(table: GroupTable) -> Side:
    """log2(M+1) of a group with M distinct answers and one right one; one bit an answer where several were right.

    A group in which one answer was scored both right and wrong counts a bit a rollout.
    """
    torn = table.column["n_torn_answers"] > 0
    several = int((table.column["n_right_answers"] > 1).sum())
    m = table.column["n_distinct_answers"].astype(float)
    if several:
        what = f"one bit a distinct answer, since {number_of(several, 'group holds', 'groups hold')} several right ones"
        bits, merged = m, np.where(m < 50, np.log2(np.exp2(np.minimum(m, 50)) - 1), m)
    else:
        what = "log2(M+1) for M distinct answers of which one is right"
        bits, merged = np.log2(m + 1), np.where(m > 1, np.log2(m + 1), 0.0)
    if torn.any():
        scored = number_of(int(torn.sum()), "group")
        what += f"; in {scored} one answer was scored both right and wrong, and K bits stand"
    bits = np.where(torn, table.n, bits)
    unseen = 1.0 if several or torn.any() else float(np.log2(table.n + 1).sum() / table.totals["rollouts"])
    return Side(what, bits, np.where(torn | ~table.several, bits, merged), unseen, 1.0)


def smallest(table: GroupTable, sides: list[Side], level: float, where: Bools | Ints | None = None) -> Estimate:
    """The smallest of the sides' means over rollouts, with an interval that covers the true smallest.

    The smallest of several estimates leans low: each gets its share of the error that the level allows.
    """
    each = 1 - (1 - level) / len(sides)
    found = [mean(table, side, each, where) for side in sides]
    known = [(*e.known, side, e) for e, side in zip(found, sides, strict=True) if e.known]
    if not known:
        return found[0]
    _, value, _, side, best = min(known, key=lambda one: one[1])
    others = [f"{s.name}: {v:.4f} ({low:.4f} to {high:.4f})" for low, v, high, s, _ in known if s is not side]
    method = "; ".join([side.name, best.method, *(f"larger is the {other}" for other in others)])
    low, high = min(k[0] for k in known), min(k[2] for k in known)
    return Estimate("", value, low, high, "", level, best.n, method)


def tightest(sides: list[Side]) -> Side | None:
    """The side whose mean over all rollouts is the smallest, or None where there is no side."""
    return min(sides, key=lambda side: float(side.bits.sum()), default=None)


def mean(table: GroupTable, side: Side, level: float, where: Bools | Ints | None = None) -> Estimate:
    """Mean over rollouts of the bits of one side, interval by prompt."""
    sums = table.sums({"bits": side.bits, "n": table.n}, where)
    return prompt_ratio(
        table, sums.who, sums.score["n"], sums.score["bits"], 0.0, side.unseen, name="", unit="", level=level,
        method="mean over rollouts", within=(0.0, side.most),
    )  # fmt: skip


def _by_visit(table: GroupTable, followed: bool) -> Code:
    """Code of the outcomes of each step, from the steps of its run before it."""
    bits, merged = np.zeros(table.n.size), np.zeros(table.n.size)
    run = table.column["run_number"]
    # Prompts are in the order of their runs.
    ends = np.append(np.flatnonzero(run[1:] != run[:-1]) + 1, run.size)
    for start, end in zip(np.append(0, ends[:-1]), ends, strict=True):
        rows = np.arange(start, end)
        first, last = table.who[rows[0]], table.who[rows[-1]]
        # Only of prompts that come again is anything to be remembered.
        prompts = first + np.flatnonzero((table.visits[first : last + 1] > 1) & followed)
        rows = rows[np.argsort(table.step[rows], kind="stable")]
        again = (table.visits[table.who[rows]] > 1) & followed
        who = np.where(again, np.searchsorted(prompts, table.who[rows]), -1)
        tracker = Tracker(prompts.size, fixed=not table.stopped)
        step = np.cumsum(np.r_[0, table.step[rows][1:] != table.step[rows][:-1]])
        # Of very many steps some in a row are told at once, from those before all of them: that is a code as well.
        step = step // (1 + step[-1] // MOST_STEPS)
        for block in np.split(np.arange(rows.size), np.flatnonzero(np.diff(step)) + 1):
            here = rows[block]
            code = tracker.visit(who[block], table.right[here], table.n[here])
            bits[here], merged[here] = code.bits, code.merged
    return Code(bits, merged)


def _by_step(table: GroupTable, followed: bool) -> Code:
    """Code of each group's outcomes, from other prompts of the same steps whose last visit went alike."""
    run = table.column["run_number"]
    # Steps are numbered by their order within their runs, so that any numbers of steps will do.
    place = run.astype(np.int64) * table.steps.size + np.searchsorted(table.steps, table.step)
    count = np.bincount(place)
    cell = ((np.cumsum(count) - count) // GROUPS_TOGETHER)[place]
    kind = np.zeros(table.n.size, np.int64)
    if followed:
        row = np.arange(table.n.size)
        fresh = np.r_[True, (table.who[1:] != table.who[:-1]) | (table.step[1:] != table.step[:-1])]
        before = np.maximum.accumulate(np.where(fresh, row, 0)) - 1
        seen = before >= table.starts[table.who]
        was = np.where(table.right == 0, 1, np.where(table.right == table.n, 3, 2))
        kind[seen] = was[before[seen]]
    who = table.who if followed else np.arange(table.n.size)
    return population_code(table.right, table.n, (cell * (int(run.max()) + 1) + run) * 4 + kind, who)
