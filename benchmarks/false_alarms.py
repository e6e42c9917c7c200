"""How often each warning fires on simulated healthy runs: at most one time in twenty is wanted.

    python benchmarks/false_alarms.py [--runs 400] [--docs docs/false-alarms.md]

A run is healthy for a warning when the truth behind it is on the healthy side of the warning's threshold. The hardest
such run has its truth at the threshold itself, so one population sits there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

import bitrate
from bitrate.meter.advice import all_rules

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "meter"))
from simulate import learning_run, write_counts, write_rollouts

Make = Callable[[Path, np.random.Generator], Path]


def steady(path: Path, rng: np.random.Generator) -> Path:
    """A steady learner: pass rates near one half rise by one logit over 40 steps of 32 groups of 8."""
    return learning_run(path, rng, gain=1.0, spread=0.8)


def slow(path: Path, rng: np.random.Generator) -> Path:
    """A slow learner: a rise of three points of pass rate."""
    return learning_run(path, rng, gain=0.15, spread=0.8)


def small(path: Path, rng: np.random.Generator) -> Path:
    """A small run: 10 steps of 8 groups of 4."""
    return learning_run(path, rng, prompts=40, steps=10, per_step=8, k=4, gain=1.0, spread=0.8)


def half_dead(path: Path, rng: np.random.Generator) -> Path:
    """At the threshold: each prompt is at p = 0 or 1 with chance one half, and else at p = 1/2; K = 16."""
    prompts = 200
    p = rng.choice([0.0, 1.0, 0.5], prompts, p=[0.25, 0.25, 0.5])
    return write_counts(
        path, np.zeros(prompts, int), np.arange(prompts).astype(str), np.full(prompts, 16), rng.binomial(16, p)
    )


def third_right(path: Path, rng: np.random.Generator) -> Path:
    """At the threshold: each prompt is mastered with chance 0.3 and hopeless with chance 0.3."""
    prompts = 200
    p = rng.choice([0.0, 1.0, 0.5], prompts, p=[0.3, 0.3, 0.4])
    return write_counts(
        path, np.zeros(prompts, int), np.arange(prompts).astype(str), np.full(prompts, 16), rng.binomial(16, p)
    )


def barely(path: Path, rng: np.random.Generator) -> Path:
    """At the threshold: the pass rate rises by one point from first third to last."""
    steps, per_step, k = 30, 32, 8
    p = 0.5 + 0.01 * np.repeat(np.arange(steps) / 20, per_step)
    prompt = np.arange(steps * per_step).astype(str)
    return write_counts(path, np.repeat(np.arange(steps), per_step), prompt, np.full(p.size, k), rng.binomial(k, p))


def exact_match(path: Path, rng: np.random.Generator) -> Path:
    """Rollouts with answers, advantages and cut-offs: one answer in 50 groups is scored both ways,
    one rollout in five is cut off.
    """
    prompts, k = 200, 8
    right = rng.random((prompts, k)) < rng.uniform(0.2, 0.8, prompts)[:, None]
    answers = np.where(right, "right", "wrong")
    torn = rng.random(prompts) < 0.02
    answers[torn] = "same"
    right[torn, :] = np.arange(k) % 2 == 0
    reward = right.astype(float)
    centred = reward - reward.mean(1, keepdims=True)
    return write_rollouts(
        path,
        prompt_id=np.repeat(np.arange(prompts), k),
        reward=reward.ravel(),
        advantage=centred.ravel(),
        answer=answers.ravel().tolist(),
        truncated=rng.random(prompts * k) < 0.2,
    )


def generalising(path: Path, rng: np.random.Generator) -> Path:
    """A run that learns a rule: all prompts rise by three logits, those not yet seen as well."""
    return learning_run(path, rng, prompts=2000, gain=3.0, spread=0.8, start=-1.5)


def sharpening(path: Path, rng: np.random.Generator) -> Path:
    """A run that grows surer: log-odds of each prompt double, to either side, while the mean rises a little."""
    prompts, steps, per_step, k = 200, 40, 32, 8
    logit, step = rng.normal(0.4, 0.8, prompts), np.repeat(np.arange(steps), per_step)
    drawn = np.concatenate([rng.choice(prompts, per_step, replace=False) for _ in range(steps)])
    p = 1 / (1 + np.exp(-logit[drawn] * (1 + step / steps)))
    return write_counts(path, step, drawn.astype(str), np.full(p.size, k), rng.binomial(k, p))


def until_mixed(path: Path, rng: np.random.Generator) -> Path:
    """A steady learner whose groups take 8 rollouts more, up to 32, until some are right and some wrong."""
    prompts, steps, per_step = 200, 40, 32
    logit, step = rng.normal(0, 1.2, prompts), np.repeat(np.arange(steps), per_step)
    drawn = np.concatenate([rng.choice(prompts, per_step, replace=False) for _ in range(steps)])
    p = 1 / (1 + np.exp(-(logit[drawn] + step / steps)))
    n, right = np.full(p.size, 8), rng.binomial(8, p)
    while (more := ((right == 0) | (right == n)) & (n < 32)).any():
        right[more] += rng.binomial(8, p[more])
        n[more] += 8
    return write_counts(path, step, drawn.astype(str), n, right)


def graded(path: Path, reward: np.ndarray) -> Path:
    """Rollouts of a graded reward, shape [prompts, K]."""
    return write_rollouts(path, prompt_id=np.repeat(np.arange(len(reward)), reward.shape[1]), reward=reward.ravel())


def five_tests(path: Path, rng: np.random.Generator) -> Path:
    """Graded: the share of 5 tests that passed, at rates of Beta(.3, .3) over 200 prompts, K = 8."""
    return graded(path, rng.binomial(5, rng.beta(0.3, 0.3, (200, 1)), (200, 8)) / 5)


def all_or_none(path: Path, rng: np.random.Generator) -> Path:
    """Graded: the share of 10 tests; a rollout passes nearly all or nearly none; 25 prompts, K = 8."""
    mean = rng.random((25, 1))
    return graded(path, rng.binomial(10, rng.beta(0.2 * mean + 1e-3, 0.2 * (1 - mean) + 1e-3, (25, 8))) / 10)


def uniform_scores(path: Path, rng: np.random.Generator) -> Path:
    """Graded: scores that are uniform from 0 to 1; 25 prompts, K = 8."""
    return graded(path, rng.random((25, 8)))


def polar_scores(path: Path, rng: np.random.Generator) -> Path:
    """Graded: scores of Beta(.1, .1), most of them next to 0 or 1; 25 prompts, K = 8."""
    return graded(path, rng.beta(0.1, 0.1, (25, 8)))


def judge_of_five(path: Path, rng: np.random.Generator) -> Path:
    """Graded: a judge who gives 1 or 5 nine times in ten, and else 2, 3 or 4; 25 prompts, K = 8."""
    return graded(path, rng.choice(np.arange(1.0, 6), (25, 8), p=[0.45, 0.02, 0.02, 0.06, 0.45]))


def judge_of_ten(path: Path, rng: np.random.Generator) -> Path:
    """Graded: a judge who gives 4, 5 or 6 of 1 to 10 one time in forty, by prompt; 16 prompts, K = 8."""
    p = rng.dirichlet(4 * np.array([0.25, 0.15, 0.05, 0.01, 0.005, 0.01, 0.04, 0.15, 0.2, 0.135]), 16)
    return graded(path, np.array([rng.choice(np.arange(1.0, 11), 8, p=q) for q in p]))


def reward_model(path: Path, rng: np.random.Generator) -> Path:
    """Graded: scores of a reward model, normal about each prompt's mean; 3 in 1,000 found no answer and are -10."""
    score = rng.normal(rng.normal(size=(200, 1)), 1.0, (200, 8))
    return graded(path, np.where(rng.random(score.shape) < 0.003, -10.0, score))


