"""Adapters on frozen networks: what is trained, what is logged, and signals that find a knee where there is one."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pyarrow.parquet as pq
import pytest

torch = pytest.importorskip("torch")

from bitrate.api import audit  # noqa: E402
from bitrate.errors import InputError  # noqa: E402
from bitrate.lab.claim import own_arms  # noqa: E402
from bitrate.lab.claims import s1_17, t4  # noqa: E402
from bitrate.lab.signals.capacity import FOLLOWS, HELD, Absorbed, Capacity, Knee, crossing  # noqa: E402
from bitrate.lab.signals.pairs import Of  # noqa: E402
from bitrate.lab.training.adapters import (  # noqa: E402
    INPUTS,
    OUTPUTS,
    Settings,
    _Adapted,
    _Lesson,
    _loss,
    over_the_mean,
    parameters,
    train,
)
from bitrate.lab.worlds.log import SimulatedRun  # noqa: E402

SETTINGS = Settings("lora", 1, "sft", prompts=8, keys=2, answers=2, k=4, steps=60, rate=0.1, seeds=4)


@pytest.fixture
def log(tmp_path):
    """The folder of a run."""

    def made(seed=0, **changes):
        folder = tmp_path / f"{seed}-{len(list(tmp_path.iterdir()))}" / "000"
        folder.mkdir(parents=True)
        return folder, train(replace(SETTINGS, **changes), folder, np.random.default_rng(seed))

    return made


def stepped(adapted, steps=3):
    """An adapter after a few steps towards labels."""
    lesson = _Lesson(SETTINGS, np.random.default_rng(1))
    optimiser = torch.optim.Adam(adapted.trained, lr=0.05)
    for _ in range(steps):
        optimiser.zero_grad()
        _loss(adapted.scores(), lesson.labels[..., None], np.ones((*lesson.labels.shape, 1))).backward()
        optimiser.step()
    return adapted


@pytest.mark.parametrize(("adapter", "size"), [("lora", 1), ("lora", 3), ("numbers", 1), ("numbers", 5)])
def test_an_adapter_trains_as_many_numbers_as_it_says_and_nothing_else(adapter, size, rng):
    adapted = _Adapted(replace(SETTINGS, adapter=adapter, size=size), rng)
    frozen = {name: w.clone() for name, w in adapted.weights.items()}
    # Every answer is alike at the start, to the last digit.
    assert adapted.scores().abs().max() == 0
    stepped(adapted)
    assert adapted.scores().abs().max() > 0
    assert sum(w[0].numel() for w in adapted.trained) == parameters(adapter, size)
    assert all(torch.equal(w, frozen[name]) and not w.requires_grad for name, w in adapted.weights.items())
    change = torch.bmm(adapted.left, adapted.right).detach().view(-1, INPUTS, OUTPUTS)
    assert torch.linalg.matrix_rank(change[0]) == (size if adapter == "lora" else INPUTS)


def test_numbers_move_the_network_along_fixed_directions(rng):
    adapted = _Adapted(replace(SETTINGS, adapter="numbers", size=2), rng)
    fixed = adapted.right.clone()
    stepped(adapted)
    assert torch.equal(adapted.right, fixed)
    assert (adapted.left[:, 0, 0] != adapted.left[:, 0, 1]).all()


def test_networks_of_a_cell_do_not_mix(rng):
    adapted = _Adapted(SETTINGS, rng)
    scores = stepped(adapted).scores()
    (slope,) = torch.autograd.grad(scores[1].square().sum(), adapted.trained[:1])
    assert slope[1].abs().max() > 0
    assert slope[[0, 2, 3]].abs().max() == 0


@pytest.mark.parametrize(("p", "k"), [(0.5, 2), (0.1, 3), (0.7, 5)])
def test_over_the_mean_follows_the_logarithm_of_the_pass_rate(p, k):
    """Two answers and one logit, all groups: the score is 1 - p for the right answer and -p for the wrong one."""
    mean = 0.0
    for hits in product([0.0, 1.0], repeat=k):
        r = np.array(hits)
        chance = np.prod(np.where(r == 1, p, 1 - p))
        mean += chance * float((over_the_mean(r[None])[0] * np.where(r == 1, 1 - p, -p)).mean())
    assert mean == pytest.approx((1 - p) * (1 - (1 - p) ** (k - 1)), rel=1e-12)


def test_the_surprisal_is_that_of_any_right_answer(rng):
    s = replace(SETTINGS, answers=6, keys=3, prompts=5, seeds=2)
    lesson = _Lesson(s, rng)
    odds = torch.tensor(rng.dirichlet(np.ones(6), size=(2, 5)))
    found = lesson._surprisal(odds.log())
    for seed, prompt in np.ndindex(2, 5):
        right = [a for a in range(6) if a // 2 == lesson.keys[seed, prompt]]
        assert lesson.labels[seed, prompt] in right
        assert found[seed, prompt] == pytest.approx(-math.log2(odds[seed, prompt, right].sum()), abs=1e-12)


@pytest.mark.parametrize("method", ["sft", "maxrl", "grpo", 0.5])
def test_a_run_has_the_same_bits_every_time_and_its_log_is_read(method, log):
    (one, cost), (two, again) = log(3, method=method, steps=5), log(3, method=method, steps=5)
    first, second = (pq.read_table(f / "rollouts-0-000000.parquet") for f in (one, two))
    assert first.equals(second) and cost == again
    assert cost.rollouts == 4 * 8 * ((1 if method == "sft" else 4) * 5 + 4)
    rows = first.to_pylist()
    assert sorted({r["step"] for r in rows}) == [0, 1, 2, 4, 5]
    assert {r["target_surprisal"] for r in rows if r["step"] == 0} == {1.0}
    assert {r["shown"] for r in rows if r["step"] < 5} == {method == "sft"}
    scored = [r for r in rows if r["reward"] is not None]
    assert all((r["answer"] == r["target"]) == (r["reward"] == 1) for r in scored)
    assert audit(one).to_dict()["counts"]["prompts"]["value"] == 32


def test_labels_fill_an_adapter_and_no_more_than_that(log):
    small = {"adapter": "numbers", "size": 1, "seeds": 64, "steps": 300}
    one, six = (Absorbed(1)(log(prompts=n, **small)[0]) for n in (1, 6))
    assert one.low > 0.6
    assert six.high < 3
    roomy = Absorbed(parameters("lora", 1))(log(prompts=16, steps=300)[0])
    assert roomy.value == pytest.approx(16 / 80, rel=0.02)


def test_what_is_shown_takes_the_room_of_what_is_useful(log):
    """One bit a parameter is useful, and labels have four."""
    nuisance = {"prompts": 80, "answers": 16, "seeds": 2}
    shown = log(steps=300, **nuisance)[0]
    earned = log(steps=150, method="maxrl", rate=0.005, k=16, **nuisance)[0]
    assert HELD(earned).value > HELD(shown).value + t4.LEAD


def planted(folder, name, held, prompts, rng):
    """A log of runs that hold so many of their prompts' bits each: labels, then a last visit with scores."""
    (folder / name / "000").mkdir(parents=True)
    with SimulatedRun(folder / name / "000", rng) as run:
        for step in (0, 1):
            for number, bits in enumerate(held):
                left = np.full(prompts, 1 - bits / prompts if step else 1.0)
                labels = np.arange(prompts) % 2
                run.step(
                    step, answers=labels[:, None], rewards=np.ones((prompts, 1)) if step else None, targets=labels,
                    target_surprisal=left, runs=[number] * prompts,
                )  # fmt: skip


