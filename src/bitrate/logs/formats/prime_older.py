"""prime-rl before it wrote traces: a file of rollouts for each step; and rows of Prime's hosted training."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.formats import Format, Select, all_null, answer_key, excerpt, json_number, jsonl
from bitrate.logs.formats.verifiers import ERROR, FAILED, STEP_FILE, UNREADABLE, is_result, rollout_columns
from bitrate.logs.formats.verifiers import RAW as RESULT
from bitrate.logs.layout import Again, appended_notes, by_file, run_names, steps_held
from bitrate.logs.messages import last_said
from bitrate.logs.peek import Peek

ROWS = {**RESULT, "advantage": "DOUBLE", "step": "DOUBLE"}
#: The folder's step, else the row's own.
STEP = "coalesce(try_cast(regexp_extract(_file, '^(?:.*/)?step_([0-9]+)/', 1) AS DOUBLE), step, 0)"
#: Folders below a run's own.
BELOW = re.compile(r"(?:^|/)(?:rollouts|step_\d+)(?:/|$)")
HOSTED = {
    "problem_id": "VARCHAR",
    "sample_id": "VARCHAR",
    "step": "DOUBLE",
    "reward": "VARCHAR",
    "advantage": "DOUBLE",
    "prompt": "VARCHAR",
    "completion": "VARCHAR",
}


class PrimeRollouts(Format):
    """``train_rollouts.jsonl`` and ``eval_rollouts.jsonl`` of each step: rows as verifiers writes them.

    The step is the folder's; the run is the folder above ``rollouts``.
    """

    name: ClassVar[str] = "prime-rl-rollouts"
    trainer: ClassVar[str] = "prime-rl of spring 2026, before traces.jsonl"
    files: ClassVar[str] = "rollouts/step_{N}/train_rollouts.jsonl and eval_rollouts.jsonl"
    filtered: str = "unknown"
    caveats: ClassVar[tuple[str, ...]] = (
        "Whether rollouts were filtered before they were written is not in the files.",
    )

    def sniff(self, file: Peek) -> bool:
        """By the file's name, and the columns of a verifiers result."""
        return file.kind == "jsonl" and bool(STEP_FILE.search(file.path.name)) and is_result(file)

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Tell training from evaluation by the file's name, runs by the folder above, and steps written again."""
        self.splits = {str(f.path): "eval" for f in files if f.path.name.startswith("eval_")}
        self.runs = run_names(files, _home)
        held = steps_held(con, jsonl(files, {"step": "DOUBLE"}), STEP)
        self.again = Again.among(
            (f, self.runs.get(str(f.path), ""), self.splits.get(str(f.path), "train"), step)
            for f in files
            for step in held.get(str(f.path), ())
        )
        self.notes[:0] = self.again.notes
        return files

    def select(self, con: duck.Connection, files: Sequence[Peek]) -> Select:
        """A group is one example of one task; a rollout that ended in an error was given 0 without being scored."""
        columns = rollout_columns()
        columns |= {
            "split": by_file(self.splits, files, "'train'"),
            "step": STEP,
            "group_id": self.again.apart(columns["group_id"], files),
            "advantage": "advantage",
        }
        if self.runs:
            columns["run"] = by_file(self.runs, files, "NULL")
        bad = f"CASE WHEN {all_null(list(ROWS))} THEN {sql.text(UNREADABLE)} WHEN {FAILED} THEN {sql.text(ERROR)} END"
        return Select(jsonl(files, ROWS, self.options.raw_names()), columns, bad=bad, raw={"reward": "reward"})


class PrimeHosted(Format):
    """Rows of Prime's hosted training: a problem's samples at one step are a group."""

    name: ClassVar[str] = "prime-hosted"
    trainer: ClassVar[str] = "Prime Intellect hosted training, rollouts as JSONL"
    files: ClassVar[str] = "*.jsonl with problem_id, sample_id, step, reward, advantage"
    filtered: str = "unknown"
    caveats: ClassVar[tuple[str, ...]] = ("The rows hold no token counts.",)

    def sniff(self, file: Peek) -> bool:
        """JSONL with these five columns."""
        return file.kind == "jsonl" and file.has("problem_id", "sample_id", "step", "reward", "advantage")

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Tell runs apart by folder; see whether steps were written again."""
        self.runs = run_names(files, lambda f: f.inside.rpartition("/")[0])
        held = steps_held(con, jsonl(files, {"step": "DOUBLE"}), "step")
        self.notes[:0] = appended_notes(held, files)
        return files

    def select(self, con: duck.Connection, files: Sequence[Peek]) -> Select:
        """Samples are numbered within their problem, or over the whole step."""
        columns = {
            "step": "step",
            "prompt_id": "problem_id",
            "group_id": "problem_id",
            "sample": "sample_id",
            "reward": json_number("reward"),
            "advantage": "advantage",
            "answer": answer_key(last_said("completion")),
            "prompt": excerpt(last_said("prompt")),
        }
        if self.runs:
            columns["run"] = by_file(self.runs, files, "NULL")
        bad = f"CASE WHEN {all_null(list(HOSTED))} THEN {sql.text(UNREADABLE)} END"
        return Select(jsonl(files, HOSTED, self.options.raw_names()), columns, bad=bad, raw={"reward": "reward"})


def _home(file: Peek) -> str:
    """The folder of a run: what lies above ``rollouts/step_{N}``."""
    return BELOW.split(file.inside.rpartition("/")[0], maxsplit=1)[0]
