"""Real gradients of a small transformer, in 32 and 16 bits: against calculus, enumeration and the tabular theory."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bitrate.errors import InputError  # noqa: E402
from bitrate.lab.claims.t1 import CLAIM, RATE, ROUNDINGS  # noqa: E402
from bitrate.lab.judge import judge  # noqa: E402
from bitrate.lab.networks.gradients import (  # noqa: E402
    Projection,
    adam_step,
    fingerprints,
    gradient_information,
    merge,
    outcomes,
)
from bitrate.lab.networks.one_token import ROUNDING, build, policy, policy_gradient, weights_after  # noqa: E402
from bitrate.theory import group_information, update_information  # noqa: E402

PRECISIONS = ("float32", "bfloat16")


def network(answers, dtype="float32", **options):
    return build(answers, rng=np.random.default_rng(7), dtype=dtype, **options)


def names(model):
    """Where each coordinate of a gradient belongs."""
    return [name for name, part in model.named_parameters() for _ in range(part.numel())]


def resolution(dtype):
    return ROUNDINGS * ROUNDING[dtype]


def kept(model, keep=lambda g: g):
    return lambda answers, advantages: keep(policy_gradient(model, answers, advantages))


def uniform(answers):
    return np.full(answers, 1 / answers)


def information(model, k, baseline, keep=lambda g: g, within=None):
    pi = policy(model)
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    within = resolution(dtype) if within is None else within
    return gradient_information(kept(model, keep), uniform(pi.size), pi, k, baseline, resolution=within)


def test_the_gradient_is_that_of_the_weighted_log_likelihood(rng):
    """Against differences of the objective, through the policy that is sampled from."""
    model = network(5, "float64", layers=2)
    answers, weight = np.array([0, 3, 3]), np.array([0.7, -0.3, 1.1])
    gradient = policy_gradient(model, answers, weight)
    for _ in range(5):
        step = rng.standard_normal(gradient.size)
        objective = []
        for sign in (1, -1):
            moved = network(5, "float64", layers=2)
            after = torch.from_numpy(weights_after(moved, sign * 1e-6 * step))
            torch.nn.utils.vector_to_parameters(after, moved.parameters())
            objective.append(weight @ np.log(policy(moved)[answers]))
        assert gradient @ step == pytest.approx((objective[0] - objective[1]) / 2e-6, rel=1e-5)


def test_the_score_has_mean_zero_and_every_part_of_the_network_takes_part():
    model = network(6, "float64")
    scores = np.array([policy_gradient(model, [t], [1.0]) for t in range(6)])
    moved = np.abs(scores).max(axis=0)
    assert np.abs(policy(model) @ scores).max() < 1e-13 * moved.max()
    assert np.linalg.matrix_rank(scores) == 5
    # All but the biases of the keys: they shift the attention to every place alike.
    still = [n for n, p in zip(names(model), moved > 1e-9 * moved.max(), strict=True) if not p]
    assert still == ["blocks.0.self_attn.in_proj_bias"] * 32


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_order_and_sums_change_a_gradient_by_rounding_only(dtype, rng):
    model = network(8, dtype)
    for _ in range(20):
        answers, weight = rng.integers(8, size=4), rng.normal(size=4)
        whole, order = policy_gradient(model, answers, weight), rng.permutation(4)
        turned = policy_gradient(model, answers[order], weight[order])
        parts = sum(policy_gradient(model, [a], [w]) for a, w in zip(answers, weight, strict=True))
        size = sum(np.linalg.norm(policy_gradient(model, [a], [w])) for a, w in zip(answers, weight, strict=True))
        assert np.linalg.norm(turned - whole) < resolution(dtype) * size
        assert np.linalg.norm(parts - whole) < resolution(dtype) * size


def test_outcomes_are_those_of_all_sequences_of_answers():
    prior, pi = np.array([0.5, 0.2, 0.3]), np.array([0.1, 0.6, 0.3])
    wanted: dict[tuple, np.ndarray] = {}
    for said in product(range(3), repeat=3):
        for target in range(3):
            key = tuple(sorted((a, float(a == target)) for a in said))
            wanted.setdefault(key, np.zeros(3))[target] += prior[target] * pi[list(said)].prod()
    found = outcomes(prior, pi, 3)
    keys = [tuple(sorted(zip(a, r, strict=True))) for a, r in zip(found.answers, found.rewards, strict=True)]
    assert len(set(keys)) == len(keys)
    table = dict(zip(keys, found.chance, strict=True))
    for key, chance in wanted.items():
        assert table.pop(key) == pytest.approx(chance, abs=1e-15)
    assert all((chance == 0).all() for chance in table.values())


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(
    ("answers", "k", "baseline"),
    [(16, 1, 0.3), (16, 1, 0.0), (16, 1, 1.0), (8, 2, "rloo"), (8, 3, "grpo"), (8, 3, 1.0), (8, 4, "grpo")],
)
def test_a_real_gradient_carries_what_the_tabular_theory_says(answers, k, baseline, dtype):
    model = network(answers, dtype)
    prior, pi = uniform(answers), policy(model)
    found = information(model, k, baseline)
    assert found.update == pytest.approx(update_information(prior, pi, k, baseline), abs=1e-6)
    seen = update_information(prior, pi, k, baseline, given_rollouts=True)
    assert found.update_given_rollouts == pytest.approx(seen, abs=1e-6)
    assert found.received == pytest.approx(group_information(prior, pi, k), abs=1e-6)
    # The network parts just what a table of logits parts, and no two updates are nearly one.
    tabular = gradient_information(lambda a, w: w @ (np.eye(answers)[a] - pi), prior, pi, k, baseline, resolution=1e-6)
    assert found.updates == tabular.updates
    assert 2 * found.widest < resolution(dtype) < found.narrowest / 2


@pytest.mark.parametrize(
    ("answers", "k", "baseline", "bits"),
    [
        (16, 1, 0.3, 0.3373), (16, 1, 0.0, 0.2500), (16, 1, 1.0, 0.0873),
        (8, 4, "grpo", 1.2407), (8, 4, 0.3, 1.6852),
    ],
)  # fmt: skip
def test_published_figures_at_a_network_that_knows_nothing(answers, k, baseline, bits):
    """S1.15 has a uniform policy: a head with small weights comes near it."""
    found = information(network(answers, sharpness=1e-3), k, baseline)
    assert found.update == pytest.approx(bits, abs=5e-5)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_rounding_alone_adds_no_bits(dtype):
    """Merging nothing but equal bits parts updates that are one, but those are of one right answer."""
    model = network(8, dtype)
    merged, raw = information(model, 3, "rloo"), information(model, 3, "rloo", within=0.0)
    assert raw.updates > merged.updates
    assert raw.update == pytest.approx(merged.update, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_the_update_carries_no_more_than_the_feedback(seed):
    rng = np.random.default_rng(seed)
    model = build(5, rng=rng, dtype=PRECISIONS[seed % 2])
    weird = rng.normal(size=2)
    found = gradient_information(
        kept(model), rng.dirichlet(np.ones(5)), policy(model), 2, lambda r: weird[0] + r * weird[1], resolution=0.0
    )
    assert 0 < found.update <= found.update_given_rollouts + 1e-12 <= found.received + 2e-12


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(("answers", "k", "baseline"), [(16, 1, 0.3), (16, 1, 0.0), (8, 2, "grpo"), (8, 3, 0.0)])
def test_adam_keeps_the_bits_from_moments_of_zero_and_of_a_run(answers, k, baseline, dtype, rng):
    model = network(answers, dtype)
    plain = information(model, k, baseline)
    size = policy_gradient(model, [0], [1.0]).size
    first, second = rng.normal(0, 0.01, size), rng.chisquare(1, size) * 1e-4
    for keep in (adam_step, lambda g: adam_step(g, first, second, 10)):
        assert information(model, k, baseline, keep, 0.0).update == pytest.approx(plain.update, abs=1e-6)


def test_adam_erases_what_only_the_size_tells_and_coarse_weights_make_it_final():
    """Rewards of 1 and 2 and no baseline: the sign of the gradient is that of the answer, right or wrong."""
    assert adam_step([3.0, -2.0], epsilon=0.0).tolist() == adam_step([6.0, -4.0], epsilon=0.0).tolist()
    for dtype, bits in (("float32", 0.3373), ("bfloat16", 0.0)):
        model = network(16, dtype)

        def after(gradient, model=model):
            return weights_after(model, RATE * adam_step(gradient))

        assert information(model, 1, -1.0).update == pytest.approx(0.3373, abs=5e-5)
        assert information(model, 1, -1.0, after, 0.0).update == pytest.approx(bits, abs=5e-5)
        assert information(model, 1, 0.3, after, 0.0).update == pytest.approx(0.3373, abs=5e-5)


def test_adam_is_the_optimiser_of_torch(rng):
    weights = torch.nn.Parameter(torch.zeros(20, dtype=torch.float64))
    adam = torch.optim.Adam([weights], lr=1.0)
    mean, square = np.zeros(20), np.zeros(20)
    for step in range(4):
        gradient, before = rng.normal(size=20), weights.detach().numpy().copy()
        weights.grad = torch.from_numpy(gradient)
        adam.step()
        wanted = before - weights.detach().numpy()
        assert adam_step(gradient, mean, square, step) == pytest.approx(wanted, rel=1e-9)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(("answers", "k", "baseline"), [(16, 1, 1.0), (8, 2, 0.0), (8, 3, "grpo")])
def test_a_few_random_directions_see_the_same_bits(answers, k, baseline, dtype, rng):
    model = network(answers, dtype)
    whole, seen = information(model, k, baseline), information(model, k, baseline, Projection(24, rng=rng))
    assert seen.update == pytest.approx(whole.update, abs=1e-12)
    assert seen.updates == whole.updates


def test_a_projection_is_linear_and_keeps_lengths_on_average(rng):
    first, second = rng.normal(size=(2, 100_000))
    probe = Projection(16, rng=rng)
    assert probe(first - 2 * second) == pytest.approx(probe(first) - 2 * probe(second), abs=1e-8)
    lengths = [np.square(Projection(16, rng=rng)(first[:300])).sum() for _ in range(300)]
    assert np.mean(lengths) / np.square(first[:300]).sum() == pytest.approx(1, abs=5 * np.sqrt(2 / 16 / 300))


def test_a_fingerprint_names_the_update_and_not_the_order(rng):
    model = network(4)
    answers = rng.integers(4, size=(300, 3))
    rewards = np.asarray(answers == rng.integers(4, size=(300, 1)), float)
    found = fingerprints(kept(model), answers, rewards, "rloo", resolution=resolution("float32"))
    turned = fingerprints(kept(model), answers[:, ::-1], rewards[:, ::-1], "rloo", resolution=resolution("float32"))
    assert found.tolist() == turned.tolist()
    pull = rewards - (rewards.sum(axis=1, keepdims=True) - rewards) / 2
    logits = np.einsum("wk,wkv->wv", pull, np.eye(4)[answers] - policy(model))
    wanted = np.unique(logits.round(9) + 0.0, axis=0, return_inverse=True)[1].ravel()
    pairs = np.unique(np.stack([np.unique(found, return_inverse=True)[1], wanted]), axis=1).shape[1]
    assert pairs == np.unique(found).size == np.unique(wanted).size


def test_merging_joins_by_steps_and_tells_how_clear_it_was():
    found = merge([[0.0], [-0.0], [4e-7], [8e-7], [0.5], [1.0]], 5e-7)
    assert found.number.tolist() == [0, 0, 0, 0, 1, 2]
    assert found.widest == pytest.approx(4e-7, rel=0.1) and found.narrowest == pytest.approx(0.5, rel=1e-5)
    assert merge([[0.0], [-0.0], [4e-7]], 0.0).number.tolist() == [0, 0, 1]
    assert merge(np.zeros((3, 2)), 0.0).number.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: build(1, rng=np.random.default_rng(0)), "answers = 1"),
        (lambda: build(4, rng=np.random.default_rng(0), dtype="int8"), "dtype = 'int8'"),
        (lambda: build(4, rng=np.random.default_rng(0), sharpness=0.0), "sharpness = 0"),
        (lambda: weights_after(network(4), np.zeros(3)), "step has shape"),
        (lambda: merge([[1.0]], 1e-9), "resolution = 1e-09"),
        (lambda: merge([[np.nan]], 0.0), "want finite"),
        (lambda: outcomes(uniform(64), uniform(64), 4), "makes 766480 multisets"),
        (lambda: outcomes(uniform(4), uniform(5), 1), "want the same"),
        (lambda: fingerprints(kept(None), [0, 1], [0, 1], 0.0, resolution=0.0), "want the same"),
        (lambda: adam_step([1.0], steps=-1), "steps = -1"),
        (lambda: Projection(0, rng=np.random.default_rng(0)), "directions = 0"),
    ],
)
def test_mistakes_are_named(call, said):
    with pytest.raises(InputError, match=said):
        call()


def test_the_weights_come_from_the_generator_alone():
    state = torch.random.get_rng_state()
    one, two = network(4), network(4)
    assert torch.equal(state, torch.random.get_rng_state())
    assert policy(one).tolist() == policy(two).tolist()
    assert policy(network(4, "bfloat16")) == pytest.approx(policy(one), abs=0.02)


def test_the_claim_holds_and_its_rival_falls():
    verdict = judge(CLAIM)
    assert verdict.summary() == {"outcome": "holds", "theory": "holds", "rival": "refuted"}
    # Where the advantages erase nothing, the rival is the theory.
    fallen = {p.case for p in verdict.points if p.rival_outcome == "refuted"}
    assert fallen == {p.case for p in verdict.points if "baseline 0.3" not in p.case and "baseline .3" not in p.case}
