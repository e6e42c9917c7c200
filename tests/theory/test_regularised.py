"""The KL-regularised optimum against numerical search, and its information bound against enumeration of good sets."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitrate.errors import InputError
from bitrate.theory.good_sets import good_set_positive_example
from bitrate.theory.labels import mutual_information
from bitrate.theory.regularised import (
    kl_divergence,
    regularised_information_bound,
    regularised_pass_rate,
    regularised_policy,
    sample_information,
)

seeds = st.integers(0, 2**32 - 1)
weights = st.floats(1e-3, 1e3)


def nonempty_sets(n):
    return np.array([s for s in product((0, 1), repeat=n) if any(s)])


def entropy(chance):
    return -(chance[chance > 0] * np.log2(chance[chance > 0])).sum()


@given(st.floats(1e-6, 1 - 1e-6), st.floats(0.05, 100))
def test_the_pass_rate_is_the_formula(p, beta):
    tilted = p * np.exp(1 / beta)
    assert regularised_pass_rate(p, beta) == pytest.approx(tilted / (tilted + 1 - p), rel=1e-9)


@pytest.mark.parametrize("beta", [5e-324, 1e-308, 1e-12, 1e-3])
def test_a_vanishing_penalty_leaves_the_limit(beta):
    assert regularised_pass_rate([0, 1e-9, 0.5, 1], beta).tolist() == [0, 1, 1, 1]
    assert regularised_policy([0.5, 0.3, 0.2, 0], [0, 1, 1, 9], beta).tolist() == pytest.approx([0, 0.6, 0.4, 0])


@given(st.floats(0, 1))
def test_a_heavy_penalty_leaves_the_reference(p):
    assert regularised_pass_rate(p, 1e9) == pytest.approx(p, abs=1e-9)


@given(seeds, st.floats(0.05, 10))
def test_no_other_policy_does_better(seed, beta):
    """The objective E r - beta KL, KL in nats, falls by exactly beta KL(other || optimum)."""
    rng = np.random.default_rng(seed)
    reference, reward, other = rng.dirichlet(np.ones(5)), rng.normal(size=5), rng.dirichlet(np.ones(5))

    def objective(policy):
        return policy @ reward - beta * np.log(2) * kl_divergence(policy, reference)

    best = regularised_policy(reference, reward, beta)
    lost = objective(best) - objective(other)
    assert lost == pytest.approx(beta * np.log(2) * kl_divergence(other, best), rel=1e-9, abs=1e-9)
    assert lost >= 0


@given(seeds, weights)
def test_the_pass_rate_of_the_policy_is_the_pass_rate(seed, beta):
    rng = np.random.default_rng(seed)
    reference, good = rng.dirichlet(np.ones(6)), rng.integers(0, 2, 6)
    policy = regularised_policy(reference, good, beta)
    p = min(reference @ good, 1.0)
    assert policy.sum() == pytest.approx(1, abs=1e-12)
    assert policy @ good == pytest.approx(regularised_pass_rate(p, beta), abs=1e-12)
    for kind in (0, 1):  # within the good set, and within the bad one, the proportions of the reference stay
        assert policy[good == kind] * reference[good == kind].sum() == pytest.approx(
            reference[good == kind] * policy[good == kind].sum(), abs=1e-12
        )


@given(seeds)
def test_without_a_penalty_the_optimum_is_uniform_over_the_good_set(seed):
    """Claims S0.1 and S0.2, the limit beta -> 0 from a uniform policy."""
    good = np.random.default_rng(seed).integers(0, 2, 6)
    good[0] = 1
    assert regularised_policy(np.full(6, 1 / 6), good, 1e-4) == pytest.approx(good / good.sum(), abs=1e-12)


@given(seeds, weights)
@settings(max_examples=50)
def test_a_sample_carries_at_most_the_divergence_from_the_reference(seed, beta):
    """Claim S0.11 on every good set; the two differ by the divergence of the mean policy from the reference."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    sets = nonempty_sets(n)
    prior, reference = rng.dirichlet(np.full(len(sets), 0.3)), rng.dirichlet(np.ones(n))
    policies = regularised_policy(reference, sets, beta)
    bits, bound = sample_information(prior, policies), regularised_information_bound(prior, policies, reference)
    joint = prior[:, None] * policies
    assert bits == pytest.approx(mutual_information(joint / joint.sum()), abs=1e-12)
    assert bits <= bound + 1e-12
    assert bound - bits == pytest.approx(kl_divergence(prior @ policies, reference), abs=1e-12)
    assert bits <= min(entropy(prior), np.log2(n)) + 1e-12  # S1.16: the penalty changes the rate, not the cap
    assert bound <= prior @ np.log2(1 / (sets @ reference).clip(max=1)) + 1e-12  # the limit beta -> 0


