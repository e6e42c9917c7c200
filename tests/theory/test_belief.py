"""Beliefs that are updated rollout by rollout, against Bayes' rule over all answers each time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import entr

from bitrate.errors import InputError
from bitrate.theory import (
    ExactMatchBelief,
    NoisyMatchBelief,
    group_information,
    noisy_outcome_information,
    outcome_information,
)


def entropy(p: np.ndarray) -> float:
    """Bits."""
    return float(entr(p).sum() / math.log(2))


def test_ten_thousand_steps_do_not_drift(rng: np.random.Generator) -> None:
    prior = rng.dirichlet(np.full(20_000, 0.5))
    belief, posterior = ExactMatchBelief(prior), prior.copy()
    worst = 0.0
    order = rng.permutation(prior.size)[:10_000]
    for step, answer in enumerate(order):
        belief.observe(int(answer), correct=False)
        posterior[answer] = 0.0
        if step % 100 == 0 or step > 9_900:
            worst = max(worst, abs(belief.entropy - entropy(posterior / posterior.sum())))
    assert worst <= 1e-11


def test_a_noisy_verifier_against_bayes_rule(rng: np.random.Generator) -> None:
    prior, flip = rng.dirichlet(np.ones(40)), 0.2
    belief, posterior = NoisyMatchBelief(prior, flip), prior.copy()
    target, worst = int(rng.integers(40)), 0.0
    for _ in range(10_000):
        answer = int(rng.integers(40))
        said = bool((answer == target) ^ (rng.random() < flip))
        belief.observe(answer, said)
        likelihood = np.where(np.arange(40) == answer, said, not said)
        posterior *= np.where(likelihood, 1 - flip, flip)
        posterior /= posterior.sum()
        worst = max(worst, abs(belief.entropy - entropy(posterior)))
    assert worst <= 1e-11
    assert belief.probability(target) == pytest.approx(1.0)


def test_information_is_the_mean_of_what_outcomes_resolve(rng: np.random.Generator) -> None:
    prior, policy, flip = rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(5)), 0.1
    noiseless = noisy = 0.0
    for answer in range(5):
        for correct in (True, False):
            right = prior[answer] if correct else 1 - prior[answer]
            noiseless += policy[answer] * right * ExactMatchBelief(prior).observe(answer, correct)
            seen = right * (1 - flip) + (1 - right) * flip
            noisy += policy[answer] * seen * NoisyMatchBelief(prior, flip).observe(answer, correct)
    assert noiseless == pytest.approx(outcome_information(prior, policy))
    assert ExactMatchBelief(prior).information(policy) == pytest.approx(noiseless)
    assert noisy == pytest.approx(float(policy @ noisy_outcome_information(prior, flip)))
    assert NoisyMatchBelief(prior, flip).information(policy) == pytest.approx(noisy)


def test_a_group_is_the_sum_of_its_rollouts_by_the_chain_rule() -> None:
    """I(K rollouts; S) as the sum of each rollout's information given those before it, every history written out."""
    prior, policy = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])

    def rest(history: list[tuple[int, bool]], k: int) -> float:
        belief = ExactMatchBelief(prior)
        for answer, correct in history:
            belief.observe(answer, correct)
        total = belief.information(policy)
        if k == 1:
            return total
        for answer in range(4):
            right = belief.probability(answer)
            for correct, chance in ((True, right), (False, 1 - right)):
                if chance > 0:
                    total += policy[answer] * chance * rest([*history, (answer, correct)], k - 1)
        return total

    assert rest([], 3) == pytest.approx(group_information(prior, policy, 3))


def test_tries_without_replacement_add_up_to_the_whole_answer() -> None:
    """S3.5: the sum of E h over the tries is log2 V."""
    n, total, alive = 16, 0.0, 1.0
    belief = ExactMatchBelief(np.full(n, 1 / n))
    for answer in range(n - 1):
        total += alive * belief.information(np.eye(n)[answer])
        alive *= 1 - belief.probability(answer)
        belief.observe(answer, correct=False)
    assert total == pytest.approx(math.log2(n))
    assert belief.entropy == pytest.approx(0.0, abs=1e-12)


def test_what_cannot_be_is_an_error() -> None:
    belief = ExactMatchBelief([0.5, 0.25, 0.25])
    belief.observe(0, correct=False)
    assert belief.observe(0, correct=False) == 0.0
    with pytest.raises(InputError, match="answer = 0 was said to be right"):
        belief.observe(0, correct=True)
    belief.observe(1, correct=True)
    assert belief.entropy == 0.0
    with pytest.raises(InputError, match="every other answer"):
        belief.observe(1, correct=False)
    assert belief.probability(1) == 1.0 and belief.entropy == 0.0  # a refused observation leaves no trace
    with pytest.raises(InputError, match=r"answer = 1\.5"):
        belief.observe(1.5, correct=False)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="answer = 7"):
        belief.probability(7)
    with pytest.raises(InputError, match="flip = 0"):
        NoisyMatchBelief([1.0], 0.0)
