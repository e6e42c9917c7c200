"""What the formats of trainers share: a row is a rollout, folders tell runs, and a step is written to one file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.formats import NOT_JSON, Format, Select, all_null, json_number, jsonl, numbered
from bitrate.logs.layout import Again, block_notes, block_sizes, by_file, run_names
from bitrate.logs.options import ReadOptions
from bitrate.logs.peek import Peek
from bitrate.logs.schema import SetAside


class TrainerFormat(Format):
    """Files of rows with the same columns, a rollout each: a subclass says what these are, in `raw` and `columns`.

    Class attributes:
        raw: the columns of a line with their types, as `jsonl` reads them.
        needs: columns without which a file is none of mine.
        lines: a line in which all of these are null is no object of mine; all of ``raw`` by default.
        shown: what `Select` calls ``raw``: SQL of the text of a rollout column, to be shown where it cannot be used.
        position: what `Select` calls so.
        text: what `Select` calls so: SQL of a completion's whole text.
        worded: whether the outcome that the user names is read as text, so that true and false count too.
        one_rollout: columns that two rows share only where the later one was written in place of the other.
    """

    raw: ClassVar[dict[str, str]] = {}
    needs: ClassVar[tuple[str, ...]] = ()
    lines: ClassVar[tuple[str, ...]] = ()
    shown: ClassVar[dict[str, str]] = {}
    position: str = "row_number() OVER ()"
    text: ClassVar[str | None] = None
    worded: ClassVar[bool] = False
    one_rollout: ClassVar[tuple[str, ...]] = ()

    def __init__(self, options: ReadOptions) -> None:
        super().__init__(options)
        self.runs: dict[str, str] = {}
        self.splits: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self.again = Again({})
        self.repeats = False

    def sniff(self, file: Peek) -> bool:
        """JSON lines with the columns needed."""
        return file.kind == "jsonl" and file.has(*self.needs)

    def home(self, file: Peek) -> str:
        """What makes the run of a file: its folder."""
        return file.inside.rpartition("/")[0]

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Tell runs apart."""
        self.runs = run_names(files, self.home)
        return files

    def rows(self, files: Sequence[Peek]) -> str:
        """FROM clause of the rows."""
        return jsonl(files, self.raw, self.options.raw_names())

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """SQL of the rollout columns that are known, without the run."""
        raise NotImplementedError

    def reasons(self, files: Sequence[Peek]) -> list[str]:
        """WHEN clauses of the reasons why a line that can be read cannot be measured."""
        return []

    def select(self, con: duck.Connection, files: Sequence[Peek]) -> Select:
        """The rows, the columns and the run; a line that is no object with these columns cannot be measured."""
        columns, bad = self.columns(files), None
        if self.runs:
            columns["run"] = by_file(self.runs, files, "NULL")
        if self.raw:
            lost = f"WHEN {all_null(self.lines or [*self.raw])} THEN {sql.text(NOT_JSON)}"
            bad = f"CASE {' '.join([lost, *self.reasons(files)])} END"
        if self.repeats:
            return Select(self._last_written(files), columns, bad=bad, position="_line", raw=self.shown, text=self.text)
        return Select(self.rows(files), columns, bad=bad, position=self.position, raw=self.shown, text=self.text)

    def chosen(self, select: Select) -> Select:
        """The selection with the user's own columns in place of the format's."""
        select = super().chosen(select)
        if self.worded and self.options.outcome_column:
            select.columns["correct"] = json_number(sql.name(self.options.outcome_column))
        return select

    def note_again(self, files: Sequence[Peek], held: Mapping[str, Iterable[int]]) -> None:
        """Find the steps of one run and split that several files hold; ``held`` tells the steps of each path."""
        self.again = Again.among((f, *self._stretch(f), step) for f in files for step in held.get(str(f.path), ()))
        self.notes[:0] = self.again.notes

    def note_blocks(self, con: duck.Connection, files: Sequence[Peek], prompt: str, place: str) -> None:
        """Find the groups that are blocks of rows with one prompt; see `block_sizes`."""
        stretches: dict[tuple[str, str], list[Peek]] = {}
        for f in files:
            stretches.setdefault(self._stretch(f), []).append(f)
        self.sizes = block_sizes(con, self.rows(files), prompt, place, stretches.values())
        self.notes += block_notes(self.sizes, self.splits, files)
        if not self.sizes:
            self.group_id = "hash"

    def note_repeats(self, con: duck.Connection, files: Sequence[Peek], reason: str) -> None:
        """Set aside rows that a later one replaces; in most files there are none, and nothing is compared again."""
        keys, known = ", ".join(self.one_rollout), self._identified()
        query = f"SELECT _file, count(*) - count(DISTINCT ({keys})) AS n FROM {self.rows(files)} WHERE {known}"
        found = duck.run(con, f"{query} GROUP BY _file HAVING n > 0 ORDER BY _file")
        self.repeats = bool(found)
        if found:
            self.set_aside.append(SetAside(reason, sum(n for _, n in found), "rows", tuple(f for f, _ in found[:3])))

    def _last_written(self, files: Sequence[Peek]) -> str:
        """The last of the rows of one file that are one rollout."""
        last = f"row_number() OVER (PARTITION BY _file, {', '.join(self.one_rollout)} ORDER BY _line DESC) = 1"
        return f"(SELECT * FROM {numbered(self.rows(files))} QUALIFY NOT ({self._identified()}) OR {last})"

    def _identified(self) -> str:
        return " AND ".join(f"{k} IS NOT NULL" for k in self.one_rollout)

    def _stretch(self, file: Peek) -> tuple[str, str]:
        """Run and split of a file."""
        return self.runs.get(str(file.path), ""), self.splits.get(str(file.path), "train")
