"""HumanEval and what is like it: completions of programming tasks, each run against its tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs.formats import answer_key, json_number
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat


class HumanEval(TrainerFormat):
    """``samples.jsonl_results.jsonl``: a task's completions are a group, ``passed`` is the outcome.

    Lost: there is no step, no token count, and no prompt beside its id. A completion counts as its own answer.
    """

    name: ClassVar[str] = "human-eval"
    trainer: ClassVar[str] = "human-eval, evaluate_functional_correctness, and harnesses that write as it does"
    files: ClassVar[str] = "*_results.jsonl with task_id, completion, result, passed"
    caveats: ClassVar[tuple[str, ...]] = (
        "This is an evaluation and no training: there is no step.",
        "A completion that timed out counts as wrong, as its tests did not pass.",
    )
    raw: ClassVar[dict[str, str]] = {"task_id": "VARCHAR", "completion": "VARCHAR", "passed": "VARCHAR"}
    needs: ClassVar[tuple[str, ...]] = ("task_id", "completion", "passed")
    shown: ClassVar[dict[str, str]] = {"reward": "passed"}

    def sniff(self, file: Peek) -> bool:
        """JSONL with a task, a completion and whether it passed."""
        return super().sniff(file) and not file.has("reward")

    def home(self, file: Peek) -> str:
        """Each file is an evaluation of its own."""
        return file.inside.partition(".jsonl")[0]

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """Passed is right, not passed is wrong, anything else is no verdict."""
        return {
            "split": "'eval'",
            "prompt_id": "task_id",
            "group_id": "task_id",
            "reward": json_number("passed"),
            "answer": answer_key("completion"),
        }
