"""Advice in sentences.

A warning fires only where an interval excludes health; benchmarks/false_alarms.py measures how often it lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bitrate.meter.cells import Cells, group_classes
from bitrate.meter.ledger import constant_groups
from bitrate.meter.prompts import VISITS_TO_JUDGE
from bitrate.types import Estimate
from bitrate.wording import number_of, percent

#: Thresholds of health; the whole interval must lie beyond one for a warning.
MIXED_HEALTHY = 0.5
CONSTANT_HEALTHY = 0.3
TORN_HEALTHY = 0.02
TRUNCATED_HEALTHY = 0.2
FLAT_HEALTHY = 0.3
GAIN_HEALTHY = 0.01
LEAST_STEPS = 6


@dataclass(frozen=True)
class Advice:
    """One sentence, what it rests on, and whether it warns or just tells."""

    code: str
    kind: str
    text: str
    figure: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Plain values, the figure still an Estimate."""
        return {"code": self.code, "kind": self.kind, "text": self.text, "figure": self.figure}


def advise(figures: dict[str, Any], cells: Cells) -> list[Advice]:
    """Every piece of advice that these figures support, warnings first."""
    rules = (
        dead_groups,
        mastered,
        hopeless,
        never_learn,
        not_learning,
        residue,
        torn,
        truncated,
        larger_groups,
        mean_misleads,
    )
    found = [advice for rule in rules if (advice := rule(figures, cells))]
    return sorted(found, key=lambda a: a.kind != "warning")


def _counted(cells: Cells, key: str) -> tuple[int, str]:
    """How many groups of two rollouts or more are of a kind, and in words ``"164 of 320"``."""
    where = group_classes(cells)[key]
    [(found, groups)] = cells.ask(f"SELECT count(*) FILTER ({where}), count(*) FILTER (n > 1) FROM cells")
    return int(found), f"{found:,} of {groups:,}"


