"""AReaL: a folder for each policy version, a file for each task, a line for each sample."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs.engines import duck
from bitrate.logs.formats import answer_key, excerpt, numbered, text_id
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat
from bitrate.wording import number_of

PLACE = re.compile(r"(?:^|/)(eval-rollout|rollout)/(?:.*/)?-?\d+/[^/]+\.jsonl$")
HOME = re.compile(r"^(.*?)/?(?:^|/)(?:eval-)?rollout/")


class Areal(TrainerFormat):
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
    needs: ClassVar[tuple[str, ...]] = ("task_id", "seqlen", "prompt_len", "tail_version", "reward")
    position: str = "_line"
    raw: ClassVar[dict[str, str]] = {
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

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Note tasks with several prompts: a line a turn, not a line a rollout."""
        turns = [f for f in files if len({str(r.get("prompt")) for r in f.records}) > 1]
        if turns:
            tasks = number_of(len(turns), "task holds", "tasks hold")
            self.notes.append(f"{tasks} several prompts, as dialogues do: each prompt is a group.")
        if lost := [f for f in files if not PLACE.search(f.path.as_posix())]:
            homeless = number_of(len(lost), "file is", "files are")
            self.notes.append(f"{homeless} in no rollout or eval-rollout folder: taken as training.")
        return super().survey(con, files)

    def home(self, file: Peek) -> str:
        """The folder above those of rollouts."""
        return found[1] if (found := HOME.search(file.inside)) else ""

    def rows(self, files: Sequence[Peek]) -> str:
        """Each line with the step of its group."""
        lines = numbered(super().rows(files))
        return f"(SELECT *, max(tail_version) OVER (PARTITION BY _file, task_id) AS _step FROM {lines})"

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """A group is one task of one version folder: task ids start anew when a run is resumed."""
        return {
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
