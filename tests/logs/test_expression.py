"""What --outcome may compare, in every kind of file."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bitrate.errors import InputError
from bitrate.logs.expression import Comparison, comparison

REWARDS = [0.0, 0.1, 1.0, 1.1, 0.9999999, -1.0]
SOLVED = [0.0, 0.0, 1.0, 1.0, 1.0, 0.0]


def files(folder: Path) -> list[Path]:
    """One group as Parquet and as JSON lines, its reward under another name as well, and in parts."""
    parts = [{"correct": s, "format": round(r - s, 7)} for r, s in zip(REWARDS, SOLVED, strict=True)]
    pairs = zip(REWARDS, parts, strict=True)
    rows = [{"prompt_id": "a", "reward": r, "score": 2 * r, "components": p} for r, p in pairs]
    with (folder / "rows.jsonl").open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    kinds = pa.schema([("prompt_id", pa.string()), ("reward", pa.float64()), ("score", pa.float64()),
                       ("components", pa.map_(pa.string(), pa.float64()))])  # fmt: skip
    table = pa.Table.from_pylist([row | {"components": [*row["components"].items()]} for row in rows], kinds)
    pq.write_table(table, folder / "rows.parquet")
    return [folder / "rows.jsonl", folder / "rows.parquet"]


@pytest.mark.parametrize(
    ("outcome", "right"),
    [
        ("reward >= 1", 3), ("reward>1", 1), ("reward = 1", 2), ("reward == 1.0000001", 2), ("reward != 1", 4),
        ("reward < 0", 1), ("reward <= -1e0", 1), ("score >= 2", 3), ('"score" > 2', 1), ("components.correct", 3),
        ("components.correct > 0.5", 3), ("components.format > 0", 2),
    ],
)  # fmt: skip
def test_a_comparison_says_what_is_right(reading, tmp_path: Path, outcome: str, right: int) -> None:
    """Rewards are compared in millionths: a residue of 1e-7 is none."""
    for path in files(tmp_path):
        found = reading(path, outcome=outcome)
        assert (found.column("n"), found.column("n_correct")) == ([6], [right]), path.suffix
        assert found.outcome.column == "correct"


def test_the_reward_is_the_one_that_columns_maps(reading, tmp_path: Path) -> None:
    for path in files(tmp_path):
        assert reading(path, outcome="reward >= 1", columns={"reward": "score"}).column("n_correct") == [3]
        assert reading(path, outcome="reward >= 2", columns={"reward": "score"}).column("n_correct") == [3]
        assert reading(path, outcome="reward > 2", columns={"reward": "score"}).column("n_correct") == [1]


def test_files_without_a_reward_have_nothing_to_compare(reading, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"prompt_id": "a", "correct": 1}\n{"prompt_id": "a", "correct": 0}\n')
    with pytest.raises(InputError, match="compares the reward, and these files have none") as caught:
        reading(tmp_path, outcome="reward >= 1")
    assert "correct" in str(caught.value.hint)


def test_a_rollout_without_a_reward_counts_as_wrong_where_the_user_says_so(reading, tmp_path: Path) -> None:
    rows = [{"prompt_id": "a", "reward": r} for r in (1.1, 0.1, None)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert reading(tmp_path, outcome="reward >= 1").column("n") == [2]
    found = reading(tmp_path, outcome="reward >= 1", unscored="wrong")
    assert (found.column("n"), found.column("n_correct")) == ([3], [1])


@pytest.mark.parametrize("text", ["solved", "<lambda>", "reward >=", ">= 1", "a >= x", "1 >= 1", "a >= 1 or 1 = 1"])
def test_any_other_text_is_the_name_of_a_column(text: str) -> None:
    assert comparison(text) is None


def test_a_comparison_in_pieces() -> None:
    assert comparison('"my score"  == -1.5e-1') == Comparison("my score", "=", -0.15)
