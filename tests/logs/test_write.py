"""Export and read: what goes out comes back, with what was known about it."""

from __future__ import annotations

from pathlib import Path

import pytest

import bitrate
from bitrate.demo import RUN
from bitrate.errors import InputError, MissingInputError
from bitrate.logs.schema import ROLLOUT_COLUMNS


def test_an_exported_run_gives_the_same_figures(tmp_path: Path) -> None:
    rows = bitrate.export(RUN, tmp_path / "rollouts.parquet")
    before, after = bitrate.audit(RUN).to_dict(), bitrate.audit(tmp_path / "rollouts.parquet").to_dict()
    assert rows == before["counts"]["rollouts"]["value"]
    assert after["format"] == "table"
    for part in ("counts", "ledger", "groups", "cost", "k_advice", "prompts", "change", "series"):
        assert after[part] == before[part], part
    assert "Exported from trl files." in after["caveats"]
    assert set(before["caveats"]) <= set(after["caveats"])


def test_read_gives_every_rollout_column() -> None:
    table = bitrate.read(RUN)
    assert table.column_names == list(ROLLOUT_COLUMNS)
    assert table.num_rows == 2560


def test_an_export_elsewhere_than_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"end the name in \.parquet"):
        bitrate.export(RUN, tmp_path / "rollouts.csv")
    with pytest.raises(MissingInputError):
        bitrate.export(RUN, tmp_path / "nowhere" / "rollouts.parquet")
    assert list(tmp_path.iterdir()) == []
