"""NeMo Gym: the rollouts that ``ng_collect_rollouts`` collects, a line each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs.engines import duck
from bitrate.logs.formats import answer_key, excerpt, json_number
from bitrate.logs.messages import last_said
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat

FAILURES = re.compile(r"_failures\.jsonl(\.gz|\.zst)?$")
#: A collection may be split over machines; its shards are one run.
SHARD = re.compile(r"[-_.]?(chunk|shard|part)[-_]?\d+", re.IGNORECASE)
#: The last text that the model wrote.
SAID = "coalesce(json_extract_string(response, '$.output[#-1].content[#-1].text'), response->>'$.output_text')"


class NemoGym(TrainerFormat):
    """``rollouts.jsonl``: a task's rollouts are a group, ``_ng_rollout_index`` tells them apart.

    Lost: there is no step, and no advantage. Rollouts that failed are in ``*_failures.jsonl``, without a score.
    """

    name: ClassVar[str] = "nemo-gym"
    trainer: ClassVar[str] = "NeMo Gym, ng_collect_rollouts"
    files: ClassVar[str] = "rollouts.jsonl with _ng_task_index, _ng_rollout_index, reward; *_failures.jsonl beside it"
    caveats: ClassVar[tuple[str, ...]] = (
        "Rollouts were collected and not trained on: there is no step.",
        "A prompt is a task's place in the input file: two collections share prompts only if their input was the same.",
    )
    raw: ClassVar[dict[str, str]] = {
        "_ng_task_index": "DOUBLE",
        "_ng_rollout_index": "DOUBLE",
        "_ng_failure_class": "VARCHAR",
        "reward": "VARCHAR",
        "responses_create_params": "JSON",
        "response": "JSON",
    }
    shown: ClassVar[dict[str, str]] = {"reward": "reward"}

    def sniff(self, file: Peek) -> bool:
        """JSONL by Gym's own keys."""
        return file.kind == "jsonl" and file.has("_ng_task_index") and (file.has("reward") or _failures(file))

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Leave out the files of failures."""
        self.leave_out([f for f in files if _failures(f)], "holds rollouts that failed and were not scored")
        return super().survey(con, [f for f in files if not _failures(f)])

    def home(self, file: Peek) -> str:
        """Folder and name, without a shard's number."""
        return SHARD.sub("", file.inside.partition(".jsonl")[0])

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """The prompt is what the model was asked last; tokens are the response's own."""
        task = "try_cast(_ng_task_index AS BIGINT)::VARCHAR"
        return {
            "split": "'eval'",
            "prompt_id": task,
            "group_id": task,
            "sample": "_ng_rollout_index",
            "reward": json_number("reward"),
            "answer": answer_key(SAID),
            "prompt_tokens": "response->>'$.usage.input_tokens'",
            "completion_tokens": "response->>'$.usage.output_tokens'",
            "truncated": "CASE response->>'$.status' WHEN 'incomplete' THEN true WHEN 'completed' THEN false END",
            "prompt": excerpt(last_said("(responses_create_params->>'$.input')")),
        }

    def reasons(self, files: Sequence[Peek]) -> list[str]:
        """A failure."""
        return ["WHEN _ng_failure_class IS NOT NULL THEN 'the rollout failed and was not scored'"]


def _failures(file: Peek) -> bool:
    return bool(FAILURES.search(file.path.name))
