"""Experiment T8: bits told by a log, gains, and the regression of one on the other; and the runs that are measured."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitrate.errors import DataError, InputError  # noqa: E402
from bitrate.lab.claims import t8  # noqa: E402
from bitrate.lab.signals.regression import Gain, Regression, gain_lead, ledger  # noqa: E402
from bitrate.lab.signals.rows import rollouts  # noqa: E402
from bitrate.lab.signals.strategies import Fixation  # noqa: E402
from bitrate.lab.training import mixed, strategies  # noqa: E402
from bitrate.lab.training.families import KINDS, RIGHT, SIZES, asked, base, deck  # noqa: E402
from bitrate.lab.worlds.learners import advantages  # noqa: E402
from bitrate.lab.worlds.log import SimulatedRun  # noqa: E402
from bitrate.logs.engines import duck  # noqa: E402
from bitrate.theory.belief import ExactMatchBelief, NoisyMatchBelief  # noqa: E402

V, K = 8, 4


def write(folder, rng, verifier="true", noise=0.0, visits=3, prompts=400, start=3.0, end=3.0, seeds=2):
    """A log of uniform guesses at keys, both exams with it; the answers and rewards of every prompt."""
    keys = rng.integers(V, size=(seeds, prompts))
    where = {
        "targets": keys.ravel(), "prompts": [f"key {i}" for i in range(prompts)] * seeds,
        "runs": np.repeat(np.arange(seeds), prompts),
    }  # fmt: skip
    said = []
    with SimulatedRun(folder, rng) as run:
        for step in range(visits + 2):
            answers = rng.integers(V, size=(seeds, prompts, K))
            exam = step in {0, visits + 1}
            rewards = mixed.verdicts(answers, keys, "true" if exam else verifier, 0.0 if exam else noise, rng)
            flat = rewards.reshape(-1, K)
            run.step(
                step, answers=answers.reshape(-1, K), rewards=flat, advantages=None if exam else flat - 0.5,
                target_surprisal=np.full(keys.size, end if step > visits else start), **where,
            )  # fmt: skip
            if not exam:
                said.append((answers, rewards))
    return keys, np.concatenate([a for a, _ in said], axis=2), np.concatenate([r for _, r in said], axis=2)


def test_bits_told_by_a_true_verifier_are_those_of_the_exact_belief(tmp_path, rng):
    _, answers, rewards = write(tmp_path, rng)
    wanted = []
    for tried, right in zip(answers.reshape(-1, 12), rewards.reshape(-1, 12), strict=True):
        belief = ExactMatchBelief(np.full(V, 1 / V))
        wanted.append(sum(belief.observe(int(a), bool(r)) for a, r in zip(tried, right, strict=True)))
    assert ledger(tmp_path)["received"] == pytest.approx(np.reshape(wanted, (2, -1)).mean(axis=1), abs=1e-9)


def test_bits_told_by_a_noisy_verifier_are_those_of_the_noisy_belief(tmp_path, rng):
    _, answers, rewards = write(tmp_path, rng, noise=0.2, prompts=2000)
    wanted = []
    for tried, right in zip(answers.reshape(-1, 12), rewards.reshape(-1, 12), strict=True):
        belief = NoisyMatchBelief(np.full(V, 1 / V), 0.2)
        wanted.append(sum(belief.observe(int(a), bool(r)) for a, r in zip(tried, right, strict=True)))
    # The signal has the flip rate from 48,000 verdicts, the belief knows it.
    assert np.mean(wanted) > 0.5
    assert ledger(tmp_path)["received"].mean() == pytest.approx(np.mean(wanted), abs=0.03)


@pytest.mark.parametrize(("verifier", "most"), [("majority", 0.0), ("random", 0.02)])
def test_a_reward_that_knows_nothing_tells_nothing(verifier, most, tmp_path, rng):
    write(tmp_path, rng, verifier)
    assert np.abs(ledger(tmp_path)["received"]).max() <= most


def test_noisy_labels_are_told_apart_from_true_ones(tmp_path, rng):
    keys = rng.integers(V, size=20_000)
    labels = np.where(rng.random(keys.size) < 0.5, (keys + rng.integers(1, V, size=keys.size)) % V, keys)
    where = {"targets": keys, "prompts": [f"key {i}" for i in range(keys.size)], "runs": np.zeros(keys.size, int)}
    with SimulatedRun(tmp_path, rng) as run:
        for step, answers in enumerate((keys, labels, keys)):
            shown = step == 1
            rewards = None if shown else np.ones((keys.size, 1))
            run.step(step, answers=answers[:, None], rewards=rewards, target_surprisal=np.full(keys.size, 3.0), **where)
    # A channel that is right half of the time, and otherwise says any of the 7 others.
    assert ledger(tmp_path)["received"] == pytest.approx(math.log2(V) - 1 - math.log2(7) / 2, abs=0.02)


def test_what_was_absorbed_and_never_told_is_an_error(tmp_path, rng):
    write(tmp_path, rng, "majority", end=0.5, prompts=20, seeds=12)
    with pytest.raises(DataError, match="more than the log says they received"):
        ledger(tmp_path)


def test_the_regression_is_least_squares_over_all_runs(tmp_path, rng):
    x, y = [], []
    for arm, (visits, end) in {"a": (1, 2.9), "b": (4, 2.0), "c": (9, 1.2)}.items():
        (tmp_path / arm).mkdir()
        _rules(tmp_path / arm, rng, visits, end)
        lines = ledger(tmp_path / arm)
        x, y = [*x, *lines["received"]], [*y, *lines["memorised"]]
    slope, share = Regression(("a", "b", "c"), "slope")(tmp_path), Regression(("a", "b", "c"), "share")(tmp_path)
    assert slope.value == pytest.approx(np.polyfit(x, y, 1)[0])
    assert share.value == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)
    held = Regression(("a", "b", "c"), "held share")(tmp_path)
    lead = Regression(("a", "b", "c"), "lead")(tmp_path)
    assert lead.value == pytest.approx(share.value - held.value)
    for figure in (slope, share, held, lead):
        assert figure.low < figure.value < figure.high and figure.n == 12


def _rules(folder, rng, visits, end, prompts=20, seeds=4):
    """A log of one network a seed: keys, the rule, and prompts of the rule that are held out."""
    ids = [*[f"key {i}" for i in range(prompts)], *[f"rule {i}" for i in range(prompts)]]
    targets = rng.integers(V, size=(seeds, 2 * prompts))
    where = {"prompts": ids * seeds, "targets": targets.ravel(), "runs": np.repeat(np.arange(seeds), len(ids))}
    held = where | {"prompts": [f"rule h{i}" for i in range(len(ids))] * seeds}
    with SimulatedRun(folder, rng) as run:
        for step in range(visits + 2):
            exam = step in {0, visits + 1}
            answers = rng.integers(V, size=(targets.size, K))
            rewards = (answers == targets.reshape(-1, 1)).astype(float)
            bits = np.where(step > visits, end, 3.0) + 0.05 * rng.random(targets.size)
            given = None if exam else advantages(rewards, "rloo")
            run.step(step, answers=answers, rewards=rewards, advantages=given, target_surprisal=bits, **where)
            if exam:
                bits = 3.0 + rng.random(targets.size)
                run.step(step, answers=answers, rewards=rewards, target_surprisal=bits, split="eval", **held)


def test_a_lead_and_a_ratio_are_those_of_the_lines(tmp_path, rng):
    for arm, visits in (("a", 1), ("b", 6)):
        (tmp_path / arm).mkdir()
        _rules(tmp_path / arm, rng, visits, 2.9)
    lines = ledger(tmp_path / "a")
    ratio = Gain("a", "memorised", per="total received", scale=40)(tmp_path)
    assert ratio.value == pytest.approx(lines["memorised"].sum() * 40 / lines["total received"].sum())
    a, b = Gain("a", "received"), Gain("b", "received")
    assert gain_lead(b, a)(tmp_path).value == pytest.approx(b(tmp_path).value - a(tmp_path).value)
    assert Gain("a", "held out", per="received")(tmp_path).value is not None
    with pytest.raises(InputError, match="line = 'learned'"):
        Gain("a", "learned")


def test_verdicts_and_quantised_logits():
    rng = np.random.default_rng(0)
    answers, targets = np.array([[1, 1, 2, 3], [5, 6, 5, 6]]), np.array([2, 6])
    assert mixed.verdicts(answers, targets, "true", 0.0, rng).tolist() == [[0, 0, 1, 0], [0, 1, 0, 1]]
    assert mixed.verdicts(answers, targets, "majority", 0.0, rng).tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]
    assert mixed.verdicts(answers, targets, "true", 1.0, rng).tolist() == [[1, 1, 0, 1], [1, 0, 1, 0]]
    logits = np.random.default_rng(1).normal(size=(5, 16))
    for bits in (1, 3, 12):
        rounded = mixed.quantised(logits, bits)
        assert max(len(set(row)) for row in rounded.tolist()) <= 2**bits
        width = (logits.max(axis=1) - logits.min(axis=1)) / (2**bits - 1)
        assert (np.abs(rounded - logits).max(axis=1) <= width / 2 + 1e-12).all()


def test_no_prompt_that_is_held_out_is_ever_trained_on():
    rng = np.random.default_rng(0)
    for kind, (train, held) in SIZES.items():
        rows = deck(kind, 3, rng)
        for seed in rows:
            assert len({tuple(prompt) for prompt in seed.tolist()}) == len(seed) >= train + held
    rule = asked([deck("rule", 2, rng)], rng)
    assert (rule.targets == rule.tokens[..., 1:].max(axis=-1)).all()
    assert rule.ids[0, 0] == "rule " + " ".join(map(str, rule.tokens[0, 0, 1:]))


def test_the_base_is_right_at_times_on_the_rule_and_hardly_ever_where_dark():
    rng = np.random.default_rng(3)
    decks = {kind: deck(kind, 4, rng) for kind in KINDS}
    weights = base(decks, rng)
    found = {}
    for kind, (train, held) in SIZES.items():
        prompts = asked([decks[kind][:, : train + held]], rng)
        with torch.no_grad():
            said = mixed.logits(mixed.SHAPE, weights, torch.from_numpy(prompts.tokens))[:, :, -1, : mixed.DIGITS]
        odds = said.softmax(-1).gather(-1, torch.from_numpy(prompts.targets)[..., None])
        found[kind] = float(odds.mean())
    assert 0.25 < found["rule"] < RIGHT + 0.1
    assert found["key"] == pytest.approx(1 / mixed.DIGITS, abs=0.02)
    assert found["dark"] < 5e-3


@pytest.mark.parametrize(
    "settings",
    [mixed.Settings("grpo", 2, 2), mixed.Settings("distil", 2, 2, bits=3), mixed.Settings("none", 0, 2)],
    ids=lambda s: s.method,
)  # fmt: skip
def test_a_run_repeats_itself_and_its_exams_teach_nothing(settings, tmp_path):
    cost = []
    for name in "ab":
        (tmp_path / name / "000").mkdir(parents=True)
        cost.append(mixed.train(settings, tmp_path / name / "000", np.random.default_rng(5)))
    a, b = (tmp_path / name / "000" / "rollouts-0-000000.parquet" for name in "ab")
    assert a.read_bytes() == b.read_bytes() and cost[0] == cost[1]
    heard = "bool_or(advantage IS NOT NULL OR shown)"
    query = f"SELECT step, split, {heard}, count(DISTINCT world) FROM rollouts GROUP BY ALL ORDER BY step, split"
    with rollouts(tmp_path / "a", "true") as con:
        rows = duck.run(con, query)
    last = max(row[0] for row in rows)
    exams = [(split, heard, worlds) for step, split, heard, worlds in rows if step in {0, last}]
    trained, held = SIZES["key"][0] + SIZES["rule"][0], SIZES["rule"][1]
    assert exams == [("eval", False, 2 * held), ("train", False, 2 * trained)] * 2
    between = [heard for step, _, heard, _ in rows if 0 < step < last]
    assert all(between) and bool(between) == (settings.method != "none")


def test_arms_that_are_compared_cost_the_same(tmp_path):
    costs = []
    for name in ("SFT, early", "GRPO, early"):
        (tmp_path / name).mkdir()
        costs.append(mixed.train(replace(t8.SETTINGS[name], seeds=1), tmp_path / name, np.random.default_rng(0)))
    assert costs[0].flops == pytest.approx(costs[1].flops)
    late, rollout = t8.VISITS["late"], 8 * mixed.K + 2
    assert late["rollouts"] * rollout == late["labels"] * 6
    assert late["labels"] * 6 == pytest.approx((late["teacher"] + mixed.TEACHER_VISITS) * 6 + 2, rel=1e-3)


@pytest.mark.parametrize(("name", "value"), [("method", "ppo"), ("verifier", "oracle")])
def test_unknown_words_are_refused(name, value):
    with pytest.raises(InputError, match=f"{name} = '{value}'"):
        replace(mixed.Settings("grpo", visits=1, seeds=1), **{name: value})


@pytest.mark.parametrize(("method", "bits"), [("sft", 3), ("distil", None), ("distil", 0)])
def test_only_a_teachers_logits_are_rounded(method, bits):
    with pytest.raises(InputError, match=f"bits = {bits} with {method}"):
        mixed.Settings(method, visits=1, seeds=1, bits=bits)


def test_labels_of_a_run_are_memorised_and_received(tmp_path):
    (tmp_path / "arm" / "000").mkdir(parents=True)
    settings = mixed.Settings("sft", visits=66, seeds=4, kinds=("key",))
    mixed.train(settings, tmp_path / "arm" / "000", np.random.default_rng(2))
    lines = ledger(tmp_path / "arm")
    assert lines["received"] == pytest.approx(4.0)
    assert (lines["memorised"] > 3.0).all() and (lines["overdraft"] <= 1e-9).all()


def test_a_heuristic_grows_and_the_signal_sees_it(tmp_path):
    for arm, general in (("rare", 1 / 300), ("common", 0.4)):
        (tmp_path / arm).mkdir()
        settings = strategies.Settings(heuristic=0.6, general=general, steps=100, seeds=8)
        strategies.train(settings, tmp_path / arm, np.random.default_rng(1))
    rare, common = (Fixation("share", often=0.7)(tmp_path / arm) for arm in ("rare", "common"))
    assert rare.value > 0.8 and common.value < 0.2
    assert Fixation("recedes")(tmp_path / "rare").value > 0.5
    assert Fixation("recedes")(tmp_path / "common").value < 0
    with pytest.raises(InputError, match="says = 'wins'"):
        Fixation("wins")
