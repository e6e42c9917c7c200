"""prime-rl before it wrote traces: a file of rollouts for each step; and rows of Prime's hosted training."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs.engines import duck
from bitrate.logs.formats import answer_key, excerpt, json_number, jsonl
from bitrate.logs.formats.verifiers import RESULT, STEP_FILE, UNSCORED, is_result, rollout_columns
from bitrate.logs.layout import appended_notes, by_file, steps_held
from bitrate.logs.messages import last_said
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat

#: The folder's step, else the row's own.
STEP = "coalesce(try_cast(regexp_extract(_file, '^(?:.*/)?step_([0-9]+)/', 1) AS DOUBLE), step, 0)"
#: Folders below a run's own.
BELOW = re.compile(r"(?:^|/)(?:rollouts|step_\d+)(?:/|$)")


class PrimeRollouts(TrainerFormat):
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
    raw: ClassVar[dict[str, str]] = {**RESULT, "advantage": "DOUBLE", "step": "DOUBLE"}
    shown: ClassVar[dict[str, str]] = {"reward": "reward"}

    def sniff(self, file: Peek) -> bool:
        """By the file's name, and the columns of a verifiers result."""
        return file.kind == "jsonl" and bool(STEP_FILE.search(file.path.name)) and is_result(file)

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Tell training from evaluation by the file's name, runs by the folder above, and steps written again."""
        self.splits = {str(f.path): "eval" for f in files if f.path.name.startswith("eval_")}
        super().survey(con, files)
        self.note_again(files, steps_held(con, jsonl(files, {"step": "DOUBLE"}), STEP))
        return files

    def home(self, file: Peek) -> str:
        """The folder of a run: what lies above ``rollouts/step_{N}``."""
        return BELOW.split(super().home(file), maxsplit=1)[0]

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """A group is one example of one task."""
        columns = rollout_columns()
        return columns | {
            "split": by_file(self.splits, files, "'train'"),
            "step": STEP,
            "group_id": self.again.apart(columns["group_id"], files),
            "advantage": "advantage",
        }

    def reasons(self, files: Sequence[Peek]) -> list[str]:
        """A rollout that ended in an error was given 0 without being scored."""
        return [UNSCORED]


class PrimeHosted(TrainerFormat):
    """Rows of Prime's hosted training: a problem's samples at one step are a group."""

    name: ClassVar[str] = "prime-hosted"
    trainer: ClassVar[str] = "Prime Intellect hosted training, rollouts as JSONL"
    files: ClassVar[str] = "*.jsonl with problem_id, sample_id, step, reward, advantage"
    filtered: str = "unknown"
    caveats: ClassVar[tuple[str, ...]] = ("The rows hold no token counts.",)
    needs: ClassVar[tuple[str, ...]] = ("problem_id", "sample_id", "step", "reward", "advantage")
    shown: ClassVar[dict[str, str]] = {"reward": "reward"}
    raw: ClassVar[dict[str, str]] = {
        "problem_id": "VARCHAR",
        "sample_id": "VARCHAR",
        "step": "DOUBLE",
        "reward": "VARCHAR",
        "advantage": "DOUBLE",
        "prompt": "VARCHAR",
        "completion": "VARCHAR",
    }

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Tell runs apart by folder; see whether steps were written again."""
        held = steps_held(con, jsonl(files, {"step": "DOUBLE"}), "step")
        self.notes[:0] = appended_notes(held, files)
        return super().survey(con, files)

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """Samples are numbered within their problem, or over the whole step."""
        return {
            "step": "step",
            "prompt_id": "problem_id",
            "group_id": "problem_id",
            "sample": "sample_id",
            "reward": json_number("reward"),
            "advantage": "advantage",
            "answer": answer_key(last_said("completion")),
            "prompt": excerpt(last_said("prompt")),
        }
