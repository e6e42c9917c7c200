"""From what the user pointed at to one relation of rollouts, with what is known and not known about it."""

from __future__ import annotations

import hashlib
import itertools
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bitrate.errors import DataError, EngineError, FormatError, InputError
from bitrate.logs import sql, values
from bitrate.logs.copies import without_copies
from bitrate.logs.engines import duck
from bitrate.logs.find import Found, find_files
from bitrate.logs.formats import Format, Select, match
from bitrate.logs.mend import JSON_KINDS, mend, needs_mending, repeats_keys
from bitrate.logs.options import ReadOptions
from bitrate.logs.origins import counted_twice
from bitrate.logs.peek import ROWS, Peek
from bitrate.logs.schema import REDUCED_COLUMNS, ROLLOUT_COLUMNS, Provenance, SetAside
from bitrate.logs.workplace import code, states
from bitrate.wording import listed, number_of

#: How much is read again to find the texts of prompts.
EXCERPT_BYTES, EXCERPT_FILES = 256 << 20, 2000
#: How much is read again to see whether an id stands for one text.
TEXT_BYTES = 32 << 20
#: Lines of so much JSON are mended before anything is read; of more, where the engine turns out to refuse some.
MENDED_BYTES = 32 << 20


@dataclass
class Source:
    """Rollouts ready to be read: the format that understands them and the files it takes.

    ``one_step`` is set where no row has a step, and all count as of one; ``unscored`` is what a rollout
    without a score gets in the column of the score, where the user counts it as wrong.
    """

    format: Format
    files: list[Peek]
    run: str
    con: duck.Connection
    found: Found | None = None
    one_step: bool = False
    unscored: dict[str, float] = field(default_factory=dict)

    @property
    def provenance(self) -> Provenance:
        """How ids are known and what the files cannot tell."""
        f = self.format
        return Provenance(
            f.name,
            self.run,
            f.prompt_id,
            f.group_id,
            f.filtered,
            tuple(dict.fromkeys([*(n for n in f.notes if n not in f.caveats), *f.caveats])),
            tuple(str(x.path) for x in self.files),
            f.caveats,
            f.split_known(self.files),
        )

    def selection(self, files: Sequence[Peek]) -> Select:
        """How these files become rollouts, as the user wants them."""
        select = self.format.chosen(self.format.select(self.con, files))
        return self._compared(select, files)

    def _compared(self, select: Select, files: Sequence[Peek]) -> Select:
        """The selection with the outcome of a comparison, where the user asked for one."""
        if rule := self.format.options.compared:
            score = "correct" if rule.column else "reward"
            if score not in select.columns:
                raise InputError(
                    "--outcome compares the reward, and these files have none", where=str(files[0].path),
                    hint=f"compare a column: {', '.join(sorted(self.format.raw_columns(files)))}",
                )  # fmt: skip
            select.columns["correct"] = rule.text(select.columns[score])
            if score in select.raw:
                select.raw["correct"] = select.raw[score]
        return select

    def rows(self, files: Sequence[Peek], columns: Iterable[str] = ROLLOUT_COLUMNS, extra: Sequence[str] = ()) -> str:
        """SELECT of rollout columns, typed, nulls where unknown; ``extra`` raw SQL is passed along."""
        select = self.selection(files)
        where = f" WHERE {select.where}" if select.where else ""
        return f"SELECT {', '.join([*(self._column(c, select) for c in columns), *extra])} FROM {select.source}{where}"

    def columns(self) -> frozenset[str]:
        """Rollout columns that these files hold."""
        return frozenset(self.selection(self.files).columns)

    def completions(self, columns: Iterable[str]) -> str:
        """SELECT of rollout columns and of ``completion``, the whole text; null where these files do not hold it."""
        text = self.selection(self.files).text or "NULL"
        return self.rows(self.files, columns, [f"({text})::VARCHAR AS completion"])

    def outcome_of(self, component: str) -> str | None:
        """How --outcome names a component of the reward: as a column, or by its path; None where neither is there."""
        there = self.format.raw_columns(self.files)
        if component in there:
            return component
        return f"components.{component}" if "components" in there and re.fullmatch(r"[\w-]+", component) else None

    def _column(self, column: str, select: Select) -> str:
        """One rollout column with its type."""
        typed = "CAST(0 AS BIGINT)" if column == "step" and self.one_step else _typed(column, select, self.run)
        if column in self.unscored:
            typed = self._or_unscored(typed, column, select)
        return f"{typed} AS {column}"

    def _or_unscored(self, score: str, column: str, select: Select) -> str:
        """SQL of a score that counts as wrong where the row has none; what cannot be read as one stays null."""
        blank = f"trim(coalesce(({select.raw[column]})::VARCHAR, '')) = ''" if column in select.raw else "true"
        bad = f"({select.bad}) IS NULL" if select.bad else "true"
        return f"coalesce({score}, CASE WHEN {bad} AND {blank} THEN {self.unscored[column]}::DOUBLE END)"

    def count_unscored_as_wrong(self) -> None:
        """Let rollouts without a verdict count as wrong: at the least score found, or 0 where all have one score."""
        scores = self.rows(self.files, ("prompt_id", "reward", "correct"))
        counted = ", ".join(f"count({c}), min({c}), max({c})" for c in ("reward", "correct"))
        [found] = duck.run(self.con, f"SELECT {counted} FROM ({scores}) WHERE prompt_id IS NOT NULL")
        score = "correct" if found[3] or self.format.options.outcome else "reward"
        before, least, most = found[3:] if score == "correct" else found[:3]
        if most is None:
            return
        self.unscored[score] = float(least if least < most or least <= 0 else 0.0)
        rows = f"SELECT {score} FROM ({self.rows(self.files, ('prompt_id', score))}) WHERE prompt_id IS NOT NULL"
        [(after,)] = duck.run(self.con, f"SELECT count({score}) FROM ({rows})")
        if after > before:
            self.format.notes.append(
                f"{number_of(after - before, 'rollout')} without a verdict count as wrong, as --unscored wrong says."
            )

    def why_bad(self, files: Sequence[Peek], score: str, placed: bool = True) -> str:
        """SELECT of each row's place in its file and the reason why it cannot be measured, null for a good row.

        A place is right where ``files`` is one file; without places several files are read at once.
        """
        select = self.selection(files)
        own = f"({select.bad})" if select.bad else "NULL"
        raw = {c: f"left(({select.raw[c]})::VARCHAR, 40)" if c in select.raw else "NULL" for c in ("step", score)}
        inner = self.rows(
            files,
            ("step", "prompt_id", score),
            (
                f"{own} AS own",
                f"{select.position if placed else 'NULL'} AS position",
                "_file",
                f"{raw['step']} AS raw_step",
                f"{raw[score]} AS raw_score",
            ),
        )
        unread = f"prompt_id IS NOT NULL AND step IS NOT NULL AND {score} IS NULL"
        return (
            f"SELECT _file, position, CASE WHEN own IS NOT NULL THEN own "
            f"WHEN prompt_id IS NULL THEN 'prompt_id is null' "
            f"WHEN step IS NULL THEN 'step is null or not a whole number' "
            f"WHEN {score} IS NULL THEN 'reward is null or not a number' "
            f"WHEN isnan({score}) THEN 'reward is NaN' "
            f"WHEN abs({score}) >= 1e12 THEN 'reward is infinite or beyond 1e12' END AS reason, "
            f"CASE WHEN own IS NOT NULL THEN NULL WHEN prompt_id IS NOT NULL AND step IS NULL THEN raw_step "
            f"WHEN {unread} THEN raw_score END AS shown FROM ({inner})"
        )

    def holds(self, column: str) -> bool:
        """Whether any row says something of this column that could not be used."""
        select = self.selection(self.files)
        if column not in select.raw:
            return column in select.columns
        said = f"SELECT 1 FROM {select.source} WHERE trim(({select.raw[column]})::VARCHAR) <> '' LIMIT 1"
        return bool(duck.run(self.con, said))

    def excerpts(self, ids: Sequence[str]) -> dict[str, str]:
        """The start of these prompts' texts, from the first files only.

        A text is an ornament, no reason to read all again.
        """
        select = self.selection(self.files[:1])
        if "prompt" not in select.columns or not ids:
            return {}
        # To register a table would load pandas, which takes as long as the audit of a small run.
        wanted = ", ".join(f"({sql.text(i)})" for i in ids)
        rows = self.rows(_first(self.files, EXCERPT_BYTES), ("prompt_id", "prompt"))
        query = (
            f"SELECT prompt_id, min(prompt) FROM ({rows}) SEMI JOIN (VALUES {wanted}) AS w (prompt_id) "
            f"USING (prompt_id) WHERE prompt IS NOT NULL GROUP BY prompt_id"
        )
        return {str(i): str(t) for i, t in duck.run(self.con, query)}

    def several_texts(self) -> str | None:
        """A caveat where one native id stands for several prompts, from the first files only."""
        select = self.selection(self.files[:1])
        if self.format.prompt_id != "native" or "prompt" not in select.columns:
            return None
        rows = self.rows(_first(self.files, TEXT_BYTES), ("run", "prompt_id", "prompt"))
        clashing = (
            f"SELECT prompt_id FROM ({rows}) WHERE prompt_id IS NOT NULL "
            f"GROUP BY run, prompt_id HAVING count(DISTINCT {values.canonical('prompt')}) > 1"
        )
        [(found, first)] = duck.run(self.con, f"SELECT count(*), min(prompt_id) FROM ({clashing})")
        if not found:
            return None
        return (
            f"{found} prompt id(s), {first} for one, stand for several prompt texts each: their rollouts count as "
            "those of one prompt. Is the id a place in a batch or a template's?"
        )

    def shown(self, set_aside: Sequence[SetAside]) -> list[SetAside]:
        """The same, with files that are reached through our own links under the names that they are shown by."""
        links = self.found.links if self.found else None
        if links is None:
            return list(set_aside)
        ours = re.compile(re.escape(links.name) + r"/\d+/")
        return [replace(s, where=tuple(ours.sub("", place) for place in s.where)) for s in set_aside]

    def culprit(self) -> str | None:
        """The first file whose rows cannot be read, if there is one: engines do not always say."""
        for file in self.files:
            try:
                duck.run(self.con, f"SELECT count(COLUMNS(*)) FROM ({self.rows([file], REDUCED_COLUMNS)})")
            except EngineError:
                return str(file.path)
            except AttributeError:  # a format that has not looked over its files yet cannot read them one by one
                return None
        return None

    def batches(self, limit: int = 256 << 20) -> list[list[Peek]]:
        """Files in order, together as long as they stay below ``limit`` bytes."""
        batches: list[list[Peek]] = []
        room = 0
        for file in self.files:
            if not batches or room < file.size or len(batches[-1]) >= 512:
                batches.append([])
                room = limit
            batches[-1].append(file)
            room -= file.size
        return batches

    def key(self, *more: object) -> str:
        """A name for this input and these options: another where a file, one beside it, or this program changed."""
        state = states((f.path for f in self.files), self.format.beside)
        said = (code(), self.format.name, self.format.options, self.run, more)
        return hashlib.sha256(repr((state, said)).encode()).hexdigest()[:24]


