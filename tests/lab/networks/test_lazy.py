"""PyTorch is imported where it is first used, and not by those who only look."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import inspect, sys
from bitrate.lab.claims import all_claims
from bitrate.lab.networks.lazy import functional, torch

claims, _ = all_claims(), [inspect.unwrap(torch), hasattr(functional, "__wrapped__")]
assert "torch" not in sys.modules, "imported by a look"
sys.modules["torch"] = None  # as if it were not installed
try:
    torch.zeros
except ModuleNotFoundError as error:
    print(len(claims), error.name)
"""


def test_claims_are_listed_without_pytorch_and_its_absence_is_said_at_its_first_use():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    claims, missing = done.stdout.split()
    assert int(claims) > 60 and missing == "torch"
