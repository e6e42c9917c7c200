"""Samples logged by lm-evaluation-harness itself."""

from __future__ import annotations

import json


def test_the_mean_is_the_one_the_harness_reports(reading, shared_data) -> None:
    folder = shared_data("lm_eval")
    reported = json.loads(next(folder.glob("results_*.json")).read_text())["results"]["toy_add"][
        "exact_match,take_first"
    ]
    found = reading(folder)
    assert sum(found.column("n_correct")) / sum(found.column("n")) == reported
    assert found.note("not read: maj")
    assert found.note("sampled up to 4 times")
    assert found.set_aside == {}
