"""The audit against runs whose truth is known, and against real runs."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import comb
from scipy.stats import binom

import bitrate
from bitrate.errors import DataError, InputError
from bitrate.meter.lines import all_lines
from bitrate.theory import (
    binary_entropy,
    dead_group_probability,
    group_normalised_information,
    noisy_outcome_information,
)

sys.path.insert(0, str(Path(__file__).parent))
from simulate import learning_run, one_step, write_counts, write_rollouts

LEDGER = tuple(key for key, line in all_lines().items() if not line.special)


def holds(figure: dict[str, Any], truth: float, slack: float = 0.0) -> bool:
    """Whether an interval holds the truth."""
    return figure["low"] - slack <= truth <= figure["high"] + slack


def figures(found: Any) -> list[dict[str, Any]]:
    """Every estimate below a value."""
    if isinstance(found, dict):
        if {"value", "reason", "method"} <= found.keys():
            return [found]
        return [f for v in found.values() for f in figures(v)]
    return [f for v in found for f in figures(v)] if isinstance(found, list) else []


def test_outcome_bits_hold_the_truth_where_the_naive_figures_do_not(tmp_path: Path, rng: np.random.Generator) -> None:
    p = rng.beta(0.5, 0.5, 2000)
    found = one_step(tmp_path / "a.parquet", p, 8, rng)
    truth = float(binary_entropy(p).mean())
    outcome = found["ledger"]["outcome_bits"]
    assert holds(outcome, truth)
    assert outcome["high"] - outcome["low"] < 0.1
    pooled = float(binary_entropy(np.array(found["pass_rate"]["value"])))
    assert not holds(outcome, pooled)


def test_received_bits_are_those_of_the_outcomes_where_these_are_the_tighter_side(tmp_path: Path) -> None:
    """Every answer is different, and p = 0.9: h(p) is below log2(K+1)/K."""
    from bitrate.lab.worlds.log import SimulatedRun

    held = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        rewards = (rng.random((1000, 4)) < 0.9).astype(float)
        with SimulatedRun(folder, rng) as run:
            run.step(0, answers=np.tile(np.arange(4), (1000, 1)), rewards=rewards)
        ledger = bitrate.audit(folder).to_dict()["ledger"]
        assert ledger["answer_bound_bits"]["value"] > 0.57  # log2(5) / 4, less for lost scores
        held += holds(ledger["received_bits"], float(binary_entropy(0.9)))
        assert holds(ledger["update_bits"], float(group_normalised_information(0.9, 4)), 0.01)
    assert held >= 17  # 0.95 of 20 less three standard errors


def test_update_bits_and_other_group_sizes_hold_the_truth(tmp_path: Path, rng: np.random.Generator) -> None:
    p = rng.beta(0.3, 0.5, 2000)
    found = one_step(tmp_path / "a.parquet", p, 8, rng)
    counts = binom.pmf(np.arange(9), 8, p[:, None]).mean(axis=0)
    orders = comb(8, np.arange(9))
    whole = float(counts @ np.log2(orders / counts)) / 8
    dead = counts[0] + counts[-1]
    assert holds(found["ledger"]["received_bits"], whole, 0.005)
    assert holds(found["ledger"]["update_bits"], whole - dead * float(binary_entropy(counts[-1] / dead)) / 8, 0.005)
    for row in found["k_advice"]:
        k = row["k"]
        assert holds(row["dead_groups"], float(dead_group_probability(p, k).mean())), k
        assert holds(row["update_bits"], float(group_normalised_information(p, k).mean())), k
        assert holds(row["learning_value"], float((p * (1 - p)).mean() * (k - 1) / k)), k


def test_verifier_noise_is_taken_off(tmp_path: Path, rng: np.random.Generator) -> None:
    p = rng.beta(1, 1, 3000)
    found = one_step(tmp_path / "a.parquet", p, 8, rng, flip=0.1)
    assert holds(found["ledger"]["outcome_bits"], float(noisy_outcome_information(p, 0.1).mean()))
    assert found["ledger"]["capacity_bits"]["value"] == pytest.approx(1 - float(binary_entropy(np.array(0.1))))


def test_noise_that_cannot_be_is_refused_with_the_reason(tmp_path: Path, rng: np.random.Generator) -> None:
    p = np.full(500, 0.01)
    path = write_counts(tmp_path / "a.parquet", np.zeros(500, int), np.arange(500), np.full(500, 8), rng.binomial(8, p))
    outcome = bitrate.audit(path, verifier_noise=0.2).to_dict()["ledger"]["outcome_bits"]
    assert outcome["value"] is None
    assert "stated noise cannot be right" in outcome["reason"]


@pytest.mark.parametrize("seed", range(12))
def test_each_line_is_at_most_the_one_above(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    prompts = int(rng.integers(2, 60))
    n = rng.integers(1, 20, prompts)
    right = rng.binomial(n, rng.beta(*rng.uniform(0.05, 2, 2), prompts))
    path = write_counts(
        tmp_path / "a.parquet", rng.integers(0, 4, prompts), rng.integers(0, prompts, prompts), n, right
    )
    ledger = bitrate.audit(path).to_dict()["ledger"]
    values = [ledger[k]["value"] for k in ("capacity_bits", "received_bits", "update_bits")]
    known = [v for v in values if v is not None]
    assert known == sorted(known, reverse=True)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.1, 1.0), (0.3, 0.1 + 0.2 + 1.0)])
def test_any_two_levels_are_right_and_wrong(tmp_path: Path, rng: np.random.Generator, low: float, high: float) -> None:
    prompt = np.repeat(np.arange(200), 8)
    right = rng.random(1600) < 0.4
    path = write_rollouts(tmp_path / "a.parquet", prompt_id=prompt, reward=np.where(right, high, low))
    found = bitrate.audit(path).to_dict()
    assert found["pass_rate"]["value"] == pytest.approx(right.mean())
    counts = right.reshape(200, 8).sum(1)
    assert found["groups"]["mixed"]["value"] == pytest.approx(((counts > 0) & (counts < 8)).mean())


def test_float_residue_is_no_variance(tmp_path: Path) -> None:
    residue = [0.3, 0.1 + 0.2, 0.3, 0.30000000000000004] * 50 + [0.0, 0.3, 0.3, 0.3] * 10
    advantage = [0.0] * 120 + [1.0, -1.0, 1.0, -1.0] * 20 + [0.1] * 40
    path = write_rollouts(
        tmp_path / "a.parquet",
        prompt_id=np.repeat(np.arange(60), 4),
        reward=np.array(residue),
        advantage=np.array(advantage),
    )
    found = bitrate.audit(path).to_dict()
    assert found["groups"]["mixed"]["value"] == pytest.approx(10 / 60)
    assert found["groups"]["all_right"]["value"] == pytest.approx(50 / 60)
    assert "residue" in {a["code"] for a in found["advice"]}


def test_a_graded_reward_has_the_entropy_of_its_levels(tmp_path: Path, rng: np.random.Generator) -> None:
    share = rng.dirichlet([1, 1, 1], 600)
    level = np.array([0.0, 0.5, 1.0])
    drawn = np.array([rng.choice(level, 8, p=s) for s in share]).ravel()
    path = write_rollouts(tmp_path / "a.parquet", prompt_id=np.repeat(np.arange(600), 8), reward=drawn)
    found = bitrate.audit(path).to_dict()
    truth = float(-(share * np.log2(share)).sum(1).mean())
    assert holds(found["ledger"]["outcome_bits"], truth)
    assert found["ledger"]["capacity_bits"]["value"] == pytest.approx(math.log2(3))
    assert found["ledger"]["key_bits"]["value"] is None


def test_a_continuous_reward_gets_a_reason_and_no_number(tmp_path: Path, rng: np.random.Generator) -> None:
    path = write_rollouts(tmp_path / "a.parquet", prompt_id=np.repeat(np.arange(40), 8), reward=rng.normal(size=320))
    ledger = bitrate.audit(path).to_dict()["ledger"]
    for line in LEDGER:
        assert ledger[line]["value"] is None
    assert "continuous" in ledger["outcome_bits"]["reason"]


def test_one_rollout_a_group_is_not_enough(tmp_path: Path) -> None:
    path = write_counts(tmp_path / "a.parquet", [0] * 9, list("abcdefghi"), [1] * 9, [1, 0, 1] * 3)
    found = bitrate.audit(path).to_dict()
    assert found["ledger"]["outcome_bits"]["value"] is None
    assert "one rollout" in found["ledger"]["outcome_bits"]["reason"]
    assert found["groups"]["mixed"]["value"] is None


def test_answer_bound_of_one_right_answer_is_log2_of_distinct_answers_plus_one(tmp_path: Path) -> None:
    answers, reward = ["a", "b", "a", "c"] * 50, [1.0, 0.0, 1.0, 0.0] * 50
    path = write_rollouts(
        tmp_path / "a.parquet", prompt_id=np.repeat(np.arange(50), 4), reward=np.array(reward), answer=answers
    )
    bound = bitrate.audit(path).to_dict()["ledger"]["answer_bound_bits"]
    assert bound["value"] == pytest.approx(2 / 4)
    assert "log2(M+1)" in bound["method"]


def test_two_right_answers_in_a_group_refute_the_single_answer_bound(tmp_path: Path) -> None:
    answers, reward = ["a", "b", "a", "c"] * 50, [1.0, 1.0, 1.0, 0.0] * 50
    path = write_rollouts(
        tmp_path / "a.parquet", prompt_id=np.repeat(np.arange(50), 4), reward=np.array(reward), answer=answers
    )
    found = bitrate.audit(path).to_dict()["ledger"]
    assert "one bit a distinct answer" in found["answer_bound_bits"]["method"]
    assert found["answer_bound_bits"]["value"] > 2 / 4
    assert "set of answers" in found["key_bits"]["reason"]


def test_one_answer_a_group_is_the_right_answer_and_not_the_models(tmp_path: Path, rng: np.random.Generator) -> None:
    """Most data sets call what was asked for `answer`: the same in rollouts scored right and wrong."""
    reward = rng.integers(0, 2, 400).astype(float)
    asked = np.repeat([f"{i} apples" for i in range(50)], 8)
    path = write_rollouts(tmp_path / "a.parquet", prompt_id=np.repeat(np.arange(50), 8), reward=reward, answer=asked)
    found = bitrate.audit(path).to_dict()
    for figure in (found["ledger"]["answer_bound_bits"], found["verifier"]["torn_groups"]):
        assert figure["value"] is None
        assert "the right answers and not the model's" in figure["reason"]
    assert "log2(M+1)" not in found["received"]["method"]


def test_a_noisy_verifier_shows_in_torn_answers(tmp_path: Path, rng: np.random.Generator) -> None:
    reward = rng.integers(0, 2, 400).astype(float)
    path = write_rollouts(
        tmp_path / "a.parquet",
        prompt_id=np.repeat(np.arange(50), 8),
        reward=reward,
        answer=["x", "x", "x", "x", "x", "x", "x", "y"] * 50,
    )
    found = bitrate.audit(path).to_dict()
    assert found["verifier"]["torn_groups"]["value"] > 0.9
    assert "torn" in {a["code"] for a in found["advice"]}
    assert "scored both right and wrong" in found["ledger"]["answer_bound_bits"]["method"]


@pytest.mark.parametrize(
    ("form", "kept", "said"),
    [
        (lambda r: r, True, "the reward itself"),
        (lambda r: r - 0.5, True, "no form of it that is known"),
        (lambda r: r - r.mean(1, keepdims=True), False, "the reward less the group's mean"),
        (lambda r: (r - r.mean(1, keepdims=True)) * 8 / 7, False, "the reward less the mean of the others"),
        (lambda r: (r - r.mean(1, keepdims=True)) / (r.std(1, keepdims=True) + 1e-4), False, "/ standard deviation;"),
        (lambda r: (r - r.mean(1, keepdims=True)) / (r.std(1, ddof=1, keepdims=True) + 1e-4), False, "of a sample"),
    ],
)
def test_an_advantage_is_known_by_what_it_does(
    tmp_path: Path, rng: np.random.Generator, form: Callable[[Any], Any], kept: bool, said: str
) -> None:
    """Zero on all right and on all wrong takes one for the other; a reward alone is zero on all wrong only."""
    reward = (rng.random((200, 8)) < rng.beta(0.3, 0.3, (200, 1))).astype(float)
    path = write_rollouts(
        tmp_path / "a.parquet", prompt_id=np.repeat(np.arange(200), 8), reward=reward.ravel(),
        advantage=form(reward).ravel(),
    )  # fmt: skip
    ledger = bitrate.audit(path).to_dict()["ledger"]
    update, received = ledger["update_bits"], ledger["received_bits"]
    assert (update["value"] == received["value"]) is kept
    assert ("nothing is erased" in update["method"]) is kept
    assert said in update["method"]


def test_a_reward_alone_is_known_where_no_group_is_all_right(tmp_path: Path) -> None:
    reward = np.tile([[1.0, 0, 0, 0, 0, 0, 0, 0], [1.0, 1, 1, 0, 0, 0, 0, 0]], (30, 1))
    path = write_rollouts(
        tmp_path / "a.parquet", prompt_id=np.repeat(np.arange(60), 8), reward=reward.ravel(), advantage=reward.ravel()
    )
    assert "nothing is erased" in bitrate.audit(path).to_dict()["ledger"]["update_bits"]["method"]


def test_costs_follow_the_stated_formula(tmp_path: Path, rng: np.random.Generator) -> None:
    prompt = np.repeat(np.arange(100), 8)
    reward = (rng.random(800) < 0.5).astype(float)
    path = write_rollouts(
        tmp_path / "a.parquet",
        prompt_id=prompt,
        reward=reward,
        completion_tokens=np.full(800, 30),
        prompt_tokens=np.full(800, 20),
    )
    found = bitrate.audit(path, model_params=1e9, price_per_hour=2.0, flops_per_second=1e14).to_dict()
    bits = found["ledger"]["outcome_bits"]["value"]
    flops = 8 * 1e9 * 50
    assert found["cost"]["bits_per_kilotoken"]["value"] == pytest.approx(bits * 1000 / 50)
    assert found["cost"]["bits_per_pflop"]["value"] == pytest.approx(bits * 1e15 / flops)
    assert found["cost"]["bits_per_dollar"]["value"] == pytest.approx(bits / (flops / 1e14 / 3600 * 2.0))
    total = sum(found["spent"][k]["flops"]["value"] for k in ("mixed", "all_right", "all_wrong"))
    assert total == pytest.approx(800 * flops)
    assert bitrate.audit(path).to_dict()["cost"]["bits_per_pflop"]["reason"].startswith("the model's size")


@pytest.mark.parametrize(
    ("cut", "known"), [([False] * 80, 0.0), ([True, False] * 40, 0.5), ([None] * 80, None), ([True, None] * 40, None)]
)
def test_no_rollout_cut_off_is_a_share_of_zero_and_not_knowing_is_none(
    tmp_path: Path, rng: np.random.Generator, cut: list[bool | None], known: float | None
) -> None:
    tokens = [None if c is None else 9 for c in cut]
    path = write_rollouts(
        tmp_path / "a.parquet",
        prompt_id=np.repeat(np.arange(10), 8),
        reward=rng.integers(0, 2, 80).astype(float),
        truncated=cut,
        completion_tokens=np.full(80, 5),
        prompt_tokens=tokens,
    )
    found = bitrate.audit(path).to_dict()
    assert found["verifier"]["truncated"]["value"] == known
    total = sum(found["spent"][k]["tokens"]["value"] for k in ("mixed", "all_right", "all_wrong"))
    assert total == (80 * 14 if known is not None else 80 * 5)


def test_absorbed_bits_hold_the_truth(tmp_path: Path, rng: np.random.Generator) -> None:
    first, last = rng.uniform(0.2, 0.4, 800), rng.uniform(0.6, 0.9, 800)
    right = np.concatenate([rng.binomial(8, first), rng.binomial(8, last)])
    prompt = np.tile(np.arange(800), 2)
    path = write_counts(tmp_path / "a.parquet", np.repeat([0, 1], 800), prompt, np.full(1600, 8), right)
    absorbed = bitrate.audit(path).to_dict()["ledger"]["absorbed_bits"]
    assert holds(absorbed, float(np.log2(last / first).mean()))


def test_a_run_that_generalises_is_not_said_to_leak(tmp_path: Path) -> None:
    """One bit about a rule makes all right answers likelier, and is counted once for each prompt."""
    right = np.concatenate([np.repeat([0, 1], [1600, 400]), np.full(2000, 2)])
    prompt = np.tile(np.arange(2000), 2)
    path = write_counts(tmp_path / "a.parquet", np.repeat([0, 1], 2000), prompt, np.full(4000, 2), right)
    found = bitrate.audit(path).to_dict()
    received, absorbed = found["received"], found["ledger"]["absorbed_bits"]
    assert absorbed["low"] > received["high"]
    assert not any("leak" in caveat or "more than" in caveat for caveat in found["caveats"])


def test_generalisation_is_read_from_the_evaluation_split(tmp_path: Path, rng: np.random.Generator) -> None:
    prompt = np.tile(np.repeat(np.arange(300), 8), 2)
    p = np.repeat([0.3, 0.6], 2400)
    path = write_rollouts(
        tmp_path / "a.parquet",
        prompt_id=np.concatenate([prompt, np.repeat(np.arange(1000, 1020), 8)]),
        split=["eval"] * 4800 + ["train"] * 160,
        step=np.concatenate([np.repeat([0, 9], 2400), np.zeros(160, int)]),
        reward=np.concatenate([rng.random(4800) < p, rng.random(160) < 0.5]).astype(float),
    )
    found = bitrate.audit(path).to_dict()
    assert found["split"] == "train"
    assert found["counts"]["rollouts"]["value"] == 160
    assert holds(found["ledger"]["generalised_bits"], 1.0)
    assert "evaluation split" in found["ledger"]["generalised_bits"]["method"]
    assert bitrate.audit(path, split="eval").to_dict()["counts"]["rollouts"]["value"] == 4800


def test_change_over_a_run_is_seen(tmp_path: Path, rng: np.random.Generator) -> None:
    found = bitrate.audit(learning_run(tmp_path / "a.parquet", rng, gain=4.0, prompts=400, per_step=64)).to_dict()
    assert found["change"]["pass_rate_change"]["low"] > 0
    assert found["ledger"]["absorbed_bits"]["low"] > 0
    assert len(found["series"]["steps"]) == 40
    assert sum(found["series"]["pass_rates"]["last"]) == pytest.approx(1)
    assert "not_learning" not in {a["code"] for a in found["advice"]}


def test_a_run_that_does_not_learn_is_told_so(tmp_path: Path, rng: np.random.Generator) -> None:
    path = learning_run(tmp_path / "a.parquet", rng, gain=-0.5, prompts=100, per_step=64)
    assert "not_learning" in {a["code"] for a in bitrate.audit(path).to_dict()["advice"]}


def test_every_figure_is_an_estimate_with_interval_or_reason(tmp_path: Path, rng: np.random.Generator) -> None:
    found = bitrate.audit(learning_run(tmp_path / "a.parquet", rng)).to_dict()
    assert set(found["ledger"]) == set(all_lines())
    every = figures(found)
    assert len(every) > 100
    for figure in every:
        assert (figure["value"] is None) == (figure["reason"] is not None)
        if figure["value"] is not None:
            assert figure["low"] <= figure["value"] <= figure["high"]


def test_the_same_input_gives_the_same_digits(tmp_path: Path, rng: np.random.Generator) -> None:
    path = learning_run(tmp_path / "a.parquet", rng)
    assert bitrate.audit(path).to_dict() == bitrate.audit(path).to_dict()


def test_a_split_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    path = write_counts(tmp_path / "a.parquet", [0, 0], ["a", "b"], [4, 4], [1, 2])
    with pytest.raises(DataError, match="train \\(8 rollouts\\)"):
        bitrate.audit(path, split="eval")


@pytest.mark.parametrize(
    "wrong", [{"verifier_noise": 0.5}, {"model_params": -1}, {"level": 1.0}, {"split": "test"}, {"engine": "pandas"}]
)
def test_options_that_cannot_be_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    path = write_counts(tmp_path / "a.parquet", [0, 0], ["a", "b"], [4, 4], [1, 2])
    with pytest.raises(InputError):
        bitrate.audit(path, **wrong)


def test_one_shot_rlvr_history(shared_data: Callable[[str], Path]) -> None:
    found = bitrate.audit(shared_data("one_shot_rlvr_history.parquet")).to_dict()
    counts = {k: v["value"] for k, v in found["counts"].items()}
    assert (counts["rollouts"], counts["groups"], counts["prompts"]) == (512_000, 64_000, 1_209)
    assert round(found["groups"]["mixed"]["value"], 3) == 0.510
    assert found["change"]["pass_rate_change"]["low"] > 0


def test_cruxeval(shared_data: Callable[[str], Path]) -> None:
    found = bitrate.audit(shared_data("cruxeval_codellama7b_k10.parquet")).to_dict()
    assert found["counts"]["rollouts"]["value"] == 16_000
    assert found["pass_rate"]["value"] == pytest.approx(0.3508, abs=5e-5)


def test_game24(shared_data: Callable[[str], Path]) -> None:
    found = bitrate.audit(shared_data("game24_gpt4_k100.parquet")).to_dict()
    assert found["pass_rate"]["value"] == pytest.approx(0.0403, abs=5e-5)
    assert found["groups"]["mixed"]["value"] == pytest.approx(0.49)


def test_metrics_as_counts(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("rasbt_grpo/7_4_plus_clip_ratio_metrics.csv")
    found = bitrate.audit(path, columns={"prompt_id": "step", "n": "8", "n_correct": "reward_avg*8"}).to_dict()
    assert found["counts"]["groups"]["value"] == sum(1 for _ in path.open()) - 1
    assert found["format"] == "counts"
