"""What an audit found, in sentences: shared by the terminal and the HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bitrate.meter.audit import Audit
from bitrate.meter.lines import Line, all_lines
from bitrate.report.words import (
    clean,
    clip,
    difference_span,
    difference_words,
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


def blocks(audit: Audit) -> dict[str, list[tuple[Line, Estimate]]]:
    """The lines of the ledger to show, with their figures and in order, by what they count by: rollout, prompt."""
    found: dict[str, list[tuple[Line, Estimate]]] = {}
    for key, line in all_lines().items():
        if audit.ledger[key].value is not None or not line.special:
            found.setdefault(line.block, []).append((line, audit.ledger[key]))
    return found


def figures(audit: Audit) -> Iterator[Estimate]:
    """Every figure of the audit in reading order, without the series."""
    yield from audit.counts.values()
    yield from audit.ledger.values()
    yield from audit.groups.values()
    for taken in audit.spent.values():
        yield from taken.values()
    yield from audit.cost.values()
    yield audit.own_k
    yield from audit.prompts.values()
    yield from audit.change.values()


def kinds(audit: Audit) -> tuple[tuple[str, str], ...]:
    """Key and name of the kinds of groups that this audit's reward tells apart."""
    right, constant = (audit.groups[key].value for key in ("all_right", "constant"))
    return GRADED if right is None and constant is not None else RIGHT_OR_WRONG


def constant_at(audit: Audit) -> str:
    """At which levels the groups of a graded reward were constant, and in how many groups; empty where it is not."""
    known = [(row.level, row.groups, row.share.value) for row in audit.constant_at if row.share.value is not None]
    if not known:
        return ""
    named = ", ".join(
        f"at {level:.6g} in {f'{groups:,}' if i else number_of(groups, 'group')} ({percent(share)})"
        for i, (level, groups, share) in enumerate(known)
    )
    rest = (audit.groups["constant"].value or 0.0) - sum(share for _, _, share in known)
    return f"constant {named}" + (f", at other levels in {percent(rest)}" if rest > 1e-9 else "")


def spent_parts(audit: Audit) -> list[tuple[str, str | None]]:
    """What the groups took, and the reason where none of them has a figure for it."""
    parts = []
    for part in ("rollouts", "tokens", "flops"):
        found = [audit.spent[key][part] for key, _ in kinds(audit)]
        parts.append((part, None if any(e.value is not None for e in found) else found[0].reason))
    return parts


def headline(audit: Audit) -> str:
    """The finding in one or two sentences."""
    bits, constant = audit.received, audit.constant_rollouts
    if bits.known is None:
        why = clean(bits.reason).rstrip(".")
        first = f"How many bits a rollout of this run carried is not known. {why[:1].upper()}{why[1:]}."
    else:
        low, said, high = map(number, bits.known)
        ends = "" if low == high else f" ({low} to {high})"
        first = f"A rollout of this run carried at most {said} {'bit' if said == '1' else 'bits'}{ends}."
    if constant.value is None:
        return first
    every = audit.counts["rollouts"].value == constant.n
    rollouts = "rollouts" if every else f"the {number_of(constant.n, 'rollout')} in groups of two or more"
    which = "all right or all wrong" if kinds(audit) == RIGHT_OR_WRONG else "with one reward throughout"
    return (
        f"{first} {value_words(constant)} of {rollouts} were in constant groups, {which}, "
        f"where there is nothing to compare."
    )


def change_words(audit: Audit) -> str:
    """How the pass rate moved; the difference by its interval, which no rounding can set against its two ends."""
    first, last, change = (audit.change[f"pass_rate_{key}"] for key in ("first", "last", "change"))
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


def prompt_words(audit: Audit) -> list[str]:
    """What the prompts came to: each share with what it is a share of and its interval; else the reason, once."""
    lines = []
    for figure in audit.prompts.values():
        name = clean(figure.name).removeprefix("prompts ")
        if figure.value is None:
            lines.append((name, f"no figure: {clean(figure.reason)}"))
        else:
            lines.append((name, f"{value_words(figure)} of {figure.n:,} ({interval_words(figure)})"))
    alike = {words for _, words in lines}
    return [lines[0][1]] if len(alike) == 1 else [f"{name}: {words}" for name, words in lines]


def cost_words(audit: Audit) -> list[str]:
    """Bits for what they cost, with the reasons of those that have no figure, each reason once."""
    found: list[str] = []
    reasons: dict[str, list[str]] = {}
    for figure in audit.cost.values():
        unit = unit_words(figure.unit)
        if figure.value is None:
            reasons.setdefault(clean(figure.reason), []).append(unit.removeprefix("bits "))
        else:
            found.append(f"{value_words(figure)} {unit} ({interval_words(figure)})")
    known = [", ".join(found)] if found else []
    return known + [f"no figure {_either(units)}: {reason}" for reason, units in reasons.items()]


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def source(audit: Audit) -> str:
    """What was read and how much of it: ``"trl, train split: 2,560 rollouts in 320 groups, 100 prompts, 40 steps"``."""
    split = f"{clip(audit.split, 20)} split" if audit.split_known else "split not named"
    count = {key: number_of(round(e.value or 0), key[:-1]) for key, e in audit.counts.items()}
    counted = f"{count['rollouts']} in {count['groups']}, {count['prompts']}, {count['steps']}"
    return f"{clip(audit.format, 40)}, {split}: {counted}"


def quarantined(audit: Audit) -> str:
    """How much was set aside, by unit: ``"3 rows and 1 file set aside"``."""
    totals = Counter[str]()
    for item in audit.quarantine:
        totals[item.unit] += item.count
    return " and ".join(units(n, unit) for unit, n in totals.items()) + " set aside" if totals else NOTHING


def quarantine_words(audit: Audit) -> list[str]:
    """Each reason to set something aside, with how much: ``"3 rows: the reward is null"``."""
    return [f"{units(item.count, item.unit)}: {clean(item.reason)}" for item in audit.quarantine]


def units(count: int, unit: str) -> str:
    """A count of rows or files: ``"1 row"``."""
    return number_of(count, unit.removesuffix("s"), unit)
