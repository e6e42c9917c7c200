"""The recorded run that ships with the package: where its files are, and how they are read."""

from __future__ import annotations

from pathlib import Path

#: A real GRPO run of SmolLM2-135M on one-digit addition; see smollm2_addition/README.md.
RUN = Path(__file__).parent / "smollm2_addition"
