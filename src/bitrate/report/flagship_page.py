"""The flagship's page: the ledger of every arm side by side, as Markdown and one chart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from bitrate.report.claim_page import cell
from bitrate.report.theme import LINES, PALETTE, WIDTH, Chart, altair, fields, rows_of, save_svg
from bitrate.report.words import number
from bitrate.types import Estimate

Row = Mapping[str, Any]
METHODS = {
    "sft": "SFT on labels",
    "own": "SFT on own successes",
    "grpo": "GRPO, K = 8",
    "grpo-token": "GRPO, a reward a token",
    "distill": "distilled from the SFT model",
}
SHOWN = {
    "capacity": "capacity", "received": "received, at most", "update": "in the update, at most",
    "absorbed": "absorbed, policy as decoder", "prequential": "absorbed, prequential code",
    "generalised": "generalised", "before": "pass rate before", "after": "pass rate after",
    "held out before": "held out, before", "held out after": "held out, after",
    "absorbed per PFLOP": "absorbed per PFLOP", "generalised per PFLOP": "generalised per PFLOP",
}  # fmt: skip
#: Sums of float32 surprisals.
ROUNDING = 1e-6
BARS = ("received", "absorbed", "generalised")
NOT_RUN = "not run"
READING = (
    "**How to read it.** The prior over answers is the model's own policy before training, and every line is on this "
    "basis. *Received* is the surprisal of an answer under it once the answer was hit or shown, and the outcome bits "
    "of its rollouts otherwise. *In the update* takes off what all-right and all-wrong groups lose; a label loses "
    "nothing. *Absorbed* is how much the surprisal of the trained answers fell, each answer for itself; *prequential* "
    "counts from the visit that first taught a prompt. The difference is the rule: the first labels tell much of the "
    "later ones, and what was known before a visit was not taught by it. *Generalised* is the fall on questions held "
    "out; it is below 0 where the model grew surer of wrong answers there, though its pass rate rose. Adapters sit on "
    "the last 8 of 30 layers. Intervals are at level 0.95, over seeds where there are three, else over prompts of the "
    "seeds that there are. The cost is that of training; FLOPs are 2 a parameter and token generated, 6 trained on, "
    "frozen ones too; examinations are not counted. Bits a PFLOP compare ways that differ in accounts, too: a visit "
    "with 8 rollouts, each generated and trained on, is 8 × 8 / 6 = 10.7 times a label's FLOPs, whatever it teaches."
)
#: What is at most what, in this order.
LEDGER = ("absorbed", "update", "received")


def flagship_page(kept: Mapping[str, Any], figure: str, claim: str) -> str:
    """The page.

    Args:
        kept: what ``scripts/flagship_page.py`` wrote: ``arms``, ``versions``, ``seed``.
        figure: the chart, relative to the page.
        claim: link to the claim that judges these runs.

    Returns:
        Markdown.
    """
    rows, versions = kept["arms"], ", ".join(f"{k} {v}" for k, v in kept["versions"].items())
    parts = [
        "# The flagship",
        "One pretrained model, SmolLM2-135M, taught the same answers in five ways. Every row of the ledger is measured "
        "on the same runs, through the rollout files that they wrote, in bits a prompt; pass rates are shares. "
        f"[The claim]({claim}) holds what was predicted, after a pilot and before the first of these runs, and how it "
        "fared.",
        f"![Received, absorbed and generalised bits of every arm]({figure})",
    ]
    for task in dict.fromkeys(r["task"] for r in rows):
        for title, some in (("rank 8", [8]), ("ranks, and weights of their own", [1, 8, "last", "full"])):
            mine = [r for r in rows if r["task"] == task and r["rank"] in some]
            if len(some) > 1:
                ranked = {r["method"] for r in mine if r["rank"] != 8}
                order = {name: place for place, name in enumerate([*METHODS, *map(str, some)])}
                mine = sorted(
                    (r for r in mine if r["method"] in ranked),
                    key=lambda r: (order[r["method"]], order[str(r["rank"])]),
                )
            if mine:
                parts += [f"## {task.capitalize()}: {title}", _table(mine, len(some) > 1)]
    parts += [in_order(rows), *([_code(kept["code"])] if "code" in kept else []), READING]
    parts += [f"Seed {kept['seed']}; {versions}. Made by `{kept['command']}`."]
    return "\n\n".join(parts) + "\n"


def in_order(rows: Sequence[Row]) -> str:
    """Whether each line of the ledger is at most the one above it, arm by arm; where not, which assumption fails."""
    off = [
        f"{METHODS[r['method']]} on {r['task']}, {_rank(r['rank'])}: {SHOWN[less]} {_figure(r, less)} above "
        f"{SHOWN[more]} {_figure(r, more)}"
        for r in rows if r["seeds"] for less, more in pairwise(LEDGER)
        if _mean(r, less) > _mean(r, more) + ROUNDING
    ]  # fmt: skip
    if not off:
        return (
            "**In order.** In every arm what was absorbed is at most what the updates kept, and that at most what was "
            "received. These are sums over prompts, each answer for itself: of answers that follow a rule, no theorem "
            "says that it must be so."
        )
    return (
        f"**Out of order** in {len(off)} places: {'; '.join(off)}. The bound is about all answers taken together. "
        "These are sums over prompts, and the answers follow a rule: what one label says of another prompt is counted "
        "there again."
    )


def _code(rows: Sequence[Mapping[str, Any]]) -> str:
    """The ledger of keys that follow from one another, where the bound is a theorem and can be seen to fail."""
    title = (
        "## A code: keys that follow from one another\n\n16 answers, (u + v) mod 10 of hidden digits u and v of four "
        "rows and columns: seven digits say all. Labels of the first two rows, 8 answers with the entropy of 5 digits, "
        "are taught and logged; with the leak, those of the other rows are taught as well, and not logged. In bits a "
        "run, by labels, rank 8.\n\n"
    )
    heads = ["with a leak" if r["leak"] else "as logged" for r in rows]
    words = {
        "received": "received, jointly, at most", "absorbed": "absorbed, a joint decoder",
        "product": "absorbed, key by key",
    }  # fmt: skip
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---|" * len(rows)]
    lines += [f"| {words[name]} | " + " | ".join(_figure(r, name) for r in rows) + " |" for name in words]
    lines += ["| seeds | " + " | ".join(str(r["seeds"] or NOT_RUN) for r in rows) + " |"]
    return title + "\n".join(lines)


def _mean(row: Row, name: str) -> float:
    """A line's figure; an arm without one breaks no order."""
    value = Estimate.from_dict(row["lines"][name]).value
    return math.nan if value is None else value


