"""Claim S4.7: answers that can be said in many ways, what is logged of them, and bits of meaning read off the log."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pyarrow.parquet as pq
import pytest

torch = pytest.importorskip("torch")

from bitrate.errors import InputError  # noqa: E402
from bitrate.lab.claims import s4_7  # noqa: E402
from bitrate.lab.networks.transformer import initial, log_policy  # noqa: E402
from bitrate.lab.signals.meanings import MeaningLead  # noqa: E402
from bitrate.lab.training import paraphrases  # noqa: E402
from bitrate.lab.training.families import asked, deck  # noqa: E402
from bitrate.lab.training.paraphrases import (  # noqa: E402
    METHODS,
    PLACES,
    SHAPE,
    SYNONYMS,
    TOKENS,
    WORDS,
    K,
    Settings,
    meaning,
    meaning_bits,
    train,
    words,
)
from bitrate.lab.worlds.log import SimulatedRun  # noqa: E402

#: FLOPs of eight rollouts to each of 48 prompts, sampled and trained on.
VISIT = 48 * K * 8 * TOKENS * SHAPE.parameters
SMALL = Settings(budget=VISIT, rates=(2e-3,) * 5, seeds=2)


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """A short run of all methods: its folder and rows."""
    folder = tmp_path_factory.mktemp("arm") / "000"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paraphrases, "STEPS", 20)
        cost = train(SMALL, folder, np.random.default_rng(0))
    return folder, cost, pq.read_table(folder / "rollouts-0-000000.parquet").to_pandas()


def test_words_mean_the_digit_that_they_say(rng):
    digits = rng.integers(16, size=(3, 200))
    said = words(digits, rng)
    assert (meaning(said) == digits).all() and said.max() < WORDS
    ways = {tuple(w) for w in words(np.full(20_000, 5), rng)}
    assert len(ways) == SYNONYMS**PLACES


def test_bits_of_a_meaning_are_summed_over_all_ways_to_say_it(rng):
    weights = initial(SHAPE, 2, rng=rng)
    with torch.no_grad():
        weights["head"] += torch.from_numpy(rng.normal(size=(2, *SHAPE.sizes()["head"]))).float()
    prompts = asked([deck("rule", 2, rng)[:, :3]], rng)
    every = np.array(list(product(range(WORDS), repeat=PLACES)))
    asked_of = torch.from_numpy(np.repeat(prompts.tokens + WORDS, len(every), axis=1))
    with torch.no_grad():
        log = log_policy(SHAPE, weights, asked_of, torch.from_numpy(np.tile(every, (2, 3, 1)))).double().sum(-1)
    chance = log.exp().numpy().reshape(2, 3, -1)
    assert chance.sum(-1) == pytest.approx(1, abs=1e-5)
    right = (chance * (meaning(every) == prompts.targets[..., None])).sum(-1)
    assert meaning_bits(weights, prompts) == pytest.approx(-np.log2(right), abs=1e-5)


def test_methods_start_alike_and_spend_the_same(logged):
    _, cost, rows = logged
    rows["method"] = rows.run.str.extract(r"/(.+)-\d+$")
    exams = rows[rows.target_surprisal.notna() & rows.reward.notna()]
    assert set(rows.method) == set(METHODS) and len(rows.run.unique()) == 2 * len(METHODS)
    first = exams[exams.step == 0].groupby(["method", "prompt_id"]).target_surprisal.mean().unstack()
    assert np.allclose(first, first.iloc[0])
    assert exams.groupby("method").step.nunique().tolist() == [2] * len(METHODS)
    made = rows[rows.target_surprisal.isna() & (rows.reward.notna() | rows.shown)]
    tokens = made.groupby("method").size() * TOKENS
    won = made[made.reward == 1].groupby("method").size() * TOKENS
    spent = 6 * tokens
    spent["grpo"] = 8 * tokens["grpo"]
    spent["own-successes"] = 2 * tokens["own-successes"] + 6 * won["own-successes"]
    assert cost.flops == pytest.approx(SHAPE.parameters * spent.sum())
    over = SHAPE.parameters * spent / (2 * VISIT)
    assert over.between(1.0, 1.25).all()  # the last step is one sixth of a visit with rollouts


def test_labels_are_right_however_they_are_said(logged):
    _, _, rows = logged
    labels = rows[rows["shown"]]
    assert labels.reward.isna().all() and (labels.answer == labels.target).all()
    assert labels.run.str.contains("sft").all()
    scored = rows[rows.reward.notna()]
    assert ((scored.answer == scored.target) == (scored.reward == 1)).all()
    assert scored[scored.advantage.notna()].run.str.contains("grpo").all()


@pytest.mark.parametrize("method", ["sft", "sft-fixed", "sft-plain"])
def test_a_method_words_its_labels_as_it_says(method, rng, monkeypatch, tmp_path):
    monkeypatch.setattr(paraphrases, "log_policy", lambda *a: (seen.append(a[3].numpy()), log_policy(*a))[1])
    seen = []
    shown = asked([deck("key", 1, rng)], rng)
    with SimulatedRun(tmp_path, rng) as run:
        learner = paraphrases._Learner(method, 1e-3, initial(SHAPE, 1, rng=rng), run, rng)
        wording = words(shown.targets, rng)
        for step in range(2):
            learner.labels(step, shown, wording)
    assert all((meaning(said) == shown.targets).all() for said in seen)
    assert (seen[0] == seen[1]).all() == (method != "sft")
    assert (seen[0] % SYNONYMS == 0).all() == (method == "sft-plain")


def test_an_arm_has_the_same_bits_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(paraphrases, "STEPS", 2)
    tables = []
    for name in "ab":
        folder = tmp_path / name / "000"
        folder.mkdir(parents=True)
        train(replace(SMALL, budget=0.1 * VISIT), folder, np.random.default_rng(1))
        tables.append(pq.read_table(folder / "rollouts-0-000000.parquet"))
    assert tables[0].equals(tables[1])


def write(folder, rng, way, wrong, hit, bits, seeds=4):
    """A log: exams at steps 0 and 3; in between each key is guessed wrongly in some ways, then shown if ``hit``."""
    keys, runs = np.tile(np.arange(16), seeds), np.repeat([f"{way}-{i}" for i in range(seeds)], 16)
    where = {"runs": runs, "targets": keys, "prompts": [f"key {i}" for i in range(16)] * seeds}
    held = where | {"prompts": [f"rule {i} 0" for i in range(16)] * seeds}
    with SimulatedRun(folder, rng) as run:
        for step, now in ((0, bits[0]), (3, bits[1])):
            right = rng.random((keys.size, 8)) < 2.0**-now
            said, now_bits = np.where(right, keys[:, None], (keys[:, None] + 1) % 16), np.full(keys.size, float(now))
            for split, of in (("train", where), ("eval", held)):
                run.step(step, answers=said, rewards=right.astype(float), target_surprisal=now_bits, split=split, **of)
        said = (keys[:, None] + 1 + np.arange(8) % wrong) % 16
        run.step(1, answers=said, rewards=np.zeros(said.shape), **where)
        if hit:
            run.step(2, answers=keys[:, None], rewards=None, **where)


def test_bits_of_meaning_are_read_off_the_log(tmp_path, rng):
    for way, wrong, hit, bits in (("grpo", 3, False, (4, 1)), ("sft", 5, True, (4, 3))):
        (tmp_path / way / "000").mkdir(parents=True)
        write(tmp_path / way / "000", rng, way, wrong, hit, bits)

    def figure(*said, **more):
        return MeaningLead(*said, **more)(tmp_path)

    told = 4 - math.log2(13)
    assert figure("grpo", "received").value == pytest.approx(told)
    assert figure("sft", "received").value == pytest.approx(4)
    assert figure("sft", "received", less="grpo").value == pytest.approx(4 - told)
    assert figure("grpo", "held-out bits").value == pytest.approx(3)
    assert figure("grpo", "held-out bits", less="sft").value == pytest.approx(3 - 1)
    assert figure("grpo", "absorbed").value == pytest.approx(math.log2(16 / 2 + 1) - 1)
    a_bit = figure("grpo", "held-out bits", less="sft", a_bit=True)
    assert a_bit.value == pytest.approx(3 / told - 1 / 4) and a_bit.n == 4
    assert figure("grpo", "held-out pass rate").value == pytest.approx(1 / 2 - 1 / 16, abs=0.08)  # 512 answers


def test_ways_of_other_networks_are_not_compared(tmp_path, rng):
    write(tmp_path, rng, "grpo", 3, True, (4, 1))
    found = MeaningLead("grpo", "received", less="sft")(tmp_path)
    assert found.value is None and "same networks" in found.reason


def test_mistakes_are_errors():
    with pytest.raises(InputError, match="want one of received"):
        MeaningLead("grpo", "gained")
    with pytest.raises(InputError, match="budget = 0"):
        replace(SMALL, budget=0)
    with pytest.raises(InputError, match="want one each for sft"):
        replace(SMALL, rates=(1e-3,))


def test_the_claim_compares_ways_that_are_trained():
    [arm] = {a.name: a for case in s4_7.CLAIM.cases for a in s4_7.CLAIM.arms(case)}.values()
    assert arm.settings.seeds * arm.full >= 32
    assert all({case.signal.way, case.signal.less} <= set(METHODS) for case in s4_7.CLAIM.cases)
