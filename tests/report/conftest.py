"""The audits of simulated runs as fixtures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from bitrate import Audit

sys.path.insert(0, str(Path(__file__).parent))
import runs


@pytest.fixture
def audit() -> Audit:
    """A run with nearly all figures."""
    return runs.usual()


@pytest.fixture
def sparse() -> Audit:
    """A run whose log gives counts only."""
    return runs.sparse()


@pytest.fixture
def graded() -> Audit:
    """A run with a graded reward."""
    return runs.graded()


@pytest.fixture
def hostile() -> Audit:
    """A run whose log is full of markup, scripts and control characters."""
    return runs.hostile()


@pytest.fixture
def comparison() -> dict[str, Any]:
    """Two runs side by side."""
    return runs.comparison()
