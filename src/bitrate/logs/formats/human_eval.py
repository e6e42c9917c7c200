"""HumanEval and what is like it: completions of programming tasks, each run against its tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs.engines import duck
from bitrate.logs.formats import Format, Select, all_null, answer_key, json_number, jsonl
from bitrate.logs.layout import by_file, run_names
from bitrate.logs.peek import Peek

RAW = {"task_id": "VARCHAR", "completion": "VARCHAR", "passed": "VARCHAR"}


class HumanEval(Format):
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

    def sniff(self, file: Peek) -> bool:
        """JSONL with a task, a completion and whether it passed."""
        return file.kind == "jsonl" and file.has("task_id", "completion", "passed") and not file.has("reward")

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Each file is an evaluation of its own."""
        self.runs = run_names(files, lambda f: f.inside.partition(".jsonl")[0])
        return files

    def select(self, con: duck.Connection, files: Sequence[Peek]) -> Select:
        """Passed is right, not passed is wrong, anything else is no verdict."""
        columns = {
            "split": "'eval'",
            "prompt_id": "task_id",
            "group_id": "task_id",
            "reward": json_number("passed"),
            "answer": answer_key("completion"),
        }
        if self.runs:
            columns["run"] = by_file(self.runs, files, "NULL")
        bad = f"CASE WHEN {all_null(list(RAW))} THEN 'line is not a JSON object with these columns' END"
        return Select(jsonl(files, RAW, self.options.raw_names()), columns, bad=bad, raw={"reward": "passed"})
