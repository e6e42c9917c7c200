"""lm-evaluation-harness: one line a question and filter, scored on the filtered answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.formats import Select, answer_key, excerpt, json_number, jsonl, numbered
from bitrate.logs.layout import by_file, sql_by_file
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat

NAME = re.compile(r"^samples_(.+)_\d{4}-\d{2}-\d{2}T[\d.:-]+\.jsonl$")
NO_METRIC = {
    "doc_id",
    "doc",
    "target",
    "arguments",
    "resps",
    "filtered_resps",
    "filter",
    "metrics",
    "doc_hash",
    "prompt_hash",
    "target_hash",
}


class LmEval(TrainerFormat):
    """Logged samples of a task: the first filter of each file, scored by the first of its metrics.

    Lost: token counts are not in these files, and the raw samples behind a filtered answer have no score of their own.
    """

    name: ClassVar[str] = "lm-eval"
    trainer: ClassVar[str] = "lm-evaluation-harness 0.4, --log_samples"
    files: ClassVar[str] = "samples_{task}_{date}.jsonl"
    caveats: ClassVar[tuple[str, ...]] = (
        "This is an evaluation and no training: there is no step.",
        "Only the filtered answer is scored, so a question counts as one rollout however often it was sampled.",
    )
    raw: ClassVar[dict[str, str]] = {
        "doc_id": "VARCHAR", "arguments": "JSON", "filtered_resps": "JSON", "filter": "VARCHAR",
    }  # fmt: skip
    needs: ClassVar[tuple[str, ...]] = ("doc_id", "resps", "filtered_resps", "target")
    lines: ClassVar[tuple[str, ...]] = ("doc_id", "filtered_resps")
    position: str = "_line"
    worded: ClassVar[bool] = True

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Take the first filter of each file and the first metric; note what was not taken."""
        found = duck.run(
            con,
            f"SELECT _file, filter, count(*) FROM {numbered(jsonl(files, self.raw))} "
            "WHERE filter IS NOT NULL GROUP BY ALL ORDER BY _file, min(_line)",
        )
        self.filters: dict[str, str] = {}
        for file, name, _ in found:
            self.filters.setdefault(file, name)
        if others := {name: file for file, name, _ in found if name != self.filters[file]}:
            taken = ", ".join(sorted({self.filters[file] for file in others.values()}))
            self.notes.append(f"Scores are those of the filter {taken}; not read: {', '.join(sorted(others))}.")
        self.metrics = {str(f.path): _metrics(f.records) for f in files}
        unread = sorted({m for names in self.metrics.values() for m in names[1:]})
        if unread and not self.options.outcome_column:
            first = ", ".join(sorted({names[0] for names in self.metrics.values() if names}))
            self.notes.append(
                f"The score is {first}; other metrics are there: {', '.join(unread)} (choose with --outcome)."
            )
        most = max((len(r["resps"][0]) for f in files for r in f.records if _is_sampled(r.get("resps"))), default=1)
        if most > 1:
            self.notes.append(f"Each question was sampled up to {most} times; the single samples carry no score.")
        return super().survey(con, files)

    def rows(self, files: Sequence[Peek]) -> str:
        """The lines, with the score of each file and what the user named."""
        named = [names[0] for names in self.metrics.values() if names]
        named += [self.options.outcome_column] if self.options.outcome_column else []
        return numbered(jsonl(files, self.raw, self.options.raw_names() | dict.fromkeys(named, "JSON")))

    def select(self, con: duck.Connection, files: Sequence[Peek]) -> Select:
        """Each file's first filter, and lines that could not be read."""
        select = super().select(con, files)
        if any(str(f.path) in self.filters for f in files):
            wanted = {path: f"filter = {sql.text(name)}" for path, name in self.filters.items()}
            select.where = f"coalesce({sql_by_file(wanted, files, 'NULL')}, true)"
        return select

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """A prompt is a question of a task; a group is that question in one file."""
        task = by_file({str(f.path): _task(f) for f in files}, files, "NULL")
        scores = {path: json_number(sql.name(names[0])) for path, names in self.metrics.items() if names}
        first = "json_extract_string(filtered_resps, '$[0]')"
        answer = f"CASE WHEN json_type(filtered_resps, '$[0]') = 'VARCHAR' THEN {first} END"
        prompt = (
            "coalesce(json_extract_string(arguments, '$.gen_args_0.arg_0'), json_extract_string(arguments, '$[0][0]'))"
        )
        return {
            "split": "'eval'",
            "prompt_id": f"{task} || '/' || doc_id",
            "group_id": f"doc_id || ' of ' || {by_file({str(f.path): f.inside for f in files}, files, 'NULL')}",
            "reward": sql_by_file(scores, files, "NULL"),
            "answer": answer_key(f"({answer})"),
            "prompt": excerpt(prompt),
        }


def _metrics(records: list[dict[str, Any]]) -> list[str]:
    """Names of the metrics in the file's own order; older files do not list them."""
    for record in records:
        listed = record.get("metrics")
        if isinstance(listed, list) and listed:
            return [str(m) for m in listed]
        numbers = [k for k, v in record.items() if k not in NO_METRIC and isinstance(v, int | float)]
        if numbers:
            return numbers
    return []


def _is_sampled(resps: Any) -> bool:
    """Whether this is a list with the list of a question's samples in it."""
    return isinstance(resps, list) and bool(resps) and isinstance(resps[0], list)


def _task(file: Peek) -> str:
    """The task's name, from the file's name."""
    found = NAME.match(file.path.name)
    return found[1] if found else file.path.stem
