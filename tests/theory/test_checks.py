"""What is no number is refused by every function of the theory, and no number makes one hang, crash or go below 0."""

import math

import numpy as np
import pytest

from bitrate import theory
from bitrate.errors import InputError
from bitrate.theory import checks

HALF, TABLE = [0.5, 0.5], [[1.0, 0.0], [0.0, 1.0]]
#: Arguments that each function takes.
SAMPLES = {
    "ExactMatchBelief": (HALF,), "GoodSetBelief": (4, 0.5), "NoisyMatchBelief": (HALF, 0.1),
    "best_policy_for_tries": (HALF,), "beta_mean_entropy": (1.0, 2.0), "binary_entropy": (0.3,),
    "coupon_collector": (3,), "dead_group_probability": (0.3, 4), "decade_cost": (0.01, 1.0, 1.0),
    "distillation_capacity": (10, 4.0), "distillation_information": (HALF, HALF), "distinct_answers": (4, 3),
    "entropy": (HALF,), "expected_rollouts": (0.5,), "expected_tries": (HALF, HALF),
    "first_error_information": (0.5, 3), "fixed_set_positive_example": (8, 2), "fixed_set_rollout": (8, 2),
    "gaussian_reward_information": (1.0,), "good_set_distinct_rollouts": (3, 0.5), "good_set_first_step": (3, 0.5),
    "good_set_positive_example": (3, 0.5), "good_set_update_no_baseline": (3, 0.5), "gradient_snr": (0.5, 0.1, 2),
    "group_bound": (3, 1, 2), "group_entropy": (1.0, 2.0, 3), "group_gradient_snr": (0.5, 4, 0.3, 2, 2),
    "group_information": (HALF, HALF, 3),
    "group_information_given_distinct": (4, 2), "group_normalised_information": (0.3, 4),
    "kl_divergence": (HALF, HALF), "label_gradient_snr": (HALF, [0.3, 0.7]), "label_information": (0.3, 3),
    "mutual_information": ([[0.25, 0.25], [0.25, 0.25]],), "noisy_outcome_information": (0.3, 0.1),
    "outcome_information": (HALF, HALF), "pass_rate_information": (1.0, 2.0, 3), "policy_gradient_time": (0.3, 0.4),
    "power_law_cost": (0.3, 1.0, 1.0), "preference_information": (1.0,), "quantised_gaussian_information": (1.0, 3),
    "quantised_reward_bound": (3,), "regularised_information_bound": (HALF, TABLE, HALF),
    "regularised_pass_rate": (0.3, 1.0), "regularised_policy": (HALF, [0.0, 1.0], 1.0),
    "rejection_sampling_information": (0.3,), "sample_information": (HALF, TABLE),
    "sampled_guess_information": (0.3, 3),
    "sampled_information": (HALF, HALF), "skill_information": (0.3, 1.0), "success_advantage": (0.3, "grpo"),
    "surprisal": (0.3,), "teacher_information": (HALF, TABLE, 3), "terminal_information": (3, 4),
    "token_capacity": ([2, 3],), "token_information": (3, 4), "top_k_information": (HALF, HALF, 1),
    "tries_without_replacement": (3,), "unit_test_information": (3, 0.5), "update_information": (HALF, HALF, 2, 0.3),
    "verifier_information": (HALF, [[True, False], [False, True]], HALF, 2, 0.3),
}  # fmt: skip
PLACES = [(name, i) for name, sample in SAMPLES.items() for i in range(len(sample))]
NO_NUMBERS = [
    True, np.True_, np.array(True), [True, 0.5], "0.5", b"1", [0.5, "x"], [None, 0.5], np.array(["0.5", "0.5"]), 1j,
    {0.5}, [[0.5], [0.5, 0.5]], object(), np.datetime64("2026-01-01"), np.ma.masked_array([0.5, 0.5], [True, False]),
    math.nan, -math.inf, 10**400,
]  # fmt: skip
EDGES = [
    0, -0.0, 5e-324, 1e-300, 1e-18, np.nextafter(1, 0), np.float32(0.5), np.array(3), 1e6, 1e15, 1e18, 1.7e308, 2**60,
    math.inf, -1, [1, 5e-324], [5e-324, 1], [0.5, 0.5 + 1e-10], [0.5, 0.5 + 4e-13], [],
]  # fmt: skip


def call(name, place, value):
    sample = list(SAMPLES[name])
    sample[place] = value
    result = getattr(theory, name)(*sample)
    result = result.entropy if name.endswith("Belief") else result
    return np.concatenate([np.ravel(part) for part in (result if isinstance(result, tuple) else (result,))])


def test_every_function_has_a_sample():
    assert set(SAMPLES) == set(theory.__all__) - {"SampledLabel", "UnitTestInformation"}


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_what_is_no_number_is_refused(name, place):
    for value in NO_NUMBERS:
        with pytest.raises(InputError):
            call(name, place, value)


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_a_number_at_the_edge_is_refused_or_gives_a_number_that_is_not_negative(name, place):
    for value in EDGES:
        try:
            result = call(name, place, value)
        except InputError:
            continue
        assert (result >= 0).all() or name == "policy_gradient_time"


def test_a_sum_that_is_not_1_is_refused_and_rounding_is_divided_out():
    with pytest.raises(InputError, match=r"prior sums to 1\.0000000005; want 1 within 1e-12"):
        checks.distribution("prior", [0.5, 0.5 + 5e-10])
    assert checks.distribution("prior", [0.5, 0.5 + 8e-13]).sum() == pytest.approx(1, abs=3e-16)


@pytest.mark.parametrize("value", ["False", 2, None, [True, False]])
def test_a_verdict_is_true_or_false(value):
    with pytest.raises(InputError, match="correct"):
        theory.ExactMatchBelief(HALF).observe(0, value)


@pytest.mark.parametrize("value", [True, "0", 0.5, 2, -1, math.inf, [0]])
def test_an_answer_is_a_whole_number_of_one_that_there_is(value):
    with pytest.raises(InputError, match="answer"):
        theory.ExactMatchBelief(HALF).probability(value)
