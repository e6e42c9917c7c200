"""What is right for each known case of a `cases.md`: a command, and a check of what it printed and wrote.

The numbers are counted from the files by hand or by a few lines of plain Python, never by bitrate. A check gives the
reasons why a run does not hold; an empty list means that it does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

MIB = 1 << 20


@dataclass
class Run:
    """One command, run: what it printed, and the exit code and JSON of each `bitrate` in it."""

    code: int
    out: str
    err: str
    seconds: float
    peak: float
    killed: bool
    folder: Path
    calls: list[tuple[int, Path]] = field(default_factory=list)
    again: Callable[..., Run] | None = None

    @cached_property
    def figures(self) -> dict[str, Any]:
        """The JSON of the last audit; empty where it failed."""
        for code, path in reversed(self.calls):
            if code == 0 and path.exists() and path.stat().st_size:
                return json.loads(path.read_text("utf-8"))
        return {}

    @property
    def bitrate_code(self) -> int:
        """The exit code of the last bitrate of the command."""
        return self.calls[-1][0] if self.calls else self.code

    @property
    def traceback(self) -> bool:
        """Whether Python said what it should have kept to itself."""
        return "Traceback (most recent call last)" in self.err + self.out

    def count(self, name: str) -> int | None:
        """A count of the audit: rollouts, groups, prompts or steps."""
        value = self.figures.get("counts", {}).get(name, {}).get("value")
        return None if value is None else int(value)

    def share(self, name: str) -> float | None:
        """A share of groups: mixed, all_right or all_wrong."""
        return self.figures.get("groups", {}).get(name, {}).get("value")

    @property
    def caveats(self) -> list[str]:
        """The caveats of the audit."""
        return [str(c) for c in self.figures.get("caveats", [])]

    @property
    def aside(self) -> int:
        """Rows set aside."""
        return sum(s["count"] for s in self.figures.get("quarantine", []) if s["unit"] == "rows")

    @property
    def said(self) -> str:
        """All that a reader was told apart from figures: errors, caveats, reasons of the quarantine."""
        quarantine = [str(s["reason"]) for s in self.figures.get("quarantine", [])]
        return " ".join(" ".join([self.err, *self.caveats, *quarantine]).lower().split())


Check = Callable[[Run], list[str]]


def audit(
    rollouts: int | None = None,
    groups: int | None = None,
    *,
    steps: int | None = None,
    prompts: int | None = None,
    mixed: float | None = None,
    aside: int | None = None,
    split: str | None = None,
) -> Check:
    """A report with these counts; None for what the text does not say."""

    def check(run: Run) -> list[str]:
        if run.bitrate_code != 0 or not run.figures:
            return [f"exit code {run.bitrate_code}, no report"]
        wanted = {"rollouts": rollouts, "groups": groups, "steps": steps, "prompts": prompts}
        wrong = [f"{n} {run.count(n)}, not {v}" for n, v in wanted.items() if v is not None and run.count(n) != v]
        if mixed is not None and ((got := run.share("mixed")) is None or abs(got - mixed) > 1e-9):
            wrong.append(f"mixed {got}, not {mixed}")
        if aside is not None and run.aside != aside:
            wrong.append(f"{run.aside} rows set aside, not {aside}")
        if split is not None and run.figures.get("split") != split:
            wrong.append(f"split {run.figures.get('split')}, not {split}")
        return wrong

    return check


def error(*words: str) -> Check:
    """Exit code 2 and a message with these words."""

    def check(run: Run) -> list[str]:
        if run.bitrate_code != 2 or "error" not in run.err.lower():
            return [f"exit code {run.bitrate_code}, no error"]
        return [f"the error does not say {w!r}" for w in words if w.lower() not in run.err.lower()]

    return check


def says(*words: str) -> Check:
    """A caveat, a reason of the quarantine, or an error with one of these words."""
    return lambda run: [] if any(w.lower() in run.said for w in words) else [f"nothing says {' or '.join(words)}"]


def printed(text: str, present: bool = True) -> Check:
    """Standard output with, or without, this text."""
    return lambda run: [] if (text in run.out) is present else [f"{text!r} is {'not ' if present else ''}printed"]


def lacks(text: str) -> Check:
    """Standard error without this text: a hint that is the same for every file."""
    return lambda run: [] if text not in run.err else [f"the hint is about {text!r}, which is not in the file"]


def ends(code: int | None = None) -> Check:
    """Any end without a traceback; with this exit code, where one is given."""
    return lambda run: [] if code in {None, run.bitrate_code} else [f"exit code {run.bitrate_code}, not {code}"]


def peak(mib: float) -> Check:
    """Memory below this."""
    return lambda run: [] if run.peak <= mib else [f"{run.peak:.0f} MiB, not {mib:.0f}"]


def within(seconds: float) -> Check:
    """An end within this time."""
    return lambda run: [] if run.seconds <= seconds else [f"{run.seconds:.0f} s, not {seconds:.0f}"]


def both(*checks: Check) -> Check:
    """All of these."""
    return lambda run: [reason for check in checks for reason in check(run)]


def either(*checks: Check) -> Check:
    """One of these; the reasons of the first where none holds."""

    def check(run: Run) -> list[str]:
        reasons = [c(run) for c in checks]
        return [] if any(not r for r in reasons) else reasons[0]

    return check


def also(command: str, then: Check) -> Check:
    """Another command in the same folder."""

    def check(run: Run) -> list[str]:
        assert run.again is not None
        return [f"{command}: {reason}" for reason in then(run.again(command))]

    return check


def _gold_answer(run: Run) -> list[str]:
    bound = run.figures.get("ledger", {}).get("answer_bound_bits", {}).get("value")
    return [] if bound is None else [f"answer bound {bound:.3f} from the data set's right answer"]


def _graded_constant(run: Run) -> list[str]:
    wrong, words = run.share("all_wrong"), " ".join(run.out.split()).lower()
    reasons = [] if wrong is None or wrong <= 5 / 30 + 1e-9 else [f"{wrong:.0%} of groups are called all wrong"]
    return reasons + ([] if "constant" in words else ["no group is called constant"])


def _one_reward(run: Run) -> list[str]:
    first = run.caveats[0] if run.caveats else ""
    if "confidence" in first.lower():
        return []
    capacity = run.figures.get("ledger", {}).get("capacity_bits", {}).get("value")
    return audit(80, 20, mixed=1.0)(run) + ([] if capacity == 1.0 else [f"capacity {capacity}, not 1"])


def _table_of_evals(run: Run) -> list[str]:
    words = " ".join(run.out.split())
    return [f"the screen says {w!r}" for w in ("train split", "1 independent clusters") if w in words]


def _unchanged(run: Run) -> list[str]:
    start = (run.folder / "04_twice/a.jsonl").read_text()[:9]
    return [] if run.out.endswith(start) else ["the input was written over"]


def _device(run: Run) -> list[str]:
    return [] if any(line.startswith("c") for line in run.out.splitlines()) else ["the device is a file now"]


def _one_text(run: Run) -> list[str]:
    texts = [line for line in run.out.splitlines() if line.strip()]
    return [] if len(texts) == 1 else [f"{len(texts)} different texts"]


def _no_step(groups: int = 12) -> Check:
    return audit(48, groups, steps=1, mixed=1.0)


A_READ = audit(40, 10, prompts=10)
#: command of a cases.md -> what is right; in the order of the files.
CHECKS: dict[str, Check] = {
    # wild
    "bitrate audit c01_two_runs": either(audit(80, 20, mixed=0.0), both(ends(), says("same prompt_id", "two runs"))),
    "bitrate audit c01_two_runs/run_a c01_two_runs/run_b": audit(80, 20, mixed=0.0),
    "bitrate audit c02_step_in_name": audit(120, 30, steps=3, mixed=0.0),
    "bitrate audit c03_hub_splits": both(
        audit(80, 20, split="train"), also("bitrate audit c03_hub_splits --split eval", audit(40, 10, split="eval"))
    ),
    "bitrate audit c04_prime_rl_rollouts": both(
        audit(48, 12, steps=3, split="train"),
        also("bitrate audit c04_prime_rl_rollouts --split eval", audit(32, 8, split="eval")),
    ),
    "bitrate audit c09_resumed.jsonl": audit(120, 30, aside=40, mixed=1.0),
    "bitrate audit c09c_verifiers_resumed": audit(40, 10, aside=12),
    "bitrate audit c15_ids_1_and_1.0.jsonl": audit(48, 12, mixed=1.0),
    "bitrate audit c06_step_null.jsonl": _no_step(),
    "bitrate audit c06_step_text.jsonl": either(audit(48, 12, steps=2, mixed=1.0), error("checkpoint-100")),
    "bitrate audit c06_step_blank.csv": _no_step(),
    "bitrate audit c06_step_null.parquet": _no_step(),
    "bitrate audit c01_two_runs/run_a c01_two_runs/run_a": audit(40, 10, mixed=0.0),
    "bitrate audit c01_two_runs c01_two_runs/run_b": audit(80, 20, mixed=0.0),
    "bitrate audit c13_lone_surrogate.jsonl": audit(80, 10, aside=0, mixed=1.0),
    "bitrate audit c08_pandas_bool.csv": audit(48, 12, mixed=1.0),
    "bitrate audit c05_gold_answer.jsonl --columns prompt_id=idx,reward=score": both(audit(240, 30), _gold_answer),
    "bitrate audit c14_graded_constant.jsonl": both(audit(120, 30, mixed=0.5), _graded_constant),
    "bitrate audit c16_trl_logged_decimals": both(audit(80, 20), _one_reward),
    "bitrate audit c15_ids_1_and_1.0.jsonl # any table": _table_of_evals,
    "bitrate audit c12_verifiers_id": A_READ,
    "bitrate audit c12c_nemo_gym_rollouts.jsonl": either(A_READ, error("prompt_id=_ng_task_index")),
    "bitrate audit c12d_humaneval_results.jsonl": either(A_READ, error("prompt_id=task_id", "reward=passed")),
    "bitrate audit c11_list_of_k.jsonl --columns prompt_id=idx,reward=score": either(
        audit(160, 20), error("a list of 8")
    ),
    "bitrate audit c11b_array_of_rows.json": either(
        A_READ,
        both(
            error("prompt_id=task_id"),
            also("bitrate audit c11b_array_of_rows.json --columns prompt_id=task_id", A_READ),
        ),
    ),
    "bitrate audit c11c_nested.json": either(A_READ, both(error("--columns"), lacks("question_id"))),
    "bitrate audit c11d_file_a_trial --columns prompt_id=task_id,reward=is_resolved": audit(17, 6, aside=1),
    "bitrate audit c17_reward_dict.jsonl --columns reward=reward.correct": audit(48, 12, mixed=1.0),
    "bitrate audit c19_semicolon.csv": either(audit(48, 12, mixed=1.0), error("';'")),
    "bitrate audit c19_space_in_header.csv": either(audit(48, 12, mixed=1.0), error("' reward'")),
    "bitrate audit c20_verl_upgraded": either(audit(64, 16, steps=4), both(audit(32, 8), says("not read"))),
    # in the folder, though no row names them
    "bitrate audit c22_trl_resumed_with_other_k": audit(56, 20, steps=5, mixed=0.8),
    "bitrate audit c22b_trl_two_group_sizes": audit(96, 16, mixed=1.0),
    "bitrate audit c23_jsonl_and_parquet": audit(48, 12, mixed=1.0),
    "bitrate audit c23b_jsonl_and_csv": audit(48, 12, mixed=1.0),
    "bitrate audit c23c_columns_differ": either(audit(48, 12, steps=2), audit(24, 6, aside=24), error("step")),
    # broken
    "bitrate audit 01_hive/step=7": audit(40, 10, steps=5),
    "bitrate audit 01_hive/reward=1": audit(40, 10, mixed=0.9),
    "bitrate audit 01_hive/prompt_id=x": audit(40, 10, prompts=10),
    "bitrate audit '02_glob/exp[1]'": lambda run: (
        audit(40, 10, mixed=0.0)(run)
        + ([] if run.share("all_right") == 1.0 else [f"all right {run.share('all_right')}, not 1"])
    ),
    "bitrate audit 03_all_null/ids.jsonl": error("prompt_id is null"),
    "bitrate audit 03_all_null/steps.jsonl": error("whole number"),
    "bitrate audit 04_twice/a.jsonl 04_twice/a.jsonl 04_twice/b.jsonl": audit(80, 20),
    "bitrate audit 04_twice 04_twice": audit(80, 20),
    "bitrate audit 05_case/reward.csv": either(audit(40, 10, mixed=0.9), error("Reward", "reward")),
    "bitrate audit 06_mixed_kinds": either(audit(80, 20), error("jsonl", "csv")),
    "cp -r 07_export x && bitrate export x -o x/all.parquet && bitrate audit x; rm -r x": either(
        audit(40, 10), lambda run: [] if run.calls and run.calls[0][0] == 2 else ["export went on"]
    ),
    "bitrate audit 08_filename": audit(40, 10),
    "bitrate audit 09_metadata/a.parquet": both(audit(40, 10), says("metadata")),
    "bitrate audit 09_metadata/b.parquet": both(audit(40, 10), says("metadata")),
    "bitrate audit 10_inspect/uuid_list.eval": either(audit(24, aside=1), audit(25)),
    "bitrate audit 10_inspect/scorer_score.eval": audit(24, 6, mixed=1.0),
    "bitrate audit 10_inspect/scorer_why.eval": audit(24, 6, mixed=1.0),
    "bitrate audit 10_inspect/scorer_file.eval": audit(24, 6),
    "bitrate audit 10_inspect/surrogate_scorer.eval": audit(24, 6),
    "bitrate audit 10_inspect/samples_number.json": error("sample"),
    "bitrate audit 11_trl/mean_nan": audit(64),
    "bitrate audit 11_trl/step_null": either(error("step"), both(audit(), says("step is null"))),
    "bitrate audit 11_trl/step_text": either(error("step"), audit(64), both(audit(), says("step is"))),
    "bitrate audit 12_tinker --outcome correct": error("no column 'correct'"),
    "bitrate audit 13_csv/step_text.csv": audit(40, 10, aside=1),
    "bitrate audit 13_csv/true_false.csv": audit(40, 10, mixed=0.9),
    "bitrate audit 13_csv/filename.csv": audit(40, 10),
    "bitrate audit 15_peek/blank_lines_first.jsonl": audit(40, 10),
    "bitrate audit 15_peek/step_from_line_31.jsonl": either(
        audit(10, aside=30, steps=2), both(audit(), says("step is null", "without a step")), error("step")
    ),
    "bitrate audit 16_jsonl/duplicate_keys.jsonl": either(audit(40, 10, mixed=0.9), audit(aside=40), error("twice")),
    "bitrate audit 16_jsonl/nan_ids.parquet": error("prompt_id"),
    "bitrate audit 17_resumed": either(
        audit(40, 10), both(audit(60), says("written twice", "written again", "step 1 "))
    ),
    "bitrate audit 18_deep": audit(40, 10),
    "COLUMNS=12 bitrate audit 04_twice/a.jsonl": both(ends(0), printed("rollouts")),
    "bitrate audit 04_twice/a.jsonl --html ''": error(),
    "bitrate audit 04_twice/a.jsonl --json - >&-": ends(),
    # blocks
    "F19": either(both(audit(40 * 999_999, 40), within(60)), error("limit"), error("999999")),
    "F3": both(ends(), _device),
    "F4": both(ends(), printed("precious")),
    "F26": audit(40, 10),
    "F27": audit(40, 10),
    "F28": both(error(), _unchanged),
    "F31": printed("^[", present=False),
    "F12": either(audit(80, 20), both(audit(), says("link", "step_2"))),
    "F10": lambda run: [] if run.out.strip().endswith("1.0") else [f"all wrong {run.out.strip()[-20:]}, not 1.0"],
    "F20": both(either(audit(30, 30), error("memory"), error("limit")), peak(2560)),
    "F20, one group of a million": both(either(audit(1_000_000, 1), error("memory"), error("limit")), peak(2560)),
    "F11": _one_text,
}


def verdict(command: str, run: Run) -> tuple[str, list[str]]:
    """yes, no, or ? for a command that no check knows; and the reasons."""
    if "not permitted" in run.err or "unshare: " in run.err or "command not found" in run.err:
        return "not run", [run.err.strip().splitlines()[-1][:120]]
    always = ["traceback"] * run.traceback + [f"ended after {run.seconds:.0f} s"] * run.killed
    always += [f"died of signal {run.bitrate_code - 128}"] * (run.bitrate_code > 128 and not run.killed)
    if always or command not in CHECKS:
        return ("no" if always else "?"), always
    reasons = CHECKS[command](run)
    return ("no" if reasons else "yes"), reasons
