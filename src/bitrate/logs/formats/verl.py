"""verl: the rollouts that ``trainer.rollout_data_dir`` and ``trainer.validation_data_dir`` dump, a file a step."""

from __future__ import annotations

import mmap
import re
from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.formats import answer_key, excerpt, json_number, jsonl, numbered, text_id
from bitrate.logs.layout import appended_notes, by_file, in_eval_folder, steps_held
from bitrate.logs.messages import one_text
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat

#: {prompt's uid}_{session}_{output}: a session is one rollout, and may write several outputs.
UID = "^(.*)_([0-9]+)_([0-9]+)$"
#: A uid whose output is not the first; nothing within a JSON text looks like this, as its quotes are escaped.
LATER_OUTPUT = re.compile(rb'"uid": ?"[^"\n]*_[1-9][0-9]*"')
PROMPT_ID = text_id(one_text("input"), "coalesce(gts, '')")
#: What comes after the system prompt, which all prompts share.
ASKED = "coalesce(nullif(regexp_extract(input, '(?s)^system\\n.*?\\nuser\\n(.*)$', 1), ''), input)"


class Dump(TrainerFormat):
    """What both layouts share."""

    prompt_id: str = "hash"
    filtered: str = "unknown"
    needs: ClassVar[tuple[str, ...]] = ("input", "output", "score", "step")
    #: Scores are read as text: verl writes what it cannot encode as a string, so 1.0 may be "1.0" or "True".
    raw: ClassVar[dict[str, str]] = {
        "input": "VARCHAR", "output": "VARCHAR", "gts": "VARCHAR", "score": "VARCHAR", "step": "DOUBLE",
    }  # fmt: skip
    shown: ClassVar[dict[str, str]] = {"reward": "score"}
    worded: ClassVar[bool] = True

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Tell training from validation and run from run by folder; look for an outcome and an answer of its own."""
        self.splits = {str(f.path): "eval" for f in files if in_eval_folder(f)}
        folders = {f.path.parent for f in files if str(f.path) not in self.splits}
        if len(folders) > 1:
            super().survey(con, files)
        judged = [f for f in files if f.has("acc")]
        self.extras = {"acc": "VARCHAR"} if len(judged) == len(files) else {}
        if judged and not self.extras and self.options.outcome_column != "acc":
            self.notes.append(
                f"Column acc is in {len(judged)} of {len(files)} files (e.g. {judged[0].inside}), so the outcome is "
                "the score, which is in all of them; --outcome acc measures those files alone."
            )
        if guesses := [f for f in files if f.has("pred")]:
            where = "" if len(guesses) == len(files) else f", in {len(guesses)} of {len(files)} files,"
            self.notes.append(
                f"Column pred{where} may be the model's own answer: --columns answer=pred tells answers apart by it."
            )
        held = steps_held(con, jsonl(files, {"step": "DOUBLE"}), "step")
        self.notes[:0] = appended_notes(held, files)
        self.note_again(files, held)
        return files

    def rows(self, files: Sequence[Peek]) -> str:
        """The rows of the files."""
        return jsonl(files, {**self.raw, **self.extras}, dict.fromkeys(self.options.raw_names(), "VARCHAR"))

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """What both layouts tell, with groups by content."""
        columns = {
            "split": by_file(self.splits, files, "'train'"),
            "step": "step",
            "prompt_id": PROMPT_ID,
            "group_id": self.again.apart(PROMPT_ID, files),
            "reward": json_number("score"),
            "answer": answer_key("output"),
            "prompt": excerpt(ASKED),
        }
        if "acc" in self.extras:
            columns["correct"] = json_number("acc")
        return columns


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
        return super().sniff(file) and not file.has("uid")


class VerlV1(Dump):
    """``{step}.jsonl`` with ``uid``: a group is a uid, a rollout is a session, and its last output stands for it."""

    name: ClassVar[str] = "verl-v1"
    trainer: ClassVar[str] = "verl 0.9, the v1 trainer (the default)"
    files: ClassVar[str] = "{rollout_data_dir}/{step}.jsonl with input, output, gts, score, step, uid"
    also: ClassVar[tuple[str, ...]] = ("verl-v0",)
    caveats: ClassVar[tuple[str, ...]] = (
        "verl can drop groups before it writes them (algorithm.filter_groups); the files do not say.",
        "The files hold no token counts and no advantages.",
    )
    needs: ClassVar[tuple[str, ...]] = (*Dump.needs, "uid")

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """See whether any session wrote several outputs, and which files the v0 trainer wrote."""
        files = super().survey(con, files)
        self.extras["uid"] = "VARCHAR"
        if older := [f for f in files if not self.sniff(f)]:
            self.group_id = "hash"
            self.notes.append(
                f"{len(older)} of {len(files)} files (e.g. {older[0].inside}) have no uid, as the v0 trainer writes "
                "them: there a prompt drawn twice in one step counts as one group."
            )
        self.several = any(_may_have_several(f) for f in files)
        self.position = "_line" if self.several else self.position
        return files

    def rows(self, files: Sequence[Peek]) -> str:
        """The rows with the parts of their uid; one that is not made of three parts is a group of its own rows."""
        part = [f"regexp_extract(uid, {sql.text(UID)}, {i})" for i in (1, 2, 3)]
        parts = f"coalesce(nullif({part[0]}, ''), uid) AS _uid, nullif({part[1]}, '') AS _session"
        if not self.several:
            return f"(SELECT *, {parts} FROM {super().rows(files)})"
        output = f"try_cast({part[2]} AS BIGINT) AS _output"
        last = "_output < max(_output) OVER (PARTITION BY _file, _uid, _session)"
        lines = numbered(super().rows(files))
        return f"(SELECT *, {last} AS _superseded FROM (SELECT *, {output}, {parts} FROM {lines}))"

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """A group is a uid; without one the prompt is the group."""
        group = self.again.apart(f"coalesce(_uid, {PROMPT_ID})", files)
        return super().columns(files) | {"group_id": group, "sample": "_session"}

    def reasons(self, files: Sequence[Peek]) -> list[str]:
        """All outputs of a session but the last."""
        return ["WHEN _superseded THEN 'another output of a session already counted'"] if self.several else []


def _may_have_several(file: Peek) -> bool:
    """Whether a session may have written several outputs; only then are rows compared, which takes memory."""
    if file.path.suffix.lower() != ".jsonl":
        return True
    with file.path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as lines:
        return LATER_OUTPUT.search(lines) is not None
