"""The trainers' formats: each turns a drawn world into the files that its trainer would write."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st
from model import Dataset, Doc, Rollout, Row, World, worlds
from tables import Draw, by, counts, lists, table


@st.composite
def trl(draw: Draw) -> Dataset:
    """Blocks of K rows of one prompt, a Parquet file a step, no ids."""
    world = draw(worlds(evals=False, k=draw(st.integers(2, 4))))
    several, messages = len(world.values("run")) > 1, draw(st.booleans())
    docs, beside = [], {}
    for (run, step), rows in by(world.rollouts, lambda r: (r.run, r.step)).items():
        home = f"exp-{'ab'[run]}/" if several else ""
        said = [Row(_completion(r, messages), (r,)) for r in rows]
        types = {"step": pa.int64(), "exact_reward": pa.float64(), "advantage": pa.float64()}
        docs.append(Doc(f"{home}completions/completions_{step:05d}.parquet", "parquet", said, types))
        if draw(st.booleans()):
            beside[f"{home}trainer_state.json"] = json.dumps(
                {"log_history": [{"step": step, "rewards/exact_reward/mean": 0.5, "reward": 0.5}], "logging_steps": 1}
            ).encode()
    data = Dataset("trl", docs, lambda r: (r.run if several else 0, None, r.step, None), ("exact_reward",))
    data.beside, data.story = beside, ["trl, messages" if messages else "trl"]
    return data


def _completion(r: Rollout, messages: bool) -> dict[str, Any]:
    asked, said = f"what is {r.prompt}?", r.text
    return {
        "step": r.step,
        "prompt": [{"role": "user", "content": asked}] if messages else asked,
        "completion": [{"role": "assistant", "content": said}] if messages else said,
        "exact_reward": r.reward,
        "advantage": r.reward - 0.5 + r.sample * 1e-3,
    }


def _folders(world: World) -> Callable[[Rollout], str]:
    several = len(world.values("run")) > 1
    return lambda r: f"exp-{'ab'[r.run]}/" if several else ""


def _jsonl(name: str, world: World, path: Callable[[Rollout], str], raw: Callable[[Rollout], dict[str, Any]],
           ident: Callable[[Rollout], tuple[Any, ...]], reward: tuple[str | int, ...]) -> Dataset:  # fmt: skip
    files = by(world.rollouts, path)
    docs = [Doc(p, "jsonl", [Row(raw(r), (r,)) for r in rows]) for p, rows in files.items()]
    return Dataset(name, docs, ident, reward, story=[name])


@st.composite
def verl(draw: Draw) -> Dataset:
    """A JSONL file a step; v1 names groups by uid, v0 does not."""
    world = draw(worlds())
    home, v1 = _folders(world), draw(st.booleans())
    dumps = len(world.values("split")) > 1 or draw(st.booleans())

    def path(r: Rollout) -> str:
        folder = "rollout_data/" if r.split == "train" else "validation_data/"
        return f"{home(r)}{folder if dumps else ''}{r.step}.jsonl"

    def raw(r: Rollout) -> dict[str, Any]:
        found = {"input": f"user\nwhat is {r.prompt}?", "output": r.text, "gts": "4", "score": r.reward, "step": r.step}
        return found | ({"uid": f"u{r.step}x{r.prompt}_{r.sample}_0"} if v1 else {})

    return _jsonl(f"verl-v{int(v1)}", world, path, raw, lambda r: (r.run, r.split, r.step, None), ("score",))


@st.composite
def prime(draw: Draw) -> Dataset:
    """Episodes with traces."""
    world = draw(worlds())
    home = _folders(world)

    def raw(r: Rollout) -> dict[str, Any]:
        task = {"key": f"t{r.prompt}", "data": {"prompt": f"what is {r.prompt}?"}}
        trace = {"task": task, "agent": {"name": "agent", "trainable": True}, "ok": True, "errors": [],
                 "nodes": [{"message": {"role": "assistant", "content": r.text}, "sampled": True}],
                 "rewards": {"correct": {"score": r.reward, "weight": 1.0}}, "num_output_tokens": r.tokens}  # fmt: skip
        run = {"type": r.split, "work": {"type": r.split, "step": r.step}}
        group = f"g{r.step}-{r.prompt}-{r.split}"
        return {"id": f"e{r.tokens}", "task": task, "group": {"id": group}, "run": run, "traces": [trace]}

    def ident(r: Rollout) -> tuple[Any, ...]:
        return (r.run, r.split, r.step, f"t{r.prompt}")

    way = ("traces", 0, "rewards", "correct", "score")
    return _jsonl(
        "prime-rl", world, lambda r: f"{home(r)}rollouts/step_{r.step}/{r.split}/all/traces.jsonl", raw, ident, way
    )


def _dialogue(r: Rollout) -> dict[str, Any]:
    asked = [{"role": "user", "content": f"what is {r.prompt}?"}]
    return {"prompt": asked, "completion": [{"role": "assistant", "content": r.text}], "task": "sums"}


@st.composite
def verifiers(draw: Draw) -> Dataset:
    """An evaluation: results.jsonl with metadata.json; ``id`` for ``example_id`` in older ones."""
    world = draw(worlds(evals=False, steps=1))
    home, old = _folders(world), draw(st.booleans())

    def raw(r: Rollout) -> dict[str, Any]:
        return {"id" if old else "example_id": r.prompt, **_dialogue(r), "answer": "4", "reward": r.reward}

    data = _jsonl(
        "verifiers", world, lambda r: f"{home(r)}results.jsonl", raw, lambda r: (r.run, "eval", 0, None), ("reward",)
    )
    size = max(Counter((r.run, r.prompt) for r in world.rollouts).values())
    about = {"env_id": "sums", "model": "m", "num_examples": 4, "rollouts_per_example": size}
    data.beside = {f"{home(r)}metadata.json": json.dumps(about).encode() for r in world.rollouts}
    data.story = ["verifiers with id" if old else "verifiers"]
    return data


@st.composite
def prime_rollouts(draw: Draw) -> Dataset:
    """What prime-rl wrote before traces: train_rollouts.jsonl and eval_rollouts.jsonl, a folder a step."""
    world = draw(worlds(runs=1))

    def raw(r: Rollout) -> dict[str, Any]:
        return {"example_id": r.prompt, **_dialogue(r), "answer": "4", "reward": r.reward}

    def path(r: Rollout) -> str:
        return f"rollouts/step_{r.step}/{r.split}_rollouts.jsonl"

    return _jsonl("prime-rl rollouts", world, path, raw, lambda r: (0, r.split, r.step, None), ("reward",))


@st.composite
def tinker(draw: Draw) -> Dataset:
    """A folder an iteration, a line a trajectory; prompts have no lasting id."""
    world = draw(worlds())
    home = _folders(world)

    def raw(r: Rollout) -> dict[str, Any]:
        step = {"ob_len": 3, "ac_len": r.tokens, "reward": r.reward, "stop_reason": "stop", "metrics": {}}
        return {"iteration": r.step, "group_idx": r.prompt, "traj_idx": r.sample, "sampling_client_step": r.step,
                "total_reward": r.reward, "steps": [step]}  # fmt: skip

    def path(r: Rollout) -> str:
        name = "train" if r.split == "train" else "eval_sums"
        return f"{home(r)}iteration_{r.step:06d}/{name}_rollout_summaries.jsonl"

    data = _jsonl("tinker", world, path, raw, lambda r: (r.run, r.split, r.step, None), ("total_reward",))
    data.columns = {"sample": "traj_idx"}
    return data


@st.composite
def open_instruct(draw: Draw) -> Dataset:
    """Shards of tokens."""
    world = draw(worlds(evals=False))
    index = {id(r): i for i, r in enumerate(world.rollouts)}

    def raw(r: Rollout) -> dict[str, Any]:
        return {"step": r.step, "sample_idx": index[id(r)], "prompt_idx": r.prompt, "prompt_tokens": [1, 2, r.prompt],
                "response_tokens": [5] * (r.tokens % 7), "reward": r.reward, "advantage": 0.5, "finish_reason": "stop",
                "dataset": "d", "ground_truth": "4"}  # fmt: skip

    def path(r: Rollout) -> str:
        return f"exp{r.run}_rollouts_{r.sample % 2:06d}.jsonl"

    data = _jsonl("open-instruct", world, path, raw, lambda r: (r.run, None, r.step, None), ("reward",))
    data.beside = {"exp0_metadata.jsonl": b'{"model_name": "m"}\n'}
    return data


@st.composite
def nemo(draw: Draw) -> Dataset:
    """Every value a list of length one; groups are blocks of rows."""
    world = draw(worlds(k=draw(st.integers(2, 4))))
    home, files = _folders(world), by(world.rollouts, lambda r: (r.run, r.split, r.step))
    place = {id(r): i for rows in files.values() for i, r in enumerate(rows)}

    def raw(r: Rollout) -> dict[str, Any]:
        asked, said = [1, 2, 3 + r.prompt], [9] * (1 + r.tokens % 4)
        return {"content": [[f"what is {r.prompt}?", r.text, "done"]], "rewards": [r.reward],
                "input_lengths": [len(asked) + len(said)], "token_ids": [asked + said],
                "token_loss_mask": [[0] * len(asked) + [1] * len(said)], "idx": place[id(r)]}  # fmt: skip

    def path(r: Rollout) -> str:
        return f"{home(r)}{'train' if r.split == 'train' else 'val'}_data_step{r.step}.jsonl"

    return _jsonl("nemo-rl", world, path, raw, lambda r: (r.run, r.split, r.step, None), ("rewards", 0))


@st.composite
def areal(draw: Draw) -> Dataset:
    """A folder a version, a file a task."""
    world = draw(worlds())
    home = _folders(world)

    def raw(r: Rollout) -> dict[str, Any]:
        return {"task_id": str(r.prompt), "sample_idx": r.sample, "seqlen": 9, "prompt_len": 4, "head_version": -1,
                "tail_version": r.step, "reward": r.reward, "prompt": f"what is {r.prompt}?",
                "completion": r.text}  # fmt: skip

    def path(r: Rollout) -> str:
        return f"{home(r)}{'rollout' if r.split == 'train' else 'eval-rollout'}/{r.step}/{r.prompt}.jsonl"

    data = _jsonl("areal", world, path, raw, lambda r: (r.run, r.split, r.step, None), ("reward",))
    data.columns = {"sample": "sample_idx"}
    return data


@st.composite
def inspect_ai(draw: Draw) -> Dataset:
    """An evaluation log a run: a zip of members, or one JSON object."""
    world = draw(worlds(evals=False, steps=1).filter(lambda w: w.levels in {"binary", "graded"}))
    kind, letters = draw(st.sampled_from(["eval", "log"])), world.binary and draw(st.booleans())
    docs = []
    for run, rows in by(world.rollouts, lambda r: r.run).items():
        head = {"version": 2, "status": "success", "eval": {"task": "sums", "model": "m"}, "plan": {"name": "plan"}}
        docs.append(Doc(f"2026-01-0{run + 1}_sums.{'eval' if kind == 'eval' else 'json'}", kind, [], head=head))
        for r in rows:
            value: Any = ("C" if r.reward else "I") if letters else r.reward
            raw = {"id": r.prompt, "epoch": r.sample + 1, "input": f"what is {r.prompt}?", "target": "4",
                   "scores": {"acc": {"value": value, "answer": r.text}}, "uuid": f"{run}-{r.tokens}"}  # fmt: skip
            docs[-1].rows.append(Row(raw, (r,)))
    data = Dataset("inspect-ai", docs, lambda r: (r.run, "eval", 0, f"sums/{r.prompt}"), ("scores", "acc", "value"))
    data.story = [f"inspect-ai as {kind}"]
    return data


@st.composite
def lm_eval(draw: Draw) -> Dataset:
    """One line a question."""
    world = draw(worlds(runs=1, evals=False, steps=1, k=1).filter(lambda w: w.levels in {"binary", "graded"}))

    def raw(r: Rollout) -> dict[str, Any]:
        return {"doc_id": r.prompt, "doc": {"question": "?"}, "target": "4", "arguments": [["what?", {}]],
                "resps": [[r.text]], "filtered_resps": [r.text], "filter": "none", "metrics": ["exact_match"],
                "exact_match": r.reward}  # fmt: skip

    name = "samples_sums_2026-01-01T00-00-00.000000"
    return _jsonl(
        "lm-eval",
        world,
        lambda r: f"m/{name}.jsonl",
        raw,
        lambda r: (0, "eval", 0, f"sums/{r.prompt}"),
        ("exact_match",),
    )


FORMATS = {f.__name__: f for f in (table, counts, lists, trl, verl, prime, prime_rollouts, verifiers, tinker,
                                   open_instruct, nemo, areal, inspect_ai, lm_eval)}  # fmt: skip


def datasets(only: str = "") -> st.SearchStrategy[Dataset]:
    """Any format; tables, which people write by hand, as often as all others together."""
    if only:
        return FORMATS[only]()
    others = [f() for name, f in FORMATS.items() if name != "table"]
    return st.integers(0, 1).flatmap(lambda other: st.one_of(others) if other else table())