def dead_groups(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """More than half of the groups were constant."""
    constant = figures["groups"]["constant"]
    if constant.low is None or constant.low <= 1 - MIXED_HEALTHY:
        return None
    if cells.binary:
        which = ", ".join(f"{_counted(cells, k)[0]:,} {k.replace('_', ' ')}" for k in ("all_right", "all_wrong"))
        choose = "by pass rate"
    else:
        which = ", ".join(f"{row['groups']:,} at {row['level']:g}" for row in figures["constant_at"])
        choose = "whose rewards vary"
    text = (
        f"{percent(constant.value)} of the groups ({_counted(cells, 'constant')[1]}: {which}) were constant: "
        f"they cost as much as the others, and a group-normalised advantage makes nothing of them. "
        f"Choose prompts {choose} before sampling, or sample more rollouts for fewer prompts."
    )
    return Advice("dead_groups", "warning", text, constant)


def mastered(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """Many groups were all right."""
    share = figures["groups"]["all_right"]
    if share.low is None or share.low <= CONSTANT_HEALTHY:
        return None
    text = (
        f"{percent(share.value)} of the groups ({_counted(cells, 'all_right')[1]}) were all right. "
        f"Retire those prompts, retest them now and then, and bring in harder ones."
    )
    return Advice("mastered", "warning", text, share)


def hopeless(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """Many groups were all wrong."""
    share = figures["groups"]["all_wrong"]
    if share.low is None or share.low <= CONSTANT_HEALTHY:
        return None
    text = (
        f"{percent(share.value)} of the groups ({_counted(cells, 'all_wrong')[1]}) were all wrong. "
        f"An outcome says next to nothing there: "
        f"show answers (SFT), give hints or partial credit, or come back to those prompts later."
    )
    return Advice("hopeless", "warning", text, share)


def never_learn(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """Many prompts sit at a middling pass rate and do not move."""
    share = figures["prompts"]["never_learn"]
    gain = figures["change"]["pass_rate_change"]
    if share.low is None or share.low <= FLAT_HEALTHY or gain.low is None or gain.low <= 0:
        return None
    text = (
        f"Of {number_of(share.n, 'prompt')} visited {VISITS_TO_JUDGE} times or more at a middling pass rate "
        f"{percent(share.value)} stay at it while the run as a whole improves: "
        f"they draw outcome bits and teach nothing. Look at their answers and at the verifier."
    )
    return Advice("never_learn", "warning", text, share)


def not_learning(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """The pass rate did not rise over a run of some length."""
    gain = figures["change"]["pass_rate_change"]
    if gain.high is None or gain.high >= GAIN_HEALTHY or cells.totals["steps"] < LEAST_STEPS:
        return None
    text = (
        f"The pass rate did not rise by a point from the first third of {cells.totals['steps']:,} steps to the last "
        f"(a change of {100 * gain.low:+.1f} to {100 * gain.high:+.1f} points): the bits arrive and are not absorbed. "
        f"Check the learning rate, the advantage's sign, and whether prompts got harder."
    )
    return Advice("not_learning", "warning", text, gain)


def residue(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """Some constant groups were given an advantage, and others were not: rounding error passed for variance."""
    erased, kept = constant_groups(cells)
    if not kept or not erased:
        return None
    figure = Estimate.exact("constant groups with an advantage", kept, "groups", kept + erased)
    text = (
        f"{kept:,} of {number_of(kept + erased, 'constant group')} have an advantage that is not zero, and the others "
        f"have none: most often the trainer divides rounding error by rounding error. "
        f"Round rewards, or test the variance against a tolerance."
    )
    return Advice("residue", "warning", text, figure)


def torn(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """The verifier scored one answer both ways."""
    share = figures["verifier"]["torn_groups"]
    if share.low is None or share.low <= TORN_HEALTHY:
        return None
    text = (
        f"In {percent(share.value)} of the groups one and the same answer got inconsistent verdicts, right and wrong: "
        f"the verifier is noisy, or it looks at more than the answer. Measure its error rate and say --verifier-noise."
    )
    return Advice("torn", "warning", text, share)


def truncated(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """Many rollouts were cut off."""
    share = figures["verifier"]["truncated"]
    if share.low is None or share.low <= TRUNCATED_HEALTHY:
        return None
    text = (
        f"{percent(share.value)} of {number_of(cells.totals['rollouts'], 'rollout')} were cut off at the length limit: "
        f"a wrong outcome there speaks of the limit, not of the answer."
    )
    return Advice("truncated", "warning", text, share)


def larger_groups(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """What the next larger group size would do to the constant groups, where that is told from no change."""
    k = cells.totals["rollouts"] / cells.totals["groups"]
    larger = [row for row in figures["k_advice"] if row["k"] > k and row["dead_groups"].value is not None]
    now = figures["groups"]["constant"]
    if not larger or now.value is None:
        return None
    row = larger[0]
    dead = row["dead_groups"]
    if dead.high >= now.value:
        return None
    own = f"K={k:,.0f}" if len(cells.sizes) == 1 else f"mean K of {k:,.2f}"
    text = (
        f"At K={row['k']} {percent(dead.value)} of the groups would be constant "
        f"({percent(dead.low)} to {percent(dead.high)}); at this run's {own} {percent(now.value)} were."
    )
    return Advice("larger_groups", "note", text, dead)


def mean_misleads(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """The mean pass rate would predict far more mixed groups than there are."""
    mixed, p = figures["groups"]["mixed"], figures["pass_rate"]
    if mixed.high is None or p.value is None:
        return None
    k = cells.totals["rollouts"] / cells.totals["groups"]
    predicted = 1 - p.value**k - (1 - p.value) ** k
    if predicted <= mixed.high + 0.1:
        return None
    text = (
        f"The mean pass rate of {percent(p.value)} alone would predict {percent(predicted)} mixed groups; "
        f"{percent(mixed.value)} were. Pass rates are spread out: plan with their distribution, not with their mean."
    )
    return Advice("mean_misleads", "note", text, mixed)
