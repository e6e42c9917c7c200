"""Which groups are of one prompt: ids that are places in a step, and prompts that several runs have."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import expit

import bitrate
from bitrate.theory import binary_entropy

sys.path.insert(0, str(Path(__file__).parent))
from simulate import write_counts, write_rollouts

K = 8


def by_place(folder: Path, right: np.ndarray) -> Path:
    """Rollouts as tinker-cookbook logs them, right ones of each group, shape [steps, groups]: no id that lasts."""
    for step, counts in enumerate(right):
        home = folder / f"iteration_{step:06d}"
        home.mkdir(parents=True)
        rows = [
            {"iteration": step, "group_idx": group, "traj_idx": i, "total_reward": float(i < k),
             "steps": [{"ob_len": 9, "ac_len": 9, "stop_reason": "stop", "metrics": {}}]}
            for group, k in enumerate(counts.tolist()) for i in range(K)
        ]  # fmt: skip
        (home / "train_rollout_summaries.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def figures(found: bitrate.Audit) -> dict[str, Any]:
    return {"pass_rate": found.pass_rate, "outcome": found["outcome_bits"], "mixed": found.groups["mixed"],
            "change": found.change["pass_rate_change"]}  # fmt: skip


def truths(p: np.ndarray) -> dict[str, float]:
    """Of pass rates of a large population, shape [steps, prompts]."""
    third = max(1, len(p) // 3)
    mixed, change = 1 - (p**K + (1 - p) ** K).mean(), p[-third:].mean() - p[:third].mean()
    return {"pass_rate": p.mean(), "outcome": float(binary_entropy(p).mean()), "mixed": mixed, "change": change}


def drifting(prompts: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Pass rates, shape [steps, prompts], whose logits rise at their own pace."""
    start, pace = rng.normal(0, 1.5, prompts), rng.normal(0.05, 0.02, prompts)
    return np.asarray(expit(start + pace * np.arange(steps)[:, None]))


