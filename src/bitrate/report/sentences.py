"""What an audit found, in sentences: shared by the terminal and the HTML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitrate.report.words import (
    COST,
    COUNTS,
    clean,
    clip,
    difference_span,
    difference_words,
    estimate,
    interval_words,
    is_share,
    number,
    unit_words,
    value_words,
)
from bitrate.types import Estimate
from bitrate.wording import number_of, percent

#: Kinds of groups to show: of a reward that says right or wrong, and of a graded one, which calls neither.
RIGHT_OR_WRONG = (("mixed", "mixed"), ("all_right", "all right"), ("all_wrong", "all wrong"))
GRADED = (("mixed", "mixed"), ("constant", "constant"))
NOTHING = "Nothing was set aside"


def received(audit: Mapping[str, Any]) -> Estimate:
    """The tighter of the two upper bounds on the bits that a rollout carried."""
    bounds = [estimate(audit, "ledger", key) for key in ("outcome_bits", "answer_bound_bits")]
    known = [b for b in bounds if b.value is not None]
    return min(known, key=lambda b: b.value or 0.0) if known else bounds[0]


def kinds(audit: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Key and name of the kinds of groups that this audit's reward tells apart."""
    right, constant = (estimate(audit, "groups", key).value for key in ("all_right", "constant"))
    return GRADED if right is None and constant is not None else RIGHT_OR_WRONG


def constant_share(audit: Mapping[str, Any]) -> tuple[float, int] | None:
    """Share of the rollouts in groups of two or more that were in constant groups; and how many those rollouts are."""
    mixed, constant = (estimate(audit, "spent", key, "rollouts").value for key in ("mixed", "constant"))
    if mixed is None or constant is None or not mixed + constant:
        return None
    return constant / (mixed + constant), round(mixed + constant)


def constant_at(audit: Mapping[str, Any]) -> str:
    """At which levels the groups of a graded reward were constant, and in how many groups; empty where it is not."""
    rows = [(row["level"], row["groups"], estimate(row, "share").value) for row in audit.get("constant_at") or []]
    known = [(level, groups, share) for level, groups, share in rows if share is not None]
    if not known:
        return ""
    named = ", ".join(
        f"at {level:.6g} in {f'{groups:,}' if i else number_of(groups, 'group')} ({percent(share)})"
        for i, (level, groups, share) in enumerate(known)
    )
    rest = (estimate(audit, "groups", "constant").value or 0.0) - sum(share for _, _, share in known)
    return f"constant {named}" + (f", at other levels in {percent(rest)}" if rest > 1e-9 else "")


