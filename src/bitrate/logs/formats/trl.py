"""TRL: the completions that GRPOTrainer and RLOOTrainer write with ``log_completions=True``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.formats import Format, Select, answer_key, excerpt, parquet, text_id
from bitrate.logs.layout import block_group, block_notes, block_sizes, by_file, run_names
from bitrate.logs.peek import Peek
from bitrate.logs.schema import SetAside
from bitrate.wording import number_of

if TYPE_CHECKING:
    import duckdb

OWN = ("step", "prompt", "completion", "advantage")
#: Columns that hold the completion's tokens, or their number, under a name that means nothing else.
TOKENS = ("completion_ids", "n_tokens", "completion_length")


@dataclass(frozen=True)
class Seen:
    """What one pass over a file found."""

    step: int
    rows: int
    digest: int
    means: dict[str, float | None]


@dataclass
class History:
    """``trainer_state.json``: what TRL logged beside the completions."""

    entries: list[dict[str, Any]]
    every: float | None

    @classmethod
    def beside(cls, folder: Path) -> History | None:
        """The trainer state in the folder, the one above it, or its last checkpoint; None where there is none."""
        checkpoints = sorted(
            folder.parent.glob("checkpoint-*/trainer_state.json"), key=lambda p: (len(p.parent.name), p.parent.name)
        )
        for path in (folder / "trainer_state.json", folder.parent / "trainer_state.json", *reversed(checkpoints)):
            try:
                state = json.loads(path.read_text("utf-8"))
                entries = [e for e in state["log_history"] if isinstance(e.get("step"), int)]
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                continue
            every = state.get("logging_steps")
            return cls(entries, every if isinstance(every, int | float) and every >= 1 else None)
        return None

    @property
    def rewards(self) -> list[str]:
        """Names of the reward functions."""
        keys = dict.fromkeys(k.removeprefix("eval_") for e in self.entries for k in e)
        return [k[len("rewards/") : -len("/mean")] for k in keys if k.startswith("rewards/") and k.endswith("/mean")]

    @property
    def evals(self) -> dict[int, dict[str, Any]]:
        """The evaluation's log entry by step."""
        return {e["step"]: e for e in self.entries if any(k.startswith("eval_") for k in e)}

    def at(self, key: str) -> dict[int, float]:
        """A logged number by step."""
        return {e["step"]: float(e[key]) for e in self.entries if isinstance(e.get(key), int | float)}

    def plain_sum(self) -> bool:
        """Whether the logged reward is the unweighted sum of its parts at every step, so that the weights are 1."""
        parts = [self.at(f"rewards/{r}/mean") for r in self.rewards]
        whole = {s: v for s, v in self.at("reward").items() if all(s in p for p in parts)}
        return bool(whole) and all(abs(sum(p[s] for p in parts) - v) <= 1e-5 * (1 + abs(v)) for s, v in whole.items())