@pytest.mark.parametrize(("n", "size", "beta"), [(6, 1, 0.5), (6, 3, 0.2), (5, 4, 2.0)])
def test_the_bound_is_met_when_the_trained_policies_average_to_the_reference(n, size, beta):
    """Sets of one size and a uniform reference; then both are the divergence of two coins."""
    sets = nonempty_sets(n)
    sets = sets[sets.sum(1) == size]
    prior, reference = np.full(len(sets), 1 / len(sets)), np.full(n, 1 / n)
    policies = regularised_policy(reference, sets, beta)
    p, after = size / n, float(regularised_pass_rate(size / n, beta))
    coins = kl_divergence([after, 1 - after], [p, 1 - p])
    assert sample_information(prior, policies) == pytest.approx(coins, abs=1e-12)
    assert regularised_information_bound(prior, policies, reference) == pytest.approx(coins, abs=1e-12)


def test_the_bound_is_strict_when_they_do_not():
    sets, reference = nonempty_sets(3), np.array([0.6, 0.3, 0.1])
    prior = np.full(len(sets), 1 / len(sets))
    policies = regularised_policy(reference, sets, 0.5)
    gap = regularised_information_bound(prior, policies, reference) - sample_information(prior, policies)
    assert gap > 0.01


@pytest.mark.parametrize(("n", "alpha"), [(4, 0.5), (5, 0.2)])
def test_a_sample_without_a_penalty_is_a_positive_example(n, alpha):
    """Claims S0.5 and S0.11 meet at beta -> 0."""
    sets = nonempty_sets(n)
    prior = alpha ** sets.sum(1) * (1 - alpha) ** (n - sets.sum(1))
    policies = regularised_policy(np.full(n, 1 / n), sets, 1e-4)
    bits = sample_information(prior / prior.sum(), policies)
    assert bits == pytest.approx(good_set_positive_example(n, alpha), abs=1e-12)


@given(seeds)
def test_divergence_is_not_negative_and_zero_for_equals(seed):
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.ones(6), size=(2, 3))
    both = p * np.log2(p / q)
    assert kl_divergence(p, q) == pytest.approx(both.sum(-1), abs=1e-12)
    assert (kl_divergence(p, q) >= 0).all()
    assert kl_divergence(p, p).tolist() == [0, 0, 0]


def test_targets_of_probability_zero_do_not_count():
    policies = [[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 1]]
    assert sample_information([0.5, 0.5, 0], policies) == 0
    assert regularised_information_bound([0.5, 0.5, 0], policies, [0.5, 0.5, 0]) == 0
    assert regularised_information_bound([0.5, 0, 0.5], policies, [0.5, 0.5, 0]) == np.inf


def test_impossible_inputs_are_refused():
    with pytest.raises(InputError, match="beta = 0; want finite numbers above 0"):
        regularised_pass_rate(0.5, 0)
    with pytest.raises(InputError, match="beta = -1; want finite numbers above 0"):
        regularised_policy([0.5, 0.5], [0, 1], -1)
    with pytest.raises(InputError, match="reward = inf; want finite numbers"):
        regularised_policy([0.5, 0.5], [0, np.inf], 1)
    with pytest.raises(InputError, match="reference"):
        regularised_policy([0.5, 0.4], [0, 1], 1)
    with pytest.raises(InputError, match=r"policies has shape \(1, 2\); want one row for each of 2 elements of prior"):
        sample_information([0.5, 0.5], [[0.5, 0.5]])
    with pytest.raises(InputError, match=r"reference has shape \(3,\); want \(2,\)"):
        regularised_information_bound([1.0], [[0.5, 0.5]], [0.5, 0.5, 0])
