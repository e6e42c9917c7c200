"""Preferences used in several ways: the task and its pairs, the log, and the signals that read it."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitrate.errors import DataError, InputError  # noqa: E402
from bitrate.lab.claims import s2_3, s2_4, s2_5, t5  # noqa: E402
from bitrate.lab.networks.transformer import Shape, initial  # noqa: E402
from bitrate.lab.signals.preferences import PassRateLead, ReceivedFromPreferences  # noqa: E402
from bitrate.lab.signals.rows import rollouts  # noqa: E402
from bitrate.lab.training.gap_tasks import TOKENS, Counting, Preferences, text  # noqa: E402
from bitrate.lab.training.preferences import WAYS, Rates, Settings, train  # noqa: E402
from bitrate.lab.training.verifiers import VERIFIERS, verifier  # noqa: E402
from bitrate.lab.worlds.log import SimulatedRun  # noqa: E402
from bitrate.logs.engines import duck  # noqa: E402

RATES = Rates(sft=0.01, dpo=0.01, rule=0.05, bag=0.01, network=0.01, rl=0.01)
SETTINGS = Settings("half", 4, contexts=20, pairs=80, updates=60, k=8, best=32, beta=0.1, rates=RATES, seeds=3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("t5") / "000"
    folder.mkdir()
    return folder, train(SETTINGS, folder, np.random.default_rng(5))


def asked(folder, query, where="true"):
    with rollouts(folder, where) as con:
        return duck.run(con, query)


def test_an_answer_is_off_by_the_tokens_it_has_too_many_or_too_few():
    task = Counting(np.array([[[0, 1] * 4]]), np.array([[[8, 8 + 6 + 2]]]), 3, 6)
    said = np.array([[[1, 3, 0], [0, 2, 4], [1, 3, 5]]])
    assert task.error(np.repeat(task.prompts, 3, axis=1), said).tolist() == [[0, 2, 1]]


def test_with_keys_an_answer_is_held_against_the_class_of_its_own_context():
    member = np.array([[[0, 1] * 4, [1, 0] * 4]])
    task = Counting(member, np.array([[[8, 8 + 2 + 2], [9, 8 + 2 + 2]]]), 2, 2)
    assert task.error(task.prompts, np.array([[[1, 3], [1, 3]]])).tolist() == [[0, 2]]


@pytest.mark.parametrize(
    ("name", "horizon", "asked"), [("half", 6, {3}), ("half", 1, {1}), ("keys", 6, {6}), ("either", 1, {0, 1})]
)
def test_half_the_tokens_are_of_the_class_and_a_task_asks_for_its_numbers(name, horizon, asked):
    task = Counting.draw(name, 20, horizon, 20, np.random.default_rng(0))
    assert (task.member.sum(axis=2) == TOKENS // 2).all() and len(np.unique(task.member[:, 0], axis=0)) > 10
    assert set(task.number(task.prompts).ravel().tolist()) == asked and task.vocabulary > task.prompts.max()


def test_held_out_prompts_are_held_out_but_for_keys_which_no_other_prompt_could_tell():
    task = Counting.draw("half", 20, 6, 40, np.random.default_rng(0))
    for learnt, kept in zip(task.names(task.train), task.names(task.evaluated), strict=True):
        assert len({*learnt, *kept}) == 40 and len(kept) == 8
    keys = Counting.draw("keys", 2, 6, 8, np.random.default_rng(0))
    assert keys.train.tolist() == keys.evaluated.tolist() and keys.member.shape == (2, 8, TOKENS)


def test_too_few_prompts_are_an_error():
    with pytest.raises(InputError, match="want more than 8 prompts"):
        Counting.draw("either", 2, 1, 4, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["half", "keys"])
def test_the_better_answer_is_less_far_off_and_no_pair_is_about_a_held_out_prompt(name):
    rng = np.random.default_rng(1)
    task = Counting.draw(name, 5, 6, 40, rng)
    told = Preferences.draw(task, 300, rng)
    assert (task.error(told.prompts, told.better) < task.error(told.prompts, told.worse)).all()
    for seed, names in enumerate(task.names(told.prompts)):
        assert set(names) <= set(task.names(task.train)[seed])
    # Both places of a pair were drawn from one policy: all tokens are about as frequent.
    shares = np.bincount(np.stack([told.better, told.worse]).ravel(), minlength=TOKENS) / told.better.size / 2
    assert np.abs(shares - 1 / TOKENS).max() < 0.01


@pytest.mark.parametrize("kind", VERIFIERS)
def test_no_reward_model_knows_the_class_before_it_sees_a_pair(kind):
    rng = np.random.default_rng(2)
    task = Counting.draw("half", 40, 6, 40, rng)
    shape = Shape(task.vocabulary, TOKENS, 8)
    model = verifier(kind, task, shape, initial(shape, 40, rng=rng), rng)
    prompts, answers = np.repeat(task.evaluated, 50, axis=1), rng.integers(TOKENS, size=(40, 400, 6))
    with torch.no_grad():
        scores = model.score(model.weights, torch.from_numpy(prompts), torch.from_numpy(answers)).numpy()
    right = task.error(prompts, answers) == 0
    leads = [s[r].mean() - s[~r].mean() for s, r in zip(scores, right, strict=True)]
    assert scores.shape == (40, 400) and abs(np.mean(leads)) <= 3 * np.std(leads) / 40**0.5


def test_a_bag_of_tokens_does_not_see_their_order_and_a_network_does():
    rng = np.random.default_rng(3)
    task = Counting.draw("half", 1, 4, 20, rng)
    shape = Shape(task.vocabulary, TOKENS, 6)
    said = torch.tensor([[[1, 2, 3, 4], [4, 3, 2, 1]]])
    for kind in VERIFIERS:
        model = verifier(kind, task, shape, initial(shape, 1, rng=rng), rng)
        weights = {name: torch.tensor(rng.standard_normal(w.shape)).float() for name, w in model.weights.items()}
        one, other = model.score(weights, torch.from_numpy(task.train[:, [0, 0]]), said)[0].tolist()
        assert (one == pytest.approx(other, rel=1e-4)) == (kind != "network")


def test_every_way_is_told_the_same_pairs_as_labels_without_a_reward(trained):
    folder, _ = trained
    rows = asked(folder, "SELECT run, prompt_id, answer, reward FROM rollouts ORDER BY ALL", "shown")
    told = {way: [r[1:] for r in rows if f"/{way}-1" in r[0]] for way in WAYS}
    assert all(len(t) == SETTINGS.pairs and t == told["sft"] for t in told.values())
    assert all(r[3] is None for r in rows) and len(rows) == len(WAYS) * 3 * SETTINGS.pairs


def test_rewards_are_true_outcomes_and_rl_was_trained_on_another_score(trained):
    folder, _ = trained
    rows = asked(folder, "SELECT DISTINCT reward FROM rollouts", "reward IS NOT NULL")
    assert {r for (r,) in rows} == {0.0, 1.0}
    query = "SELECT count(*), count(components), count(DISTINCT advantage) FROM rollouts WHERE step = 50"
    ((n, scored, weights),) = asked(folder, query, "reward IS NOT NULL")
    assert n == scored == 3 * 3 * 8 * 8 and weights > 10


def test_all_ways_start_from_the_uniform_policy_and_simple_verifiers_are_learnt(trained):
    folder, cost = trained
    with rollouts(folder) as con:
        ((rate,),) = duck.run(con, "SELECT avg(reward) FROM rollouts WHERE step = 0")
    assert rate == pytest.approx(math.comb(4, 2) / 16, abs=0.05)  # tokens of the class are half of all
    for way in ("rule-best", "bag-best"):
        best = PassRateLead(way)(folder)
        assert best.value is not None and best.value > 0.35 and best.n == 3
    assert cost.rollouts > 0 and cost.flops > 0


def test_the_same_generator_gives_the_same_rollouts(trained, tmp_path):
    folder, cost = trained
    (tmp_path / "000").mkdir()
    assert train(SETTINGS, tmp_path / "000", np.random.default_rng(5)) == cost
    query = "SELECT run, step, prompt_id, sample, answer, reward, advantage FROM rollouts ORDER BY ALL"
    assert asked(folder, query) == asked(tmp_path / "000", query)


def log(folder, ways):
    """A log of three networks in two ways: two prompts held out, with the pass rates that are given."""
    (folder / "000").mkdir()
    with SimulatedRun(folder / "000", np.random.default_rng(0), unscored=0.0) as run:
        for way, rates in ways.items():
            for step, rate in enumerate(rates):
                for seed in range(3):
                    rewards = np.repeat([[1.0, 0.0]], [round(10 * rate), 10 - round(10 * rate)], axis=1)
                    run.step(
                        step, answers=np.zeros((2, 10)), rewards=np.repeat(rewards, 2, axis=0), prompts=["0:1", "1:1"],
                        runs=[f"{way}-{seed}"] * 2, split="eval",
                    )  # fmt: skip


def test_a_lead_is_the_difference_of_final_pass_rates(tmp_path):
    log(tmp_path, {"one": (0.2, 0.9), "other": (0.2, 0.4)})
    assert PassRateLead("one", "other")(tmp_path).value == pytest.approx(0.5)
    gain = PassRateLead("other")(tmp_path)
    assert gain.value == pytest.approx(0.2) and gain.low < 0.2 < gain.high and gain.n == 3
    assert PassRateLead("one", "third")(tmp_path).reason == "3 and 0 networks; want the same in both"


def tell(folder, said, prompts):
    (folder / "000").mkdir()
    with SimulatedRun(folder / "000", np.random.default_rng(0)) as run:
        run.step(0, answers=np.array(said)[:, None], rewards=None, prompts=prompts, runs=["dpo-0"] * len(said))


def test_bits_of_one_comparison_are_those_of_an_enumeration(tmp_path):
    tell(tmp_path, ["0 > 1"], ["0:1"])  # 0 is of the class, 1 is not: C(6, 3) of C(8, 4) classes are left
    found = ReceivedFromPreferences("dpo")(tmp_path)
    assert found.value == pytest.approx(math.log2(70 / 20)) and found.low == found.high
    assert ReceivedFromPreferences("dpo", "sft")(tmp_path).reason is not None


def test_preferences_that_contradict_each_other_are_an_error(tmp_path):
    tell(tmp_path, ["0 > 1", "1 > 0"], ["0:1", "1:1"])
    with pytest.raises(DataError, match="no class of 4 of 8 tokens agrees"):
        ReceivedFromPreferences("dpo")(tmp_path)


def test_the_pairs_of_a_run_never_contradict_the_class(trained):
    folder, _ = trained
    for way in ("dpo", "rule-rl"):
        bits = ReceivedFromPreferences(way)(folder).value
        assert bits is not None and 0 < bits <= math.log2(70) + 1e-9
    assert ReceivedFromPreferences("rule-rl", "dpo")(folder).value == 0.0


def test_answers_are_logged_as_tokens():
    assert text(np.array([[[1, 2, 0]]])).tolist() == [["1 2 0"]]


@pytest.mark.parametrize("claim", [t5.CLAIM, s2_3.CLAIM, s2_4.CLAIM, s2_5.CLAIM], ids=lambda c: c.id)
def test_claims_share_the_runs_of_the_experiment(claim):
    trained = {(a.name, repr(a.settings)) for c in t5.CLAIM.cases for a in t5.CLAIM.arms(c)}
    for case in claim.cases:
        assert {(a.name, repr(a.settings)) for a in claim.arms(case)} <= trained
        assert claim.formulas(case)[0].value is not None