def test_signals_find_the_knee_and_the_capacity(tmp_path, rng):
    """Ten parameters hold 20 bits; of 40 planted bits they hold 12."""
    for load, held in ((10, 10.0), (20, 20.0), (40, 12.0)):
        planted(tmp_path, str(load), np.full(40, held) - rng.random(40) * 0.1, load, rng)
    arms = ("10", "20", "40")
    assert Of("40", Absorbed(10))(tmp_path).value == pytest.approx(1.2, abs=0.02)
    assert Of("40", HELD)(tmp_path).value == pytest.approx(0.3, abs=0.005)
    capacity, knee = Capacity(arms, 10)(tmp_path), Knee(arms, 10)(tmp_path)
    assert capacity.low < 1.995 < capacity.high and capacity.high - capacity.low < 0.2
    assert capacity.n == 20
    wanted = 2 + 2 * (1 - FOLLOWS) / 0.7
    assert knee.low < wanted < knee.high and knee.value == pytest.approx(wanted, abs=0.02)
    assert Knee(arms[:2], 10)(tmp_path).value is None


def test_the_largest_of_noisy_loads_is_not_measured_on_the_runs_that_chose_it(tmp_path):
    """All loads hold the same on average, so the mean over many draws is that, and not that of the luckiest."""
    found = []
    for draw in range(8):
        rng = np.random.default_rng(draw)
        folder = tmp_path / str(draw)
        for load in range(12):
            planted(folder, str(load), 5 + 2 * rng.standard_normal(8), 10, rng)
        found.append(Capacity([str(load) for load in range(12)], 10)(folder).value)
    # The luckiest of 12 means of 8 lies 1.6 standard errors up: at .5 + .11.
    assert np.mean(found) == pytest.approx(0.5, abs=0.09)


def test_a_line_that_stays_above_crosses_nothing():
    assert crossing([0.0, 1.0], [1.0, 0.95], 0.9) is None
    assert crossing([0.0, 2.0], [1.0, 0.0], 0.9) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: parameters("prefix", 1), "adapter = 'prefix'"),
        (lambda: parameters("lora", 0), "size = 0"),
        (lambda: Capacity((), 1), "want a load or more"),
        (lambda: Knee(("a",), 0), "a parameter or more"),
    ],
)
def test_mistakes_are_named(call, said):
    with pytest.raises(InputError, match=said):
        call()


def test_answers_that_the_keys_do_not_divide_are_named(log):
    with pytest.raises(InputError, match="answers = 3"):
        log(answers=3)


def test_every_case_has_its_arms_and_predictions_that_differ_from_the_rivals():
    for claim in (t4.CLAIM, s1_17.CLAIM):
        for case in claim.cases:
            said, _, other = claim.formulas(case)
            assert claim.arms(case)
            assert other is None or (other.value, other.kind) != (said.value, said.kind)
    mine = {a.name for case in s1_17.CLAIM.cases for a in own_arms(case)}
    shared = mine & {a.name for case in t4.CLAIM.cases for a in own_arms(case)}
    assert mine - shared == {t4.rl(s1_17.ONE, s1_17.ABOVE).name}
