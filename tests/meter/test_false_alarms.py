"""Every warning on healthy runs, in short; benchmarks/false_alarms.py is the full study."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import bitrate

STUDY = Path(__file__).resolve().parents[2] / "benchmarks" / "false_alarms.py"


def load() -> ModuleType:
    """The benchmark as a module."""
    spec = importlib.util.spec_from_file_location("false_alarms", STUDY)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["false_alarms"] = module
    spec.loader.exec_module(module)
    return module


study = load()


@pytest.mark.coverage_study
@pytest.mark.parametrize("make", list(study.HEALTHY), ids=lambda m: m.__name__)
def test_a_healthy_run_is_seldom_warned(make: object) -> None:
    # 3 of 20 is beyond what a rate of 5% gives in 92% of tries; the seed is fixed, so the test does not flicker.
    assert all(rate <= 3 / 20 for rate in study.study(make, 20).values())


def test_the_rate_of_every_warning_is_published() -> None:
    page = (STUDY.parents[1] / "docs" / "false-alarms.md").read_text("utf-8")
    published = next(line for line in page.splitlines() if line.startswith("| healthy runs |"))
    assert published == "| healthy runs | " + " | ".join(study.WARNINGS) + " |", "run python benchmarks/false_alarms.py"


@pytest.mark.parametrize(
    ("share", "code"), [(0.9, "mastered"), (0.02, "hopeless")]
)  # fmt: skip
def test_a_sick_run_is_warned(tmp_path: Path, rng: np.random.Generator, share: float, code: str) -> None:
    p = rng.choice([0.0, 1.0, 0.5], 300, p=[0.9 - 0.9 * share, 0.9 * share, 0.1])
    path = study.write_counts(
        tmp_path / "a.parquet", np.zeros(300, int), np.arange(300).astype(str), np.full(300, 8), rng.binomial(8, p)
    )
    fired = {a["code"] for a in bitrate.audit(path).to_dict()["advice"]}
    assert {"dead_groups", code} <= fired