def two_verifiers(path: Path, rng: np.random.Generator) -> Path:
    """Components: a 0/1 check and 5 tests; one in ten right, and shorter; a fifth of the wrong cut off; ten answers."""
    prompt = np.repeat(np.arange(160), 8)
    right = rng.random(prompt.size) < 0.1
    tokens = np.where(right, rng.poisson(60, prompt.size), rng.poisson(90, prompt.size))
    cut = ~right & (rng.random(prompt.size) < 0.2)
    tests = rng.binomial(5, 0.3 + 0.4 * right) / 5
    parts = [[("correct", float(r)), ("tests", float(t))] for r, t in zip(right, tests, strict=True)]
    return write_rollouts(
        path,
        prompt_id=prompt,
        reward=right + tests,
        components=pa.array(parts, pa.map_(pa.string(), pa.float64())),
        completion_tokens=np.where(cut, 256, tokens),
        truncated=cut,
        answer=np.where(right, prompt % 10, rng.integers(0, 10, prompt.size)).astype(str).tolist(),
    )


GRADED = {"composite", "of_the_text"}
#: For which warnings each population is healthy; None: for all of them.
HEALTHY: dict[Make, set[str] | None] = {
    steady: None,
    slow: None,
    small: None,
    half_dead: {"dead_groups"},
    third_right: {"mastered", "hopeless"},
    barely: None,
    exact_match: None,
    generalising: {"hopeless", "never_learn", "not_learning", "residue", "torn", "truncated"},
    sharpening: {"hopeless", "never_learn", "residue", "torn", "truncated"},
    until_mixed: None,
    five_tests: GRADED,
    all_or_none: GRADED,
    uniform_scores: GRADED,
    polar_scores: GRADED,
    judge_of_five: GRADED,
    judge_of_ten: GRADED,
    reward_model: GRADED,
    two_verifiers: GRADED,
}
WARNINGS = tuple(rule.code for rule in all_rules() if rule.kind == "warning")


