"""Logs written by inspect-ai itself: a mock model's, and real ones of gpt-4o-mini."""

from __future__ import annotations

import pytest

from bitrate.errors import DataError

REPORTED = {
    "mockllm_add_epochs4_zstd.eval": (12, 4, 0.4166666666666667),
    "2024-11-05T13-32-37-05-00_input-task_hxs4q9azL3ySGkjJirypKZ.eval": (1, 1, 1.0),
    "2025-02-11T15-18-04-05-00_popularity_mj7khqpMM4GBCfVQozKgzB.eval": (10, 1, 0.8),
    "2025-05-12T20-28-13-04-00_popularity.json": (3, 1, 2 / 3),
}


@pytest.mark.parametrize("name", REPORTED)
def test_the_mean_is_the_accuracy_in_the_logs_header(reading, shared_data, name: str) -> None:
    samples, epochs, accuracy = REPORTED[name]
    found = reading(shared_data("inspect") / name)
    assert found.column("n") == [epochs] * samples
    assert sum(found.column("n_correct")) / (samples * epochs) == pytest.approx(accuracy, rel=1e-12)
    assert found.set_aside == {}


def test_a_log_whose_samples_were_not_scored_cannot_be_measured(reading, shared_data) -> None:
    with pytest.raises(DataError, match="sample has no score"):
        reading(shared_data("inspect") / "2025-02-11T15-17-00-05-00_popularity_dPiJifoWeEQBrfWsAopzWr.eval")


def test_the_five_logs_together(reading, shared_data) -> None:
    found = reading(shared_data("inspect"))
    assert (sum(found.column("n")), found.set_aside) == (62, {"sample has no score": 10})
    assert found.note("2025-05-12T20-28-13-04-00_popularity.json ended with status cancelled")
