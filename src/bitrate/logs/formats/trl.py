"""TRL: the completions that GRPOTrainer and RLOOTrainer write with ``log_completions=True``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

from bitrate.logs import sql, values
from bitrate.logs.engines import duck
from bitrate.logs.formats import answer_key, excerpt, json_number, parquet, text_id
from bitrate.logs.layout import block_group, number
from bitrate.logs.messages import last_said, one_text
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat
from bitrate.logs.trainer_state import History
from bitrate.wording import listed, number_of

OWN = ("step", "prompt", "completion", "advantage")
#: Columns that hold the completion's tokens, or their number, under a name that means nothing else.
TOKENS = ("completion_ids", "n_tokens", "completion_length")
TEXT = ("string", "large_string", "string_view")
LIST = ("list", "large_list", "fixed_size_list")


@dataclass(frozen=True)
class Seen:
    """What one pass over a file found; its step is None where no row has one."""

    step: int | None
    rows: int
    digest: int
    means: dict[str, float | None]


class Trl(TrainerFormat):
    """``completions_{step}.parquet``; ``trainer_state.json`` tells rewards, evaluations and lengths."""

    name: ClassVar[str] = "trl"
    trainer: ClassVar[str] = "TRL 1.16, GRPOTrainer and RLOOTrainer with log_completions=True"
    files: ClassVar[str] = "completions/completions_*.parquet, with trainer_state.json beside or above"
    beside: ClassVar[tuple[str, ...]] = ("trainer_state.json",)
    prompt_id: str = "hash"
    group_id: str = "positional"
    caveats: ClassVar[tuple[str, ...]] = (
        "TRL keeps no prompt id: a prompt is known by its text (--columns prompt_id=COLUMN names one that was logged).",
        "Whether a completion was cut off is not in the files.",
    )
    shown: ClassVar[dict[str, str]] = {"step": "_told_step"}
    position: str = "_row + 1"
    text: ClassVar[str | None] = "_said"

    def sniff(self, file: Peek) -> bool:
        """Parquet with TRL's own four columns."""
        return file.kind == "parquet" and file.has(*OWN)

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Find rewards, evaluations and group size; drop batches written again under a later step."""
        self.histories = {folder: History.beside(folder) for folder in dict.fromkeys(f.path.parent for f in files)}
        super().survey(con, files)
        self.rewards = self._rewards(files)
        seen = self._look(con, files)
        self.leave_out([f for f in files if str(f.path) not in seen], "file holds no rows")
        files = [f for f in files if str(f.path) in seen]
        self._note_steps(files, seen)
        kept = self._without_repeats(files, seen)
        evals = {folder: history.evals for folder, history in self.histories.items()}
        self.splits = {str(f.path): "eval" if seen[str(f.path)].step in evals[f.path.parent] else "train" for f in kept}
        self._note_evals([f for f in kept if self.splits[str(f.path)] == "eval"], seen)
        self._find_tokens(kept, seen)
        self.note_blocks(con, kept, "_prompt", "_row")
        self.note_again(kept, {path: [] if found.step is None else [found.step] for path, found in seen.items()})
        return kept

    def home(self, file: Peek) -> str:
        """The folder that ``completions`` lies in."""
        return super().home(file).removesuffix("completions").strip("/")

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """Rewards summed over their functions, groups from blocks, tokens from a logged column or the logged mean."""
        prompt_id = text_id("_prompt")
        shared = "_total // _rows + CASE WHEN _row < _total % _rows THEN 1 ELSE 0 END"
        return {
            "split": "_split",
            "step": "_step",
            "prompt_id": prompt_id,
            "group_id": self.again.apart(block_group(self.sizes, "_row", prompt_id, files), files),
            "reward": "_reward",
            "components": "_components",
            "answer": answer_key("_said"),
            "completion_tokens": f"coalesce(_tokens, {shared})",
            "advantage": "_advantage",
            "prompt": excerpt("_asked"),
        }

    def rows(self, files: Sequence[Peek]) -> str:
        """Rows with what is known of their file: its split, and the step's total of tokens and of rows."""
        facts = []
        for f in files:
            path = str(f.path)
            total, rows = self.totals.get(path, ("NULL", "NULL"))
            facts.append(f"({sql.text(path)}, {sql.text(self.splits[path])}, {total}::BIGINT, {rows}::BIGINT)")
        return (
            f"(SELECT r.*, _split, _total, _rows FROM {self._rows(files)} r JOIN "
            f"(VALUES {', '.join(facts)}) known(_path, _split, _total, _rows) ON r._file = _path)"
        )

    def _rows(self, files: Sequence[Peek]) -> str:
        """Rows with the same columns of the same types, whatever types their files have: those are read alike."""
        alike: dict[tuple[object, ...], list[Peek]] = {}
        named = self.options.raw_names()
        for f in files:
            rewards = self.rewards[f.path.parent]
            wanted = dict.fromkeys([*OWN, *TOKENS, *rewards, *named])
            alike.setdefault((rewards, *(f.columns.get(c) for c in wanted)), []).append(f)
        parts = [f"SELECT {', '.join(self._columns(same[0]))} FROM {parquet(same)}" for same in alike.values()]
        return f"({' UNION ALL BY NAME '.join(parts)})"

    def _columns(self, file: Peek) -> list[str]:
        """What is selected of files with the columns of this one: our own columns, and those that the user named."""
        parts = {r: _decimal(r, file) for r in self.rewards[file.path.parent]}
        total = f"list_sum([{', '.join(parts.values())}])" if len(parts) > 1 else next(iter(parts.values()), "NULL")
        names = sql.text_list(parts)
        components = f"map({names}::VARCHAR[], [{', '.join(parts.values())}]::DOUBLE[])"
        whole = file.columns["step"] in {"int64", "int32"}
        prompt, completion = _text("prompt", file), _text("completion", file)
        own = {
            "_file": "_file",
            "_row": "_row",
            "_step": "step::BIGINT" if whole else values.step("step::VARCHAR"),
            "_told_step": "step::VARCHAR",
            "_prompt": one_text(prompt),
            "_asked": last_said(prompt),
            "_said": last_said(completion),
            "_reward": f"({total})::DOUBLE",
            "_components": components if parts else "NULL::MAP(VARCHAR, DOUBLE)",
            "_advantage": _decimal("advantage", file),
            "_tokens": _tokens(file),
        }
        asked = [c for c in self.options.raw_names() if c in file.columns and c not in own]
        return [f"{expression} AS {c}" for c, expression in own.items()] + [sql.name(c) for c in asked]

    def _rewards(self, files: list[Peek]) -> dict[Path, tuple[str, ...]]:
        """Reward columns by folder: from the trainer's log where it is there, else by their names and types."""
        found: dict[Path, tuple[str, ...]] = {}
        for folder, history in self.histories.items():
            columns = {c: t for f in files if f.path.parent == folder for c, t in f.columns.items()}
            logged = tuple(r for r in history.rewards if r in columns)
            found[folder] = logged or self._guessed(columns)
            if len(found[folder]) > 1 and not (logged and history.plain_sum(logged)):
                self._first(
                    f"The reward is the plain sum of {', '.join(found[folder])}: the trainer's weights are not in the "
                    f"files. Measure one alone with --outcome {found[folder][0]}."
                )
        return found

    def _guessed(self, columns: dict[str, str]) -> tuple[str, ...]:
        """The rewards where no log names them: columns called so, else all decimals."""
        extra = {c: t for c, t in columns.items() if c not in {*OWN, *TOKENS}}
        decimals = [c for c, t in extra.items() if t in {"double", "float"}]
        called = [c for c in extra if "reward" in c.lower() and not extra[c].startswith((*LIST, "struct", "map"))]
        taken = called or decimals
        left = [c for c in decimals if c not in taken]
        how = "every column called reward" if called else "every column of decimals"
        rest = f"; not taken: {', '.join(left)}, decimals that may be anything" if left else ""
        self._first(
            f"No trainer_state.json names the rewards: {how} is taken for one ({', '.join(taken) or 'there is none'}"
            f"{rest}), and evaluations cannot be told from training."
        )
        return tuple(taken)

    def _first(self, note: str) -> None:
        """Say what changes every figure before anything else."""
        if note not in self.notes:
            self.notes.insert(0, note)

    def _look(self, con: duck.Connection, files: list[Peek]) -> dict[str, Seen]:
        """Step, rows, digest of the rows apart from their step, and mean of each reward, by file."""
        digest = "bit_xor(hash(_row, _prompt, _said, _advantage, _components))"
        query = f"SELECT _file, max(_step), count(*), {digest} FROM {self._rows(files)} GROUP BY _file"
        parts = f"SELECT _file, unnest(map_entries(_components)) AS part FROM {self._rows(files)}"
        means: dict[str, dict[str, float | None]] = {}
        for path, name, mean in duck.run(con, f"SELECT _file, part.key, avg(part.value) FROM ({parts}) GROUP BY ALL"):
            means.setdefault(path, {})[name] = mean
        return {path: Seen(step, n, d, means.get(path, {})) for path, step, n, d in duck.run(con, query)}

    def _without_repeats(self, files: list[Peek], seen: dict[str, Seen]) -> list[Peek]:
        """With several optimizer steps per generation a batch is written once a step: keep the first."""
        kept: list[Peek] = []
        repeats: list[Peek] = []
        last: dict[Path, int] = {}
        for file in files:
            digest = seen[str(file.path)].digest
            (repeats if last.get(file.path.parent) == digest else kept).append(file)
            last[file.path.parent] = digest
        self.leave_out(repeats, "the batch of an earlier step, written again (steps_per_generation above 1)")
        return kept

    def _note_steps(self, files: list[Peek], seen: dict[str, Seen]) -> None:
        """Say where the trainer logged only some of its batches."""
        for folder, history in self.histories.items():
            held = [seen[str(f.path)].step for f in files if f.path.parent == folder]
            steps = sorted(step for step in held if step is not None)
            gaps = [b - a for a, b in pairwise([0, *steps]) if b > a]
            every = history.every or min(gaps, default=1)
            if steps and every > 1:
                self.notes.append(
                    f"Only the last batch of every {every:.0f} steps was logged: "
                    f"{len(steps)} of {steps[-1]} steps are in the files."
                )

    def _note_evals(self, evals: list[Peek], seen: dict[str, Seen]) -> None:
        """Say which steps an evaluation took, and where its file holds other rows too."""
        if not evals:
            return
        steps = sorted({step for f in evals if (step := seen[str(f.path)].step) is not None})
        self.notes.append(
            f"At {number_of(len(steps), 'step')} an evaluation was written over the training batch ({listed(steps)}); "
            "those rows are split eval."
        )
        mixed = [f for f in evals if not self._agrees(seen[str(f.path)], self.histories[f.path.parent])]
        if mixed:
            which, hold = f"The evaluation file {mixed[0].inside} does", "it holds"
            if len(mixed) > 1:
                which, hold = f"{len(mixed):,} evaluation files (e.g. {mixed[0].inside}) do", "they hold"
            self.notes.append(
                f"{which} not have the mean reward that was logged: {hold} only part of the evaluation, or rows of the "
                "training batch as well."
            )

    @staticmethod
    def _agrees(file: Seen, history: History) -> bool:
        entry = history.evals.get(file.step, {}) if file.step is not None else {}
        pairs = ((mean, number(entry.get(f"eval_rewards/{r}/mean"))) for r, mean in file.means.items())
        return all(m is None or v is None or abs(m - v) <= 1e-5 * (1 + abs(v)) for m, v in pairs)

    def _find_tokens(self, files: list[Peek], seen: dict[str, Seen]) -> None:
        """The total of tokens of a step without a column of them: the logged mean, to be shared among its rows."""
        self.totals: dict[str, tuple[int, int]] = {}
        bare = [f for f in files if not f.columns.keys() & set(TOKENS)]
        lengths = {k: h.at("completions/mean_length") for k, h in self.histories.items() if h.every == 1}
        for file in bare:
            about = seen[str(file.path)]
            if self.splits[str(file.path)] == "train" and about.step is not None:
                mean = lengths.get(file.path.parent, {}).get(about.step, -1.0)
                if 0 <= mean < 1e9:
                    self.totals[str(file.path)] = (round(mean * about.rows), about.rows)
        if self.totals:
            self.notes.append(
                "Tokens are known only as the mean of each step; its total is shared evenly among its rollouts."
            )
        elif bare:
            self.notes.append(
                "Completion tokens are not in the files: log them with log_extra('completion_ids', completion_ids)."
            )


