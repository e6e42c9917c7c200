"""verl: the rollouts that ``trainer.rollout_data_dir`` and ``trainer.validation_data_dir`` dump, a file a step."""

from __future__ import annotations

import mmap
import re
from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.formats import Format, Select, all_null, answer_key, excerpt, json_number, jsonl, text_id
from bitrate.logs.layout import Again, appended_notes, by_file, in_eval_folder, run_names, steps_held
from bitrate.logs.messages import one_text
from bitrate.logs.peek import Peek

#: Scores are read as text: verl writes what it cannot encode as a string, so 1.0 may be "1.0" or "True".
RAW = {"input": "VARCHAR", "output": "VARCHAR", "gts": "VARCHAR", "score": "VARCHAR", "step": "DOUBLE"}
#: Where a score that is no number is shown from.
SAID = {"reward": "score"}
#: {prompt's uid}_{session}_{output}: a session is one rollout, and may write several outputs.
UID = "^(.*)_([0-9]+)_([0-9]+)$"
#: A uid whose output is not the first; nothing within a JSON text looks like this, as its quotes are escaped.
LATER_OUTPUT = re.compile(rb'"uid": ?"[^"\n]*_[1-9][0-9]*"')
PROMPT_ID = text_id(one_text("input"), "coalesce(gts, '')")
#: What comes after the system prompt, which all prompts share.
ASKED = "coalesce(nullif(regexp_extract(input, '(?s)^system\\n.*?\\nuser\\n(.*)$', 1), ''), input)"


class Dump(Format):
    """What both layouts share."""

    prompt_id: str = "hash"
    filtered: str = "unknown"

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Tell training from validation and run from run by folder; look for an outcome and an answer of its own."""
        self.splits = {str(f.path): "eval" for f in files if in_eval_folder(f)}
        folders = {f.path.parent for f in files if str(f.path) not in self.splits}
        self.runs = run_names(files, lambda f: f.inside.rpartition("/")[0]) if len(folders) > 1 else {}
        judged = [f for f in files if f.has("acc")]
        self.extras = {"acc": "VARCHAR"} if len(judged) == len(files) else {}
        if judged and not self.extras and self.options.outcome != "acc":
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
        self.again = Again.among(
            (f, self.runs.get(str(f.path), ""), self.splits.get(str(f.path), "train"), step)
            for f in files
            for step in held.get(str(f.path), ())
        )
        self.notes[:0] = [*self.again.notes, *appended_notes(held, files)]
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
            "reward": json_number("score"),
            "answer": answer_key("output"),
            "prompt": excerpt(ASKED),
        }
        if "acc" in self.extras:
            columns["correct"] = json_number("acc")
        if self.runs:
            columns["run"] = by_file(self.runs, files, "NULL")
        return columns

    def chosen(self, select: Select) -> Select:
        """The user's outcome is read as text, as the score is."""
        select = super().chosen(select)
        if self.options.outcome:
            select.columns["correct"] = json_number(sql.name(self.options.outcome))
        return select

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

    def select(self, con: duck.Connection, files: Sequence[Peek]) -> Select:
        """Prompts and groups by content."""
        columns = self.shared(files) | {"group_id": self.again.apart(PROMPT_ID, files)}
        return Select(self.raw(files), columns, bad=f"CASE {self.unreadable()} END", raw=SAID)


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

    def sniff(self, file: Peek) -> bool:
        """JSONL with verl's columns and a uid."""
        return file.kind == "jsonl" and file.has("input", "output", "score", "step", "uid")

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
        return files

    def select(self, con: duck.Connection, files: Sequence[Peek]) -> Select:
        """A uid that is not made of three parts is a group of its own rows; without one the prompt is the group."""
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
        group = f"coalesce(_uid, {PROMPT_ID})"
        columns = self.shared(files) | {"group_id": self.again.apart(group, files), "sample": "_session"}
        return Select(source, columns, bad=f"CASE {self.unreadable()} {superseded} END", position=position, raw=SAID)


def _may_have_several(file: Peek) -> bool:
    """Whether a session may have written several outputs; only then are rows compared, which takes memory."""
    if file.path.suffix.lower() != ".jsonl":
        return True
    with file.path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as lines:
        return LATER_OUTPUT.search(lines) is not None