@pytest.mark.coverage_study
@pytest.mark.parametrize("prompts", [20, 400])
def test_places_hold_the_truth_whether_prompts_come_back_or_not(tmp_path: Path, prompts: int) -> None:
    """20 prompts that are all drawn in each of 20 steps, or 20 steps of 20 new ones."""
    steps, width, seeds = 20, 20, 40
    truth = truths(drifting(100_000, steps, np.random.default_rng(1)))
    held = dict.fromkeys(truth, 0)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        p = drifting(prompts, steps, rng)
        who = np.arange(prompts).reshape(-1, width)[np.arange(steps) % (prompts // width)]
        right = rng.permuted(rng.binomial(K, p[np.arange(steps)[:, None], who]), axis=1)
        for name, figure in figures(bitrate.audit(by_place(tmp_path / f"{seed}", right))).items():
            held[name] += figure.low <= truth[name] <= figure.high
    assert min(held.values()) >= 37  # .95 of 40, less one


def test_places_say_how_their_intervals_were_made(tmp_path: Path, rng: np.random.Generator) -> None:
    found = bitrate.audit(by_place(tmp_path / "a", rng.binomial(K, drifting(12, 6, rng))))
    assert "visits matched over steps so that prompts differ most" in found["outcome_bits"].method
    assert found.pass_rate.n == 12
    assert any("the matching over steps by which prompts differ most" in caveat for caveat in found.caveats)


def test_one_group_a_step_may_be_one_prompt_throughout(tmp_path: Path, rng: np.random.Generator) -> None:
    found = bitrate.audit(by_place(tmp_path / "a", rng.binomial(K, drifting(1, 30, rng))))
    assert "all of them may be of one prompt" in (found.pass_rate.reason or "")


def test_the_groups_of_one_step_are_prompts(tmp_path: Path, rng: np.random.Generator) -> None:
    right = rng.binomial(K, drifting(50, 1, rng))
    there = bitrate.audit(by_place(tmp_path / "a", right))
    named = bitrate.audit(write_counts(tmp_path / "b.parquet", np.zeros(50), np.arange(50).astype(str), [K] * 50,
                                       right[0]))  # fmt: skip
    for one, other in zip(figures(there).values(), figures(named).values(), strict=True):
        assert one.known == other.known


def test_comparing_runs_without_lasting_ids_takes_the_worst_clusters(tmp_path: Path, rng: np.random.Generator) -> None:
    a, b = (by_place(tmp_path / x, rng.binomial(K, drifting(12, 6, rng))) for x in "ab")
    found = bitrate.compare(a, b)
    assert found["a_figures"]["pass_rate"]["n"] == 12
    assert found["differences"]["pass_rate"]["n"] == 24


def crossed(path: Path, p: np.ndarray, rng: np.random.Generator) -> Path:
    """One group for each prompt of each run at pass rates of shape [runs, prompts]."""
    run, prompt = np.indices(p.shape)
    table = {"run": [f"run-{i}" for i in run.ravel()], "step": np.zeros(p.size, int), "n": np.full(p.size, K),
             "prompt_id": [f"p{i}" for i in prompt.ravel()], "n_correct": rng.binomial(K, p).ravel()}  # fmt: skip
    pq.write_table(pa.table(table), path)
    return path


@pytest.mark.coverage_study
@pytest.mark.parametrize(
    ("prompts", "runs", "between"), [(4, 50, (1.5, 0.3, 0.0)), (40, 50, (1.5, 0.3, 0.0)), (40, 12, (0.3, 1.0, 0.3)),
                                     (40, 12, (1.0, 0.5, 0.5)), (20, 10, (0.5, 0.5, 0.5)), (30, 4, (1.5, 0.0, 0.3))]
)  # fmt: skip
def test_prompts_of_several_runs_hold_the_truth(
    tmp_path: Path, prompts: int, runs: int, between: tuple[float, float, float]
) -> None:
    """Logits differ between prompts, between runs, and between runs of a prompt."""
    of_prompts, of_runs, of_both = between
    truth = truths(
        expit(np.random.default_rng(1).normal(0, np.hypot(of_both, np.hypot(of_prompts, of_runs)), (1, 10**6)))
    )
    held, seeds = dict.fromkeys(("pass_rate", "outcome", "mixed"), 0), 40
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        logit = rng.normal(0, of_prompts, prompts) + rng.normal(0, of_runs, (runs, 1))
        p = expit(logit + rng.normal(0, of_both, logit.shape))
        found = figures(bitrate.audit(crossed(tmp_path / "a.parquet", p, rng)))
        for name in held:
            held[name] += found[name].low <= truth[name] <= found[name].high
    assert min(held.values()) >= 36


def test_a_prompt_of_many_runs_is_one_cluster_and_so_is_a_run(tmp_path: Path, rng: np.random.Generator) -> None:
    found = bitrate.audit(crossed(tmp_path / "a.parquet", rng.uniform(size=(50, 4)), rng))
    assert found.pass_rate.n == 4
    assert "a prompt of several runs is one cluster; 50 runs are clusters too" in found.pass_rate.method
    assert any("there are 4 prompts. Intervals hold how runs differ." in caveat for caveat in found.caveats)
    few = bitrate.audit(crossed(tmp_path / "b.parquet", rng.uniform(size=(3, 40)), rng))
    assert few.pass_rate.n == 40
    assert any("Intervals are for these runs" in caveat for caveat in few.caveats)


def test_one_id_over_other_targets_is_another_prompt(tmp_path: Path, rng: np.random.Generator) -> None:
    """Runs of planted keys give each run's prompts the same numbers and other answers."""
    run, prompt, _ = np.indices((3, 10, K)).reshape(3, -1)
    columns = {"run": [f"run-{i}" for i in run], "prompt_id": [f"{i}" for i in prompt],
               "reward": rng.integers(0, 2, run.size).astype(float)}  # fmt: skip
    same = bitrate.audit(write_rollouts(tmp_path / "a.parquet", target=[f"{i}" for i in prompt], **columns))
    other = bitrate.audit(
        write_rollouts(tmp_path / "b.parquet", target=[f"{a}/{b}" for a, b in zip(run, prompt, strict=True)], **columns)
    )
    assert (same.pass_rate.n, other.pass_rate.n) == (10, 30)


def test_runs_of_several_files_are_compared_by_their_common_prompts(tmp_path: Path, rng: np.random.Generator) -> None:
    p = rng.uniform(size=(3, 40))
    a, b = crossed(tmp_path / "a.parquet", p, rng), crossed(tmp_path / "b.parquet", p, rng)
    found = bitrate.compare(a, b)
    assert found["shared_prompts"]["value"] == 40
    assert found["a_figures"]["pass_rate"]["value"] == pytest.approx(bitrate.audit(a).pass_rate.value)
