"""Planted answer keys: what learners are told, what they come to hold, and a ledger that sees a leak."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitrate.api import audit, read  # noqa: E402
from bitrate.errors import InputError  # noqa: E402
from bitrate.lab.claims.t2 import CLAIM, visits  # noqa: E402
from bitrate.lab.judge import compare  # noqa: E402
from bitrate.lab.networks.transformer import (  # noqa: E402
    Shape,
    choose,
    dice,
    initial,
    log_policy,
    logits,
    sample,
    surprisal,
)
from bitrate.lab.networks.transformer import visits as visits_of  # noqa: E402
from bitrate.lab.runner import check  # noqa: E402
from bitrate.lab.signals.ledger import LedgerLine  # noqa: E402
from bitrate.lab.training.planted import BATCH, Settings, train  # noqa: E402
from bitrate.meter.keys import KnownKeys  # noqa: E402

SETTINGS = Settings("transformer", "grpo", prompts=8, answers=4, k=4, epochs=6, rate=3e-3, seeds=6)


@pytest.fixture
def log(tmp_path):
    """A run's folder, and what it cost."""

    def made(seed=0, **changes):
        folder = tmp_path / f"{seed}-{len(list(tmp_path.iterdir()))}" / "000"
        folder.mkdir(parents=True)
        return folder, train(replace(SETTINGS, **changes), folder, np.random.default_rng(seed))

    return made


def test_each_network_is_trained_as_if_it_were_alone(rng):
    """Gradients and steps of one among many are those of the same network by itself."""
    shape = Shape(vocabulary=5, answers=5, length=3, width=8, layers=2)
    many = initial(shape, 3, rng=rng)
    with torch.no_grad():
        for weight in many.values():
            weight.add_(0.1 * torch.randn(weight.shape, generator=dice(rng)))
    alone = {name: w[1:2].detach().clone().requires_grad_() for name, w in many.items()}
    prompts = torch.tensor(rng.integers(5, size=(3, 4, 1)))
    answers = torch.tensor(rng.integers(5, size=(3, 4, 2)))
    for weights, which in ((many, slice(None)), (alone, slice(1, 2))):
        optimiser = torch.optim.Adam(weights.values(), lr=0.01)
        for _ in range(3):
            optimiser.zero_grad()
            (-log_policy(shape, weights, prompts[which], answers[which]).mean((1, 2)).sum()).backward()
            optimiser.step()
    for name, weight in alone.items():
        torch.testing.assert_close(many[name][1:2], weight, rtol=1e-4, atol=1e-6)


def test_an_epoch_visits_each_prompt_once_in_an_order_of_each_seeds_own(rng):
    steps = list(visits_of(3, 12, 4, 8, rng))
    assert [s.shape for s in steps] == [(3, 4)] * 8
    for epoch in (np.concatenate(steps[i : i + 3], axis=1) for i in (0, 3)):
        assert (np.sort(epoch, axis=1) == np.arange(12)).all()
        assert (epoch[0] != epoch[1]).any() and (epoch[1] != epoch[2]).any()
    left = np.concatenate(list(visits_of(1, 10, 4, 2, rng)), axis=1)
    assert len(set(left[0])) == 8  # two that fill no batch wait for the next epoch
    assert list(visits_of(1, 10, 4, 0, rng)) == []


def test_answers_come_by_their_odds_and_their_bits_are_those_of_the_logits(rng):
    odds = torch.tensor([[[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]]], dtype=torch.float64)
    said = choose(odds, 20_000, dice(rng))
    assert said.shape == (1, 2, 20_000) and (said[0, 1] == 2).all()
    assert np.bincount(said[0, 0].numpy()) / 20_000 == pytest.approx([0.5, 0.25, 0.25], abs=0.015)
    assert surprisal(odds.log() + 3.0, np.array([[1, 2]]))[0].tolist() == pytest.approx([2.0, 0.0], abs=1e-12)


def test_a_network_sees_what_came_before_and_nothing_after(rng):
    shape = Shape(vocabulary=6, answers=6, length=4, width=8)
    weights = initial(shape, 2, rng=rng)
    with torch.no_grad():
        weights["head"] += torch.randn(weights["head"].shape, generator=dice(rng))
    tokens = torch.tensor(rng.integers(6, size=(2, 3, 4)))
    changed = tokens.clone()
    changed[:, :, 2] = (changed[:, :, 2] + 1) % 6
    a, b = (logits(shape, weights, t) for t in (tokens, changed))
    torch.testing.assert_close(a[:, :, :2], b[:, :, :2])
    assert (a[:, :, 2:] - b[:, :, 2:]).abs().max() > 0.01


