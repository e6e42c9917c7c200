"""The flagship's page: every arm a column, what was not run says so, and no figure is made up."""

from __future__ import annotations

import json

from bitrate.report.flagship_page import BARS, SHOWN, chart, flagship_page, in_order, save_chart
from bitrate.types import Estimate


def lines(value):
    """A ledger whose figures are all one value, but for one that is missing."""
    made = {}
    for name in SHOWN:
        unit = "bits/PFLOP" if name.endswith("PFLOP") else "bits/prompt"
        made[name] = Estimate(name, value, value - 1, value + 1, unit, 0.95, 64, "mean").to_dict()
    made["generalised"] = Estimate.missing("generalised", "bits/prompt", "1 independent | cluster").to_dict()
    return made


def arm(method, rank=8, task="addition", seeds=3, value=2.0):
    cost = {"rollouts": 300 * seeds, "tokens": 600 * seeds, "flops": 3e15 * seeds, "seconds": 90.0 * seeds}
    name = f"{method}-{rank}"
    row = {"name": name, "task": task, "rank": rank, "method": method, "seeds": seeds}
    return row | ({"cost": cost, "lines": lines(value)} if seeds else {"cost": None, "lines": {}})


KEPT = {
    "seed": 0, "versions": {"torch": "2.13.0"}, "command": "make",
    "arms": [arm("sft"), arm("grpo", value=1.5), arm("grpo", 1, seeds=0), arm("grpo", "full"),
             arm("sft", task="larger")],
}  # fmt: skip


def test_every_arm_has_its_column_and_every_line_its_row():
    page = flagship_page(KEPT, "figure.svg", "claims.md#t9")
    [addition, ranks, larger] = page.split("\n## ")[1:]
    assert all(f"| {words} |" in addition for words in SHOWN.values())
    assert "| 2.00 (1.00 to 3.00) | 1.50 (0.50 to 2.50) |" in addition
    heads = ranks.split("\n")[2]
    assert heads.count("GRPO") == 3 and "SFT" not in heads
    assert heads.index("rank 1") < heads.index("rank 8") < heads.index("all weights")
    assert larger.startswith("Larger") and "| rollouts or labels a seed | 300 |" in larger


def test_a_line_above_the_one_it_is_part_of_is_named():
    assert "**In order.**" in flagship_page(KEPT, "figure.svg", "claims.md#t9")
    sft = arm("sft")
    sft["lines"]["update"] = Estimate("update", 1.19, 0.44, 2.02, "bits/prompt", 0.95, 64, "mean").to_dict()
    said = in_order([sft, arm("grpo")])
    assert said.startswith("**Out of order** in 1 places: SFT on labels on addition, rank 8: absorbed")
    assert "2.00 (1.00 to 3.00) above in the update, at most 1.19 (0.44 to 2.02)" in said


def test_dependent_keys_have_a_table_of_their_own():
    found = {n: Estimate(n, v, v - 1, v + 1, "bits/run", 0.95, 3, "mean").to_dict()
             for n, v in (("received", 16.6), ("absorbed", 6.4), ("product", 24.3))}  # fmt: skip
    code = [{"leak": False, "seeds": 3, "lines": found}, {"leak": True, "seeds": 0, "lines": {}}]
    page = flagship_page(KEPT | {"code": code}, "figure.svg", "claims.md#t9")
    assert "| absorbed, key by key | 24.30 (23.30 to 25.30) | not run |" in page


def test_what_was_not_run_or_cannot_be_said_is_no_number():
    page = flagship_page(KEPT, "figure.svg", "claims.md#t9")
    [column] = {row.split(" | ")[1] for row in page.split("\n## ")[2].split("\n")[4:] if row.startswith("| ") and row}
    assert column == "not run"
    assert "no figure: 1 independent \\| cluster" in page


def test_the_chart_leaves_out_what_is_missing(tmp_path):
    made = json.dumps(chart(KEPT["arms"]).to_dict())
    assert made.count('"task": "addition"') == 3 * (len(BARS) - 1)
    assert chart([arm("sft", seeds=0)]) is None


def test_each_task_has_a_chart_of_its_own_with_just_its_arms():
    """An arm of one task alone must not put the rows of the other out of step."""
    parts = chart(KEPT["arms"]).to_dict()["vconcat"]
    assert [p["title"] for p in parts] == ["addition", "larger"]
    assert [p["facet"]["row"]["sort"] for p in parts] == [
        ["SFT on labels", "GRPO, K = 8", "GRPO, K = 8, all weights"],
        ["SFT on labels"],
    ]


def test_the_chart_is_written(tmp_path):
    save_chart(KEPT["arms"], tmp_path / "figure.svg")
    assert "<svg" in (tmp_path / "figure.svg").read_text("utf-8")
