"""Bits of an update against plain enumeration of every target and every sequence of rollouts, in exact fractions."""

import math
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitrate.errors import InputError
from bitrate.theory.entropy import binary_entropy
from bitrate.theory.updates import update_information, verifier_information


def fractions(weights):
    return [Fraction(int(weight), int(sum(weights))) for weight in weights]


def floats(weights):
    return np.asarray(weights, dtype=float) / sum(weights)


def baseline(b):
    return lambda rewards: [r - b for r in rewards]


def rloo(rewards):
    return [r - Fraction(sum(rewards) - r, len(rewards) - 1) for r in rewards]


def grpo(rewards):
    mean, std = np.mean(np.array(rewards, dtype=float)), np.std(np.array(rewards, dtype=float))
    return [0 if std == 0 else (r - mean) / std for r in rewards]


def enumerated(prior, accepts, policy, k, seen):
    """``I(seen(rollouts, rewards); S)`` over all sequences; prior and policy in fractions, so equal means equal."""
    joint = {}
    for (s, q), rollouts in product(enumerate(prior), product(range(len(policy)), repeat=k)):
        key = seen(rollouts, [int(accepts[s][t]) for t in rollouts]), s
        joint[key] = joint.get(key, 0) + q * math.prod(policy[t] for t in rollouts)
    marginal = {}
    for (key, _), chance in joint.items():
        marginal[key] = marginal.get(key, 0) + chance
    return sum(float(p) * math.log2(p / (marginal[key] * prior[s])) for (key, s), p in joint.items() if p)


def gradient(policy, advantage):
    def seen(rollouts, rewards):
        given = advantage(rewards)
        g = [sum(a * ((t == v) - pi) for t, a in zip(rollouts, given, strict=True)) for v, pi in enumerate(policy)]
        return tuple(x if isinstance(x, int | Fraction) else round(float(x), 9) + 0.0 for x in g)

    return seen


ADVANTAGES = {
    "rloo": ("rloo", rloo),
    "grpo": ("grpo", grpo),
    "baseline 0": (0.0, baseline(0)),
    "baseline 1": (1, baseline(1)),
    "baseline 1/4": (0.25, baseline(Fraction(1, 4))),
    "function": (lambda r: r * (1 + r.sum()), lambda r: [x * (1 + sum(r)) for x in r]),
}


@pytest.mark.parametrize("name", ADVANTAGES)
@pytest.mark.parametrize("case", range(6))
def test_an_update_is_what_enumeration_of_all_sequences_says(name, case):
    rng = np.random.default_rng(case)
    v, k = int(rng.integers(2, 5)), int(rng.integers(2, 5))
    q, pi = rng.integers(0, 5, v) + (np.arange(v) == 0), rng.integers(0, 5, v) + (np.arange(v) == 1)
    option, by_hand = ADVANTAGES[name]
    seen = gradient(fractions(pi), by_hand)
    for accepts in (np.eye(v, dtype=bool), rng.random((v, v)) < 0.5):
        got = verifier_information(floats(q), accepts, floats(pi), k, option)
        assert got == pytest.approx(enumerated(fractions(q), accepts, fractions(pi), k, seen), abs=1e-12)
        with_rollouts = verifier_information(floats(q), accepts, floats(pi), k, option, given_rollouts=True)
        both = enumerated(fractions(q), accepts, fractions(pi), k, lambda t, r: (t, seen(t, r)))
        assert with_rollouts == pytest.approx(both, abs=1e-12)
        feedback = enumerated(fractions(q), accepts, fractions(pi), k, lambda t, r: (t, tuple(r)))
        assert verifier_information(floats(q), accepts, floats(pi), k) == pytest.approx(feedback, abs=1e-12)


distributions = st.lists(st.integers(0, 20), min_size=4, max_size=4).filter(any).map(floats)
verifiers = st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=4, max_size=4).map(np.array)
advantages = st.sampled_from(["grpo", "rloo"]) | st.floats(-2, 2, allow_subnormal=False)


@given(distributions, verifiers, distributions, st.integers(2, 5), advantages)
def test_each_line_of_the_ledger_is_at_most_the_line_above(prior, accepts, policy, k, advantage):
    update = verifier_information(prior, accepts, policy, k, advantage)
    with_rollouts = verifier_information(prior, accepts, policy, k, advantage, given_rollouts=True)
    feedback = verifier_information(prior, accepts, policy, k)
    target = -sum(q * math.log2(q) for q in prior if q)
    assert -1e-12 <= update <= with_rollouts + 1e-12
    assert with_rollouts <= feedback + 1e-12
    assert feedback <= min(k, target) + 1e-12


