"""A 0/1 outcome beside a bonus is recognised, and what is proposed gives the bits of the outcome alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bitrate

PROMPTS, K = 150, 8


def drawn(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What a 0/1 verifier, a format check and a length penalty say of each rollout."""
    p = np.repeat(rng.random(PROMPTS), K)
    return {"right": rng.random(p.size) < p, "format": rng.random(p.size) < 0.7, "length": rng.random(p.size)}


def audit(path: Path, reward: Any, **options: Any) -> bitrate.Audit:
    """The audit of one step in which each prompt is drawn once."""
    pq.write_table(pa.table({"prompt_id": np.repeat(np.arange(PROMPTS), K), "reward": reward}), path)
    return bitrate.audit(path, **options)


def said(found: bitrate.Audit) -> str | None:
    """What the audit says of two bands."""
    return next((a.text for a in found.advice if a.code == "composite"), None)


#: The reward, what is said of its levels, the ends of its bands, and the threshold.
SHAPES: dict[str, tuple[Any, str, list[float], float]] = {
    "a format bonus": (
        lambda right, format, length: right + 0.1 * format, "has 4 levels", [0, 0.1, 1, 1.1], 1,
    ),
    "a format bonus for wrong answers alone": (
        lambda right, format, length: np.where(right, 1.0, 0.1 * format), "has 3 levels", [0, 0.1, 1], 1,
    ),
    "a length penalty": (
        lambda right, format, length: right - 0.2 * length, "is continuous", [-0.2, 0, 0.8, 1], 0.4,
    ),
    "both": (
        lambda right, format, length: right + 0.1 * format - 0.2 * length, "is continuous", [-0.2, 0.1, 0.8, 1.1], 0.5,
    ),
    "a penalty in steps, of rewards of -1 and +1": (
        lambda right, format, length: 2.0 * right - 1 - np.floor(5 * length) / 10, "has 10 levels", [-1.4, -1, 0.6, 1],
        0.6,
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_proposed_gives_the_bits_of_the_outcome_alone(
    tmp_path: Path, rng: np.random.Generator, shape: str
) -> None:
    make, levels, bands, threshold = SHAPES[shape]
    truth = drawn(rng)
    alone = audit(tmp_path / "alone.parquet", truth["right"] * 1.0).to_dict()
    reward = make(**truth)
    composite = audit(tmp_path / "composite.parquet", reward)
    text = said(composite)
    assert text is not None
    assert levels in text
    [ends] = re.findall(r"two bands, (.*?) \(", text)
    assert [float(x) for x in re.split(" to | and ", ends)] == pytest.approx(bands, abs=0.005)
    [proposed] = re.findall(r"--outcome '([^']+)'", text)
    assert proposed == f"reward >= {threshold:g}"
    found = audit(tmp_path / "composite.parquet", reward, outcome=proposed).to_dict()
    for part in ("ledger", "groups", "pass_rate", "k_advice", "prompts"):
        assert found[part] == alone[part], part
    bits = alone["ledger"]["outcome_bits"]["value"]
    if composite.ledger["outcome_bits"].value is not None:
        every = composite.ledger["outcome_bits"].value
        assert every > bits + 0.3
        assert f"{bits:.3f} outcome bits a rollout where all levels have {every:.3f}" in text


@pytest.mark.parametrize(
    "reward",
    [
        lambda rng: rng.binomial(5, np.repeat(rng.beta(0.3, 0.3, PROMPTS), K)) / 5,
        lambda rng: rng.random(PROMPTS * K),
        lambda rng: rng.choice([1.0, 2, 4, 5], PROMPTS * K, p=[0.4, 0.1, 0.1, 0.4]),
        lambda rng: np.repeat(rng.choice([0.0, 10.0], PROMPTS), K) + rng.random(PROMPTS * K),
        lambda rng: np.where(rng.random(PROMPTS * K) < 0.003, -30.0, rng.normal(size=PROMPTS * K)),
    ],
    ids=["5 tests", "uniform", "a judge who never says 3", "two kinds of prompts", "a few failures far below"],
)
def test_an_ordinary_graded_reward_is_left_alone(tmp_path: Path, rng: np.random.Generator, reward: Any) -> None:
    assert said(audit(tmp_path / "graded.parquet", reward(rng))) is None


def test_an_outcome_that_was_chosen_is_not_proposed_again(tmp_path: Path, rng: np.random.Generator) -> None:
    truth = drawn(rng)
    reward = truth["right"] + 0.1 * truth["format"]
    assert said(audit(tmp_path / "a.parquet", reward, outcome="reward >= 1")) is None
    table = {"prompt_id": np.repeat(np.arange(PROMPTS), K), "reward": reward, "correct": truth["right"] * 1.0}
    pq.write_table(pa.table(table), tmp_path / "b.parquet")
    assert said(bitrate.audit(tmp_path / "b.parquet")) is None
