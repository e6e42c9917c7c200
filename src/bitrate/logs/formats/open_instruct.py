"""open-instruct: shards of 10,000 rollouts, a line each, tokens instead of text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs.engines import duck
from bitrate.logs.formats import jsonl, text_id
from bitrate.logs.layout import shard_notes, steps_held
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat
from bitrate.wording import number_of

SHARD = re.compile(r"_rollouts_\d{6}\.jsonl$")
FILTERED_SHARD = re.compile(r"_filtered_rollouts_\d{6}\.jsonl$")


class OpenInstruct(TrainerFormat):
    """Rollout shards: the prompt's lasting id is a hash of its tokens, as ``prompt_idx`` starts anew each step.

    Lost: prompt and completion are token ids, so nothing can be shown; an answer is known by its tokens only.
    """

    name: ClassVar[str] = "open-instruct"
    trainer: ClassVar[str] = "open-instruct grpo_fast, save_traces"
    files: ClassVar[str] = "{run}_rollouts_000000.jsonl, next to {run}_metadata.jsonl"
    prompt_id: str = "hash"
    filtered: str = "unknown"
    caveats: ClassVar[tuple[str, ...]] = (
        "Groups whose rewards are all equal may have been dropped before writing (filter_zero_std_samples).",
        "The files hold tokens and no text: two answers count as one only where every token agrees.",
    )
    one_rollout: ClassVar[tuple[str, ...]] = ("step", "sample_idx")
    raw: ClassVar[dict[str, str]] = {
        "step": "DOUBLE",
        "sample_idx": "DOUBLE",
        "prompt_idx": "DOUBLE",
        "prompt_tokens": "BIGINT[]",
        "response_tokens": "BIGINT[]",
        "reward": "DOUBLE",
        "advantage": "DOUBLE",
        "finish_reason": "VARCHAR",
    }

    def sniff(self, file: Peek) -> bool:
        """A shard by its name and its columns; the metadata file beside it holds no rollouts."""
        return bool(SHARD.search(file.path.name)) and file.has("step", "prompt_idx", "prompt_tokens", "reward")

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Leave out the shards of filtered groups, which never reached training; count steps written twice."""
        kept = [f for f in files if not FILTERED_SHARD.search(f.path.name)]
        if len(kept) < len(files):
            self.filtered = "known"
            dropped = number_of(len(files) - len(kept), "file holds", "files hold")
            self.notes.append(f"{dropped} groups that were filtered before training; not read.")
        if not kept:
            return []
        held = steps_held(con, jsonl(kept, {"step": "DOUBLE"}), "step")
        for run in dict.fromkeys(SHARD.sub("", str(f.path)) for f in kept):
            self.notes += shard_notes(held, [f for f in kept if SHARD.sub("", str(f.path)) == run])
        self.note_repeats(con, kept, "rollout written again by a later line")
        return kept

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """A group is one prompt_idx of one step of one run; runs are told apart by the name of the file."""
        return {
            "step": "step",
            "prompt_id": text_id("prompt_tokens::VARCHAR"),
            "group_id": "try_cast(step AS BIGINT) || '/' || try_cast(prompt_idx AS BIGINT)",
            "sample": "sample_idx",
            "reward": "reward",
            "answer": text_id("response_tokens::VARCHAR"),
            "prompt_tokens": "len(prompt_tokens)",
            "completion_tokens": "len(response_tokens)",
            "truncated": "finish_reason = 'length'",
            "advantage": "advantage",
            "run": "regexp_extract(_file, '([^/\\\\]+)_rollouts_[0-9]{6}\\.jsonl$', 1)",
        }
