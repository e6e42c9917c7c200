"""Plain tables in every layout, tables of counts, and tables with a list of scores a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from model import Dataset, Doc, Rollout, Row, World, worlds

Draw = st.DrawFn
IDS: dict[str, Callable[[int], Any]] = {
    "text": lambda p: f"q{p}",
    "int": lambda p: p,
    "digits": str,
    "large": lambda p: 2**53 + p,
    "zeros": lambda p: "0" * p + "1",
    "versions": lambda p: "1.1" + "0" * p,
    "odd": lambda p: f"a'b\"c;d|e,f={p} ü",
    "path": lambda p: f"/data/x={p}/*.jsonl",
}
STEP_NAMES = ("step_{}", "step-{}", "step{}", "global_step_{}", "checkpoint-{}", "iter_{}", "epoch_{}", "step_{:06d}")
RANKS = ("rank_{}", "rank{}", "part-{:05d}", "shard_{}", "rollouts_{}", "worker-{}")


def by(rollouts: tuple[Rollout, ...], key: Callable[[Rollout], Any]) -> dict[Any, list[Rollout]]:
    """Rollouts sorted into lists by a key."""
    found: dict[Any, list[Rollout]] = {}
    for r in rollouts:
        found.setdefault(key(r), []).append(r)
    return found


@st.composite
def table(draw: Draw) -> Dataset:
    """Any table, in any kind of file, split over files in any of the usual ways."""
    world = draw(worlds())
    kind = draw(st.sampled_from(["jsonl", "jsonl", "jsonl", "csv", "csv", "parquet", "parquet", "array", "object"]))
    delimiter = draw(st.sampled_from([",", ",", ",", "\t", ";"])) if kind == "csv" else ","
    ids = draw(st.sampled_from(sorted(set(IDS) - ({"zeros", "versions"} if kind == "csv" else set()))))
    several = {f: len(world.values(f)) > 1 for f in ("run", "split", "step")}
    said = {f: draw(st.booleans()) for f in ("run", "split", "step")}  # by a column, else by names where it is needed
    said["run"] |= kind == "object"  # whose folders may be trials
    where = {f: several[f] and not said[f] for f in said}
    ranks = draw(st.sampled_from([1, 1, 2, 3])) if kind != "object" else 1
    step_name, rank_name = draw(st.sampled_from(STEP_NAMES)), draw(st.sampled_from(RANKS))
    per_step = where["step"] or (said["step"] and draw(st.booleans()))
    step_folder = per_step and (draw(st.booleans()) or kind == "object" or ranks > 1)
    shard = draw(st.booleans()) and not per_step and ranks == 1 and kind != "object"
    sample, text = draw(st.booleans()), draw(st.booleans())
    spelled = draw(st.sampled_from(["float", "float", "int", "bool", "text"]))

    def raw(r: Rollout) -> dict[str, Any]:
        found: dict[str, Any] = {"prompt_id": IDS[ids](r.prompt), "reward": _spell(r.reward, spelled, world)}
        found |= {"step": r.step} if said["step"] else {}
        found |= {"sample": r.sample} if sample else {}
        found |= {"completion": r.text, "completion_tokens": r.tokens} if text else {}
        found |= {"run": f"run{r.run}"} if said["run"] else {}
        return found | ({"split": r.split} if said["split"] else {})

    def place(i: int, r: Rollout) -> str:
        parts = [f"exp-{'ab'[r.run]}"] if where["run"] else []
        parts += ["data"] if shard and where["split"] else [r.split] if where["split"] else []
        parts += [step_name.format(r.step)] if step_folder else []
        name = "rollouts"
        if kind == "object":
            name = f"trial_{i}"
        elif shard and where["split"]:
            name = f"{'train' if r.split == 'train' else 'test'}-00000-of-00001"
        elif ranks > 1:
            name = rank_name.format(i % ranks)
        elif per_step and not step_folder:
            name = step_name.format(r.step)
        ending = {"jsonl": ".jsonl", "csv": ".tsv" if delimiter == "\t" else ".csv", "parquet": ".parquet"}
        return "/".join([*parts, name + ending.get(kind, ".json")])

    files: dict[str, list[Rollout]] = {}
    for i, r in enumerate(world.rollouts):
        files.setdefault(place(i, r), []).append(r)
    docs = [Doc(p, kind, [Row(raw(r), (r,)) for r in rows], delimiter=delimiter) for p, rows in files.items()]
    _tell_apart(docs)
    step_known = said["step"] or where["step"]
    run_known = said["run"] or where["run"]
    split_known = said["split"] or where["split"]

    def ident(r: Rollout) -> tuple[Any, ...]:
        return (r.run if run_known else 0, r.split if split_known else None, r.step if step_known else 0,
                str(IDS[ids](r.prompt)))  # fmt: skip

    columns = {"id": "prompt_id", "step": "step" if said["step"] else None, "sample": "sample" if sample else None}
    story = [
        f"table as {kind}{'' if delimiter == ',' else f' delimited by {delimiter!r}'}, ids {ids}, rewards {spelled}"
    ]
    data = Dataset("table", docs, ident, ("reward",), columns, story=story, binary=world.binary)
    data.named = per_step or shard or ranks > 1 or any(where.values())
    return data


def _tell_apart(docs: list[Doc]) -> None:
    """Give rows a text of their own where two files of one step and split would be equal, as copies are."""
    seen = [(sorted({(r.truth[0].split, r.truth[0].step) for r in d.rows}), [r.raw for r in d.rows]) for d in docs]
    if any(a == b for i, a in enumerate(seen) for b in seen[:i]):
        for row in (r for d in docs for r in d.rows):
            row.raw["completion"] = row.truth[0].text


def _spell(reward: float, how: str, world: World) -> Any:
    if how == "bool" and world.binary:
        return reward == 1.0
    if how == "int" and reward == int(reward):
        return int(reward)
    return str(reward) if how == "text" else reward


@st.composite
def counts(draw: Draw) -> Dataset:
    """Rows that count a group."""
    world = draw(worlds(runs=1, evals=False).filter(lambda w: w.binary))
    kind, stepped = draw(st.sampled_from(["jsonl", "csv", "parquet"])), len(world.values("step")) > 1
    rows = []
    for (step, prompt), group in by(world.rollouts, lambda r: (r.step, r.prompt)).items():
        raw = {"prompt_id": f"q{prompt}", "n": len(group), "n_correct": int(sum(r.reward for r in group))}
        rows.append(Row(raw | ({"step": step} if stepped else {}), tuple(group)))
    ending = {"jsonl": "counts.jsonl", "csv": "counts.csv", "parquet": "counts.parquet"}[kind]
    data = Dataset(
        "counts", [Doc(ending, kind, rows)], lambda r: (0, None, r.step if stepped else 0, f"q{r.prompt}"), ("n",)
    )
    data.columns = {"id": "prompt_id", "step": "step" if stepped else None, "sample": None}
    data.story = [f"counts as {kind}"]
    data.exact_aside = False  # a row that is set aside may count as one or as its rollouts
    return data


@st.composite
def lists(draw: Draw) -> Dataset:
    """A row a group, with a list of its scores."""
    world = draw(worlds(runs=1, evals=False, steps=1))
    as_bool = world.binary and draw(st.booleans())
    rows = []
    for prompt, group in by(world.rollouts, lambda r: r.prompt).items():
        scores: list[Any] = [bool(r.reward) if as_bool else r.reward for r in group]
        rows.append(Row({"prompt_id": prompt, "reward": scores, "completion": [r.text for r in group]}, tuple(group)))
    kind = draw(st.sampled_from(["jsonl", "parquet"]))
    data = Dataset("table", [Doc(f"scores.{kind}", kind, rows)], lambda r: (0, None, 0, str(r.prompt)), ("reward",))
    data.columns, data.story = {"id": "prompt_id", "step": None, "sample": None}, [f"a list of scores a row, {kind}"]
    data.loose = True  # what a fault does to a list is not this format's business
    return data
