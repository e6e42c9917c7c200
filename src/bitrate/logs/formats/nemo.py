"""NeMo-RL: the batch of each step as it was trained on, every value a list of length one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs.engines import duck
from bitrate.logs.formats import answer_key, excerpt, json_number, largest, text_id
from bitrate.logs.layout import block_group, by_file, sql_by_file
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat

NAME = re.compile(r"(train|val)_data_step(\d+)\.jsonl(\.gz|\.zst)?$")
#: A row's place in its batch.
PLACE = "CASE WHEN idx BETWEEN 0 AND 1e15 THEN idx END"
#: A row that took no part in the loss, as where the environment failed; its reward says nothing about the policy.
MASKED = json_number("coalesce(json_extract_string(sample_loss_mask, '$[0]'), sample_loss_mask->>'$')") + " = 0"
#: Content is the messages with their roles, or only their texts, or only what the model said.
ROLES = "json_extract_string(_said, '$[0].role') IS NOT NULL"
TEXTS = "json_type(_said) = 'ARRAY'"
#: Texts without roles end with what the environment answered, so the model's own are second to last.
SPOKEN = (
    f'CASE WHEN {ROLES} THEN list_filter(from_json(_said, \'[{{"role":"VARCHAR","content":"VARCHAR"}}]\'), '
    "lambda x: x.role = 'assistant')[-1].content "
    f"WHEN {TEXTS} AND json_array_length(_said) > 2 THEN json_extract_string(_said, '$[#-2]') "
    f"WHEN {TEXTS} THEN json_extract_string(_said, '$[#-1]') "
    "ELSE _said->>'$' END"
)
ASKED = (
    f'CASE WHEN {ROLES} THEN list_filter(from_json(_said, \'[{{"role":"VARCHAR","content":"VARCHAR"}}]\'), '
    "lambda x: x.role = 'user')[1].content "
    f"WHEN {TEXTS} AND json_array_length(_said) IN (2, 3) THEN json_extract_string(_said, '$[0]') END"
)
SOURCE = (
    "(SELECT *, CASE WHEN token_loss_mask IS NULL THEN {asked} "
    "WHEN _first > 1 THEN token_ids[1][1:_first - 1]::VARCHAR END AS _prompt FROM "
    "(SELECT *, content->'$[0]' AS _said, list_position(token_loss_mask[1], 1.0) AS _first FROM {source}))"
)


class Nemo(TrainerFormat):
    """``{train,val}_data_step{N}.jsonl``; the prompt is the tokens before the first that the model itself wrote."""

    name: ClassVar[str] = "nemo-rl"
    trainer: ClassVar[str] = "NeMo-RL GRPO"
    files: ClassVar[str] = "train_data_step{N}.jsonl, val_data_step{N}.jsonl"
    prompt_id: str = "hash"
    group_id: str = "positional"
    caveats: ClassVar[tuple[str, ...]] = ("Whether a completion was cut off is not in the files.",)
    lines: ClassVar[tuple[str, ...]] = ("idx", "content", "rewards")
    raw: ClassVar[dict[str, str]] = {
        "content": "JSON",
        "rewards": "JSON",
        "filtered_rewards": "JSON",
        "token_ids": "BIGINT[][]",
        "token_loss_mask": "DOUBLE[][]",
        "sample_loss_mask": "JSON",
        "advantages": "DOUBLE[][]",
        "idx": "DOUBLE",
    }

    def sniff(self, file: Peek) -> bool:
        """JSONL by its name; a first line too long to look at has no columns."""
        return (
            file.kind == "jsonl"
            and bool(NAME.search(file.path.name))
            and (not file.columns or file.has("rewards", "idx"))
        )

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Look for dynamic sampling, and for the blocks of rows that are groups."""
        named = {f: NAME.search(f.path.name) for f in files}
        self.splits = {str(f.path): "eval" for f, found in named.items() if found and found[1] == "val"}
        super().survey(con, files)
        train = [f for f in files if str(f.path) not in self.splits]
        self.rewards = {str(f.path): "filtered_rewards" for f in train if f.has("filtered_rewards")}
        if self.rewards:  # a first line too long to look at does not say which of the two its file has
            self.rewards |= {str(f.path): "coalesce(filtered_rewards, rewards)" for f in train if not f.columns}
            self.filtered = "known"
            self.notes.append(
                "Dynamic sampling was on: groups of equal rewards were dropped before writing. "
                "The reward is filtered_rewards; rewards belongs to the batch before filtering, in another order."
            )
        self.note_blocks(con, files, "_prompt", PLACE)
        self.note_again(files, {str(f.path): [int(found[2])] for f, found in named.items() if found})
        return files

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """The one element of every list."""
        rewards = sql_by_file(self.rewards, files, "rewards")
        return {
            "split": by_file(self.splits, files, "'train'"),
            "step": "regexp_extract(_file, '_data_step([0-9]+)[.]jsonl', 1)",
            "prompt_id": text_id("_prompt"),
            "group_id": self.again.apart(block_group(self.sizes, PLACE, text_id("_prompt"), files), files),
            "sample": PLACE,
            "reward": f"json_extract_string({rewards}, '$[0]')",
            "answer": answer_key(SPOKEN),
            "prompt_tokens": "_first - 1",
            "completion_tokens": "list_sum(token_loss_mask[1])",
            "advantage": largest("flatten(advantages)"),
            "prompt": excerpt(ASKED),
        }

    def reasons(self, files: Sequence[Peek]) -> list[str]:
        """A row that took no part in the loss, a list of another length, or a prompt without an end."""
        rewards = sql_by_file(self.rewards, files, "rewards")
        return [
            f"WHEN {MASKED} THEN 'masked by the trainer (sample_loss_mask 0)'",
            f"WHEN json_array_length({rewards}) <> 1 THEN 'rewards is not a list of length one'",
            "WHEN _prompt IS NULL THEN 'where the prompt ends cannot be told'",
        ]

    def rows(self, files: Sequence[Peek]) -> str:
        """The rows, each with its prompt."""
        return SOURCE.replace("{asked}", ASKED).replace("{source}", super().rows(files))
