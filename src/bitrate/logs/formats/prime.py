"""prime-rl and verifiers 0.4: an episode a line, with the traces of its agents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from bitrate.logs.engines import duck
from bitrate.logs.formats import answer_key, excerpt, jsonl, largest, numbered, text_id
from bitrate.logs.layout import by_file, in_eval_folder, steps_held
from bitrate.logs.messages import object_text
from bitrate.logs.peek import Peek
from bitrate.logs.trainer_format import TrainerFormat

TASK = 'STRUCT("key" VARCHAR, hash VARCHAR, data JSON)'
NODE = "STRUCT(message STRUCT(content VARCHAR), sampled BOOLEAN, advantages DOUBLE[])"
TRACE = (
    f"STRUCT(task {TASK}, agent STRUCT(name VARCHAR, trainable BOOLEAN), nodes {NODE}[], "
    "rewards MAP(VARCHAR, STRUCT(score DOUBLE, weight DOUBLE)), calls STRUCT(finish_reason VARCHAR)[], ok BOOLEAN, "
    'stop_condition VARCHAR, errors STRUCT("type" VARCHAR)[], num_input_tokens DOUBLE, num_output_tokens DOUBLE)'
)
#: The folder's step, else the one the row was trained at; an evaluation by itself has none.
STEP = "coalesce(try_cast(regexp_extract(_file, '^(?:.*/)?step_([0-9]+)/', 1) AS DOUBLE), run.work.step, 0)"
STEP_FOLDER = re.compile(r"^(?:.*/)?step_(\d{1,15})/")
#: Folders below a run's own.
BELOW = re.compile(r"(?:^|/)(?:rollouts|step_\d+|train|eval)(?:/|$)")
#: One row per trace of the agent that is trained; an episode without a trace keeps a row, so that it is counted.
TRACES = (
    "(SELECT *, coalesce(_trace.task, task) AS _task, list_transform(map_entries(_trace.rewards), "
    "lambda x: {'name': x.key, 'score': x.value.score, 'paid': x.value.score * coalesce(x.value.weight, 1)}) "
    "AS _rewards, "
    "flatten(list_transform(_trace.nodes, lambda x: x.advantages)) AS _advantages, "
    "list_filter(_trace.nodes, lambda x: x.sampled) AS _sampled FROM (SELECT *, traces[_index] AS _trace FROM "
    "(SELECT *, unnest(CASE WHEN len(traces) > 0 THEN range(1, len(traces) + 1) ELSE [NULL] END) AS _index "
    "FROM {source})) WHERE coalesce(_trace.agent.trainable, true))"
)


class Prime(TrainerFormat):
    """``traces.jsonl``: each trace of a trained agent is a rollout; the reward is the sum of its scores by weight."""

    name: ClassVar[str] = "prime-rl"
    trainer: ClassVar[str] = "prime-rl 0.8 and verifiers 0.4"
    files: ClassVar[str] = (
        "rollouts/step_{N}/{train,eval}/{all,effective}/traces.jsonl, or traces.jsonl of an evaluation"
    )
    caveats: ClassVar[tuple[str, ...]] = (
        "Traces of agents that are not trained (judges, simulated users) are no rollouts and are left out.",
        "A step is the batch a rollout came in with; its policy may be older (policy_step).",
    )
    position: str = "_line"
    text: ClassVar[str | None] = "_sampled[-1].message.content"
    lines: ClassVar[tuple[str, ...]] = ("task", "traces")
    raw: ClassVar[dict[str, str]] = {
        "task": TASK,
        "group": "STRUCT(id VARCHAR)",
        "run": 'STRUCT("type" VARCHAR, work STRUCT("type" VARCHAR, step DOUBLE, policy STRUCT("end" DOUBLE)))',
        "errors": 'STRUCT("type" VARCHAR)[]',
        "traces": f"{TRACE}[]",
    }

    def sniff(self, file: Peek) -> bool:
        """JSONL of episodes with traces; a first line too long to look at is known by the file's name."""
        long_line = not file.columns and file.path.name.startswith("traces.jsonl") and '"traces"' in file.head
        return file.kind == "jsonl" and (file.has("traces", "task") or long_line)

    def survey(self, con: duck.Connection, files: list[Peek]) -> list[Peek]:
        """Prefer ``all`` to ``effective``, which is what is left of it after filtering."""
        paths = {f.path for f in files}
        effective = [f for f in files if f.path.parent.name == "effective"]
        doubled = [f for f in effective if f.path.parent.with_name("all") / f.path.name in paths]
        self.leave_out(doubled, "the filtered copy of the rollouts in the folder 'all'")
        if len(effective) > len(doubled):
            self.filtered = "known"
            self.notes.append(
                "Only filtered rollouts are here ('effective'): groups that taught nothing were dropped before writing."
            )
        kept = [f for f in files if f not in doubled]
        self.splits = {str(f.path): "eval" if in_eval_folder(f) else "train" for f in kept}
        super().survey(con, kept)
        held = {str(f.path): {int(found[1]): 1} for f in kept if (found := STEP_FOLDER.search(f.path.as_posix()))}
        if loose := [f for f in kept if str(f.path) not in held]:
            held |= steps_held(con, jsonl(loose, {"run": self.raw["run"]}), STEP)
        self.note_again(kept, held)
        return kept

    def home(self, file: Peek) -> str:
        """The folder of a run: what lies above ``rollouts/step_{N}``."""
        return BELOW.split(super().home(file), maxsplit=1)[0]

    def rows(self, files: Sequence[Peek]) -> str:
        """A row for each trace of a trained agent."""
        return TRACES.replace("{source}", numbered(super().rows(files)))

    def columns(self, files: Sequence[Peek]) -> dict[str, str]:
        """A group is ``group.id``, else the task; a group of several trained agents falls into one for each."""
        key = f"coalesce(_task.key, _task.hash, {text_id(object_text('_task.data'))})"
        paid = "list_transform(_rewards, lambda x: x.paid)"
        correct = "list_filter(_rewards, lambda x: x.name = 'correct')[1].score"
        train_or_eval = by_file(self.splits, files, "NULL")
        limit = "_trace.stop_condition LIKE 'max\\_%' ESCAPE '\\'"
        return {
            "split": f"CASE WHEN coalesce(run.work.type, run.type) = 'eval' THEN 'eval' ELSE {train_or_eval} END",
            "step": STEP,
            "policy_step": "run.work.policy.end",
            "prompt_id": key,
            "group_id": self.again.apart(
                f"coalesce(\"group\".id, {key}) || coalesce('/' || _trace.agent.name, '')", files
            ),
            "reward": f"list_sum({paid})",
            "correct": correct,
            "components": f"map(list_transform(_rewards, lambda x: x.name), {paid})",
            "answer": answer_key("_sampled[-1].message.content"),
            "prompt_tokens": "_trace.num_input_tokens",
            "completion_tokens": "_trace.num_output_tokens",
            "truncated": f"{limit} OR coalesce(_trace.calls[-1].finish_reason = 'length', false)",
            "advantage": largest("_advantages"),
            "prompt": excerpt("coalesce(_task.data->>'$.prompt', _trace.nodes[1].message.content)"),
        }

    def reasons(self, files: Sequence[Peek]) -> list[str]:
        """An episode without a trace, or a trace that failed."""
        return [
            "WHEN _trace IS NULL THEN 'the episode has no trace'",
            "WHEN _trace.ok = false AND len(_trace.errors) > 0 "
            "THEN 'the rollout failed and was not scored: ' || _trace.errors[-1].type",
        ]
