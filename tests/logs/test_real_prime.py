"""Episodes written by verifiers itself."""

from __future__ import annotations

import json
from collections import Counter


def test_groups_agree_with_the_lines_counted_by_hand(reading, shared_data) -> None:
    folder = shared_data("verifiers_v1")
    lines = [json.loads(line) for line in (folder / "traces.jsonl").read_text().splitlines()]
    right, size = Counter(), Counter()
    for row in lines:
        key = (row["run"]["work"]["step"], row["task"]["key"])
        size[key] += 1
        right[key] += row["traces"][0]["rewards"]["correct"]["score"]
    found = reading(folder)
    assert found.known.format == "prime-rl"
    assert {(g["step"], g["prompt_id"]): (g["n"], g["n_correct"]) for g in found.groups} == {
        k: (size[k], right[k]) for k in size
    }
    assert sum(found.column("completion_tokens")) == sum(r["num_output_tokens"] for r in lines)
    assert sum(found.column("prompt_tokens")) == sum(r["num_input_tokens"] for r in lines)
    assert {r["advantage"] for r in found.rollouts} == {row["traces"][0]["nodes"][-1]["advantages"][0] for row in lines}
    assert found.set_aside == {}
