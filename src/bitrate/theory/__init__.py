"""Exact information of channels: pure, vectorised functions on NumPy arrays, in bits."""

from bitrate.theory.entropy import beta_mean_entropy, binary_entropy, noisy_outcome_information
from bitrate.theory.groups import dead_group_probability, group_normalised_information

__all__ = [
    "beta_mean_entropy",
    "binary_entropy",
    "dead_group_probability",
    "group_normalised_information",
    "noisy_outcome_information",
]
