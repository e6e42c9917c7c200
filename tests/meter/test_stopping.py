"""Groups whose size depends on their outcomes: found, said, and not taken for fair draws."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bitrate
from bitrate.meter.stopping import UNTIL_MIXED, UNTIL_RIGHT, stopping
from bitrate.types import Bools, Floats, Ints

sys.path.insert(0, str(Path(__file__).parent))
from simulate import write_counts

Sampled = tuple[Ints, Ints]


def sampled(
    p: Floats, rng: np.random.Generator, least: int, most: int, each: int, done: Callable[..., Bools]
) -> Sampled:
    """Right rollouts and size of a group a prompt: ``least`` rollouts, then ``each`` more until done or ``most``."""
    n, k = np.full(p.size, least), rng.binomial(least, p)
    while (going := ~done(k, n) & (n < most)).any():
        k[going] += rng.binomial(each, p[going])
        n[going] += each
    return k, n


def until_right(k: Ints, n: Ints) -> Bools:
    return k > 0


def until_mixed(k: Ints, n: Ints) -> Bools:
    return (k > 0) & (k < n)


@pytest.mark.parametrize(
    ("least", "most", "each", "done", "plan"),
    [
        (1, 8, 1, until_right, UNTIL_RIGHT),
        (1, 10_000, 1, until_right, UNTIL_RIGHT),
        (2, 16, 1, until_mixed, UNTIL_MIXED),
        (2, 10_000, 1, until_mixed, UNTIL_MIXED),
        (8, 32, 8, until_mixed, UNTIL_MIXED),
        (4, 16, 4, until_right, UNTIL_RIGHT),
    ],
)
def test_plans_are_found(least: int, most: int, each: int, done: Callable[..., Bools], plan: str) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        assert stopping(*sampled(rng.uniform(0.05, 0.95, 300), rng, least, most, each, done)) == plan


def fixed(p: Floats, rng: np.random.Generator) -> Sampled:
    n = np.full(p.size, 8)
    return rng.binomial(n, p), n


def by_prompt(p: Floats, rng: np.random.Generator) -> Sampled:
    """Hard prompts get more rollouts."""
    n = np.where(p < 0.3, 32, np.where(p < 0.6, 16, 8))
    return rng.binomial(n, p), n


def some_lost(p: Floats, rng: np.random.Generator) -> Sampled:
    """Rollouts that were never scored."""
    n = np.maximum(rng.binomial(8, 0.95, p.size), 1)
    return rng.binomial(n, p), n


def filtered(p: Floats, rng: np.random.Generator) -> Sampled:
    """Constant groups were dropped from the files, and some rollouts were never scored."""
    k, n = some_lost(p, rng)
    mixed = (k > 0) & (k < n)
    return k[mixed], n[mixed]


@pytest.mark.parametrize("draw", [fixed, by_prompt, some_lost, filtered])
@pytest.mark.parametrize("spread", [(0.3, 0.5), (2.0, 2.0), (5.0, 0.5), (1.0, 20.0)])
def test_sizes_that_do_not_depend_on_outcomes_raise_no_alarm(
    draw: Callable[..., Sampled], spread: tuple[float, float]
) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert stopping(*draw(rng.beta(*spread, 400), rng)) is None


def test_the_pass_rate_of_until_success_is_that_of_first_rollouts(tmp_path: Path, rng: np.random.Generator) -> None:
    k, n = sampled(np.full(2000, 0.3), rng, 1, 8, 1, until_right)
    found = bitrate.audit(write_counts(tmp_path / "a.parquet", np.zeros(2000, int), np.arange(2000), n, k))
    rate = found["pass_rate"]
    assert rate.low <= 0.3 <= rate.high
    assert rate.value == pytest.approx(0.3, abs=0.04)
    assert k.sum() / n.sum() == pytest.approx(0.3, abs=0.02)  # right over rollouts holds too, but not E h(p) or k/n
    assert (
        found["outcome_bits"].reason
        == "groups were sampled until one was right: their counts lean away from the pass rate"
    )
    assert "Groups were sampled until one was right" in found.caveats[0]
    # Rollout by rollout, about h(.3) each: a size that tells how a group ended is no news given for free.
    assert found["received_bits"].high >= 0.881
    assert found["received_bits"].value == pytest.approx(0.881, abs=0.1)


def test_nothing_is_taken_for_fair_draws(tmp_path: Path, rng: np.random.Generator) -> None:
    p = np.tile(rng.uniform(0.05, 0.95, 200), 3)
    k, n = sampled(p, rng, 8, 32, 8, until_mixed)
    step, prompt = np.repeat([0, 1, 2], 200), np.tile(np.arange(200), 3)
    found = bitrate.audit(write_counts(tmp_path / "a.parquet", step, prompt, n, k))
    for key in ("outcome_bits", "key_bits", "absorbed_bits", "generalised_bits", "pass_rate", "mastered"):
        assert "until some were right and some wrong" in (found[key].reason or ""), key
    assert all(row.update_bits.value is None for row in found.k_advice)
    assert found["received_bits"].value is not None
    same = bitrate.compare(tmp_path, tmp_path)
    assert "until some were right" in same["differences"]["outcome_bits"]["reason"]
