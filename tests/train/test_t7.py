"""Curricula: what the learners are shown, what is logged of it, and the cost that is read off the log."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

torch = pytest.importorskip("torch")

from bitrate.errors import InputError  # noqa: E402
from bitrate.lab.claims import s3_11, t7  # noqa: E402
from bitrate.lab.signals.pairs import Lead, More  # noqa: E402
from bitrate.lab.signals.pass_rates import CostToPass  # noqa: E402
from bitrate.lab.training.curricula import Settings, _draw, _lengths, _track, _won, train  # noqa: E402
from bitrate.lab.worlds.log import SimulatedRun  # noqa: E402
from bitrate.theory import binary_entropy  # noqa: E402

SMALL = Settings(
    "grpo",
    "uniform",
    alphabet=6,
    longest=4,
    prompts=4,
    k=4,
    steps=12,
    schedule=8,
    rate=1e-2,
    held_out=5,
    every=4,
    seeds=3,
)


def rows_of(folder, seed=0, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    cost = train(replace(SMALL, **changes), folder, np.random.default_rng(seed))
    return cost, pq.read_table(folder / "rollouts-0-000000.parquet").to_pandas()


def test_strings_differ_keep_to_their_lengths_and_are_not_held_out(rng):
    keys = rng.permuted(np.tile(np.arange(6), (3, 1)), axis=1)
    held_out = _draw(SMALL, keys, np.full((3, 200), 3), rng)
    lengths = rng.integers(2, 4, (3, 12))
    lengths[:, :6] = 1  # all six strings of one letter
    for _ in range(20):
        shown = _draw(SMALL, keys, np.where(lengths == 3, 2, lengths), rng)
        assert (shown.inside.sum(-1) == np.where(lengths == 3, 2, lengths)).all()
        for letters, answers, inside, key in zip(shown.letters, shown.answers, shown.inside, keys, strict=True):
            assert len({tuple(w[i]) for w, i in zip(letters, inside, strict=True)}) == 12
            assert (key[letters] == answers)[inside].all()
    others = _draw(SMALL, keys, np.full((3, 12), 3), rng, held_out)  # 16 of 216 strings are left
    for new, old in zip(others.letters, held_out.letters, strict=True):
        assert not {tuple(w) for w in new} & {tuple(w) for w in old}


def test_each_curriculum_asks_for_its_lengths(rng):
    rates = np.array([[0.9, 0.6, 0.2, 0.0], [0.2, 0.1, 0.0, 0.0], [1.0, 1.0, 1.0, 0.8]])

    def lengths(curriculum, step=0):
        return _lengths(replace(SMALL, curriculum=curriculum), step, rates, rng)

    assert (lengths("hard") == 4).all() and (lengths("self-play") == 4).all()
    assert [int(lengths("easy to hard", t)[0, 0]) for t in (0, 1, 2, 4, 6, 8, 11)] == [1, 1, 2, 3, 4, 4, 4]
    assert lengths("control")[:, :-1].tolist() == [[2] * 3, [1] * 3, [4] * 3]
    scouts = {int(x) for _ in range(60) for x in lengths("control")[:, -1]}
    assert scouts == {1, 2, 3, 4} == {int(x) for _ in range(20) for x in lengths("uniform").ravel()}
    _track(rates, np.array([[1, 1], [2, 3], [4, 4]]), np.array([[0.4, 0.4], [0.6, 1.0], [0.8, 0.8]]))
    assert rates[0].tolist() == pytest.approx([0.72, 0.6, 0.2, 0.0])
    assert rates[1].tolist() == pytest.approx([0.2, 0.2, 0.2, 0.0])


def test_in_self_play_the_better_of_two_wins_and_a_coin_decides_draws(rng):
    won = _won(np.tile([3, 1, 0, 2, 2, 2], (2000, 1)), rng)
    assert (won[:, :4] == [1, 0, 0, 1]).all() and (won[:, 4] + won[:, 5] == 1).all()
    assert 0.45 < won[:, 4].mean() < 0.55


def test_the_log_says_what_was_shown_and_how_surprising_it_was(tmp_path):
    cost, rows = rows_of(tmp_path)
    held = rows[rows.split == "eval"]
    assert sorted(held.step.unique()) == [0, 4, 8, 12]
    assert (held.prompt_id.str.len() == 4).all()
    assert np.allclose(held[held.step == 0].target_surprisal, 4 * math.log2(6), atol=1e-5)
    trained = rows[(rows.split == "train") & rows.reward.notna()]
    assert len(trained) == cost.rollouts == 3 * 12 * 4 * 4
    assert ((trained.answer == trained.target) == (trained.reward == 1)).all()
    assert (trained.completion_tokens == trained.target.str.len()).all() and cost.tokens == 2 * trained[
        "completion_tokens"].sum()  # fmt: skip
    for run in rows.run.unique():
        mine = rows[rows.run == run]
        assert not set(mine[mine.split == "eval"].prompt_id) & set(mine[mine.split == "train"].prompt_id)


def test_labels_have_no_reward_and_a_cell_has_the_same_bits_each_time(tmp_path):
    _, first = rows_of(tmp_path / "a" / "000", method="sft", k=1)
    _, again = rows_of(tmp_path / "b" / "000", method="sft", k=1)
    _, other = rows_of(tmp_path / "c" / "000", seed=1, method="sft", k=1)
    assert first.equals(again) and not first.equals(other)
    shown = first[first.split == "train"]
    assert shown.shown.all() and shown.reward.isna().all() and (shown.answer == shown.target).all()


def test_mistakes_are_errors(tmp_path):
    for wrong, said in (
        ({"method": "dpo"}, "grpo or sft"), ({"curriculum": "random"}, "want one of"),
        ({"curriculum": "self-play", "k": 3}, "play in pairs"), ({"curriculum": "self-play", "method": "sft"}, "pairs"),
        ({"prompts": 7}, "6 or fewer"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said):
            rows_of(tmp_path, **wrong)
    with pytest.raises(InputError, match="threshold"):
        CostToPass(1.0)
    with pytest.raises(InputError, match="outcome bits"):
        CostToPass(cost="seconds")


def log(folder, rng, chances, spent=8, k=2):
    """Runs whose held-out pass rate is known at each step, after ``spent`` rollouts of strings of 3 a step."""
    folder.mkdir(parents=True)
    chances = np.asarray(chances, float)
    with SimulatedRun(folder, rng) as run:
        for step, chance in enumerate(chances.T):
            runs, no = np.arange(len(chances)), np.zeros((len(chances), 1))
            bits = -np.log2(chance)
            run.step(step, answers=no, rewards=no, runs=runs, split="eval", prompts=runs, target_surprisal=bits)
            shown = np.zeros((len(chances) * spent // k, k))
            run.step(
                step, answers=shown, rewards=shown, runs=np.repeat(runs, spent // k), tokens=3,
                target_surprisal=np.full(len(shown), 2.0),
            )  # fmt: skip
    return folder


def test_the_cost_is_read_where_the_pass_rate_crosses(tmp_path, rng):
    both = log(tmp_path / "x", rng, [[0.1, 0.4, 0.6, 0.2], [0.1, 0.2, 0.3, 0.7]])
    crossed = np.array([8 + 4, 16 + 4])  # between steps 1 and 2, and 2 and 3, in the middle
    assert CostToPass()(both).value == pytest.approx(np.log2(crossed).mean())
    assert CostToPass(cost="tokens")(both).value == pytest.approx(np.log2(3 * crossed).mean())
    bits = float(binary_entropy(0.25)) * crossed
    assert CostToPass(cost="outcome bits")(both).value == pytest.approx(np.log2(bits).mean())


def test_a_run_that_never_passes_is_no_number_or_a_floor(tmp_path, rng):
    one = log(tmp_path / "x", rng, [[0.1, 0.4, 0.6], [0.1, 0.2, 0.3]])
    found = CostToPass()(one)
    assert found.value is None and "1 of 2 runs never pass" in found.reason
    floor = CostToPass(floor=True)(one)
    assert floor.value == pytest.approx(np.log2([12, 24]).mean()) and "lower bound" in floor.method
    early = CostToPass()(log(tmp_path / "y", rng, [[0.9, 0.9], [0.1, 0.9]]))
    assert early.value is None and "before any training" in early.reason


def test_speed_ups_are_differences_of_independent_figures(tmp_path, rng):
    quick, slow = [[0.1, 0.9, 0.9, 0.9]] * 6, [[0.1, 0.1, 0.1, 0.9]] * 6
    for name, chances in (("a", quick), ("b", slow), ("c", slow), ("d", slow)):
        log(tmp_path / name, rng, chances)
    lead = Lead("b", CostToPass(), "a", CostToPass())
    none = Lead("d", CostToPass(), "c", CostToPass())
    gain = math.log2((16 + 4) / 4)
    assert lead(tmp_path).value == pytest.approx(gain) and none(tmp_path).value == 0
    both = More("x", lead, none)(tmp_path)
    assert both.value == pytest.approx(gain)
    assert both.high - both.value > lead(tmp_path).high - lead(tmp_path).value


def test_rewards_on_hard_strings_alone_teach_nothing_that_control_teaches(tmp_path):
    """Four letters, strings of six: chance passes one in 4096."""
    changes = {"alphabet": 4, "longest": 6, "k": 8, "steps": 150, "seeds": 8, "held_out": 8, "rate": 6e-3}
    for curriculum in ("hard", "control"):
        rows_of(tmp_path / curriculum, curriculum=curriculum, **changes)
    lead = Lead("hard", CostToPass(floor=True), "control", CostToPass())(tmp_path)
    assert lead.value > 0.5 and CostToPass()(tmp_path / "hard").value is None


def test_claims_share_their_training():
    mine = {a.name: a for c in t7.CLAIM.cases for a in t7.CLAIM.arms(c)}
    theirs = {a.name: a for c in s3_11.CLAIM.cases for a in s3_11.CLAIM.arms(c)}
    assert theirs.keys() <= mine.keys() and all(mine[n].settings == a.settings for n, a in theirs.items())
