"""Claim S3.6: the rungs of a ladder, what is logged of them, and the cost of a decade that is read off the log."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

torch = pytest.importorskip("torch")

from bitrate.errors import InputError  # noqa: E402
from bitrate.lab.claims import s3_6  # noqa: E402
from bitrate.lab.signals.decades import Decades  # noqa: E402
from bitrate.lab.training.ladder import LENGTH, Settings, train  # noqa: E402
from bitrate.lab.worlds.log import SimulatedRun  # noqa: E402

SMALL = Settings(width=8, steps=30, batch=4, rate=0.03, held_out=6, seeds=3)


def rows_of(folder, seed=0, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    cost = train(replace(SMALL, **changes), folder, np.random.default_rng(seed))
    return cost, pq.read_table(folder / "rollouts-0-000000.parquet").to_pandas()


def test_labels_are_logged_and_strings_held_out_are_not_among_them(tmp_path):
    cost, rows = rows_of(tmp_path)
    shown = rows[rows.split == "train"]
    assert shown.shown.all() and shown.reward.isna().all() and (shown.answer == shown.target).all()
    assert len(shown) == cost.rollouts == 3 * 30 * 4 and shown.completion_tokens.sum() == cost.tokens
    assert cost.flops == 6 * SMALL.shape.parameters * cost.tokens
    held = rows[(rows.split == "eval") & rows.reward.notna()]
    assert len(held) == 3 * 6 and (held.step == 30).all() and held.target_surprisal.notna().all()
    for run in rows.run.unique():
        assert not set(held[held.run == run].prompt_id) & set(shown[shown.run == run].prompt_id)


def test_an_answer_is_a_letter_for_each_pair_and_the_same_each_time(tmp_path):
    _, rows = rows_of(tmp_path / "a" / "000")
    _, again = rows_of(tmp_path / "b" / "000")
    assert rows.equals(again)
    for _, mine in rows.groupby("run"):
        table = {}
        for prompt, target in zip(mine.prompt_id, mine.target, strict=True):
            for pair, letter in zip(zip(prompt[0] + prompt, prompt, strict=False), target, strict=True):
                assert table.setdefault(pair, letter) == letter
        assert len(table) > 50 and len(set(table.values())) > 8


def test_more_compute_passes_more_strings(tmp_path):
    for steps in (1, 300):
        rows_of(tmp_path / str(steps), steps=steps)
    bits = [
        pq.read_table(tmp_path / s).to_pandas().groupby("split").target_surprisal.mean()["eval"] for s in ("1", "300")
    ]
    assert bits[0] == pytest.approx(4 * LENGTH, abs=0.2) and bits[1] < 16


def log(folder, rng, tokens, rates):
    """A rung: each network is shown labels of so many tokens, and then passes each of two strings with its rate."""
    folder.mkdir(parents=True)
    runs, none = np.arange(len(rates)), np.zeros((len(rates), 1))
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=none, rewards=None, runs=runs, tokens=tokens)
        for prompt in (1, 2):
            bits = -np.log2(rates) + (0.5 if prompt == 1 else -0.5)
            run.step(1, answers=none, rewards=none, runs=runs, split="eval", prompts=runs * 0 + prompt,
                     target_surprisal=bits, tokens=3)  # fmt: skip


def ladder(folder, rng, law, tokens):
    """Rungs with a pass rate that compute decides, and a few networks that differ a little in it."""
    for i, t in enumerate(tokens):
        log(folder / f"rung-{i}", rng, int(t), law(t) * 2.0 ** rng.normal(0, 0.02, 8))
    return tuple((f"rung-{i}", 10) for i in range(len(tokens)))


@pytest.mark.parametrize(
    ("law", "amount", "factor"),
    [
        (lambda c: 1e-6 * 10 ** (c / 1e4), 0.0, math.log2(4 / 3) - math.log2(3 / 2)),
        (lambda c: 1e-6 * (c / 1e3) ** 4, math.log2(10**0.25), 0.0),
        (
            lambda c: np.exp(-6 * math.log(10) * (1e3 / c) ** 0.5),
            math.log2((9 - 4) / (4 - 9 / 4)),
            2 * math.log2(9 / 8),
        ),
    ],
    ids=["equal amounts", "equal factors", "power law of the loss"],
)
def test_laws_are_told_apart(law, amount, factor, tmp_path, rng):
    tokens = np.round(1e3 * 2 ** np.arange(0, 6.1, 0.25)).astype(int)
    rungs = ladder(tmp_path, rng, law, tokens)
    cost = [next(c for c in np.geomspace(1e3, 1e5, 200_000) if law(c) >= p) for p in (1e-4, 1e-3, 1e-2)]
    wanted = {
        "amount": math.log2((cost[2] - cost[1]) / (cost[1] - cost[0])),
        "factor": math.log2(cost[2] * cost[0] / cost[1] ** 2),
    }
    for says, value in wanted.items():
        for typical in (
            False,
            True,
        ):  # two strings a bit apart
            found = Decades(rungs, says, 1e-4, typical)(tmp_path)
            assert found.value == pytest.approx(value, abs=0.1)
            assert found.low < found.value < found.high < found.low + 0.5
    assert wanted == {"amount": pytest.approx(amount, abs=0.01), "factor": pytest.approx(factor, abs=0.01)}


def test_a_decade_that_is_not_reached_is_no_number(tmp_path, rng):
    rungs = ladder(tmp_path, rng, lambda c: 1e-8 * c, np.array([1000, 10_000]))
    for start in (1e-6, 1e-4):
        found = Decades(rungs, "amount", start)(tmp_path)
        assert found.value is None and "do not reach" in found.reason


def test_mistakes_are_errors():
    with pytest.raises(InputError, match="steps = 0"):
        replace(SMALL, steps=0)
    with pytest.raises(InputError, match="want one of amount"):
        Decades((), "price", 1e-4)
    with pytest.raises(InputError, match="two decades follow"):
        Decades((), "amount", start=0.05)


def test_every_rung_is_trained_once_and_spends_what_it_says():
    arms = {a.name: a for case in s3_6.CLAIM.cases for a in s3_6.CLAIM.arms(case)}
    assert len(arms) >= 5
    spent = [6 * a.settings.shape.parameters * a.settings.steps * a.settings.batch * LENGTH for a in arms.values()]
    assert max(spent) / min(spent) >= 100