def _first(files: Sequence[Peek], most: int) -> list[Peek]:
    """The first files, up to so many bytes together; one at least."""
    totals = itertools.accumulate(f.size for f in files[:EXCERPT_FILES])
    return [f for total, f in zip(totals, files, strict=False) if total <= most] or [files[0]]


def _typed(column: str, select: Select, run: str) -> str:
    """SQL of a rollout column with its type; a value of another type becomes null and is counted later."""
    kind = ROLLOUT_COLUMNS[column]
    expression = select.columns.get(column)
    defaults = {"run": sql.text(run), "split": "'train'", "step": "0"}
    if expression is None:
        return f"CAST({defaults.get(column, 'NULL')} AS {kind})"
    typed = f"try_cast({expression} AS {kind})"
    if kind == "BIGINT":
        number = f"try_cast({expression} AS DOUBLE)"
        return f"CASE WHEN {number} = round({number}) THEN try_cast({number} AS BIGINT) END"
    if column in {"reward", "correct"} and select.bad:
        return f"CASE WHEN ({select.bad}) IS NULL THEN {typed} END"
    return f"coalesce({typed}, {defaults[column]})" if column in {"run", "split"} else typed


def open_source(con: duck.Connection, paths: Sequence[str | Path], options: ReadOptions | None = None) -> Source:
    """Find the files, the one format that reads them, and what it keeps of them.

    Raises:
        MissingInputError, FormatError, InputError: see `find_files` and `match`.
        DataError: every file had to be set aside.
    """
    options = options or ReadOptions()
    found = find_files(paths)
    broken = [f for f in found.files if f.kind in ROWS and f.trouble]
    lost = set(broken)
    sound = [f for f in found.files if f not in lost]
    twice_there = counted_twice(sound)
    sound = [f for f in sound if f.path not in twice_there]
    if not sound:
        raise DataError(f"no file can be read: {broken[0].trouble}", where=str(broken[0].path), hint=broken[0].remedy)
    try:
        form, mine = match(sound, options)
    except FormatError as error:
        error.where = " ".join(map(str, paths))
        raise
    form.notes += found.notes
    form.set_aside += [SetAside(why, 1, "files", (str(path),)) for path, why in twice_there.items()]
    form.set_aside += _not_read([f for f in broken if f.kind in {m.kind for m in mine} or form.fallback])
    absent = [c for c in options.raw_names() if c not in form.raw_columns(mine)]
    if absent:
        raise InputError(
            f"no column {absent[0]!r}; there are {', '.join(sorted(form.raw_columns(mine)))}",
            where=str(mine[0].path),
            hint="check the right-hand sides of --columns and --outcome; a comparison is --outcome 'reward >= 1'",
        )
    if twice := [f.inside for f in mine if repeats_keys(f)]:
        form.notes.append(
            f"Objects in {twice[0]}{' and other files' if twice[1:] else ''} have a key twice: the last one counts."
        )
    mine = without_copies(form, mine)
    texts = [f for f in mine if f.kind in JSON_KINDS]
    if sum(f.size for f in texts) <= MENDED_BYTES and any(map(needs_mending, texts)):
        found.mended = tempfile.TemporaryDirectory(prefix="bitrate-mended-")
        mend(texts, Path(found.mended.name))
    try:
        mine = form.survey(con, mine)
    except EngineError as error:
        error.where = error.where or Source(form, mine, "", con).culprit()
        raise
    if not mine:
        raise DataError("every file was set aside: " + "; ".join(s.reason for s in form.set_aside), where=str(paths[0]))
    mentioned = {place for s in form.set_aside for place in s.where}
    taken = set(mine)
    unread = [f for f in sound if f not in taken and f.kind != "other" and f.path.name not in form.beside]
    left = [f.inside for f in unread if str(f.path) not in mentioned]
    if left:
        form.notes.append(f"{number_of(len(left), 'other file was', 'other files were')} not read: {listed(left)}.")
    return Source(form, mine, _run_name(paths), con, found)


def _not_read(broken: Sequence[Peek]) -> list[SetAside]:
    """Files that cannot be opened as what they are, by reason."""
    reasons: dict[str, list[str]] = {}
    for file in broken:
        reasons.setdefault(f"file not read: {file.trouble}", []).append(str(file.path))
    return [SetAside(reason, len(paths), "files", tuple(paths[:3])) for reason, paths in reasons.items()]


def _run_name(paths: Sequence[str | Path]) -> str:
    names = list(dict.fromkeys(Path(p).resolve() for p in paths))
    return "+".join(n.name if n.is_dir() else n.stem for n in names[:3]) + ("+..." if len(names) > 3 else "")
