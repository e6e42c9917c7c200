"""NeMo-RL: the batch of each step as it was trained on, every value a list of length one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from bitrate.logs.formats import Format, Select, all_null, answer_key, excerpt, jsonl, text_id
from bitrate.logs.layout import block_group, block_notes, block_sizes, by_file, run_names
from bitrate.logs.peek import Peek

if TYPE_CHECKING:
    import duckdb

NAME = re.compile(r"(train|val)_data_step(\d+)\.jsonl(\.gz|\.zst)?$")
RAW = {
    "content": "JSON",
    "rewards": "JSON",
    "filtered_rewards": "JSON",
    "token_ids": "BIGINT[][]",
    "token_loss_mask": "DOUBLE[][]",
    "advantages": "DOUBLE[][]",
    "idx": "DOUBLE",
}
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


class Nemo(Format):
    """``{train,val}_data_step{N}.jsonl``; the prompt is the tokens before the first that the model itself wrote."""

    name: ClassVar[str] = "nemo-rl"
    trainer: ClassVar[str] = "NeMo-RL GRPO"
    files: ClassVar[str] = "train_data_step{N}.jsonl, val_data_step{N}.jsonl"
    prompt_id: str = "hash"
    group_id: str = "positional"
    caveats: ClassVar[tuple[str, ...]] = ("Whether a completion was cut off is not in the files.",)

    def sniff(self, file: Peek) -> bool:
        """JSONL by its name; a first line too long to look at has no columns."""
        return (
            file.kind == "jsonl"
            and bool(NAME.search(file.path.name))
            and (not file.columns or file.has("rewards", "idx"))
        )

    def survey(self, con: duckdb.DuckDBPyConnection, files: list[Peek]) -> list[Peek]:
        """Look for dynamic sampling, and for the blocks of rows that are groups."""
        self.splits = {str(f.path): "eval" for f in files if f.path.name.startswith("val_")}
        self.runs = run_names(files, lambda f: f.inside.rpartition("/")[0])
        self.dynamic = any(f.has("filtered_rewards") for f in files)
        if self.dynamic:
            self.filtered = "known"
            self.notes.append(
                "Dynamic sampling was on: groups of equal rewards were dropped before writing. "
                "The reward is filtered_rewards; rewards belongs to the batch before filtering, in another order."
            )
        split = by_file(self.splits, files, "'train'")
        self.sizes = block_sizes(con, self._source(files), "_prompt", "idx", split)
        self.notes += block_notes(self.sizes, {self.splits.get(str(f.path), "train") for f in files})
        if not self.sizes:
            self.group_id = "hash"
        return files

    def select(self, con: duckdb.DuckDBPyConnection, files: Sequence[Peek]) -> Select:
        """The one element of every list; a list of another length is set aside."""
        split, rewards = by_file(self.splits, files, "'train'"), "rewards"
        if self.dynamic:
            rewards = f"CASE WHEN {split} = 'train' THEN filtered_rewards ELSE rewards END"
        size = f"json_array_length({rewards})"
        high, low = "list_max(flatten(advantages))", "list_min(flatten(advantages))"
        columns = {
            "split": split,
            "step": "regexp_extract(_file, '_data_step([0-9]+)[.]jsonl', 1)",
            "prompt_id": text_id("_prompt"),
            "group_id": block_group(self.sizes, "idx", split, text_id("_prompt")),
            "sample": "idx",
            "reward": f"json_extract_string({rewards}, '$[0]')",
            "answer": answer_key(SPOKEN),
            "prompt_tokens": "_first - 1",
            "completion_tokens": "list_sum(token_loss_mask[1])",
            "advantage": f"CASE WHEN {high} >= -{low} THEN {high} ELSE {low} END",
            "prompt": excerpt(ASKED),
        }
        if self.runs and not self.options.run:
            columns["run"] = by_file(self.runs, files, "NULL")
        bad = (
            f"CASE WHEN {all_null(['idx', 'content', 'rewards'])} THEN 'line is not a JSON object with these columns' "
            f"WHEN {size} <> 1 THEN 'rewards is not a list of length one' "
            "WHEN _prompt IS NULL THEN 'where the prompt ends cannot be told' END"
        )
        return Select(self._source(files), columns, bad=bad)

    def _source(self, files: Sequence[Peek]) -> str:
        return SOURCE.replace("{asked}", ASKED).replace("{source}", jsonl(files, RAW, self.options.raw_names()))
