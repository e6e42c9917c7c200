"""verl: the rollouts that ``trainer.rollout_data_dir`` and ``trainer.validation_data_dir`` dump, a file a step."""

from __future__ import annotations

import mmap
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from bitrate.logs import sql
from bitrate.logs.formats import Format, Select, all_null, answer_key, excerpt, json_number, jsonl, text_id
from bitrate.logs.layout import by_file, in_eval_folder, run_names
from bitrate.logs.peek import Peek

if TYPE_CHECKING:
    import duckdb

#: Scores are read as text: verl writes what it cannot encode as a string, so 1.0 may be "1.0" or "True".
RAW = {"input": "VARCHAR", "output": "VARCHAR", "gts": "VARCHAR", "score": "VARCHAR", "step": "DOUBLE"}
#: {prompt's uid}_{session}_{output}: a session is one rollout, and may write several outputs.
UID = "^(.*)_([0-9]+)_([0-9]+)$"
#: A uid whose output is not the first; nothing within a JSON text looks like this, as its quotes are escaped.
LATER_OUTPUT = re.compile(rb'"uid": ?"[^"\n]*_[1-9][0-9]*"')
PROMPT_ID = text_id("input", "coalesce(gts, '')")
#: What comes after the system prompt, which all prompts share.
ASKED = "coalesce(nullif(regexp_extract(input, '(?s)^system\\n.*?\\nuser\\n(.*)$', 1), ''), input)"


class Dump(Format):
    """What both layouts share."""

    prompt_id: str = "hash"
    filtered: str = "unknown"

    def survey(self, con: duckdb.DuckDBPyConnection, files: list[Peek]) -> list[Peek]:
        """Tell training from validation and run from run by folder; look for an outcome and an answer of its own."""
        self.splits = {str(f.path): "eval" for f in files if in_eval_folder(f)}
        folders = {f.path.parent for f in files if str(f.path) not in self.splits}
        self.runs = run_names(files, lambda f: f.inside.rpartition("/")[0]) if len(folders) > 1 else {}
        self.extras = {c: "VARCHAR" for c in ("acc",) if any(f.has(c) for f in files)}
        if any(f.has("pred") for f in files):
            self.notes.append(
                "Column pred may be the model's own answer: --columns answer=pred tells answers apart by it."
            )
        return files

    def raw(self, files: Sequence[Peek]) -> str:
        """The rows of the files."""
        return jsonl(files, {**RAW, **self.extras}, dict.fromkeys(self.options.raw_names(), "VARCHAR"))

    def shared(self, files: Sequence[Peek]) -> dict[str, str]:
        """Rollout columns that both layouts give."""
        columns = {
            "split": by_file(self.splits, files, "'train'"),
            "step": "step",
            "prompt_id": PROMPT_ID,
            "reward": json_number("lower(score)"),
            "answer": answer_key("output"),
            "prompt": excerpt(ASKED),
        }
        if "acc" in self.extras:
            columns["correct"] = json_number("lower(acc)")
        if self.runs and not self.options.run:
            columns["run"] = by_file(self.runs, files, "NULL")
        return columns

    def unreadable(self) -> str:
        """WHEN clause for lines that are no JSON object."""
        return f"WHEN {all_null(list(RAW))} THEN 'line is not a JSON object with these columns'"


class VerlV0(Dump):
    """``{step}.jsonl`` without ``uid``: rows were reordered, so a step's rollouts of one prompt are a group."""

    name: ClassVar[str] = "verl-v0"
    trainer: ClassVar[str] = "verl 0.9, the v0 trainer (ray_trainer)"
    files: ClassVar[str] = "{rollout_data_dir}/{step}.jsonl with input, output, gts, score, step"
    group_id: str = "hash"
    caveats: ClassVar[tuple[str, ...]] = (
        "verl can drop groups before it writes them (algorithm.filter_groups); the files do not say.",
        "Rows are reordered and name no group: a prompt drawn twice in one step counts as one group.",
        "The files hold no token counts and no advantages.",
    )

    def sniff(self, file: Peek) -> bool:
        """JSONL with verl's columns and no uid."""
        return file.kind == "jsonl" and file.has("input", "output", "score", "step") and not file.has("uid")

    def select(self, con: duckdb.DuckDBPyConnection, files: Sequence[Peek]) -> Select:
        """Prompts and groups by content."""
        columns = self.shared(files) | {"group_id": PROMPT_ID}
        return Select(self.raw(files), columns, bad=f"CASE {self.unreadable()} END")


class VerlV1(Dump):
    """``{step}.jsonl`` with ``uid``: a group is a uid, a rollout is a session, and its last output stands for it."""

    name: ClassVar[str] = "verl-v1"
    trainer: ClassVar[str] = "verl 0.9, the v1 trainer (the default)"
    files: ClassVar[str] = "{rollout_data_dir}/{step}.jsonl with input, output, gts, score, step, uid"
    caveats: ClassVar[tuple[str, ...]] = (
        "verl can drop groups before it writes them (algorithm.filter_groups); the files do not say.",
        "The files hold no token counts and no advantages.",
    )

    def sniff(self, file: Peek) -> bool:
        """JSONL with verl's columns and a uid."""
        return file.kind == "jsonl" and file.has("input", "output", "score", "step", "uid")

    def survey(self, con: duckdb.DuckDBPyConnection, files: list[Peek]) -> list[Peek]:
        """See whether any session wrote several outputs."""
        files = super().survey(con, files)
        self.extras["uid"] = "VARCHAR"
        self.several = any(_may_have_several(f) for f in files)
        return files

    def select(self, con: duckdb.DuckDBPyConnection, files: Sequence[Peek]) -> Select:
        """A uid that is not made of three parts is a group of its own rows."""
        part = [f"regexp_extract(uid, {sql.text(UID)}, {i})" for i in (1, 2, 3)]
        parts = f"coalesce(nullif({part[0]}, ''), uid) AS _uid, nullif({part[1]}, '') AS _session"
        source = f"(SELECT *, {parts} FROM {self.raw(files)})"
        superseded, position = "", "row_number() OVER ()"
        if self.several:
            output = f"row_number() OVER () AS _line, try_cast({part[2]} AS BIGINT) AS _output"
            numbered = f"SELECT *, {output}, {parts} FROM {self.raw(files)}"
            last = "_output < max(_output) OVER (PARTITION BY _file, _uid, _session)"
            source, position = f"(SELECT *, {last} AS _superseded FROM ({numbered}))", "_line"
            superseded = "WHEN _superseded THEN 'another output of a session already counted'"
        columns = self.shared(files) | {"group_id": "_uid", "sample": "_session"}
        return Select(source, columns, bad=f"CASE {self.unreadable()} {superseded} END", position=position)


def _may_have_several(file: Peek) -> bool:
    """Whether a session may have written several outputs; only then are rows compared, which takes memory."""
    if file.path.suffix.lower() != ".jsonl":
        return True
    with file.path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as lines:
        return LATER_OUTPUT.search(lines) is not None
