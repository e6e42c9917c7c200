"""verifiers up to 0.3: an evaluation's ``results.jsonl``, a rollout a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from bitrate.logs.formats import Format, Select, all_null, answer_key, excerpt, json_number, jsonl
from bitrate.logs.layout import by_file, run_names
from bitrate.logs.peek import Peek

if TYPE_CHECKING:
    import duckdb

RAW = {
    "example_id": "VARCHAR",
    "task": "VARCHAR",
    "prompt": "VARCHAR",
    "completion": "VARCHAR",
    "reward": "VARCHAR",
    "metrics": "JSON",
    "error": "VARCHAR",
    "correct": "VARCHAR",
    "is_truncated": "VARCHAR",
    "token_usage": "STRUCT(input_tokens DOUBLE, output_tokens DOUBLE)",
}


class Verifiers(Format):
    """``results.jsonl``, with ``metadata.json`` beside it; ``answer`` in it is the right answer, and is not read."""

    name: ClassVar[str] = "verifiers"
    trainer: ClassVar[str] = "verifiers up to 0.3 (vf-eval); from 0.4 on see prime-rl"
    files: ClassVar[str] = "results.jsonl with example_id, prompt, completion, reward, and metadata.json"
    beside: ClassVar[tuple[str, ...]] = ("metadata.json",)
    caveats: ClassVar[tuple[str, ...]] = ("An evaluation has no step: nothing can be said about change over a run.",)

    def sniff(self, file: Peek) -> bool:
        """JSONL with these four columns."""
        return file.kind == "jsonl" and file.has("example_id", "prompt", "completion", "reward")

    def survey(self, con: duckdb.DuckDBPyConnection, files: list[Peek]) -> list[Peek]:
        """Tell evaluations apart by folder, and say what ``metadata.json`` says of each."""
        self.runs = run_names(files, lambda f: f.inside.rpartition("/")[0])
        for file in files:
            about = _metadata(file)
            if {"model", "env_id"} <= about.keys():
                self.notes.append(f"{file.inside} is an evaluation of {about['model']} on {about['env_id']}.")
        return files

    def select(self, con: duckdb.DuckDBPyConnection, files: Sequence[Peek]) -> Select:
        """A group is one example of one task; a rollout that ended in an error was given 0 without being scored."""
        prompt = "coalesce(task || '/', '') || example_id"
        columns = {
            "split": "'eval'",
            "prompt_id": prompt,
            "group_id": prompt,
            "reward": json_number("reward"),
            "correct": json_number("coalesce(metrics->>'$.correct', correct)"),
            "answer": answer_key(_said("completion")),
            "prompt_tokens": "token_usage.input_tokens",
            "completion_tokens": "token_usage.output_tokens",
            "truncated": "is_truncated",
            "prompt": excerpt(_said("prompt")),
        }
        if self.runs and not self.options.run:
            columns["run"] = by_file(self.runs, files, "NULL")
        bad = (
            f"CASE WHEN {all_null(list(RAW))} THEN 'line is not a JSON object with these columns' "
            "WHEN nullif(error, 'null') IS NOT NULL THEN 'the rollout ended in an error and was not scored' END"
        )
        return Select(jsonl(files, RAW, self.options.raw_names()), columns, bad=bad)


def _said(column: str) -> str:
    """SQL for a text, or what the last of its messages says."""
    messages = f"{column} LIKE '[%' AND json_valid({column})"
    return f"CASE WHEN {messages} THEN json_extract_string({column}, '$[#-1].content') ELSE {column} END"


def _metadata(file: Peek) -> dict[str, Any]:
    try:
        about = json.loads((file.path.parent / "metadata.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}
