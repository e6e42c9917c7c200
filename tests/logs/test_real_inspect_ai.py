"""Logs written by inspect-ai itself: a mock model's, and real ones of gpt-4o-mini."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard

from bitrate.errors import DataError

LOGS = {
    "mockllm_add_epochs4_zstd.eval": (12, 4),
    "2024-11-05T13-32-37-05-00_input-task_hxs4q9azL3ySGkjJirypKZ.eval": (1, 1),
    "2025-02-11T15-18-04-05-00_popularity_mj7khqpMM4GBCfVQozKgzB.eval": (10, 1),
    "2025-05-12T20-28-13-04-00_popularity.json": (3, 1),
}


def reported_accuracy(log: Path) -> float:
    """The accuracy that inspect-ai itself wrote into the log's header."""
    if log.suffix == ".json":
        header = json.loads(log.read_text())
    else:
        with zipfile.ZipFile(log) as archive, log.open("rb") as raw:
            member = archive.getinfo("header.json")
            raw.seek(member.header_offset)
            names = raw.read(30)
            raw.seek(int.from_bytes(names[26:28], "little") + int.from_bytes(names[28:30], "little"), 1)
            body = raw.read(member.compress_size)
        if member.compress_type == 93:
            body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
        elif member.compress_type == zipfile.ZIP_DEFLATED:
            body = zlib.decompress(body, -zlib.MAX_WBITS)
        header = json.loads(body)
    return header["results"]["scores"][0]["metrics"]["accuracy"]["value"]


@pytest.mark.parametrize("name", LOGS)
def test_the_mean_is_the_accuracy_in_the_logs_header(reading, shared_data, name: str) -> None:
    samples, epochs = LOGS[name]
    log = shared_data("inspect") / name
    found = reading(log)
    assert found.column("n") == [epochs] * samples
    assert sum(found.column("n_correct")) / (samples * epochs) == pytest.approx(reported_accuracy(log), rel=1e-12)
    assert found.set_aside == {}


def test_a_log_whose_samples_were_not_scored_cannot_be_measured(reading, shared_data) -> None:
    with pytest.raises(DataError, match="sample has no score"):
        reading(shared_data("inspect") / "2025-02-11T15-17-00-05-00_popularity_dPiJifoWeEQBrfWsAopzWr.eval")


def test_the_five_logs_together(reading, shared_data) -> None:
    found = reading(shared_data("inspect"))
    assert (sum(found.column("n")), found.set_aside) == (62, {"sample has no score": 10})
    assert found.note("2025-05-12T20-28-13-04-00_popularity.json ended with status cancelled")
