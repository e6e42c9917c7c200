"""Cost until prompts are passed, against its truth where some runs never pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from bitrate.errors import InputError
from bitrate.lab.signals import pass_rates
from bitrate.lab.signals.pairs import Lead
from bitrate.lab.signals.pass_rates import CostToPass
from bitrate.lab.worlds.log import SimulatedRun

HORIZON = 1024.0


def restricted_mean(mean: float, sd: float, never: float) -> float:
    """E log2 min(cost, horizon) for log2 cost ~ N(mean, sd^2), and a share of runs that never pass."""
    end = (np.log2(HORIZON) - mean) / sd
    inside = mean * norm.cdf(end) - sd * norm.pdf(end) + np.log2(HORIZON) * norm.sf(end)
    return float((1 - never) * inside + never * np.log2(HORIZON))


@pytest.mark.parametrize("never", [0.0, 0.04, 0.3])
@pytest.mark.parametrize("mean", [7.0, 9.0])
def test_intervals_of_censored_runs_hold_the_truth(never: float, mean: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """48 runs, as many as the claim has; the drawn costs beyond the horizon are not seen."""
    monkeypatch.setattr(pass_rates, "LEVEL", 0.9)
    rng, signal, truth = np.random.default_rng(7), CostToPass(horizon=HORIZON), restricted_mean(mean, 0.8, never)
    held, plain = [], []
    for _ in range(600):
        cost = np.where(rng.random(48) < never, np.inf, 2 ** rng.normal(mean, 0.8, 48))
        passed = cost <= HORIZON
        low, _, high = signal.mean(np.where(passed, cost, HORIZON), passed).known or (0.0, 0.0, 0.0)
        held.append(low <= truth <= high)
        plain.append(np.log2(cost[passed]).mean())
    assert 0.87 <= np.mean(held) <= 0.97
    if never:  # leaving out the runs that never pass would make training look cheaper
        assert np.mean(plain) < truth - 0.02


def test_two_arms_differ_by_what_is_saved_within_the_horizon(tmp_path: Path) -> None:
    """Networks that pass at step 4, 16 or never, of 32 steps with 2 rollouts, against networks that never do."""
    rng = np.random.default_rng(0)

    def write(name: str, passing: list[int | None]) -> None:
        (tmp_path / name).mkdir()
        with SimulatedRun(tmp_path / name, rng) as run:
            for step in range(33):
                hit = np.array([at is not None and step >= at for at in passing])
                bits, runs = np.where(hit, 0.1, 9.0), np.arange(len(passing))
                for split in ("eval", "train") if step < 32 else ("eval",):
                    run.step(
                        step, answers=np.zeros((len(passing), 2), int), rewards=np.zeros((len(passing), 2)), runs=runs,
                        split=split, target_surprisal=bits,
                    )  # fmt: skip

    write("slow", [None] * 6)
    write("fast", [4, 4, 16, 16, None, 4])
    signal = CostToPass(horizon=64)
    found = Lead("slow", signal, "fast", signal)(tmp_path)
    # The pass rate crosses 1/2 between the last visit below it and the first above, in proportion.
    share = (0.5 - 2**-9.0) / (2**-0.1 - 2**-9.0)
    saved = [6 - np.log2(2 * (at - 1 + share)) for at in (4, 4, 16, 16, 4)]
    assert found.value == pytest.approx(sum(saved) / 6)
    assert "2 of 6" not in found.method and signal(tmp_path / "fast").method.count("1 of 6 runs reach first")
    alone = CostToPass()(tmp_path / "fast")
    assert alone.value is None and alone.reason == "1 of 6 runs never pass held-out prompts with a chance of 0.5"


def test_a_run_that_ended_before_the_horizon_leaves_no_figure() -> None:
    found = CostToPass(horizon=HORIZON).mean(np.array([20.0, 500.0, 300.0]), np.array([True, False, True]))
    assert found.reason == "a run that never passed ended at 500, before the horizon, 1024"


@pytest.mark.parametrize("horizon", [0.0, -1.0, float("inf"), float("nan")])
def test_a_horizon_is_a_cost(horizon: float) -> None:
    with pytest.raises(InputError, match="want a cost above 0"):
        CostToPass(horizon=horizon)