def _table(rows: Sequence[Row], by_rank: bool) -> str:
    """Lines of the ledger down, arms across."""
    heads = [METHODS[r["method"]] + (f", {_rank(r['rank'])}" if by_rank else "") for r in rows]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---|" * len(rows)]
    for name, words in SHOWN.items():
        lines.append(f"| {words} | " + " | ".join(_figure(r, name) for r in rows) + " |")
    seeds = [str(r["seeds"]) if r["seeds"] else NOT_RUN for r in rows]
    lines.append("| seeds | " + " | ".join(seeds) + " |")
    for name, words in (("rollouts", "rollouts or labels a seed"), ("tokens", "tokens a seed")):
        lines.append(f"| {words} | " + " | ".join(_a_seed(r, name) for r in rows) + " |")
    lines.append("| PFLOP a seed | " + " | ".join(_a_seed(r, "flops", 1e15) for r in rows) + " |")
    lines.append("| seconds a seed | " + " | ".join(_a_seed(r, "seconds") for r in rows) + " |")
    return "\n".join(lines)


def _rank(rank: int | str) -> str:
    return {"full": "all weights", "last": "all weights of 8 layers"}.get(str(rank), f"rank {rank}")


def _figure(row: Row, name: str) -> str:
    if not row["seeds"]:
        return NOT_RUN
    found = Estimate.from_dict(row["lines"][name])
    if found.known is None:
        return cell(f"no figure: {found.reason}")
    pflop = found.unit == "bits/PFLOP"
    low, value, high = (number(x) if pflop else f"{x:.2f}".replace("-", "−") for x in found.known)
    return f"{value} ({low} to {high})"


def _a_seed(row: Row, name: str, unit: float = 1.0) -> str:
    return number(row["cost"][name] / row["seeds"] / unit) if row["seeds"] else NOT_RUN


def chart(rows: Sequence[Row]) -> Chart | None:
    """Three bars an arm with their intervals, tasks side by side; None where nothing was run."""
    alt = altair()
    data = [
        {
            "arm": METHODS[r["method"]] + ("" if r["rank"] == 8 else f", {_rank(r['rank'])}"),
            "task": r["task"], "line": SHOWN[name], **fields(Estimate.from_dict(r["lines"][name])),
        }
        for r in rows if r["seeds"] for name in BARS
    ]  # fmt: skip
    data = [d for d in data if d["value"] is not None]
    if not data:
        return None
    tasks = dict.fromkeys(d["task"] for d in data)
    words = "Received, absorbed and generalised bits a prompt of every arm, with intervals"
    # One chart a task: where an arm was not run on every task, rows and columns of one grid come out of step.
    parts = [_of_task([d for d in data if d["task"] == task], task) for task in tasks]
    return alt.vconcat(*parts, spacing=28).properties(description=words)


def _of_task(data: list[dict[str, Any]], task: str) -> Chart:
    """The bars of one task, a row for each arm."""
    alt = altair()
    names, arms = [SHOWN[name] for name in BARS], list(dict.fromkeys(d["arm"] for d in data))
    base = alt.Chart(rows_of(data)).encode(y=alt.Y("line:N", title=None, sort=names, axis=None))
    colour = alt.Color("line:N", scale=alt.Scale(domain=names, range=list(LINES[:3])), sort=names)
    x = alt.X("value:Q", title="bits a prompt", axis=alt.Axis(tickCount=6))
    bars = base.mark_bar(height=11).encode(x=x, color=colour)
    spans = base.mark_rule(style="ink", strokeWidth=1.2).encode(x=alt.X("low:Q"), x2="high:Q")
    layered = alt.layer(bars, spans).properties(height=14 * len(BARS), width=WIDTH - 240)
    look = {"labelFontSize": 12, "labelColor": PALETTE["light"]["ink"], "title": None}
    side = alt.Header(labelAngle=0, labelAlign="left", labelLimit=220, **look)
    return layered.facet(row=alt.Row("arm:N", sort=arms, header=side), spacing=8, title=task)


def save_chart(rows: Sequence[Row], path: Path) -> None:
    """Write the chart as SVG, where there is one."""
    made = chart(rows)
    if made is not None:
        save_svg(made, path)
