"""inspect-ai: a log file of samples and their scores, as a zip of JSON (.eval) or one JSON file."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from typing import Any, ClassVar

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.expression import to_sql
from bitrate.logs.formats import Format, Select, answer_key, excerpt
from bitrate.logs.inspect_log import Log
from bitrate.logs.layout import by_file
from bitrate.logs.peek import Peek
from bitrate.logs.schema import SetAside

#: A sample takes up to this many times its bytes while it is read: the bytes, their text, the values in it.
TIMES_READ = 8
#: The memory that is reckoned with where nobody said how much there is.
MEMORY_BYTES = 2 << 30
TEXTS = ("_file", "_place", "_run", "_prompt_id", "_answer", "_prompt", "_why")
NUMBERS = {"_epoch": "double", "_score": "double", "_prompt_tokens": "int64", "_completion_tokens": "int64"}
OWN = dict.fromkeys(TEXTS, "string") | NUMBERS | {"_truncated": "bool"}


class InspectAI(Format):
    """Evaluation logs: a sample id is a prompt and its epochs are the rollouts; a missing score stays missing.

    The outcome is the only scorer's value, or that of the scorer named with --outcome. Lost: there is no step,
    and no advantage.
    """

    name: ClassVar[str] = "inspect-ai"
    trainer: ClassVar[str] = "inspect-ai 0.3"
    files: ClassVar[str] = "*.eval, *.json"
    caveats: ClassVar[tuple[str, ...]] = (
        "This is an evaluation and no training: there is no step.",
        "Tokens are those of every call of the evaluated model for a sample, a scorer's calls of it included.",
    )

    def sniff(self, file: Peek) -> bool:
        """A zip with a log's own members, or a JSON log with its header."""
        if file.kind == "eval":
            with zipfile.ZipFile(file.path) as archive:
                return any(n == "header.json" or n.startswith(("samples/", "_journal/")) for n in archive.namelist())
        if file.kind != "json":
            return False
        named = (f'"{key}":' in file.head for key in ("eval", "status", "plan"))  # a log too large to be parsed to look
        return file.has("eval", "status", "plan") or (not file.columns and all(named))

    def raw_columns(self, files: Sequence[Peek]) -> set[str]:
        """The names of the scorers."""
        self._read(files, MEMORY_BYTES)
        return set(self.scorers)

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Read every log once into one small table."""
        self._read(files, duck.memory_bytes(con))
        self.table = f"inspect_{id(self)}"
        con.register(self.table, self._arrow())
        held = {r["_file"] for r in self.rows}
        return [f for f in files if str(f.path) in held]

    def select(self, con: duck.Connection, files: Sequence[Peek]) -> Select:
        """A group is the epochs of one sample id in one log."""
        source = f"(SELECT * FROM {self.table} WHERE _file IN ({', '.join(sql.text(f.path) for f in files)}))"
        columns = {
            "split": "'eval'",
            "prompt_id": "_prompt_id",
            "group_id": f"_prompt_id || ' of ' || {by_file({str(f.path): f.inside for f in files}, files, 'NULL')}",
            "sample": "_epoch",
            "reward": "_score",
            "components": "_components",
            "answer": answer_key("_answer"),
            "prompt_tokens": "_prompt_tokens",
            "completion_tokens": "_completion_tokens",
            "truncated": "_truncated",
            "prompt": excerpt("_prompt"),
            "run": "_run",
        }
        return Select(source, columns, bad="_why", position="_place")

    def chosen(self, select: Select) -> Select:
        """A scorer that the user names is a column of the table under a name of ours: its own may be any text."""
        select = super().chosen(select)
        for target, expression in self.options.columns.items():
            for scorer in to_sql(expression).columns:
                select.columns[target] = select.columns[target].replace(sql.name(scorer), self._column(scorer))
        if self.options.outcome_column:
            select.columns["correct"] = self._column(self.options.outcome_column)
        return select

    def _column(self, scorer: str) -> str:
        return f"_scorer_{self.scorers.index(scorer)}"

    def _read(self, files: Sequence[Peek], memory: int) -> None:
        """All samples of all logs, the first time it is asked for."""
        if hasattr(self, "rows"):
            return
        samples: dict[str, dict[str, Any]] = {}
        copied = 0
        for file in files:
            log = Log(file.path, self.options.outcome_column, memory // TIMES_READ)
            for row in log.rows():
                copied += row["_key"] in samples
                samples.pop(row["_key"], None)
                samples[row["_key"]] = row
            self.notes += log.notes
            self.set_aside += log.set_aside
        self.rows = list(samples.values())
        self.scorers = list(dict.fromkeys(name for r in self.rows for name in r["_scores"]))
        if copied:
            self.set_aside.append(SetAside("sample is also in a later log, as a retry copies it there", copied))

    def _arrow(self) -> Any:
        """The rows as an Arrow table: what a rollout needs, and one column a scorer."""
        import pyarrow as pa

        table = {name: pa.array([r[name] for r in self.rows], pa.type_for_alias(kind)) for name, kind in OWN.items()}
        for scorer in self.scorers:
            scores = [r["_scores"].get(scorer, (None,))[0] for r in self.rows]
            table[self._column(scorer)] = pa.array(scores, pa.float64())
        parts = [[(name, value) for name, (value, _) in r["_scores"].items()] for r in self.rows]
        return pa.table(table | {"_components": pa.array(parts, pa.map_(pa.string(), pa.float64()))})
