"""A run written by tinker-cookbook itself."""

from __future__ import annotations

import json


def test_groups_agree_with_the_lines_counted_by_hand(reading, shared_data) -> None:
    folder = shared_data("tinker")
    lines = [json.loads(line) for f in folder.rglob("*.jsonl") for line in f.read_text().splitlines()]
    right: dict[tuple[int, int], list[float]] = {}
    for row in lines:
        right.setdefault((row["iteration"], row["group_idx"]), []).append(row["steps"][-1]["metrics"]["correct"])
    found = reading(folder)
    assert {tuple(map(int, g["group_id"].split("/")[1:])): (g["n"], g["n_correct"]) for g in found.groups} == {
        k: (len(v), sum(v)) for k, v in right.items()
    }
    assert sum(found.column("completion_tokens")) == sum(s["ac_len"] for row in lines for s in row["steps"])
    assert found.set_aside == {}