class Trl(Format):
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

    def sniff(self, file: Peek) -> bool:
        """Parquet with TRL's own four columns."""
        return file.kind == "parquet" and file.has(*OWN)

    def survey(self, con: duckdb.DuckDBPyConnection, files: list[Peek]) -> list[Peek]:
        """Find rewards, evaluations and group size; drop batches written again under a later step."""
        self.histories = {folder: History.beside(folder) for folder in dict.fromkeys(f.path.parent for f in files)}
        self.runs = run_names(files, lambda f: f.inside.rpartition("/")[0].removesuffix("completions").strip("/"))
        self.rewards = self._rewards(files)
        seen = self._look(con, files)
        empty = [str(f.path) for f in files if str(f.path) not in seen]
        if empty:
            self.set_aside.append(SetAside("file holds no rows", len(empty), "files", tuple(empty)))
        files = [f for f in files if str(f.path) in seen]
        self._note_steps(files, seen)
        kept = self._without_repeats(files, seen)
        self.splits = {str(f.path): "eval" if seen[str(f.path)].step in self._evals(f) else "train" for f in kept}
        self._note_evals(kept, seen)
        self.tokens = self._tokens(kept, seen)
        self.sizes = block_sizes(con, self._source(kept), "prompt", "_row", "_split")
        self.notes += block_notes(self.sizes, self.splits.values())
        if not self.sizes:
            self.group_id = "hash"
        return kept

    def select(self, con: duckdb.DuckDBPyConnection, files: Sequence[Peek]) -> Select:
        """Rewards summed over their functions, groups from blocks, tokens from a logged column or the logged mean."""
        prompt, completion = _text("prompt", files[0]), _last_text("completion", files[0])
        parts = [
            f"CASE WHEN isnan({sql.name(r)}::DOUBLE) THEN NULL ELSE {sql.name(r)}::DOUBLE END" for r in self.rewards
        ]
        columns = {
            "split": "_split",
            "step": "step",
            "prompt_id": text_id(prompt),
            "group_id": block_group(self.sizes, "_row", "_split", text_id(prompt)),
            "reward": parts[0] if len(parts) == 1 else f"list_sum([{', '.join(parts)}])",
            "components": f"map({sql.text_list(self.rewards)}, [{', '.join(parts)}])",
            "answer": answer_key(completion),
            "completion_tokens": self.tokens,
            "advantage": "advantage",
            "prompt": excerpt(_last_text("prompt", files[0])),
        }
        if not parts:
            del columns["reward"], columns["components"]
        if self.runs and not self.options.run:
            columns["run"] = by_file(self.runs, files, "NULL")
        return Select(self._source(files), columns, position="_row + 1")

    def _source(self, files: Sequence[Peek]) -> str:
        """Rows with what is known of their file: its split, and the step's total of tokens and of rows."""
        facts = []
        for f in files:
            path = str(f.path)
            total, rows = self.totals.get(path, ("NULL", "NULL"))
            facts.append(f"({sql.text(path)}, {sql.text(self.splits[path])}, {total}::BIGINT, {rows}::BIGINT)")
        return (
            f"(SELECT r.*, _split, _total, _rows FROM {parquet(files)} r JOIN "
            f"(VALUES {', '.join(facts)}) known(_path, _split, _total, _rows) ON r._file = _path)"
        )

    def _rewards(self, files: list[Peek]) -> list[str]:
        """Reward columns, from the trainer's log where it is there."""
        histories = [h for h in self.histories.values() if h]
        logged = dict.fromkeys(r for h in histories for r in h.rewards)
        columns = {c: t for f in files for c, t in f.columns.items()}
        found = [r for r in logged if r in columns]
        if not found:
            found = [c for c, t in columns.items() if t == "double" and c not in {*OWN, *TOKENS}]
            self.notes.append(
                "No trainer_state.json names the rewards: every column of decimals is taken for one "
                f"({', '.join(found)}), and evaluations cannot be told from training."
            )
        if len(found) > 1 and not (histories and all(h.plain_sum() for h in histories)):
            self.notes.append(
                f"The reward is the plain sum of {', '.join(found)}: the trainer's weights are not in the files. "
                f"Measure one alone with --outcome {found[0]}."
            )
        return found

    def _look(self, con: duckdb.DuckDBPyConnection, files: list[Peek]) -> dict[str, Seen]:
        """Step, rows, digest of the rows apart from their step, and mean of each reward, by file."""
        rewards = [sql.name(r) for r in self.rewards]
        means = "".join(f", avg(CASE WHEN isnan({r}::DOUBLE) THEN NULL ELSE {r}::DOUBLE END)" for r in rewards)
        digest = f"bit_xor(hash({', '.join(['_row', 'prompt', 'completion', 'advantage', *rewards])}))"
        query = f"SELECT _file, max(step), count(*), {digest}{means} FROM {parquet(files)} GROUP BY _file"
        rows = duck.run(con, query)
        return {path: Seen(step, n, d, dict(zip(self.rewards, m, strict=True))) for path, step, n, d, *m in rows}

    def _evals(self, file: Peek) -> dict[int, dict[str, Any]]:
        history = self.histories[file.path.parent]
        return history.evals if history else {}

    def _without_repeats(self, files: list[Peek], seen: dict[str, Seen]) -> list[Peek]:
        """With several optimizer steps per generation a batch is written once a step: keep the first."""
        kept: list[Peek] = []
        repeats: list[Peek] = []
        last: dict[Path, int] = {}
        for file in files:
            digest = seen[str(file.path)].digest
            (repeats if last.get(file.path.parent) == digest else kept).append(file)
            last[file.path.parent] = digest
        if repeats:
            reason = "the batch of an earlier step, written again (steps_per_generation above 1)"
            self.set_aside.append(SetAside(reason, len(repeats), "files", tuple(str(f.path) for f in repeats)))
        return kept

    def _note_steps(self, files: list[Peek], seen: dict[str, Seen]) -> None:
        """Say where the trainer logged only some of its batches."""
        for folder, history in self.histories.items():
            steps = sorted(seen[str(f.path)].step for f in files if f.path.parent == folder)
            gaps = [b - a for a, b in pairwise([0, *steps]) if b > a]
            every = (history and history.every) or min(gaps, default=1)
            if steps and every > 1:
                self.notes.append(
                    f"Only the last batch of every {every:.0f} steps was logged: "
                    f"{len(steps)} of {steps[-1]} steps are in the files."
                )

    def _note_evals(self, files: list[Peek], seen: dict[str, Seen]) -> None:
        """Say which steps an evaluation took, and where its file holds other rows too."""
        evals = [f for f in files if self.splits[str(f.path)] == "eval"]
        if not evals:
            return
        steps = sorted({seen[str(f.path)].step for f in evals})
        shown = ", ".join(map(str, steps[:4])) + (", ..." if len(steps) > 4 else "")
        self.notes.append(
            f"At {number_of(len(steps), 'step')} an evaluation was written over the training batch ({shown}); "
            "those rows are split eval."
        )
        mixed = [f for f in evals if not self._agrees(seen[str(f.path)], self._evals(f))]
        if mixed:
            self.notes.append(
                f"{number_of(len(mixed), 'evaluation file')} (e.g. {mixed[0].inside}) do not have the mean reward that "
                "was logged: they hold only part of the evaluation, or rows of the training batch as well."
                if len(mixed) > 1
                else f"The evaluation file {mixed[0].inside} does not have the mean reward that was logged: "
                "it holds only part of the evaluation, or rows of the training batch as well."
            )

    def _agrees(self, file: Seen, evals: dict[int, dict[str, Any]]) -> bool:
        logged = {r: evals[file.step].get(f"eval_rewards/{r}/mean") for r in file.means}
        return all(
            v is None or m is None or abs(m - v) <= 1e-5 * (1 + abs(v))
            for r, m in file.means.items()
            for v in [logged[r]]
        )

    def _tokens(self, files: list[Peek], seen: dict[str, Seen]) -> str:
        """SQL for a completion's tokens: a logged column, else the logged mean spread over the rows of its step."""
        columns = {c: t for f in files for c, t in f.columns.items()}
        found = next((c for c in TOKENS if c in columns), None)
        self.totals: dict[str, tuple[int, int]] = {}
        if found:
            ids = columns[found].startswith(("list", "large_list", "string", "large_string"))
            return f"len(try_cast({sql.name(found)} AS BIGINT[]))" if ids else sql.name(found)
        for file in files:
            history, about = self.histories[file.path.parent], seen[str(file.path)]
            if history and history.every == 1 and self.splits[str(file.path)] == "train":
                mean = history.at("completions/mean_length").get(about.step)
                if mean is not None:
                    self.totals[str(file.path)] = (round(mean * about.rows), about.rows)
        self.notes.append(
            "Tokens are known only as the mean of each step; its total is shared evenly among its rollouts."
            if self.totals
            else "Completion tokens are not in the files: log them with log_extra('completion_ids', completion_ids)."
        )
        return "_total // _rows + CASE WHEN _row < _total % _rows THEN 1 ELSE 0 END"


def _is_text(column: str, file: Peek) -> bool:
    return file.columns[column] in {"string", "large_string"}


def _text(column: str, file: Peek) -> str:
    """SQL for a prompt or completion as text: itself, or its messages as JSON."""
    return sql.name(column) if _is_text(column, file) else f"to_json({sql.name(column)})::VARCHAR"


def _last_text(column: str, file: Peek) -> str:
    """SQL for a text, or what the last of its messages says."""
    return (
        sql.name(column)
        if _is_text(column, file)
        else f"json_extract_string(to_json({sql.name(column)}), '$[#-1].content')"
    )
