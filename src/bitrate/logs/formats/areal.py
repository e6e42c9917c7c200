"""AReaL: a folder for each policy version, a file for each task, a line for each sample."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs.engines import duck
from bitrate.logs.formats import Format, Select, all_null, answer_key, excerpt, jsonl, text_id
from bitrate.logs.layout import by_file, run_names
from bitrate.logs.peek import Peek
from bitrate.wording import number_of

PLACE = re.compile(r"(?:^|/)(eval-rollout|rollout)/(?:.*/)?-?\d+/[^/]+\.jsonl$")
HOME = re.compile(r"^(.*?)/?(?:^|/)(?:eval-)?rollout/")
RAW = {
    "task_id": "VARCHAR",
    "sample_idx": "DOUBLE",
    "seqlen": "DOUBLE",
    "prompt_len": "DOUBLE",
    "tail_version": "DOUBLE",
    "reward": "DOUBLE",
    "original_reward": "DOUBLE",
    "prompt": "VARCHAR",
    "completion": "VARCHAR",
}


class Areal(Format):
    """Dumped trajectories: a task's file is the group, its latest ``tail_version`` the step.

    One group may hold samples of several policy versions, as generation goes on while weights change; the step of
    the group is its latest, as for the trainer, and a sample keeps its own in ``policy_step``. Lost: the advantage.
    """

    name: ClassVar[str] = "areal"
    trainer: ClassVar[str] = "AReaL, dump_to_file"
    files: ClassVar[str] = ".../{rollout,eval-rollout}/{version}/{task_id}.jsonl"
    prompt_id: str = "hash"
    filtered: str = "unknown"
    caveats: ClassVar[tuple[str, ...]] = (
        "Samples without a completion are not written, and rejected tasks are written like accepted ones.",
    )

    def sniff(self, file: Peek) -> bool:
        """A task's file by its columns; the folders say train or eval."""
        return file.kind == "jsonl" and file.has("task_id", "seqlen", "prompt_len", "tail_version", "reward")

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Note tasks with several prompts: a line a turn, not a line a rollout."""
        turns = [f for f in files if len({str(r.get("prompt")) for r in f.records}) > 1]
        if turns:
            tasks = number_of(len(turns), "task holds", "tasks hold")
            self.notes.append(f"{tasks} several prompts, as dialogues do: each prompt is a group.")
        self.runs = run_names(files, lambda f: found[1] if (found := HOME.search(f.inside)) else "")
        if lost := [f for f in files if not PLACE.search(f.path.as_posix())]:
            homeless = number_of(len(lost), "file is", "files are")
            self.notes.append(f"{homeless} in no rollout or eval-rollout folder: taken as training.")
        return files

    def select(self, con: duck.Connection, files: Sequence[Peek]) -> Select:
        """A group is one task of one version folder: task ids start anew when a run is resumed."""
        source = f"(SELECT *, max(tail_version) OVER (PARTITION BY _file, task_id) AS _step FROM {self._lines(files)})"
        columns = {
            "split": "CASE WHEN regexp_matches(_file, '(^|/)eval-rollout/') THEN 'eval' ELSE 'train' END",
            "step": "_step",
            "policy_step": "tail_version",
            "prompt_id": text_id("prompt"),
            "group_id": "regexp_extract(_file, '([^/]+)/[^/]+$', 1) || '/' || task_id",
            "sample": "sample_idx",
            "reward": "reward",
            "correct": "original_reward",
            "answer": answer_key("completion"),
            "prompt_tokens": "prompt_len",
            "completion_tokens": "seqlen - prompt_len",
            "prompt": excerpt("prompt"),
        }
        if self.runs:
            columns["run"] = by_file(self.runs, files, "NULL")
        bad = f"CASE WHEN {all_null(list(RAW))} THEN 'line is not a JSON object with these columns' END"
        return Select(source, columns, bad=bad, position="_line")

    def _lines(self, files: Sequence[Peek]) -> str:
        return f"(SELECT *, row_number() OVER () AS _line FROM {jsonl(files, RAW, self.options.raw_names())})"
