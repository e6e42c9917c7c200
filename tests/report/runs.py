"""Logs of simulated runs, and the audits and the comparison that are made of them: what every test of a report shows.

Every audit is a real one. Where a test needs a figure that no small run gives, it replaces that one figure.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import bitrate
from bitrate.logs.schema import SetAside
from bitrate.types import Estimate

K, STEPS, UNSCORED = 8, 20, 3
HOSTILE = (
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=2</script>",
    "<img src=x onerror=window.pwned=3>",
    "\"'><svg onload=window.pwned=4>",
    "{{7*7}}{% raw %}${7*7}",
    "line\u2028separator\u2029here",
    "<!--<script>",
    "[red]markup[/red] [link=http://x.invalid]y[/link]",
    "\x1b]0;title\x07\x1b[31mred\x9b2J",
    "\u202eright to left \u05e9\u05dc\u05d5\u05dd",
    "javascript:window.pwned=5",
    "unbroken" * 60,
)


def learning(path: Path, *, prompts: int = 120, k: int = K, seed: int = 7, **texts: list[str]) -> Path:
    """Rollouts of prompts that are learnt, each drawn in every second step: texts, tokens, and three without a score.

    Args:
        path: the file to write.
        prompts: how many.
        k: rollouts a group.
        seed: of all randomness.
        texts: other texts for a column, one a prompt.
    """
    rng = np.random.default_rng(seed)
    who = np.arange(prompts)
    logit = rng.normal(-0.6, 2.0, prompts)
    step, prompt = (a.ravel() for a in np.meshgrid(np.arange(STEPS), who, indexing="ij"))
    step, prompt = step[drawn := (step + prompt) % 2 == 0], prompt[drawn]
    size = np.where(np.arange(step.size) < UNSCORED, k + 1, k)
    unscored = np.cumsum(size)[:UNSCORED] - 1
    step, prompt = np.repeat(step, size), np.repeat(prompt, size)
    right = rng.random(step.size) < 1 / (1 + np.exp(-(logit[prompt] + 1.6 * step / STEPS)))
    reward = [None if i in unscored else float(r) for i, r in enumerate(right)]
    named = {"run": ["add_two_digits"] * prompts, "prompt_id": [f"{i:04d}" for i in who]}
    named["prompt"] = [f"What is {17 + i} + {29 + 3 * i}? Answer with a number." for i in who]
    table: dict[str, Any] = {name: [column[i] for i in prompt] for name, column in (named | texts).items()}
    table |= {"step": step + 1, "reward": pa.array(reward)}
    pq.write_table(pa.table(table | {"completion_tokens": rng.integers(180, 900, step.size)}), path)
    return path


def graded_runs(path: Path) -> Path:
    """Two runs with a reward of three levels: most groups constant, many rollouts cut off, some rows unscored."""
    rng = np.random.default_rng(9)
    groups, k = 300, 8
    level = rng.choice([0.0, 0.5, 1.0], groups, p=[0.3, 0.5, 0.2])
    reward = np.repeat(level, k)
    varied = np.repeat(rng.random(groups) < 0.3, k)
    reward[varied] = rng.choice([0.0, 0.5, 1.0], int(varied.sum()))
    alone = 6
    runs = [
        np.repeat(["a-run-with-quite-a-long-name/seed-1", "a-run/seed-2"], groups * k // 2),
        ["a-run/seed-2"] * alone,
    ]
    table = {
        "run": np.concatenate(runs),
        "step": np.concatenate([np.repeat(np.arange(groups) // 30, k), np.zeros(alone, int)]),
        "prompt_id": np.concatenate([np.repeat(np.arange(groups), k), 1000 + np.arange(alone)]),
        "reward": pa.array([None if i % 200 == 7 else float(r) for i, r in enumerate([*reward, *([0.5] * alone)])]),
        "truncated": rng.random(groups * k + alone) < 0.4,
        "completion_tokens": rng.integers(100_000, 300_000, groups * k + alone),
    }
    pq.write_table(pa.table(table), path)
    return path


def counts(path: Path) -> Path:
    """One rollout a group and nothing beside its score."""
    rng = np.random.default_rng(3)
    table = {"step": np.arange(200) // 40, "prompt_id": np.arange(200) % 40, "reward": rng.integers(0, 2, 200) * 1.0}
    pq.write_table(pa.table(table), path)
    return path


def changed(audit: bitrate.Audit, part: str, **figures: Estimate) -> bitrate.Audit:
    """The audit with some figures of one part replaced."""
    return replace(audit, **{part: {**getattr(audit, part), **figures}})


def exactly(figure: Estimate, value: float) -> Estimate:
    """The figure at another value, without an interval."""
    return replace(figure, value=value, low=value, high=value)


def without(figure: Estimate, reason: str) -> Estimate:
    """The figure, had these files not held it."""
    return Estimate.missing(figure.name, figure.unit, reason)


def taken(audit: bitrate.Audit, **kinds: dict[str, Estimate]) -> bitrate.Audit:
    """The audit with other figures for what some kinds of groups took."""
    return replace(audit, spent={**audit.spent, **{k: {**audit.spent[k], **parts} for k, parts in kinds.items()}})


@cache
def usual(prompts: int = 120, seed: int = 7) -> bitrate.Audit:
    """A run with nearly all figures."""
    with TemporaryDirectory() as folder:
        return bitrate.audit(
            learning(Path(folder, "rollouts.parquet"), prompts=prompts, seed=seed), command="bitrate audit x"
        )


@cache
def graded() -> bitrate.Audit:
    """A run with a graded reward."""
    with TemporaryDirectory() as folder:
        return bitrate.audit(graded_runs(Path(folder, "rollouts.parquet")), command="bitrate audit x")


@cache
def sparse() -> bitrate.Audit:
    """A run whose log gives one rollout a group, and counts only."""
    with TemporaryDirectory() as folder:
        return bitrate.audit(counts(Path(folder, "rollouts.parquet")), command="bitrate audit x")


@cache
def hostile() -> bitrate.Audit:
    """A run whose log is full of markup, scripts and control characters, wherever a log's own text can stand."""
    everything = " ".join(HOSTILE)
    texts = {
        "run": [everything] * 36,
        "prompt_id": [f"{i} {HOSTILE[i % len(HOSTILE)]}" for i in range(36)],
        "prompt": [HOSTILE[i % len(HOSTILE)] * 2 for i in range(36)],
    }
    with TemporaryDirectory() as folder:
        found = bitrate.audit(learning(Path(folder, "rollouts.parquet"), prompts=36, **texts), command=everything)
    unsaid = Estimate.missing("absorbed " + HOSTILE[1], "bits/prompt", everything)
    warning = next(a for a in graded().advice if a.kind == "warning")
    # A lone surrogate is in no Parquet file; a name of a file may hold one.
    lone = (*HOSTILE, "lone \ud800 surrogate")
    return replace(
        found,
        format=HOSTILE[0],
        caveats=lone,
        advice=tuple(replace(warning, text=text) for text in lone),
        quarantine=tuple(SetAside(text, 1, "rows", (f"{text}:1",)) for text in lone),
        ledger={**found.ledger, "absorbed_bits": unsaid},
        series=replace(found.series, pass_rates=replace(found.series.pass_rates, note=everything)),
    )


@cache
def losing() -> bitrate.Audit:
    """The usual run, had it forgotten what it could do."""
    lost = Estimate("generalised bits per prompt", -0.2, -1.1, 0.7, "bits/prompt", 0.95, 9, "m")
    return changed(usual(), "ledger", generalised_bits=lost)


@cache
def comparison() -> dict[str, Any]:
    """Two runs side by side, one with a name that would be markup."""
    with TemporaryDirectory() as folder:
        runs = ["first [red]run[/red]\x1b[31m"] * 60, ["second"] * 60
        a, b = (learning(Path(folder, f"{i}.parquet"), prompts=60, seed=i, run=run) for i, run in enumerate(runs))
        return bitrate.compare(a, b)
