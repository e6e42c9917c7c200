"""Advice in sentences.

A warning fires only where an interval excludes health; benchmarks/false_alarms.py measures how often it lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bitrate.meter.cells import Cells
from bitrate.meter.ledger import constant_groups
from bitrate.types import Estimate

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


def _percent(share: float | None) -> str:
    return f"{100 * share:.0f}%" if share is not None else "an unknown share"


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


def dead_groups(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """More than half of the groups were constant."""
    mixed = figures["groups"]["mixed"]
    if mixed.high is None or mixed.high >= MIXED_HEALTHY:
        return None
    right, wrong = (figures["groups"][k].value for k in ("all_right", "all_wrong"))
    text = (
        f"{_percent(1 - mixed.value)} of the groups were constant "
        f"({_percent(right)} all right, {_percent(wrong)} all wrong): "
        f"they cost as much as the others, and a group-normalised advantage makes nothing of them. "
        f"Choose prompts by pass rate before sampling, or sample more rollouts for fewer prompts."
    )
    return Advice("dead_groups", "warning", text, mixed)


def mastered(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """Many groups were all right."""
    share = figures["groups"]["all_right"]
    if share.low is None or share.low <= CONSTANT_HEALTHY:
        return None
    text = (
        f"{_percent(share.value)} of the groups were all right. "
        f"Retire those prompts, retest them now and then, and bring in harder ones."
    )
    return Advice("mastered", "warning", text, share)


def hopeless(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """Many groups were all wrong."""
    share = figures["groups"]["all_wrong"]
    if share.low is None or share.low <= CONSTANT_HEALTHY:
        return None
    text = (
        f"{_percent(share.value)} of the groups were all wrong. An outcome says next to nothing there: "
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
        f"{_percent(share.value)} of the prompts stay at one middling pass rate while the run as a whole improves: "
        f"they draw outcome bits and teach nothing. Look at their answers and at the verifier."
    )
    return Advice("never_learn", "warning", text, share)


def not_learning(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """The pass rate did not rise over a run of some length."""
    gain = figures["change"]["pass_rate_change"]
    if gain.high is None or gain.high >= GAIN_HEALTHY or cells.totals["steps"] < LEAST_STEPS:
        return None
    text = (
        f"The pass rate changed by {100 * gain.value:+.1f} points from the first third of the steps to the last "
        f"({100 * gain.low:+.1f} to {100 * gain.high:+.1f}): the bits arrive and are not absorbed. "
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
        f"{kept} of {kept + erased} constant groups have an advantage that is not zero, and the others have none: "
        f"most often the trainer divides rounding error by rounding error. "
        f"Round rewards, or test the variance against a tolerance."
    )
    return Advice("residue", "warning", text, figure)


def torn(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """The verifier scored one answer both ways."""
    share = figures["verifier"]["torn_groups"]
    if share.low is None or share.low <= TORN_HEALTHY:
        return None
    text = (
        f"In {_percent(share.value)} of the groups one and the same answer was scored both right and wrong: "
        f"the verifier is noisy, or it looks at more than the answer. Measure its error rate and say --verifier-noise."
    )
    return Advice("torn", "warning", text, share)


def truncated(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """Many rollouts were cut off."""
    share = figures["verifier"]["truncated"]
    if share.low is None or share.low <= TRUNCATED_HEALTHY:
        return None
    text = (
        f"{_percent(share.value)} of the rollouts were cut off at the length limit: "
        f"a wrong outcome there speaks of the limit, not of the answer."
    )
    return Advice("truncated", "warning", text, share)


def larger_groups(figures: dict[str, Any], cells: Cells) -> Advice | None:
    """What the next larger group size would do to the dead groups, where that is told from no change."""
    k = cells.totals["rollouts"] / cells.totals["groups"]
    larger = [row for row in figures["k_advice"] if row["k"] > k and row["dead_groups"].value is not None]
    now = figures["groups"]["mixed"]
    if not larger or now.value is None:
        return None
    row = larger[0]
    dead = row["dead_groups"]
    if dead.high >= 1 - now.value:
        return None
    text = (
        f"At K={row['k']} {_percent(dead.value)} of the groups would be constant "
        f"({_percent(dead.low)} to {_percent(dead.high)}); at this run's K={k:.3g} {_percent(1 - now.value)} were."
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
        f"The mean pass rate {p.value:.2f} alone would predict {_percent(predicted)} mixed groups; "
        f"{_percent(mixed.value)} were. Pass rates are spread out: plan with their distribution, not with their mean."
    )
    return Advice("mean_misleads", "note", text, mixed)