@given(distributions, verifiers, distributions, st.integers(2, 5))
def test_rloo_and_grpo_merge_the_same_updates(prior, accepts, policy, k):
    # Both sum to 0 over a group, and the sum of the positive part names {m, K - m}, hence the factor between them.
    by_rloo = verifier_information(prior, accepts, policy, k, "rloo")
    assert verifier_information(prior, accepts, policy, k, "grpo") == pytest.approx(by_rloo, abs=1e-12)


@given(distributions, distributions, st.integers(2, 5), st.floats(1e-6, 1e6))
def test_the_scale_of_the_advantage_is_no_information(prior, policy, k, scale):
    by_rloo = update_information(prior, policy, k, "rloo")
    mean = update_information(prior, policy, k, lambda r: scale * (r - r.mean()))
    assert mean == pytest.approx(by_rloo, abs=1e-12)


@given(distributions, distributions, st.integers(1, 4))
def test_with_the_rollouts_in_view_a_baseline_keeps_all_of_the_feedback(prior, policy, k):
    # A policy with one answer has no gradient.
    kept = update_information(prior, policy, k, 0.3, given_rollouts=True)
    feedback = verifier_information(prior, np.eye(4, dtype=bool), policy, k)
    assert kept == pytest.approx(0.0 if policy.max() == 1 else feedback, abs=1e-12)


@pytest.mark.parametrize(
    ("v", "k", "advantage", "bits"),
    [
        (8, 4, None, 1.6852), (8, 4, "grpo", 1.2407), (8, 4, 0.3, 1.6852),
        (16, 1, 0.3, 0.3373), (16, 1, 0, 0.2500), (16, 1, 1, 0.0873),
    ],
)  # fmt: skip
def test_the_numbers_of_claim_s1_15(v, k, advantage, bits):
    uniform = np.full(v, 1 / v)
    assert verifier_information(uniform, np.eye(v, dtype=bool), uniform, k, advantage) == pytest.approx(bits, abs=5e-5)
    if advantage is not None:
        assert update_information(uniform, uniform, k, advantage) == pytest.approx(bits, abs=5e-5)


def test_claim_s1_10_a_general_prior_and_policy():
    q, pi = [0.5, 0.3, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4]
    assert verifier_information(q, np.eye(4, dtype=bool), pi, 3) == pytest.approx(1.2492, abs=5e-5)


def independent_sets(n, alpha, least=0):
    sets = np.array([row for row in product((False, True), repeat=n) if sum(row) >= least])
    chance = alpha ** sets.sum(1) * (1 - alpha) ** (n - sets.sum(1))
    return chance / chance.sum(), sets


def test_claim_s1_9_sets_of_right_answers_pass_the_bound_of_a_single_one():
    # Four rollouts of four answers; those with 4 distinct ones carry 4 h(.3), more than log2(4 + 1).
    prior, sets = independent_sets(4, 0.3)
    n_distinct = [len(set(t)) for t in product(range(4), repeat=4)]
    expected = np.mean(n_distinct) * binary_entropy(0.3)
    assert verifier_information(prior, sets, np.full(4, 0.25), 4) == pytest.approx(expected, abs=1e-12)
    assert 4 * binary_entropy(0.3) == pytest.approx(3.53, abs=5e-3)


def test_claim_s0_3_the_first_step_of_the_joke_model():
    prior, sets = independent_sets(10, 0.5)
    assert verifier_information(prior, sets, np.full(10, 0.1), 1, 0.0) == pytest.approx(0.5383, abs=5e-5)
    assert verifier_information(prior, sets, np.full(10, 0.1), 1) == pytest.approx(1.0, abs=1e-12)
    prior, sets = independent_sets(2, 0.2, least=1)
    assert verifier_information(prior, sets, [0.5, 0.5], 1) == pytest.approx(0.9911, abs=5e-5)


def test_claim_s1_12_a_kept_success_is_a_positive_example_of_the_set():
    # {1,2} or {1,3} of 4: half of the rollouts succeed, and a success carries 0.5 bits, not log2(1/alpha) = 1.
    sets = np.array([[True, True, False, False], [True, False, True, False]])
    assert verifier_information([0.5, 0.5], sets, np.full(4, 0.25), 1, 0.0) == pytest.approx(0.5 * 0.5, abs=1e-12)