def _text(column: str, file: Peek) -> str:
    """SQL for a prompt or completion as text: itself, or its messages as JSON."""
    nested = file.columns[column].startswith((*LIST, "struct", "map"))
    return f"to_json({sql.name(column)})::VARCHAR" if nested else f"{sql.name(column)}::VARCHAR"


def _decimal(column: str, file: Peek) -> str:
    """SQL for a column as a number, null where it is none; a file without the column has none."""
    if column not in file.columns:
        return "NULL::DOUBLE"
    name = sql.name(column)
    if file.columns[column] in {"double", "float"}:
        return f"CASE WHEN isnan({name}) THEN NULL ELSE {name}::DOUBLE END"
    value = json_number(name)
    return f"CASE WHEN isnan({value}) THEN NULL ELSE {value} END"


def _tokens(file: Peek) -> str:
    """SQL for the length of a completion in tokens, where a column tells it."""
    found = next((c for c in TOKENS if c in file.columns), None)
    if found is None:
        return "NULL::BIGINT"
    if file.columns[found].startswith((*LIST, *TEXT)) and found == "completion_ids":
        return f"len(try_cast({sql.name(found)} AS BIGINT[]))"
    return f"CASE WHEN {_decimal(found, file)} BETWEEN 0 AND 1e15 THEN {_decimal(found, file)}::BIGINT END"
