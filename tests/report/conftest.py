"""The sample audits as fixtures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample


@pytest.fixture
def audit() -> dict[str, Any]:
    """A simulated run with nearly all figures."""
    return sample.sample_audit()


@pytest.fixture
def sparse() -> dict[str, Any]:
    """A run whose log gives counts only."""
    return sample.missing_audit()


@pytest.fixture
def hostile() -> dict[str, Any]:
    """A run whose log is full of markup, scripts and control characters."""
    return sample.hostile_audit()


@pytest.fixture
def comparison() -> dict[str, Any]:
    """Two runs side by side."""
    return sample.sample_comparison()