def study(make: Make, runs: int, seed: int = 7) -> dict[str, float]:
    """Share of runs in which each warning fired, for the warnings that this population is healthy for."""
    wanted = HEALTHY[make]
    fired: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for i in range(runs):
            path = make(Path(folder) / "run.parquet", np.random.default_rng([seed, i]))
            found = bitrate.audit(path).to_dict()["advice"]
            fired.update(a["code"] for a in found if a["kind"] == "warning")
    return {code: fired[code] / runs for code in WARNINGS if wanted is None or code in wanted}


def table(runs: int, show: Callable[[str], None] = print) -> str:
    """The table of false alarms as Markdown."""
    lines = ["| healthy runs | " + " | ".join(WARNINGS) + " |", "|---" * (len(WARNINGS) + 1) + "|"]
    for make in HEALTHY:
        rates = study(make, runs)
        cells = [f"{100 * rates[c]:.1f}%" if c in rates else "" for c in WARNINGS]
        healthy = " ".join((make.__doc__ or "").split()).rstrip(".")
        lines.append(f"| {healthy} | " + " | ".join(cells) + " |")
        show(lines[-1])
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--docs", type=Path, default=Path(__file__).resolve().parents[1] / "docs" / "false-alarms.md")
    given = parser.parse_args()
    page = (
        "# False alarms\n\n"
        f"How often each warning fires on simulated healthy runs, {given.runs} runs a row. "
        "An empty cell: that population is not healthy for\n"
        "that warning. A warning fires only where its whole 95% interval lies beyond the threshold of health, "
        "so a run whose truth is at the\n"
        "threshold is warned about one time in forty. `composite` and `of_the_text` rest on levels and components "
        "as they are,\nand on no interval. Made by `python benchmarks/false_alarms.py`.\n\n"
        f"{table(given.runs)}\n"
    )
    given.docs.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
