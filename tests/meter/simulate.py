"""Simulated runs whose truth is known, written as files and read back by the same way as any trainer's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import bitrate


def write_counts(path: Path, step: Any, prompt: Any, n: Any, right: Any) -> Path:
    """A table of counts."""
    table = {"step": step, "prompt_id": prompt, "n": n, "n_correct": right}
    pq.write_table(pa.table({k: np.asarray(v) for k, v in table.items()}), path)
    return path


def write_rollouts(path: Path, **columns: Any) -> Path:
    """A table of rollouts; every column as long as the others."""
    pq.write_table(
        pa.table({k: (v if isinstance(v, (list, pa.Array)) else np.asarray(v)) for k, v in columns.items()}), path
    )
    return path


def one_step(path: Path, p: np.ndarray, k: int, rng: np.random.Generator, flip: float = 0.0) -> dict[str, Any]:
    """The audit of one group for each prompt at pass rates ``p``, seen through a verifier that flips."""
    seen = p * (1 - flip) + (1 - p) * flip
    write_counts(path, np.zeros(p.size, int), np.arange(p.size).astype(str), np.full(p.size, k), rng.binomial(k, seen))
    return bitrate.audit(path, verifier_noise=flip).to_dict()


def learning_run(
    path: Path,
    rng: np.random.Generator,
    *,
    prompts: int = 200,
    steps: int = 40,
    per_step: int = 32,
    k: int = 8,
    gain: float = 1.0,
    spread: float = 1.2,
    start: float = 0.0,
) -> Path:
    """A run in which every prompt's logit rises by ``gain`` from first step to last, at its own pace."""
    logit = rng.normal(start, spread, prompts)
    pace = rng.gamma(4.0, 0.25, prompts) * gain
    rows = []
    for step in range(steps):
        drawn = rng.choice(prompts, per_step, replace=False)
        p = 1 / (1 + np.exp(-(logit[drawn] + pace[drawn] * step / max(1, steps - 1))))
        rows.append(np.column_stack([np.full(per_step, step), drawn, np.full(per_step, k), rng.binomial(k, p)]))
    step, prompt, n, right = np.concatenate(rows).T
    return write_counts(path, step, prompt.astype(str), n, right)