def test_a_verifier_that_ignores_the_target_says_nothing():
    for advantage in (None, "grpo", 0.3):
        accepts = np.tile([True, False, True], (5, 1))
        assert verifier_information(np.full(5, 0.2), accepts, [0.2, 0.3, 0.5], 3, advantage) == 0.0


def test_equal_updates_on_a_rounding_boundary_are_one_update():
    # In units of the advantage, coordinates such as 1 / 2^11 lie halfway between multiples of 1e-10.
    policy = np.r_[np.full(4, 2.0**-11), 1 - 2.0**-9]
    uniform = np.full(5, 0.2)
    exact = enumerated([Fraction(1, 5)] * 5, np.eye(5), list(map(Fraction, policy)), 3, gradient(
        list(map(Fraction, policy)), baseline(Fraction(1, 2))
    ))  # fmt: skip
    assert update_information(uniform, policy, 3, 0.5) == pytest.approx(exact, abs=1e-12)


def test_the_policy_is_taken_off_every_rollout():
    # At baseline -1/3 three wrong rollouts of answer t make e_t - policy, and so do one right t and two wrong others.
    third = [Fraction(1, 3)] * 3
    exact = enumerated(third, np.eye(3), third, 3, gradient(third, baseline(Fraction(-1, 3))))
    assert update_information(floats([1, 1, 1]), floats([1, 1, 1]), 3, -1 / 3) == pytest.approx(exact, abs=1e-12)
    assert update_information([0.3, 0.7], [1.0, 0.0], 2, 0.3, given_rollouts=True) == 0.0  # no gradient to follow


def test_large_groups_of_few_answers_do_not_underflow():
    got = verifier_information([0.5, 0.5], np.eye(2, dtype=bool), [0.999, 0.001], 1500)
    assert got == pytest.approx(1.0, abs=1e-9)  # one rollout of either answer decides
    accepts = np.array([[False, True], [False, False]])  # only the rare answer tells
    got = verifier_information([0.5, 0.5], accepts, [0.999, 0.001], 1500)
    assert got == pytest.approx(-np.expm1(1500 * np.log(0.999)), abs=1e-9)


@pytest.mark.parametrize("k", [1, 2, 6])
def test_all_subsets_of_a_size_by_symmetry(k):
    # Ordering the targets, or splitting one in two of the same set, changes nothing.
    sets = np.array([[i in chosen for i in range(4)] for chosen in combinations(range(4), 2)])
    prior, policy = np.full(6, 1 / 6), [0.1, 0.2, 0.3, 0.4]
    twice = verifier_information(np.full(12, 1 / 12), np.r_[sets[::-1], sets], policy, k, 0.7)
    assert twice == pytest.approx(verifier_information(prior, sets, policy, k, 0.7), abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.6], [0.5, 0.5], 2, "grpo"), "prior"),
        (([0.5, 0.5], [0.5, 0.6], 2, "grpo"), "policy"),
        (([0.5, 0.5], [0.2, 0.3, 0.5], 2, "grpo"), r"accepts has shape \(2, 2\); want .* \(2, 3\)"),
        (([[0.5, 0.5]], [0.5, 0.5], 2, "grpo"), r"prior has shape \(1, 2\)"),
        (([0.5, 0.5], [0.5, 0.5], 0, "grpo"), "k = 0; want whole numbers"),
        (([0.5, 0.5], [0.5, 0.5], 1, "rloo"), "k = 1 with advantage 'rloo'; want 2"),
        (([0.5, 0.5], [0.5, 0.5], 2, "ppo"), "advantage = 'ppo'; want 'grpo'"),
        (([0.5, 0.5], [0.5, 0.5], 2, math.nan), "advantage = nan; want"),
        (([0.5, 0.5], [0.5, 0.5], 2, lambda r: r * [1, 2]), "depends on the order of the rollouts"),
        (([0.5, 0.5], [0.5, 0.5], 2, lambda r: r[:1]), "want 2 finite numbers"),
        (([0.5, 0.5], [0.5, 0.5], 17, lambda r: r), "k = 17 with a function as advantage; want 16"),
        (([1 / 64] * 64, [1 / 64] * 64, 4, "grpo"), "49054720 pairs .* want 5000000 or fewer"),
    ],
)
def test_what_cannot_be_computed_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        update_information(*arguments)


def test_accepted_answers_are_true_or_false():
    with pytest.raises(InputError, match="accepts has type float64; want True and False"):
        verifier_information([0.5, 0.5], np.eye(2), [0.5, 0.5], 1)
