"""Change over a run: what the policy absorbed, what generalised, pass rates first against last, and series by step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bitrate.meter.cells import GRADED, KINDS, ONE_ROLLOUT, Cells, Sums, group_classes
from bitrate.meter.prompts import NO_IDENTITY, PROMPT, Prompts, resolved
from bitrate.meter.signals import Pool
from bitrate.stats import Functional, Log2PassRate, OutcomeEntropy, PassRate, cluster_ratio, difference
from bitrate.types import Estimate

MOST_BINS = 60
ONE_STEP = "the run has one step, so nothing can change"


def paired_change(cells: Cells, functional: Functional, first: str, last: str, *, name: str, level: float) -> Estimate:
    """Mean over prompts of f(p) at their ``last`` cells less f(p) at their ``first`` ones; both are SQL conditions."""
    pools = [Pool(cells, level, where, "1") for where in (first, last)]
    if not all(p.groups for p in pools):
        return Estimate.missing(name, functional.unit, "no prompt has both measurements with two rollouts or more")
    tables = [p.tables({"f": functional})["f"] for p in pools]
    sums = [cells.sums({"f": t}, p.where, "1") for t, p in zip(tables, pools, strict=True)]
    _, i, j = np.intersect1d(sums[0].who, sums[1].who, return_indices=True)
    before, after = sums[0].score["f"][i] / sums[0].weight[i], sums[1].score["f"][j] / sums[1].weight[j]
    bias = sum(p.averaged(t.bias) for p, t in zip(pools, tables, strict=True))
    spread = math.hypot(*(p.averaged(t.spread) for p, t in zip(pools, tables, strict=True)))
    return cluster_ratio(
        np.ones(before.size), after - before, bias, spread, name=name, unit=functional.unit, level=level,
        method=f"mean over prompts of {functional.name}, last less first, minimax linear",
    )  # fmt: skip


def absorbed(cells: Cells, prompts: Prompts, received: Estimate, level: float) -> Estimate:
    """Mean of log2(p_end / p_start) over prompts visited more than once: a lower bound on the bits the policy holds.

    Barber-Agakov, with the policy as decoder and the starting policy as prior over the key.
    Not above what was received.
    """
    name = "absorbed bits per prompt"
    problem = None if cells.binary else GRADED
    problem = problem or (None if prompts.followed else NO_IDENTITY)
    if problem is None and prompts.ints("groups").max(initial=0) < 2:
        problem = "no prompt was visited twice"
    if problem:
        return Estimate.missing(name, PROMPT, problem)
    functional = Log2PassRate(prompts.floor)
    found = paired_change(
        cells, functional, "visits > 1 AND visit = 1", "visits > 1 AND visit = visits", name=name, level=level
    )
    method = (
        f"{found.method}, pass rates resolved down to {prompts.floor:g}; "
        f"the starting policy is taken as the prior over the key"
    )
    return found.renamed(name, PROMPT, method)


def overdrawn(absorbed: Estimate, received: Estimate, cells: Cells) -> str | None:
    """A sentence where the policy absorbed more than it can have received: something leaked, or the prior is wrong."""
    if absorbed.low is None or received.high is None:
        return None
    most = received.high * cells.totals["rollouts"] / cells.totals["prompts"]
    if absorbed.low <= most:
        return None
    return (
        f"The policy absorbed at least {absorbed.low:.2f} bits a prompt and received at most {most:.2f}: "
        f"the answers leaked in by another way, or the starting policy is not the prior over the key."
    )


def generalised_held_out(cells: Cells, level: float) -> Estimate | None:
    """Gain in log2 pass rate on an evaluation split, its first step against its last; None where it has one step."""
    name = "generalised bits per prompt"
    if not cells.binary or cells.totals["groups"] == 0 or cells.totals["steps"] < 2:
        return None
    [(first, last, size)] = cells.ask("SELECT min(step), max(step), median(n) FROM cells")
    functional = Log2PassRate(resolved(float(size)))
    found = paired_change(cells, functional, f"step = {first}", f"step = {last}", name=name, level=level)
    method = f"evaluation split, step {first} against {last}; {found.method}"
    return found.renamed(name, PROMPT, method)


def generalised_first_visits(cells: Cells, prompts: Prompts, level: float) -> Estimate:
    """Gain in log2 pass rate on prompts at their first visit, late in the run against early.

    Each is held out until then.
    """
    name = "generalised bits per prompt"
    if not cells.binary:
        return Estimate.missing(name, PROMPT, GRADED)
    if not prompts.followed:
        return Estimate.missing(name, PROMPT, NO_IDENTITY)
    thirds = first_and_last_third(cells, "visit = 1")
    if thirds is None:
        return Estimate.missing(
            name, PROMPT, "all prompts were first visited at one step, and there is no evaluation split"
        )
    functional = Log2PassRate(prompts.floor)
    early, late = (_one(cells, functional, f"visit = 1 AND {t}", level) for t in thirds)
    found = difference(early, late, name=name)
    method = (
        f"first visits only, last third of their steps less first third; {functional.name}; "
        f"minimax linear, prompts of a step taken as alike in difficulty"
    )
    return found.renamed(name, PROMPT, method)


def _one(cells: Cells, functional: Functional, where: str, level: float) -> Estimate:
    return Pool(cells, level, where).means({"f": functional}, {"f": (functional.name, functional.unit)})["f"]


def first_and_last_third(cells: Cells, where: str = "true") -> tuple[str, str] | None:
    """SQL conditions for the first and the last third of the steps of some cells; None where there is one step."""
    steps = [int(s) for (s,) in cells.ask(f"SELECT DISTINCT step FROM cells WHERE {where} ORDER BY step")]
    if len(steps) < 2:
        return None
    third = max(1, len(steps) // 3)
    return f"step <= {steps[third - 1]}", f"step >= {steps[-third]}"


def overall(cells: Cells, level: float) -> dict[str, Estimate]:
    """Pass rate and outcome bits, first third of the steps against the last."""
    signals: dict[str, Functional] = {"pass_rate": PassRate(), "outcome_bits": OutcomeEntropy()}
    names = {"pass_rate": ("pass rate", "share of rollouts"), "outcome_bits": ("outcome bits", "bits/rollout")}
    keys = ("pass_rate_first", "pass_rate_last", "pass_rate_change", "outcome_bits_change")
    units = ("share of rollouts",) * 3 + ("bits/rollout",)
    thirds = first_and_last_third(cells)
    if thirds is None or not cells.binary:
        reason = ONE_STEP if cells.binary else GRADED
        return {k: Estimate.missing(k.replace("_", " "), u, reason) for k, u in zip(keys, units, strict=True)}
    pools = [Pool(cells, level, where) for where in thirds]
    first, last = (p.means(signals, names) for p in pools)
    return {
        "pass_rate_first": first["pass_rate"],
        "pass_rate_last": last["pass_rate"],
        "pass_rate_change": contrast(
            cells, pools, PassRate(), "pass rate, last third of the steps less first", "share of rollouts"
        ),
        "outcome_bits_change": contrast(
            cells, pools, OutcomeEntropy(), "outcome bits, last third of the steps less first", "bits/rollout"
        ),
    }


def contrast(cells: Cells, pools: list[Pool], functional: Functional, name: str, unit: str) -> Estimate:
    """Mean of f in the second pool less the first, where a prompt may be in both.

    What a prompt adds to the difference is ``(s2 - R2 w2)/W2 - (s1 - R1 w1)/W1``; those are independent.
    """
    if not all(p.groups for p in pools):
        return Estimate.missing(name, unit, "every group holds one rollout")
    tables = [p.tables({"f": functional})["f"] for p in pools]
    sums = [cells.sums({"f": t}, p.where, p.weight) for t, p in zip(tables, pools, strict=True)]
    who = np.union1d(sums[0].who, sums[1].who)
    gap, parts, spread = 0.0, np.zeros(who.size), 0.0
    for sign, total, pool, table in zip((-1, 1), sums, pools, tables, strict=True):
        ratio = total.score["f"].sum() / total.weight.sum()
        gap += sign * ratio
        parts[np.searchsorted(who, total.who)] += sign * (total.score["f"] - ratio * total.weight) / total.weight.sum()
        effective = total.weight.sum() ** 2 / (total.weight @ total.weight)
        spread = math.hypot(spread, who.size * pool.averaged(table.spread) / effective)
    bias = sum(p.averaged(t.bias) for p, t in zip(pools, tables, strict=True))
    return cluster_ratio(
        np.ones(who.size), who.size * parts + gap, bias, spread, name=name, unit=unit, level=pools[0].level,
        method="difference of minimax linear means, by prompt", within=(-functional.high, functional.high),
    )  # fmt: skip


def series(cells: Cells, level: float) -> list[dict[str, Any]]:
    """Outcome bits, pass rate and kinds of groups in up to 60 bins of steps."""
    steps = [int(s) for (s,) in cells.ask("SELECT DISTINCT step FROM cells ORDER BY step")]
    parts = [p for p in np.array_split(np.array(steps), min(MOST_BINS, len(steps))) if p.size]
    first = [int(p[0]) for p in parts]
    number = " + ".join(f"(step >= {s})::INT" for s in first) + " - 1"
    classes = group_classes(cells)
    shares = ", ".join(f"avg(({where})::INT) FILTER (n > 1)" for where in classes.values())
    kinds = cells.ask(f"SELECT {number} AS bin, count(*), {shares} FROM cells GROUP BY bin ORDER BY bin")
    figures = _binned(cells, number, level) if cells.binary else {}
    rows = []
    for bin_, groups, *shares_here in kinds:
        part = parts[int(bin_)]
        row: dict[str, Any] = {"step_first": int(part[0]), "step_last": int(part[-1]), "groups": int(groups)}
        row |= dict.fromkeys(KINDS) | dict(zip(classes, shares_here, strict=True))
        rows.append(row | figures.get(int(bin_), _no_figures(ONE_ROLLOUT if cells.binary else GRADED)))
    return rows


def _no_figures(reason: str) -> dict[str, Estimate]:
    return {
        "outcome_bits": Estimate.missing("outcome bits", "bits/rollout", reason),
        "pass_rate": Estimate.missing("pass rate", "share of rollouts", reason),
    }


def _binned(cells: Cells, number: str, level: float) -> dict[int, dict[str, Estimate]]:
    """Outcome bits and pass rate of every bin, from one query."""
    pool = Pool(cells, level)
    if not pool.groups:
        return {}
    bins = int(cells.one(f"SELECT max({number}) + 1 FROM cells")[0])
    tables = {"outcome_bits": OutcomeEntropy(), "pass_rate": PassRate()}
    names = {"outcome_bits": ("outcome bits", "bits/rollout"), "pass_rate": ("pass rate", "share of rollouts")}
    pool.groups = max(1, pool.groups // bins)
    scored = pool.tables(tables)
    sums = cells.sums(scored, pool.where, "n", by=number)
    found: dict[int, dict[str, Estimate]] = {}
    for bin_ in np.unique(sums.part):
        here = sums.part == bin_
        score = {k: v[here] for k, v in sums.score.items()}
        one = Sums(sums.who[here], sums.weight[here], score, sums.part[here])
        found[int(bin_)] = {k: pool.mean(scored[k], one, k, *names[k]) for k in scored}
    return found
