"""Components that follow from the text alone are named, with the bits they add; verifiers are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bitrate

PROMPTS, K = 160, 8
WHO = np.repeat(np.arange(PROMPTS), K)


def trl(folder: Path, text: list[str], **rewards: Any) -> Path:
    """TRL's own files: completions with their rewards, forty prompts a step."""
    (folder / "completions").mkdir()
    advantage = np.random.default_rng(1).normal(size=WHO.size)
    for step, here in enumerate(np.split(np.arange(WHO.size), PROMPTS // 40), 1):
        table = {"step": np.full(here.size, step), "prompt": [f"3 * {i} = ?" for i in WHO[here]],
                 "completion": [text[i] for i in here], "advantage": advantage[here]}  # fmt: skip
        table |= {name: np.asarray(values, float)[here] for name, values in rewards.items()}
        pq.write_table(pa.table(table), folder / "completions" / f"completions_{step}.parquet")
    return folder


def table(path: Path, reward: Any, parts: dict[str, Any], **columns: Any) -> Path:
    """A plain table with components."""
    rows = [list(zip(parts, map(float, values), strict=True)) for values in zip(*parts.values(), strict=True)]
    there = {"prompt_id": WHO, "reward": reward, "components": pa.array(rows, pa.map_(pa.string(), pa.float64()))}
    pq.write_table(pa.table(there | columns), path)
    return path


def said(found: bitrate.Audit) -> dict[str, str]:
    """What the audit says of components and of bands."""
    return {a.code: a.text for a in found.advice if a.code in {"of_the_text", "composite"}}


def thought(rng: np.random.Generator, right: np.ndarray, closed: np.ndarray) -> list[str]:
    """Texts that think for some words, some of which do not close their thought."""
    answers = np.where(right, 3 * WHO, 3 * WHO + rng.integers(1, 5, WHO.size))
    words = rng.integers(3, 60, WHO.size)
    each = zip(words, closed, answers, strict=True)
    return ["<think>" + " ".join(["hm"] * w) + ("</think>" if c else "") + f"<answer>{a}</answer>" for w, c, a in each]


def test_format_and_length_are_told_apart_from_the_verifier(tmp_path: Path, rng: np.random.Generator) -> None:
    right, closed = rng.random(WHO.size) < rng.random(PROMPTS)[WHO], rng.random(WHO.size) < 0.7
    text = thought(rng, right, closed)
    path = trl(tmp_path, text, right=right, tags=0.1 * closed, short=[-0.2 * len(t) / 300 for t in text])
    found = bitrate.audit(path)
    assert found.ledger["outcome_bits"].value is None
    alone = bitrate.audit(path, outcome="right").ledger["outcome_bits"]
    assert said(found) == {
        "of_the_text": "Components of the reward follow from the text alone: tags from the marks in the text (tags, "
        "\\boxed, fences); short from the number of characters, in all of 1,280 rollouts looked at. Their bits say "
        f"nothing of the answer: with them the reward is continuous, without them {alone.value:.3f} outcome bits a "
        "rollout. --outcome right measures what is left."
    }
    [figure] = [a.figure for a in found.advice if a.code == "of_the_text"]
    assert figure.known == alone.known


def test_the_bits_they_add_are_those_of_the_levels(tmp_path: Path, rng: np.random.Generator) -> None:
    right, closed = rng.random(WHO.size) < rng.random(PROMPTS)[WHO], rng.random(WHO.size) < 0.9
    found = bitrate.audit(trl(tmp_path, thought(rng, right, closed), right=right, format=1.0 * closed))
    assert found.ledger["capacity_bits"].value == pytest.approx(np.log2(3)), "0, 1 and 2: no bands"
    whole = found.ledger["outcome_bits"].value
    alone = bitrate.audit(tmp_path, outcome="right").ledger["outcome_bits"].value
    assert whole is not None
    assert alone is not None
    assert f"with them {whole:.3f} outcome bits a rollout, without them {alone:.3f}" in said(found)["of_the_text"]


def test_tokens_and_answers_tell_where_there_is_no_text(tmp_path: Path, rng: np.random.Generator) -> None:
    right, tokens = rng.random(WHO.size) < rng.random(PROMPTS)[WHO], rng.integers(10, 200, WHO.size)
    answer = rng.integers(0, 30, WHO.size)
    parts = {"correct": right, "overlong": np.where(tokens > 150, -0.25, 0.0), "even": 0.1 * (answer % 2 == 0)}
    path = table(tmp_path / "rows.parquet", sum(parts.values()), parts,
                 completion_tokens=tokens, answer=answer.astype(str))  # fmt: skip
    text = said(bitrate.audit(path))["of_the_text"]
    assert "overlong from the number of tokens; even from the text, whatever the prompt, in all of 1,280" in text
    assert text.endswith("--outcome components.correct measures what is left.")


def test_a_verifier_is_not_taken_for_a_function_of_the_text(tmp_path: Path, rng: np.random.Generator) -> None:
    """Though one rollout in five is cut off and wrong, wrong ones are longer, and answers are few."""
    right = rng.random(WHO.size) < 0.1
    tokens = np.where(right, rng.poisson(60, WHO.size), rng.poisson(90, WHO.size))
    tokens[~right & (rng.random(WHO.size) < 0.2)] = 256
    parts = {"correct": right, "tests": rng.binomial(5, 0.3 + 0.4 * right) / 5}
    answer = np.where(right, WHO % 10, rng.integers(0, 10, WHO.size)).astype(str)
    path = table(tmp_path / "rows.parquet", sum(parts.values()), parts, completion_tokens=tokens, answer=answer)
    assert not said(bitrate.audit(path))


def test_a_name_is_a_hint_and_no_more(tmp_path: Path, rng: np.random.Generator) -> None:
    right, kind = rng.random(WHO.size) < rng.random(PROMPTS)[WHO], rng.random(WHO.size) < 0.5
    parts = {"correct": right, "format_reward": 1.0 * kind}
    path = table(tmp_path / "rows.parquet", 1.0 * right + kind, parts)
    text = said(bitrate.audit(path))["of_the_text"]
    assert "are named as if the text alone decided them: format_reward. If so, their bits say nothing" in text
    weighted = said(bitrate.audit(table(tmp_path / "weighted.parquet", right + 0.5 * kind, parts)))["of_the_text"]
    assert " If so and the reward counts them, their bits say nothing of the answer. --outcome " in weighted


def test_one_component_or_none_says_nothing(tmp_path: Path, rng: np.random.Generator) -> None:
    grade = rng.integers(0, 4, WHO.size) / 4
    assert not said(bitrate.audit(table(tmp_path / "one.parquet", grade, {"format": grade})))
    constant = {"grade": grade, "format": np.zeros(WHO.size)}
    assert not said(bitrate.audit(table(tmp_path / "constant.parquet", grade, constant)))
