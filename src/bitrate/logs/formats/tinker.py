"""tinker-cookbook: one folder an iteration, one line a trajectory, no text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs import sql
from bitrate.logs.engines import duck
from bitrate.logs.formats import json_number, jsonl
from bitrate.logs.layout import steps_held
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat

SUFFIX = "_rollout_summaries.jsonl"


class Tinker(TrainerFormat):
    """Trajectory summaries: the outcome is ``metrics.correct`` of the last step where the environment reports it.

    Lost: the prompt, the answer and the advantage are not in these files.
    """

    name: ClassVar[str] = "tinker"
    trainer: ClassVar[str] = "tinker-cookbook 0.6"
    files: ClassVar[str] = "iteration_000000/{train,eval_*}_rollout_summaries.jsonl"
    prompt_id: str = "positional"
    filtered: str = "unknown"
    caveats: ClassVar[tuple[str, ...]] = (
        "Prompts have no lasting id here: no prompt can be followed over the run.",
        "The files hold no text: answers are not known.",
        "Streaming training drops groups whose rewards are all equal before it writes them.",
    )
    one_rollout: ClassVar[tuple[str, ...]] = ("iteration", "group_idx", "traj_idx")
    raw: ClassVar[dict[str, str]] = {
        "iteration": "DOUBLE",
        "group_idx": "DOUBLE",
        "traj_idx": "DOUBLE",
        "sampling_client_step": "DOUBLE",
        "total_reward": "DOUBLE",
        "steps": "STRUCT(ob_len DOUBLE, ac_len DOUBLE, stop_reason VARCHAR, metrics JSON)[]",
    }

    def sniff(self, file: Peek) -> bool:
        """A rollout summary by its name and its columns."""
        return file.path.name.endswith(SUFFIX) and file.has("group_idx", "total_reward", "steps")

    def raw_columns(self, files: Sequence[Peek]) -> set[str]:
        """Columns of the file, and the metrics of a trajectory's last step."""
        steps = (r["steps"][-1] for f in files for r in f.records if isinstance(r.get("steps"), list) and r["steps"])
        told = (step.get("metrics") for step in steps if isinstance(step, dict))
        metrics = {name for found in told if isinstance(found, dict) for name in found}
        return super().raw_columns(files) | metrics

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Count trajectories that were written twice; tell runs in different folders apart."""
        self.note_repeats(con, files, "trajectory written again by a later line")
        self.splits = {str(f.path): f.path.name.split(SUFFIX)[0] for f in files}
        super().survey(con, files)
        self.note_again(files, steps_held(con, jsonl(files, {"iteration": "DOUBLE"}), "iteration"))
        return files

    def home(self, file: Peek) -> str:
        """The folder above that of the iteration."""
        return super().home(file).rpartition("/")[0]

    def rows(self, files: Sequence[Peek]) -> str:
        """FROM clause with the metrics the user named beside the file's own columns."""
        own = super().raw_columns(files)
        metrics = [n for n in self.options.raw_names() if n not in own]
        extra = {n: t for n, t in self.options.raw_names().items() if n in own}
        named = "".join(f", {_metric(n)} AS {sql.name(n)}" for n in metrics)
        return f"(SELECT *{named} FROM {jsonl(files, self.raw, extra)})"

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """A group is one environment group of one iteration of one file name (train, eval_gsm8k ...)."""
        base = f"regexp_extract(_file, '([^/]+){SUFFIX}$', 1)"
        group = f"{base} || '/' || try_cast(iteration AS BIGINT) || '/' || try_cast(group_idx AS BIGINT)"
        return {
            "split": f"CASE WHEN {base} LIKE 'train%' THEN 'train' ELSE 'eval' END",
            "step": "iteration",
            "policy_step": "sampling_client_step",
            "prompt_id": group,
            "group_id": self.again.apart(group, files),
            "sample": "traj_idx",
            "reward": "total_reward",
            "correct": _metric("correct"),
            "prompt_tokens": _total("ob_len"),
            "completion_tokens": _total("ac_len"),
            "truncated": "steps[-1].stop_reason = 'length'",
        }


def _metric(name: str) -> str:
    """SQL of a metric of the last step."""
    return json_number(f"json_extract(steps[-1].metrics, {sql.text('$.' + sql.name(name))})")


def _total(part: str) -> str:
    """SQL of a length summed over steps; null if any step lacks it."""
    known = f"list_bool_and(list_transform(steps, lambda s: s.{part} IS NOT NULL))"
    return f"CASE WHEN {known} THEN list_sum(list_transform(steps, lambda s: s.{part})) END"
