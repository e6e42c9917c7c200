"""``trainer_state.json``, which transformers' Trainer writes beside what TRL logs: rewards, evaluations, lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bitrate.logs.layout import json_object, number

#: A trainer's state holds an entry a step; one larger than this is not looked at.
STATE_BYTES = 256 << 20


@dataclass
class History:
    """``trainer_state.json``: what TRL logged beside the completions."""

    entries: list[dict[str, Any]]
    every: float | None

    @classmethod
    def beside(cls, folder: Path) -> History:
        """The trainer state in the folder, the one above it, or its last checkpoint; empty where there is none."""
        checkpoints = sorted(
            folder.parent.glob("checkpoint-*/trainer_state.json"), key=lambda p: (len(p.parent.name), p.parent.name)
        )
        for path in (folder / "trainer_state.json", folder.parent / "trainer_state.json", *reversed(checkpoints)):
            state = json_object(path, STATE_BYTES)
            listed = state.get("log_history")
            entries = [e for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []
            dated = [e for e in entries if isinstance(e.get("step"), int) and not isinstance(e["step"], bool)]
            if dated:
                every = number(state.get("logging_steps"))
                return cls(dated, every if every and every >= 1 else None)
        return cls([], None)

    @property
    def rewards(self) -> list[str]:
        """Names of the reward functions."""
        keys = dict.fromkeys(k.removeprefix("eval_") for e in self.entries for k in e)
        return [k[len("rewards/") : -len("/mean")] for k in keys if k.startswith("rewards/") and k.endswith("/mean")]

    @cached_property
    def evals(self) -> dict[int, dict[str, Any]]:
        """The evaluation's log entry by step."""
        return {e["step"]: e for e in self.entries if any(k.startswith("eval_") for k in e)}

    def at(self, key: str) -> dict[int, float]:
        """A logged number by step."""
        return {e["step"]: value for e in self.entries if (value := number(e.get(key))) is not None}

    def plain_sum(self, rewards: Sequence[str]) -> bool:
        """Whether the logged reward is the unweighted sum of its parts at every step, so that the weights are 1."""
        parts = [self.at(f"rewards/{r}/mean") for r in rewards]
        whole = {s: v for s, v in self.at("reward").items() if all(s in p for p in parts)}
        return bool(whole) and all(abs(sum(p[s] for p in parts) - v) <= 1e-5 * (1 + abs(v)) for s, v in whole.items())
