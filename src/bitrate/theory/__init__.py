"""Exact information of channels: pure, vectorised functions on NumPy arrays, in bits."""

from bitrate.theory.belief import ExactMatchBelief, NoisyMatchBelief
from bitrate.theory.distillation import (
    SampledLabel,
    distillation_capacity,
    distillation_information,
    sampled_information,
    teacher_information,
    top_k_information,
)
from bitrate.theory.entropy import beta_mean_entropy, binary_entropy, noisy_outcome_information
from bitrate.theory.exact_match import (
    best_policy_for_tries,
    distinct_answers,
    expected_tries,
    group_bound,
    group_information,
    group_information_given_distinct,
    outcome_information,
    tries_without_replacement,
)
from bitrate.theory.good_set_belief import GoodSetBelief
from bitrate.theory.good_sets import (
    coupon_collector,
    expected_rollouts,
    fixed_set_positive_example,
    fixed_set_rollout,
    good_set_distinct_rollouts,
    good_set_first_step,
    good_set_positive_example,
    good_set_update_no_baseline,
    rejection_sampling_information,
)
from bitrate.theory.graded import (
    UnitTestInformation,
    entropy,
    gaussian_reward_information,
    quantised_gaussian_information,
    quantised_reward_bound,
    unit_test_information,
)
from bitrate.theory.gradients import gradient_snr, group_gradient_snr, label_gradient_snr, success_advantage
from bitrate.theory.groups import dead_group_probability, group_normalised_information
from bitrate.theory.labels import label_information, mutual_information, sampled_guess_information, surprisal
from bitrate.theory.pass_rates import group_entropy, pass_rate_information
from bitrate.theory.preferences import preference_information, skill_information
from bitrate.theory.regularised import (
    kl_divergence,
    regularised_information_bound,
    regularised_pass_rate,
    regularised_policy,
    sample_information,
)
from bitrate.theory.scaling import decade_cost, policy_gradient_time, power_law_cost
from bitrate.theory.tokens import first_error_information, terminal_information, token_capacity, token_information
from bitrate.theory.updates import update_information, verifier_information

__all__ = [
    "ExactMatchBelief",
    "GoodSetBelief",
    "NoisyMatchBelief",
    "SampledLabel",
    "UnitTestInformation",
    "best_policy_for_tries",
    "beta_mean_entropy",
    "binary_entropy",
    "coupon_collector",
    "dead_group_probability",
    "decade_cost",
    "distillation_capacity",
    "distillation_information",
    "distinct_answers",
    "entropy",
    "expected_rollouts",
    "expected_tries",
    "first_error_information",
    "fixed_set_positive_example",
    "fixed_set_rollout",
    "gaussian_reward_information",
    "good_set_distinct_rollouts",
    "good_set_first_step",
    "good_set_positive_example",
    "good_set_update_no_baseline",
    "gradient_snr",
    "group_bound",
    "group_entropy",
    "group_gradient_snr",
    "group_information",
    "group_information_given_distinct",
    "group_normalised_information",
    "kl_divergence",
    "label_gradient_snr",
    "label_information",
    "mutual_information",
    "noisy_outcome_information",
    "outcome_information",
    "pass_rate_information",
    "policy_gradient_time",
    "power_law_cost",
    "preference_information",
    "quantised_gaussian_information",
    "quantised_reward_bound",
    "regularised_information_bound",
    "regularised_pass_rate",
    "regularised_policy",
    "rejection_sampling_information",
    "sample_information",
    "sampled_guess_information",
    "sampled_information",
    "skill_information",
    "success_advantage",
    "surprisal",
    "teacher_information",
    "terminal_information",
    "token_capacity",
    "token_information",
    "top_k_information",
    "tries_without_replacement",
    "unit_test_information",
    "update_information",
    "verifier_information",
]
