"""Learners whose rollouts are cut short: what their log says of tokens, returns and bits."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from bitrate.errors import InputError
from bitrate.lab.worlds.truncated import K, Story, train_truncated


def rows(folder: Path, story: Story, whole: int, worlds: int = 40) -> duckdb.DuckDBPyRelation:
    """Scored rollouts of a short training, one row each."""
    train_truncated(story, folder, rng=np.random.default_rng(3), worlds=worlds, whole=whole, rate=4.0)
    return duckdb.sql(f"SELECT * FROM read_parquet('{folder}/*.parquet') WHERE reward IS NOT NULL")


def test_tokens_of_a_step_are_those_of_both_networks(tmp_path: Path) -> None:
    """8 x 32 without a value function; 32 + 2 for a whole rollout and 1 + 1 for each that is cut short."""
    for whole, wanted in ((8, 8 * 32), (2, 2 * 34 + 6 * 2)):
        (tmp_path / str(whole)).mkdir()
        log = rows(tmp_path / str(whole), Story(), whole)
        steps = log.query(
            "log", "SELECT DISTINCT sum(completion_tokens) FROM log WHERE split = 'train' GROUP BY run, step"
        )
        assert steps.fetchall() == [(wanted,)]


def test_a_value_is_the_mean_outcome_so_far(tmp_path: Path) -> None:
    """Cut rollouts return 0 before the right choice was seen to pass, and never for another choice."""
    log = rows(tmp_path, Story(), 1)
    cut = log.query("log", "SELECT reward, answer = target FROM log WHERE split = 'train' AND sample >= 1").fetchall()
    assert {right for reward, right in cut if reward > 0} == {True}
    assert len({reward for reward, _ in cut}) > 5  # shares of whole rollouts
    early = log.query(
        "log", "SELECT max(reward) FROM log WHERE split = 'train' AND sample >= 1 AND step = 0"
    ).fetchall()
    assert early == [(0.0,)]
    whole = log.query(
        "log", "SELECT DISTINCT reward FROM log WHERE split = 'train' AND sample < 1 ORDER BY 1"
    ).fetchall()
    assert whole == [(0.0,), (1.0,)]


def test_where_the_end_decides_a_cut_rollout_says_nothing_of_the_right_choice(tmp_path: Path) -> None:
    log = rows(tmp_path, Story(early=False, choices=4), 1, worlds=300)
    steps = """
        SELECT avg(reward) FILTER (answer = target) - avg(reward) FILTER (answer <> target) AS lead
        FROM log WHERE split = 'train' AND sample >= 1 GROUP BY run, step HAVING max(reward) > 0
    """
    [(lead, error)] = log.query("log", f"SELECT avg(lead), stddev(lead) / sqrt(count(lead)) FROM ({steps})").fetchall()
    assert abs(lead) < 4 * error < 0.05


def test_it_learns_until_the_threshold(tmp_path: Path) -> None:
    log = rows(tmp_path, Story(choices=4), K)
    passed = (
        "SELECT run, step, step = max(step) OVER (PARTITION BY run) AS last, target_surprisal <= 1 AS passed FROM log"
    )
    found = log.query("log", f"SELECT last, passed, count(DISTINCT run) FROM ({passed}) GROUP BY ALL ORDER BY ALL")
    assert found.fetchall() == [(False, False, 40), (True, True, 40)]  # its last visit is the first that passes


@pytest.mark.parametrize("whole", [0, 9])
def test_a_step_has_a_whole_rollout_at_least(whole: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"whole = {whole}; want 1 to 8"):
        train_truncated(Story(), tmp_path, rng=np.random.default_rng(0), worlds=2, whole=whole)
