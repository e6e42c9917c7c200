"""Kinds of groups, whatever the reward; and what an audit says of its own figures: names, reasons, caveats."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bitrate

sys.path.insert(0, str(Path(__file__).parent))
from simulate import write_counts, write_rollouts

KINDS = ["mixed", "all_right", "all_wrong", "constant"]


def graded(path: Path, groups: list[list[float]], **columns: Any) -> dict[str, Any]:
    """The audit of these groups of rewards, each a prompt of its own."""
    ids = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
    return bitrate.audit(
        write_rollouts(path, prompt_id=ids, reward=np.array([r for g in groups for r in g]), **columns)
    ).to_dict()


def test_a_graded_reward_is_constant_at_a_level_and_neither_right_nor_wrong(tmp_path: Path) -> None:
    groups = [[0.5] * 4] * 120 + [[0.2] * 4] * 60 + [[1.0] * 4] * 30 + [[0.2, 0.5, 1.0, 1.0]] * 90
    found = graded(tmp_path / "a.parquet", groups)
    assert list(found["groups"]) == KINDS
    assert found["groups"]["constant"]["value"] == pytest.approx(0.7)
    assert found["groups"]["mixed"]["value"] == pytest.approx(0.3)
    at = [(row["level"], row["groups"], row["share"]["value"]) for row in found["constant_at"]]
    assert at == [(0.5, 120, pytest.approx(0.4)), (0.2, 60, pytest.approx(0.2)), (1.0, 30, pytest.approx(0.1))]
    for kind in ("all_right", "all_wrong"):
        for figure in (found["groups"][kind], *found["spent"][kind].values()):
            assert figure["value"] is None
            assert "calls no rollout right or wrong" in figure["reason"]
    assert found["spent"]["constant"]["rollouts"]["value"] == 840
    [advice] = [a for a in found["advice"] if a["code"] == "dead_groups"]
    assert "70.0% of the groups (210 of 300: 120 at 0.5, 60 at 0.2, 30 at 1) were constant" in advice["text"]
    [step] = found["series"]["steps"]
    assert (step["constant"], step["all_right"], step["all_wrong"]) == (pytest.approx(0.7), None, None)


def test_a_run_of_one_middling_level_is_constant_and_not_all_right(tmp_path: Path) -> None:
    found = graded(tmp_path / "a.parquet", [[0.5] * 4] * 20)
    assert found["groups"]["constant"]["value"] == 1.0
    assert found["groups"]["all_right"]["value"] is None
    assert [(row["level"], row["groups"]) for row in found["constant_at"]] == [(0.5, 20)]
    assert found["ledger"]["capacity_bits"]["method"] == "log2 of the 1 reward level found"


def test_a_continuous_reward_is_constant_within_float_residue(tmp_path: Path, rng: np.random.Generator) -> None:
    spread = [list(row) for row in rng.normal(size=(40, 4))]
    found = graded(tmp_path / "a.parquet", [*spread, *([[0.3, 0.1 + 0.2, 0.3, 0.3]] * 10), *([[-1.25] * 4] * 4)])
    assert found["groups"]["constant"]["value"] == pytest.approx(14 / 54)
    assert [(row["level"], row["groups"]) for row in found["constant_at"]] == [(0.3, 10), (-1.25, 4)]


def test_right_or_wrong_is_constant_where_it_is_all_right_or_all_wrong(tmp_path: Path) -> None:
    path = write_counts(
        tmp_path / "a.parquet", np.zeros(40), np.arange(40).astype(str), [8] * 40, [8] * 9 + [0] * 11 + [3] * 20
    )
    found = bitrate.audit(path).to_dict()
    shares = {k: found["groups"][k]["value"] for k in KINDS}
    assert shares == pytest.approx({"mixed": 0.5, "all_right": 9 / 40, "all_wrong": 11 / 40, "constant": 0.5})
    spent = {k: found["spent"][k]["rollouts"]["value"] for k in KINDS}
    assert spent == {"mixed": 160, "all_right": 72, "all_wrong": 88, "constant": 160}
    assert found["constant_at"] == []


def test_the_table_of_group_sizes_holds_the_counted_share_at_the_runs_own(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    n = np.repeat([8, 1], [60, 5])
    path = write_counts(tmp_path / "a.parquet", np.zeros(65), np.arange(65).astype(str), n, rng.binomial(n, 0.2))
    found = bitrate.audit(path).to_dict()
    [own] = [row for row in found["k_advice"] if row["k"] == 8]
    same = ("value", "low", "high", "n", "method")
    assert [own["dead_groups"][k] for k in same] == [found["groups"]["constant"][k] for k in same]
    assert own["dead_groups"]["name"] == "constant groups at K=8"


@pytest.mark.parametrize("nulls", [1, 20])
def test_answers_that_are_null_in_some_rows_are_counted_and_no_column_is_asked_for(tmp_path: Path, nulls: int) -> None:
    answers = ["a", "b", "a", "c"] * 20
    answers[: 4 * nulls : 4] = [None] * nulls
    found = graded(tmp_path / "a.parquet", [[1.0, 0.0, 1.0, 0.0]] * 20, answer=answers)
    for figure in (found["ledger"]["answer_bound_bits"], found["verifier"]["torn_groups"]):
        assert figure["reason"] == f"final answers are known for only {80 - nulls} of 80 rollouts"
    without = graded(tmp_path / "b.parquet", [[1.0, 0.0, 1.0, 0.0]] * 20)
    assert "say --columns answer=COLUMN" in without["ledger"]["answer_bound_bits"]["reason"]


def test_caveats_on_the_figures_come_before_those_of_the_format(tmp_path: Path) -> None:
    completions = tmp_path / "run" / "completions"
    completions.mkdir(parents=True)
    table = {
        "step": pa.array([1] * 8),
        "prompt": ["p"] * 4 + ["q"] * 4,
        "completion": [str(i) for i in range(8)],
        "accuracy": [1.0, 0.0] * 4,
        "confidence": [0.25, 0.5, 0.75, 0.125] * 2,
        "advantage": [0.0] * 8,
    }
    pq.write_table(pa.table(table), completions / "completions_00001.parquet")
    found = bitrate.audit(tmp_path / "run").to_dict()
    changing = found["caveats"][: found["caveats_on_figures"]]
    assert any("--outcome accuracy" in c for c in changing)
    assert any("every column of decimals" in c for c in changing)
    fixed = found["caveats"][found["caveats_on_figures"] :]
    assert any("TRL keeps no prompt id" in c for c in fixed)


def test_an_audit_says_whether_its_split_is_known(tmp_path: Path) -> None:
    table = {"prompt_id": ["a", "a", "b", "b"], "reward": [0.0, 1.0, 0.0, 0.0]}
    bare = write_rollouts(tmp_path / "a.parquet", **table)
    named = write_rollouts(tmp_path / "b.parquet", **table, split=["train"] * 4)
    in_name = write_rollouts(tmp_path / "train-00000-of-00001.parquet", **table)
    assert [bitrate.audit(p).to_dict()["split_known"] for p in (bare, named, in_name)] == [False, True, True]


def test_only_some_of_many_runs_are_named_and_the_rest_are_counted(tmp_path: Path) -> None:
    path = write_rollouts(
        tmp_path / "a.parquet",
        run=[f"run{i // 8}" for i in range(48)],
        prompt_id=["p"] * 48,
        reward=np.tile([0.0, 1.0], 24),
    )
    assert bitrate.audit(path).to_dict()["run"] == "run0, run1, run2, run3 and 2 more"


def test_nothing_is_one_of_several(tmp_path: Path) -> None:
    """A run of one prompt, one group, one step: every noun after a 1 is singular."""
    path = write_counts(tmp_path / "a.parquet", [0], ["a"], [8], [3])
    found = bitrate.audit(path).to_dict()
    texts = [f["reason"] or f["method"] for f in every_figure(found)] + found["caveats"]
    assert not [t for t in texts if re.search(r"\b1 \w*(clusters|groups|prompts|rollouts|steps|levels)\b", t)]
    assert any("1 independent cluster;" in t for t in texts)


def every_figure(found: Any) -> list[dict[str, Any]]:
    """Every estimate below a value."""
    if isinstance(found, dict):
        return (
            [found] if "reason" in found and "method" in found else [f for v in found.values() for f in every_figure(v)]
        )
    return [f for v in found for f in every_figure(v)] if isinstance(found, list) else []