@pytest.mark.parametrize("tokens", [1, 2])
def test_samples_come_as_often_as_the_policy_says(tokens, rng):
    shape = Shape(vocabulary=3, answers=3, length=3, width=8)
    weights = initial(shape, 1, rng=rng)
    with torch.no_grad():
        weights["head"] += 0.7 * torch.randn(weights["head"].shape, generator=dice(rng))
    prompts = torch.tensor([[[0], [2]]])
    said = sample(shape, weights, prompts, 20_000, tokens, dice(rng))
    every = torch.cartesian_prod(*[torch.arange(3)] * tokens).view(-1, tokens)
    for i in range(2):
        asked = prompts[:, i : i + 1].expand(1, len(every), 1)
        chance = log_policy(shape, weights, asked, every[None]).sum(-1).exp()[0]
        assert float(chance.detach().sum()) == pytest.approx(1, abs=1e-5)
        seen = (said[0, i][:, None] == every).all(-1).float().mean(0)
        assert (seen - chance).abs().max() < 5 * math.sqrt(0.25 / 20_000)


def test_the_starting_policy_is_the_prior_over_keys(log):
    folder, _ = log(epochs=1)
    table = read(folder).to_pydict()
    first = [b for b, step in zip(table["target_surprisal"], table["step"], strict=True) if step == 0]
    assert first == pytest.approx([2.0] * len(first), abs=1e-6)


@pytest.mark.parametrize("method", ["sft", "rejection", "grpo", "rloo", 0.0])
@pytest.mark.parametrize("learner", ["tabular", "transformer"])
def test_the_key_is_learnt_whatever_the_method(learner, method, log):
    rate = 0.5 if learner == "tabular" else 0.01
    folder, cost = log(learner=learner, method=method, epochs=30, rate=rate, k=8)
    assert LedgerLine("ledger.held_key_bits")(folder).value > 1.7
    assert LedgerLine("ledger.received_key_bits")(folder).value == pytest.approx(2.0, abs=1e-9)
    rows = read(folder)
    labels = sum(x is True for x in rows["shown"].to_pylist())
    assert labels == (30 * 8 * 6 if method == "sft" else 0)
    assert cost.rollouts == labels + sum(r is not None for r in rows["reward"].to_pylist())


def test_the_audit_reads_the_runs(log):
    folder, _ = log(epochs=30, rate=0.01)
    found = audit(folder).to_dict()
    assert found["counts"]["prompts"]["value"] == 48 and found["ledger"]["absorbed_bits"]["value"] > 0.5
    assert not found["counts"]["rollouts"]["reason"]


def test_runs_repeat_to_the_last_bit(log):
    (a, one), (b, other), (c, _) = log(3), log(3), log(4)
    assert one == other
    assert read(a).drop(["run"]).equals(read(b).drop(["run"])) and not read(a).equals(read(c))


@pytest.mark.parametrize("changes", [{"prompts": BATCH + 1}, {"learner": "oracle"}])
def test_mistakes_are_messages(changes, log):
    with pytest.raises(InputError, match="want"):
        log(**changes)


def test_the_claim_names_visits_as_the_trainer_makes_them(log):
    """The step of a visit is when every prompt has had so many updates."""
    folder, _ = log(prompts=16, epochs=3)
    table = read(folder)
    now = [s for s in set(table["step"].to_pylist()) if s <= visits(2)]
    assert len(now) == 3 * 16 / BATCH


def test_a_quick_look_at_some_cases_agrees_with_theory():
    some = replace(CLAIM, cases=CLAIM.cases[:5])
    assert check(some, seed=5).summary() == {"outcome": "holds", "theory": "holds", "rival": "refuted"}


@pytest.fixture(scope="module")
def steep(tmp_path_factory):
    """Runs of a table that GRPO teaches in steep steps: what T2 measures its first cases in."""
    case = next(c for c in CLAIM.cases if c.name == "table, GRPO: received in 8 rollouts")
    [arm] = CLAIM.arms(case)
    place = tmp_path_factory.mktemp("steep")
    for number in range(3):
        folder = place / arm.name / f"{number:03d}"
        folder.mkdir(parents=True)
        arm.train(replace(arm.settings, epochs=6), folder, np.random.default_rng(number))
    return place


def outcomes(place):
    """How the theory fares in the cases whose runs are there."""
    found = {}
    for case in CLAIM.cases:
        if case.name.startswith("table, GRPO: ") and "rollouts" in case.name and "held" not in case.panel:
            [arm] = CLAIM.arms(case)
            if (place / arm.name).is_dir():
                found[case.name] = compare(case.signal(place), CLAIM.formulas(case)[0], CLAIM.tolerance)
    return found


def test_the_theory_holds_in_the_first_cases(steep):
    found = outcomes(steep)
    assert len(found) == 4 and set(found.values()) == {"holds"}


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("held", lambda keys: -keys.last_bits),  # without its prior
        ("held", lambda keys: 2 * (math.log2(keys.alphabet) - keys.last_bits)),
        ("received", lambda keys: np.log2(keys.ruled_out + 1.0)),  # bits of the answers tried, not of the key
        ("received", lambda keys: np.full(keys.start.size, 8 * 0.337)),  # h(1/16) a rollout
    ],
)
def test_a_line_that_is_wrong_turns_a_verdict_red(line, wrong, steep, monkeypatch):
    monkeypatch.setattr(KnownKeys, line, property(wrong))
    assert "refuted" in outcomes(steep).values()
