"""Estimates with intervals from counts.

Pooled figures come from :mod:`~bitrate.stats.linear` (minimax linear scores; one joinable table per functional),
single prompts from :mod:`~bitrate.stats.npmle`.
"""

from bitrate.stats.clusters import cluster_ratio, second_way, worst_clusters
from bitrate.stats.codes import Code, graded_code, population_code
from bitrate.stats.counts import distinct
from bitrate.stats.differences import difference, mean_difference
from bitrate.stats.functionals import (
    DeadShare,
    Functional,
    LearningValue,
    Log2PassRate,
    OutcomeEntropy,
    OwnUpdateBits,
    PassRate,
    SurprisalTerm,
    UpdateBits,
)
from bitrate.stats.information import conditional_entropy, mutual_information
from bitrate.stats.linear import ScoreTable, mean_functional, mean_outcome_entropy, score_table, score_tables
from bitrate.stats.minimax import coefficients
from bitrate.stats.npmle import PassRates, fit, mean_range
from bitrate.stats.tails import share_bounds
from bitrate.stats.tracker import Tracker

__all__ = [
    "Code",
    "DeadShare",
    "Functional",
    "LearningValue",
    "Log2PassRate",
    "OutcomeEntropy",
    "OwnUpdateBits",
    "PassRate",
    "PassRates",
    "ScoreTable",
    "SurprisalTerm",
    "Tracker",
    "UpdateBits",
    "cluster_ratio",
    "coefficients",
    "conditional_entropy",
    "difference",
    "distinct",
    "fit",
    "graded_code",
    "mean_difference",
    "mean_functional",
    "mean_outcome_entropy",
    "mean_range",
    "mutual_information",
    "population_code",
    "score_table",
    "score_tables",
    "second_way",
    "share_bounds",
    "worst_clusters",
]
