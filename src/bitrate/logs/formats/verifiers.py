"""verifiers up to 0.3: an evaluation's ``results.jsonl``, a rollout a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.formats import answer_key, excerpt, json_number, jsonl, numbered
from bitrate.logs.layout import json_object, number
from bitrate.logs.messages import last_said
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat

RESULT = {
    "example_id": "VARCHAR",
    "id": "VARCHAR",
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
#: What prime-rl called the rows of a step.
STEP_FILE = re.compile(r"^(train|eval)_rollouts\.jsonl(\.gz|\.zst)?$")
#: Older files say id. With several tasks in a file the ids of one may be those of another.
EXAMPLE = "coalesce(task || '/', '') || coalesce(example_id, id)"
FAILED = "nullif(error, 'null') IS NOT NULL"
UNSCORED = f"WHEN {FAILED} THEN 'the rollout ended in an error and was not scored'"
#: Which of an example's rollouts a row is: those that failed and those that are copies come after the others.
COUNTED = (
    f"(SELECT *, row_number() OVER (PARTITION BY _file, {EXAMPLE} ORDER BY {FAILED}, _copy, _line) AS _rollout FROM "
    f"(SELECT *, row_number() OVER (PARTITION BY _file, {EXAMPLE}, hash(prompt, completion, reward, metrics, error) "
    "ORDER BY _line) AS _copy FROM {source}))"
)


class Verifiers(TrainerFormat):
    """``results.jsonl``, with ``metadata.json`` beside it; ``answer`` in it is the right answer, and is not read.

    An evaluation that was resumed may hold more rollouts of an example than ``metadata.json`` says
    (``rollouts_per_example``): copies of lines, then the last ones, are set aside.
    """

    name: ClassVar[str] = "verifiers"
    trainer: ClassVar[str] = "verifiers up to 0.3 (vf-eval); from 0.4 on see prime-rl"
    files: ClassVar[str] = "results.jsonl with example_id (or id), prompt, completion, reward, and metadata.json"
    beside: ClassVar[tuple[str, ...]] = ("metadata.json",)
    caveats: ClassVar[tuple[str, ...]] = ("An evaluation has no step: nothing can be said about change over a run.",)
    raw: ClassVar[dict[str, str]] = RESULT
    shown: ClassVar[dict[str, str]] = {"reward": "reward"}

    def sniff(self, file: Peek) -> bool:
        """JSONL with these columns; prime-rl wrote rows like them to files of another name."""
        return file.kind == "jsonl" and is_result(file) and not STEP_FILE.search(file.path.name)

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Tell evaluations apart by folder, and heed what ``metadata.json`` says of each."""
        most: dict[str, str] = {}
        for file in files:
            about = json_object(file.path.parent / "metadata.json")
            model, environment, rollouts = (about.get(k) for k in ("model", "env_id", "rollouts_per_example"))
            if isinstance(model, str) and isinstance(environment, str):
                self.notes.append(f"{file.inside} is an evaluation of {model} on {environment}.")
            if (limit := number(rollouts)) and limit >= 1 and limit == round(limit):
                most[str(file.path)] = str(int(limit))
        self.most = self._exceeded(con, [f for f in files if str(f.path) in most], most)
        self.position = "_line" if self.most else self.position
        return super().survey(con, files)

    def _exceeded(self, con: duck.Connection, files: list[Peek], most: dict[str, str]) -> dict[str, str]:
        """Of the files with a number of rollouts an example, those that hold more of one."""
        if not files:
            return {}
        counts = f"SELECT _file, count(*) AS n FROM {jsonl(files, self.raw)} GROUP BY _file, {EXAMPLE}"
        found = dict(duck.run(con, f"SELECT _file, max(n) FROM ({counts}) GROUP BY _file"))
        return {path: limit for path, limit in most.items() if found.get(path, 0) > int(limit)}

    def rows(self, files: Sequence[Peek]) -> str:
        """The lines, each with its place among the rollouts of its example where a file holds too many."""
        rows = super().rows(files)
        return COUNTED.replace("{source}", numbered(rows)) if self.most else rows

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """A group is one example of one task."""
        return rollout_columns() | {"split": "'eval'"}

    def reasons(self, files: Sequence[Peek]) -> list[str]:
        """A rollout that ended in an error was given 0 without being scored; others are more than there were."""
        return [UNSCORED] + [
            f"WHEN _file = {sql.text(f.path)} AND {EXAMPLE} IS NOT NULL AND _rollout > {most} "
            f"THEN 'more rollouts of an example than metadata.json says ({most}), as a resumed run writes them'"
            for f in files
            if (most := self.most.get(str(f.path)))
        ]


def is_result(file: Peek) -> bool:
    """Whether a file has the columns of a verifiers result; many tables have an id, so its file must look the part."""
    if not file.has("prompt", "completion", "reward"):
        return False
    home = file.path.name.startswith("results") or file.has("task", "answer") or file.has("generation_ms")
    return file.has("example_id") or (file.has("id") and not file.has("prompt_id") and home)


def rollout_columns() -> dict[str, str]:
    """What a row of a result says of a rollout."""
    return {
        "prompt_id": EXAMPLE,
        "group_id": EXAMPLE,
        "reward": json_number("reward"),
        "correct": json_number("coalesce(metrics->>'$.correct', correct)"),
        "answer": answer_key(last_said("completion")),
        "prompt_tokens": "token_usage.input_tokens",
        "completion_tokens": "token_usage.output_tokens",
        "truncated": "is_truncated",
        "prompt": excerpt(last_said("prompt")),
    }
