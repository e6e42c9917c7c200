"""Learners and tasks: against definitions written out, and against the limits that theory knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from bitrate.errors import InputError
from bitrate.lab.worlds.learners import advantages, ascend, sample, train
from bitrate.lab.worlds.log import UNSCORED, SimulatedRun
from bitrate.lab.worlds.tasks import Flipped, GoodSet, OneBad, SingleAnswer


def test_advantages_by_their_definitions(rng: np.random.Generator) -> None:
    rewards = rng.integers(0, 2, (50, 4)).astype(float)
    for row, grpo, rloo in zip(rewards, advantages(rewards, "grpo"), advantages(rewards, "rloo"), strict=True):
        for i in range(4):
            assert rloo[i] == pytest.approx(row[i] - np.delete(row, i).mean())
        wanted = (row - row.mean()) / row.std() if row.std() else np.zeros(4)
        assert grpo == pytest.approx(wanted)
    assert advantages(rewards, 0.25) == pytest.approx(rewards - 0.25)
    with pytest.raises(InputError, match="rloo"):
        advantages(rewards[:, :1], "rloo")
    with pytest.raises(InputError, match="ppo"):
        advantages(rewards, "ppo")


def test_a_step_ascends_the_weighted_log_likelihood(rng: np.random.Generator) -> None:
    """Against finite differences of the objective."""
    logits, answers, weight = rng.normal(size=(3, 5)), rng.integers(0, 5, (3, 4)), rng.normal(size=(3, 4))

    def objective(at: np.ndarray) -> np.ndarray:
        log = at - np.log(np.exp(at).sum(axis=1, keepdims=True))
        return (weight * np.take_along_axis(log, answers, 1)).mean(axis=1)

    step = ascend(logits, answers, weight, 1.0) - logits
    for j in range(5):
        nudge = np.zeros((3, 5))
        nudge[:, j] = 1e-6
        assert step[:, j] == pytest.approx((objective(logits + nudge) - objective(logits - nudge)) / 2e-6, abs=1e-6)


@pytest.mark.parametrize("shared", [True, False])
def test_answers_come_from_the_policy(shared: bool, rng: np.random.Generator) -> None:
    policy = np.array([0.1, 0.0, 0.6, 0.3])
    found = sample(policy if shared else np.tile(policy, (20_000, 1)), 20_000, 2, rng)
    assert np.bincount(found.ravel(), minlength=4) / 40_000 == pytest.approx(policy, abs=0.012)
    assert not (found == 1).any()


@pytest.mark.parametrize("method", ["grpo", "rloo", 0.0, "sft", "rejection"])
def test_every_method_learns_the_answer(method: str | float, tmp_path: Path, rng: np.random.Generator) -> None:
    task = SingleAnswer.uniform(4)
    policies = train(task, tmp_path, rng=rng, worlds=300, steps=60, k=4, method=method, rate=1.0)
    log = pq.read_table(tmp_path / "rollouts-0-000000.parquet").to_pydict()
    targets = {w: int(t) for w, t in zip(log["prompt_id"], log["target"], strict=True)}
    right = np.array([policies[int(w), t] for w, t in targets.items()])
    assert len(right) == 300 and right.mean() > 0.8


def test_sets_have_the_size_or_the_chance_asked_for(rng: np.random.Generator) -> None:
    fixed, free = GoodSet(10, size=3), GoodSet(10, alpha=0.3)
    assert {int(s).bit_count() for s in fixed.draw(500, rng)} == {3}
    drawn = free.draw(20_000, rng)
    assert np.mean([int(s).bit_count() for s in drawn]) == pytest.approx(3.0, abs=0.05)
    assert (GoodSet(2, alpha=0.1, nonempty=True).draw(500, rng) > 0).all()
    with pytest.raises(InputError, match="one of them"):
        GoodSet(3, alpha=0.1, size=1)
    with pytest.raises(InputError, match="no good joke"):
        free.label(np.zeros(3, np.int64), rng)


@pytest.mark.parametrize(
    "task", [SingleAnswer.uniform(5), OneBad(5), GoodSet(5, size=2), Flipped(GoodSet(5, size=2), 0)]
)
def test_a_label_is_a_right_answer_and_any_of_them(
    task: SingleAnswer | OneBad | GoodSet, rng: np.random.Generator
) -> None:
    targets = task.draw(4_000, rng)
    labels = task.label(targets, rng)
    assert (task.score(targets, labels[:, None], rng) == 1).all()
    assert np.bincount(labels, minlength=5) / 4_000 == pytest.approx(np.full(5, 0.2), abs=0.04)


def test_a_verifier_flips_at_its_rate(rng: np.random.Generator) -> None:
    task = SingleAnswer.uniform(2)
    targets = task.draw(20_000, rng)
    seen = Flipped(task, 0.1).score(targets, targets[:, None], rng)
    assert seen.mean() == pytest.approx(0.9, abs=0.01)


def test_a_log_holds_rollouts_without_a_score(tmp_path: Path, rng: np.random.Generator) -> None:
    with SimulatedRun(tmp_path, rng) as run:
        run.step(
            0, answers=np.ones((2_000, 2), int), rewards=np.ones((2_000, 2)), advantages=np.ones((2_000, 2)),
            components={"a": np.ones((2_000, 2)), "b": np.zeros((2_000, 2))}, targets=np.zeros(2_000, int), tokens=7,
        )  # fmt: skip
    table = pq.read_table(tmp_path / "rollouts-0-000000.parquet")
    lost = table["reward"].null_count
    assert table.num_rows == 4_000 + lost
    assert lost / 4_000 == pytest.approx(UNSCORED, abs=0.015)
    assert table["advantage"].null_count == lost
    parts = table["components"].to_pylist()
    assert parts[0] == [("a", 1.0), ("b", 0.0)] and parts[-1] == []


def test_arrays_of_many_networks_are_logged_as_worlds_whose_run_is_the_network(tmp_path: Path) -> None:
    flat, few = {}, {"targets": range(4, 10), "prompts": [0, 1, 2, 2, 1, 0], "target_surprisal": np.eye(2, 3)}
    for name, shape in (("many", (2, 3)), ("flat", (6,))):
        (tmp_path / name / "000").mkdir(parents=True)
        all_k = np.arange(12.0).reshape(*shape, 2)
        with SimulatedRun(tmp_path / name / "000", np.random.default_rng(0)) as run:
            run.step(
                0, answers=all_k, rewards=all_k, advantages=all_k, components={"a": all_k}, tokens=all_k[..., :1],
                runs=None if name == "many" else [0, 0, 0, 1, 1, 1],
                **{n: np.reshape(v, shape) for n, v in few.items()},
            )  # fmt: skip
        flat[name] = pq.read_table(tmp_path / name / "000" / "rollouts-0-000000.parquet")
    assert flat["many"].equals(flat["flat"])
    rows = [r for r in flat["many"].to_pylist() if r["reward"] == 9.0]
    assert [(r["run"], r["prompt_id"], r["target"], r["completion_tokens"], r["target_surprisal"]) for r in rows] == [
        ("000/1", "1", "8", 8, 1.0)
    ]


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        train(GoodSet(6, alpha=0.3), tmp_path / name, rng=np.random.default_rng(4), worlds=50, steps=3, k=2)
    a, b = (pq.read_table(tmp_path / name / "rollouts-0-000000.parquet") for name in ("a", "b"))
    assert a.equals(b)
