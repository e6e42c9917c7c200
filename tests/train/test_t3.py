"""Rewards of tokens: credit goes where the feedback was, the sampler is the policy, and the ledger is the log's."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitrate.errors import DataError, InputError  # noqa: E402
from bitrate.lab.claims.t3 import CLAIM, LENGTHS, arms, received  # noqa: E402
from bitrate.lab.networks.transformer import Shape, dice, initial, log_policy  # noqa: E402
from bitrate.lab.signals.tokens import FirstRollout, TokenKeyBits  # noqa: E402
from bitrate.lab.training.token_rewards import FEEDBACK, Settings, credits, draw, train  # noqa: E402
from bitrate.lab.worlds.learners import advantages  # noqa: E402
from bitrate.lab.worlds.log import SimulatedRun  # noqa: E402

SMALL = Settings("tokens", "grpo", length=4, prompts=1, held_out=1, k=8, visits=12, rate=3e-3, seeds=8)


def trained(folder: Path, seed: int = 5, **settings):
    folder.mkdir(parents=True)
    cost = train(replace(SMALL, **settings), folder, np.random.default_rng(seed))
    return folder, cost


def test_credits_are_the_advantages_of_what_was_heard(rng):
    right = (rng.random((50, 8, 5)) < 0.6).astype(float)
    by_token, by_sum, whole = (credits(f, right) for f in ("tokens", "sum", "outcome"))
    for t in range(5):
        assert by_token[..., t] == pytest.approx(advantages(right[..., t], "grpo"))
        assert by_sum[..., t] == pytest.approx(advantages(right.sum(-1), "grpo"))
        assert whole[..., t] == pytest.approx(advantages(right.min(-1), "grpo"))
    assert credits("tokens", right, 0.5) == pytest.approx(right - 0.5)


@pytest.mark.parametrize("baseline", ["grpo", 0.5])
def test_what_follows_the_first_error_gets_no_credit_and_changes_none(baseline, rng):
    right = (rng.random((50, 8, 5)) < 0.6).astype(float)
    after = np.cumsum(1 - right, axis=-1) - (1 - right) > 0
    made = credits("first error", right, baseline)
    assert after.any() and (made[after] == 0).all() and (made[~after] != 0).any()
    other = np.where(after, 1 - right, right)
    assert credits("first error", other, baseline) == pytest.approx(made)
    # The first token is always judged: its credit is that of a reward for every token.
    assert made[..., 0] == pytest.approx(credits("tokens", right, baseline)[..., 0])


def test_the_sampler_with_a_cache_samples_from_the_policy(rng):
    shape = Shape(vocabulary=3, answers=2, length=3, width=8, layers=2, heads=2)
    weights = initial(shape, 2, rng=rng)
    with torch.no_grad():
        weights["head"].normal_(0, 0.7, generator=dice(rng))
    rows, every = 20_000, torch.tensor([[(n >> t) & 1 for t in range(3)] for n in range(8)])
    said = draw(shape, weights, torch.full((2, rows, 1), 2), 3, dice(rng))
    wanted = log_policy(shape, weights, torch.full((2, 8, 1), 2), every.expand(2, 8, 3)).sum(-1).exp()
    wanted = wanted.detach().numpy()
    assert np.ptp(wanted, axis=1).min() > 0.1
    found = np.stack([np.bincount(n, minlength=8) for n in (said * torch.tensor([1, 2, 4])).sum(-1).numpy()]) / rows
    assert np.abs(found - wanted).max() < 5 * math.sqrt(0.25 / rows)


def test_a_run_repeats_itself_and_another_seed_differs(tmp_path):
    runs = [trained(tmp_path / str(n) / "run", seed)[0] for n, seed in enumerate((5, 5, 6))]
    a, b, c = ((r / "rollouts-0-000000.parquet").read_bytes() for r in runs)
    assert a == b != c
    with pytest.raises(InputError, match="tokens, sum, first error, outcome"):
        replace(SMALL, feedback="hints")


def test_cost_counts_every_rollout(tmp_path):
    _, cost = trained(tmp_path / "run")
    rollouts = 8 * 8 * (12 + 1 + 2)  # seeds x k x (12 visits and the last; two of the prompt held out)
    assert (cost.rollouts, cost.tokens) == (rollouts, rollouts * 5)
    trained_on, scored = 8 * 8 * 12 * 4, 8 * (12 + 1 + 2) * 4
    parameters = Shape(vocabulary=4, answers=2, length=4).parameters
    assert cost.flops == parameters * (6 * trained_on + 2 * (rollouts * 4 + scored))


def test_learners_start_with_nothing_and_keep_what_they_are_told(tmp_path):
    found = {}
    for feedback in FEEDBACK:
        folder, _ = trained(tmp_path / feedback / "run", feedback=feedback, length=16, visits=16, seeds=8)
        assert TokenKeyBits("absorbed", 0)(folder).value == pytest.approx(0, abs=1e-6)
        assert TokenKeyBits("received", 0)(folder).value == 0
        found[feedback] = {line: TokenKeyBits(line)(folder).value for line in ("received", "absorbed", "overdraft")}
        assert found[feedback]["overdraft"] <= 0
    assert found["tokens"]["received"] == found["sum"]["received"] == 1
    assert 0.2 < found["sum"]["absorbed"] + 0.2 < found["tokens"]["absorbed"]
    assert found["outcome"]["received"] < 0.01 and found["outcome"]["absorbed"] == pytest.approx(0, abs=1e-6)
    assert 2 / 16 < found["first error"]["received"] <= 1


def write(folder: Path, rng, feedback: str, length: int, worlds: int = 4000, surprisal: float | None = None) -> Path:
    """Rollouts of a policy that knows nothing, without any training: two visits."""
    folder.mkdir()
    key = rng.integers(2, size=(worlds, 1, length))
    said = rng.integers(2, size=(worlds, 1, length))
    right = (said == key).astype(float)
    solved = right.min(-1)
    parts, rewards = None, solved
    if feedback in {"tokens", "copies"}:
        scores = right if feedback == "tokens" else np.broadcast_to(solved[..., None], right.shape)
        parts, rewards = {f"token_{t}": scores[..., t] for t in range(length)}, right.mean(-1)
    elif feedback == "first error":
        parts = {"first_error": np.where(solved == 1, -1, right.argmin(-1))}
    text = np.vectorize(lambda row: "".join(map(str, row)), signature="(t)->()")
    with SimulatedRun(folder, rng) as run:
        for step in range(2):
            run.step(step, answers=text(said), rewards=rewards, targets=text(key[:, 0]), components=parts,
                     prompts=np.arange(worlds) % 4, runs=np.arange(worlds) // 4,
                     target_surprisal=np.full(worlds, length if surprisal is None else surprisal))  # fmt: skip
    return folder


@pytest.mark.parametrize("feedback", ["tokens", "first error", "outcome"])
@pytest.mark.parametrize("length", [1, 3, 12])
def test_the_first_rollout_carries_what_the_theory_says(feedback, length, tmp_path, rng):
    found = FirstRollout()(write(tmp_path / "log", rng, feedback, length))
    assert found.low <= received(feedback, length) <= found.high
    assert found.high - found.low < 0.25


def test_the_sum_of_rewards_carries_less_and_copies_of_one_reward_carry_that_one(tmp_path, rng):
    summed = FirstRollout("reward")(write(tmp_path / "sum", rng, "tokens", 8))
    assert summed.low <= received("sum", 8) <= summed.high < 3
    copies = FirstRollout()(write(tmp_path / "copies", rng, "copies", 3))
    assert copies.low <= received("outcome", 3) <= copies.high < 1


def test_received_of_a_key_is_what_was_judged(tmp_path, rng):
    wanted = {"tokens": 1.0, "first error": (2 - 2**-2) / 3, "outcome": (1 / 8 * 3 + 7 / 8 * math.log2(8 / 7)) / 3}
    for feedback, bits in wanted.items():
        found = TokenKeyBits("received")(write(tmp_path / feedback, rng, feedback, 3))
        assert found.low <= bits <= found.high and found.value == pytest.approx(bits, abs=0.03)


def test_more_absorbed_than_received_is_an_error_that_names_causes(tmp_path, rng):
    folder = write(tmp_path / "log", rng, "outcome", 12, surprisal=3.0)
    with pytest.raises(DataError, match="bits a token more than the log says") as error:
        TokenKeyBits("absorbed")(folder)
    assert "not logged" in str(error.value.hint)
    with pytest.raises(InputError, match="held out absorbed alone"):
        TokenKeyBits("received", split="eval")


def test_every_case_has_its_runs_and_lengths_go_to_32():
    for case in CLAIM.cases:
        assert {a.name for a in arms(case)} and all(a.settings.length in LENGTHS for a in arms(case))
        assert CLAIM.formulas(case)[0].unit == ("bits/rollout" if case.x else "bits/token")
    assert LENGTHS == (2, 4, 8, 16, 32)
    assert received("sum", 2) == 1.5
    assert received("first error", 2) == 1.5