def spent_parts(audit: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """What the groups took, and the reason where none of them has a figure for it."""
    parts = []
    for part in ("rollouts", "tokens", "flops"):
        found = [estimate(audit, "spent", key, part) for key, _ in kinds(audit)]
        parts.append((part, None if any(e.value is not None for e in found) else found[0].reason))
    return parts


def headline(audit: Mapping[str, Any]) -> str:
    """The finding in one or two sentences."""
    bits, constant = received(audit), constant_share(audit)
    if bits.value is None:
        first = f"What a rollout of this run carried cannot be said: {clean(bits.reason).rstrip('.')}."
    else:
        first = f"A rollout of this run carried at most {number(bits.value)} bits."
    if constant is None:
        return first
    share, of = constant
    every = estimate(audit, "counts", "rollouts").value
    rollouts = "rollouts" if every == of else f"the {number_of(of, 'rollout')} in groups of two or more"
    which = "all right or all wrong" if kinds(audit) == RIGHT_OR_WRONG else "with one reward throughout"
    return (
        f"{first} {percent(share)} of {rollouts} were in constant groups, {which}, where there is nothing to compare."
    )


def change_words(audit: Mapping[str, Any]) -> str:
    """How the pass rate moved; the difference by its interval, which no rounding can set against its two ends."""
    first, last, change = (estimate(audit, "change", f"pass_rate_{key}") for key in ("first", "last", "change"))
    if change.value is None:
        return f"no figure: {clean(change.reason)}"
    when = "from the first third of the steps to the last"
    if first.value is None or last.value is None:
        return f"{difference_words(change)} ({difference_span(change)}) {when}"
    return f"{value_words(first)} to {value_words(last)} {when}, a change of {difference_span(change)} points"


def figure_words(figure: Estimate) -> str:
    """A figure with its unit and interval; of a difference of two shares the interval alone, in points."""
    if " less " in figure.name and is_share(figure.unit):
        return f"{difference_span(figure)} points"
    return f"{value_words(figure)} {unit_words(figure.unit)} ({interval_words(figure)})"


def prompt_words(audit: Mapping[str, Any]) -> list[str]:
    """What the prompts came to: each share with what it is a share of and its interval; else the reason, once."""
    lines = []
    for key in ("mastered", "hopeless", "never_learn"):
        figure = estimate(audit, "prompts", key)
        name = clean(figure.name).removeprefix("prompts ")
        if figure.value is None:
            lines.append((name, f"no figure: {clean(figure.reason)}"))
        else:
            lines.append((name, f"{value_words(figure)} of {figure.n:,} ({interval_words(figure)})"))
    alike = {words for _, words in lines}
    return [lines[0][1]] if len(alike) == 1 else [f"{name}: {words}" for name, words in lines]


def cost_words(audit: Mapping[str, Any]) -> list[str]:
    """Bits for what they cost, with the reasons of those that have no figure, each reason once."""
    found: list[str] = []
    reasons: dict[str, list[str]] = {}
    for key, unit in COST:
        figure = estimate(audit, "cost", key)
        if figure.value is None:
            reasons.setdefault(clean(figure.reason), []).append(unit)
        else:
            found.append(f"{value_words(figure)} bits {unit} ({interval_words(figure)})")
    known = [", ".join(found)] if found else []
    return known + [f"no figure {_either(units)}: {reason}" for reason, units in reasons.items()]


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def source(audit: Mapping[str, Any]) -> str:
    """What was read and how much of it: ``"trl, train split: 2,560 rollouts in 320 groups, 100 prompts, 40 steps"``."""
    split = f"{clip(audit.get('split', 'all'), 20)} split" if audit.get("split_known", True) else "split not named"
    return f"{clip(audit.get('format', 'unknown format'), 40)}, {split}: {counted(audit)}"


def counted(audit: Mapping[str, Any]) -> str:
    """How much was read: ``"12,800 rollouts in 1,600 groups, 400 prompts, 100 steps"``."""
    words = {}
    for key in COUNTS:
        count = estimate(audit, "counts", key)
        words[key] = f"{key}: {clean(count.reason)}" if count.value is None else number_of(round(count.value), key[:-1])
    return f"{words['rollouts']} in {words['groups']}, {words['prompts']}, {words['steps']}"


def quarantined(audit: Mapping[str, Any]) -> str:
    """How much was set aside, by unit: ``"3 rows and 1 file set aside"``."""
    totals: dict[str, int] = {}
    for item in audit.get("quarantine") or []:
        unit = clean(item.get("unit", "rows"))
        totals[unit] = totals.get(unit, 0) + int(item.get("count", 0))
    return " and ".join(units(n, unit) for unit, n in totals.items()) + " set aside" if totals else NOTHING


def quarantine_words(audit: Mapping[str, Any]) -> list[str]:
    """Each reason to set something aside, with how much: ``"3 rows: the reward is null"``."""
    return [
        f"{units(int(item.get('count', 0)), clean(item.get('unit', 'rows')))}: {clean(item['reason'])}"
        for item in audit.get("quarantine") or []
    ]


def units(count: int, unit: str) -> str:
    """A count of rows or files: ``"1 row"``."""
    return number_of(count, unit.removesuffix("s"), unit)
