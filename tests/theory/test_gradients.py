"""Signal to noise against the mean and variance of the enumerated gradient."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitrate.errors import InputError
from bitrate.lab.worlds.learners import advantages
from bitrate.theory.gradients import gradient_snr, group_gradient_snr, label_gradient_snr, success_advantage


def enumerated_snr(chance, gradients):
    mean = chance @ gradients
    return (mean**2).sum() / (chance @ ((gradients - mean) ** 2).sum(1))


@given(st.floats(0.01, 0.99), st.floats(-2, 2), st.integers(1, 6))
def test_policy_gradient_snr_is_that_of_the_enumerated_gradient(p, baseline, others):
    policy = np.r_[p, np.full(others, (1 - p) / others)]
    reward = np.arange(others + 1) == 0
    gradients = (reward - baseline)[:, None] * (np.eye(others + 1) - policy)
    noise = p * (1 - p - baseline) ** 2 + baseline**2 * (others - 1) / (others + 1)
    if noise > 1e-6:  # below, the enumerated variance is rounding
        expected = enumerated_snr(policy, gradients)
        assert gradient_snr(p, baseline, others) == pytest.approx(expected, rel=1e-6, abs=0)


@given(st.floats(1e-9, 1 - 1e-9), st.integers(1, 1000))
def test_claim_s3_8_without_a_baseline(p, others):
    assert gradient_snr(p, others=others) == pytest.approx(p / (1 - p), rel=1e-6, abs=0)


@pytest.mark.parametrize("others", [1, 2, 100])
def test_claim_s3_8_with_the_mean_reward_as_baseline_the_snr_vanishes_at_both_ends(others):
    near = 1 - 10.0 ** -np.arange(2, 9)
    high, low = gradient_snr(near, near, others), gradient_snr(1 - near, 1 - near, others)
    assert (np.diff(high) < 0).all() and high[-1] < 1e-7
    assert (np.diff(low) < 0).all() and low[-1] < 1e-7


def test_two_answers_have_a_baseline_without_noise():
    assert gradient_snr(0.25, 0.75) == np.inf
    assert gradient_snr(0.25, 0.75, others=2) < 1


@pytest.mark.parametrize("advantage", ["rloo", "grpo", 0.0, 0.3, -1.0])
@pytest.mark.parametrize(("right", "wrong", "k"), [(1, 1, 2), (1, 3, 4), (2, 2, 4), (3, 1, 3), (2, 3, 3), (1, 1, 6)])
def test_claim_s1_18_group_snr_is_that_of_the_enumerated_gradient(right, wrong, k, advantage):
    """Every sequence of K answers, with the advantages that the lab's trainer computes."""
    for p in (0.03, 0.4, 0.9):
        policy = np.r_[np.full(right, p / right), np.full(wrong, (1 - p) / wrong)]
        groups = np.array(list(product(range(right + wrong), repeat=k)))
        weight = advantages(groups < right, advantage)
        gradients = (weight[:, :, None] * (np.eye(right + wrong)[groups] - policy)).mean(axis=1)
        expected = enumerated_snr(np.prod(policy[groups], axis=1), gradients)
        assert group_gradient_snr(p, k, advantage, right, wrong) == pytest.approx(expected, rel=1e-9)


def test_claim_s1_18_one_rollout_is_the_gradient_of_one_rollout():
    p = np.array([[0.1, 0.5], [0.7, 0.99]])
    for baseline in (0.0, 0.2, 1.0):
        one = gradient_snr(p, baseline, others=4)
        assert group_gradient_snr(p, 1, baseline, wrong=4) == pytest.approx(one)
        assert group_gradient_snr(p, 8, baseline, wrong=4) == pytest.approx(8 * one)
    assert group_gradient_snr(0.25, 3, 0.75) == np.inf  # as without a group


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_claim_s3_9_label_gradient_snr_is_that_of_the_enumerated_gradient(seed, size):
    q, pi = np.random.default_rng(seed).dirichlet(np.ones(size), size=2)
    assert label_gradient_snr(q, pi) == pytest.approx(enumerated_snr(q, np.eye(size) - pi), rel=1e-9)


def test_claim_s3_9_the_signal_vanishes_and_the_noise_stays():
    q, start = np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.1, 0.8])
    snr = label_gradient_snr(q, np.array([q + (start - q) * x for x in (1, 0.1, 0.01, 0)]))
    assert snr[:3].tolist() == pytest.approx([snr[0], snr[0] / 100, snr[0] / 10000])
    assert snr[3] == 0
    assert label_gradient_snr([0.0, 1.0], [1 - 1e-6, 1e-6]) == np.inf


@given(st.floats(0.01, 0.99), st.integers(2, 200))
def test_claim_s1_3_success_advantages_are_the_standardised_reward(p, n):
    rewards = np.arange(n) < max(1, min(n - 1, round(p * n)))
    mean = rewards.mean()
    assert success_advantage(mean, "reinforce") == pytest.approx(1 - mean)
    assert success_advantage(mean, "grpo") == pytest.approx((1 - mean) / rewards.std())


def test_a_success_that_never_happens_has_no_finite_standardised_advantage():
    assert success_advantage([0.0, 1.0], "grpo").tolist() == [np.inf, 0.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gradient_snr(0.0), "p = 0; want finite numbers above 0"),
        (lambda: gradient_snr(1.0), "1 - p = 0; want finite numbers above 0"),
        (lambda: gradient_snr(1.5), r"p = 1.5; want probabilities in \[0, 1\]"),
        (lambda: gradient_snr(0.5, np.nan), "baseline = nan; want finite numbers"),
        (lambda: gradient_snr(0.5, 0.0, 0), "others = 0; want whole numbers, 1 or more"),
        (lambda: group_gradient_snr(1.0, 4, "rloo"), "1 - p = 0; want finite numbers above 0"),
        (lambda: group_gradient_snr(0.5, 1, "rloo"), "k = 1 with advantage 'rloo'; want 2 rollouts or more"),
        (lambda: group_gradient_snr(0.5, 4, "ppo"), "advantage = 'ppo'; want 'rloo', 'grpo' or a baseline"),
        (lambda: label_gradient_snr([0.5, 0.5], [0.2, 0.3, 0.5]), "policy has 3 labels; want 2"),
        (lambda: label_gradient_snr([0.0, 1.0], [0.0, 1.0]), "policy = target"),
        (lambda: label_gradient_snr([0.5, 0.6], [0.5, 0.5]), "target"),
        (lambda: success_advantage(0.5, "ppo"), "method = 'ppo'; want 'reinforce' or 'grpo'"),
    ],
)
def test_what_has_no_answer_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
