"""Do the intervals hold? A short form of benchmarks/coverage.py, and proof that it would notice if they did not."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from bitrate.stats import DeadShare, LearningValue, Log2PassRate, OutcomeEntropy, PassRate, UpdateBits, cluster_ratio


def _load():
    path = Path(__file__).parents[2] / "benchmarks" / "coverage_cases.py"
    spec = importlib.util.spec_from_file_location("coverage_cases", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


benchmark = _load()
REPLICATIONS = 400
LEAST = 0.925  # a true 95% falls below this in about one of 80 cells of 400 replications; the seeds are fixed


def generator():
    return {"replications": REPLICATIONS, "rng": np.random.default_rng(20)}


@pytest.mark.parametrize("population", [*benchmark.POPULATIONS, *benchmark.RARE], ids=lambda p: p.name)
@pytest.mark.parametrize("sizes", [(4,), (8,), (16,), (64,), (4, 8, 16, 64)], ids=str)
def test_outcome_bits_are_covered(population, sizes):
    cell = benchmark.study(population, OutcomeEntropy(), sizes, 100, **generator())["minimax"]
    assert cell.coverage >= LEAST


@pytest.mark.parametrize("population", benchmark.POPULATIONS, ids=lambda p: p.name)
@pytest.mark.parametrize(
    "functional",
    [LearningValue(), DeadShare(4), DeadShare(16), UpdateBits(16), Log2PassRate(1 / 64)],
    ids=lambda f: f.name,
)
def test_other_figures_are_covered(functional, population):
    cell = benchmark.study(population, functional, (8,), 100, **generator())["minimax"]
    assert cell.coverage >= LEAST


@pytest.mark.parametrize("population", benchmark.POPULATIONS, ids=lambda p: p.name)
def test_prompts_visited_several_times_are_covered(population):
    assert benchmark.study_clusters(population, 8, 100, **generator())["by prompt"].coverage >= LEAST


@pytest.mark.parametrize("population", benchmark.FEW, ids=lambda p: p.name)
@pytest.mark.parametrize(("k", "prompts"), [(4, 3), (64, 8), (8, 14), (64, 26)])
@pytest.mark.parametrize("functional", [OutcomeEntropy(), PassRate()], ids=lambda f: f.name)
def test_few_prompts_are_covered(population, functional, k, prompts):
    assert benchmark.study_few(population, functional, k, prompts, **generator()).coverage >= LEAST


#: Cells whose samples are few enough to enumerate, so that coverage is exact: K, N, level.
EXACT = [(2, n, level) for n in (2, 3, 4, 6, 8, 11, 14, 20) for level in (0.95, 0.9999)] + [(4, 6, 0.95), (2, 27, 0.95)]


@pytest.mark.parametrize(("k", "prompts", "level"), EXACT)
@pytest.mark.parametrize("functional", [OutcomeEntropy(), PassRate(), LearningValue()], ids=lambda f: f.name)
def test_few_prompts_are_covered_whatever_the_population(functional, k, prompts, level):
    assert benchmark.Enumerated(functional, k, prompts, level).worst() >= level


def test_each_end_may_miss_half_as_often_as_both(monkeypatch):
    """What the bias allows for is not there where there is no bias."""
    monkeypatch.setattr("bitrate.stats.clusters.one_end", lambda shift, level: 1 - level)
    assert benchmark.Enumerated(PassRate(), 2, 14, 0.95).worst() < 0.94


def test_the_greatest_bias_is_allowed_for(monkeypatch):
    def unbiased(weight, score, bias, *rest, **options):
        return cluster_ratio(weight, score, 0.0, *rest, **options)

    monkeypatch.setattr("bitrate.stats.linear.cluster_ratio", unbiased)
    assert benchmark.Enumerated(OutcomeEntropy(), 2, 14, 0.95).worst() < 0.94


def test_the_error_is_a_fraction_of_the_naive_one():
    for k, fraction in ((4, 1 / 4), (8, 1 / 3)):
        cell = benchmark.study(
            benchmark.POPULATIONS[0], OutcomeEntropy(), (k,), 500, **generator(), baselines=benchmark.BASELINES
        )
        assert cell["minimax"].rmse <= fraction * cell["naive"].rmse


def test_the_same_check_fails_the_plug_in_estimate_and_intervals_by_group():
    beta = benchmark.POPULATIONS[0]
    cell = benchmark.study(beta, OutcomeEntropy(), (8,), 100, **generator(), baselines=benchmark.BASELINES)
    assert cell["naive"].coverage < LEAST
    assert benchmark.study_clusters(beta, 8, 100, **generator())["by group"].coverage < LEAST


def test_the_allowance_for_unseen_clusters_is_needed(monkeypatch):
    rare = benchmark.Population("2% at .5, rest 0", ((0.02, 0.5), (0.98, 0.0)))
    assert benchmark.study(rare, LearningValue(), (8,), 100, **generator())["minimax"].coverage >= LEAST
    monkeypatch.setattr("bitrate.stats.clusters.unseen_clusters", lambda level: 1e-9)
    assert benchmark.study(rare, LearningValue(), (8,), 100, **generator())["minimax"].coverage < LEAST


@pytest.mark.parametrize("population", [benchmark.POPULATIONS[0], *benchmark.RARE[1:]], ids=lambda p: p.name)
@pytest.mark.parametrize("sizes", [(100_000,), (8, 999_999)], ids=str)
def test_outcome_bits_of_large_groups_are_covered(population, sizes):
    cell = benchmark.study(population, OutcomeEntropy(), sizes, 100, **generator())["minimax"]
    assert cell.coverage >= LEAST


@pytest.mark.parametrize("population", benchmark.POPULATIONS[:2], ids=lambda p: p.name)
@pytest.mark.parametrize("functional", [UpdateBits(16), Log2PassRate(1 / 512)], ids=lambda f: f.name)
def test_other_figures_of_large_groups_are_covered(functional, population):
    cell = benchmark.study(population, functional, (100_000,), 100, **generator())["minimax"]
    assert cell.coverage >= LEAST
