"""Dumps written by verl's own functions, in both layouts, of the same rollouts."""

from __future__ import annotations

import json
from collections import Counter


def test_both_layouts_give_the_same_groups(reading, shared_data) -> None:
    v0, v1 = (reading(shared_data(f"verl/{v}_rollout_data_dir")) for v in ("v0", "v1"))
    same = ("step", "split", "prompt_id", "n", "n_correct", "reward_sum", "n_distinct_answers")
    assert [[g[k] for k in same] for g in v0.groups] == [[g[k] for k in same] for g in v1.groups]
    assert [g["n"] for g in v0.groups] == [16] * 32
    assert v0.set_aside == v1.set_aside == {}
    assert (v0.known.group_id, v1.known.group_id) == ("hash", "native")


def test_groups_agree_with_the_lines_counted_by_hand(reading, shared_data) -> None:
    folder = shared_data("verl/v1_rollout_data_dir")
    lines = [json.loads(line) for f in folder.iterdir() for line in f.read_text().splitlines()]
    right = Counter()
    for row in lines:
        right[row["uid"].rsplit("_", 2)[0]] += row["score"]
    assert {g["group_id"]: g["n_correct"] for g in reading(folder).groups} == dict(right)
