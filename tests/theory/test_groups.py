"""Group formulas against enumeration of the 2^K reward patterns, and against dit."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitrate.errors import InputError
from bitrate.theory import binary_entropy, dead_group_probability, group_normalised_information


def patterns(p, k):
    return {bits: np.prod([p if bit else 1 - p for bit in bits]) for bits in product((0, 1), repeat=k)}


def merged_patterns(p, k):
    chance = {}
    for bits, weight in patterns(p, k).items():
        advantage = "dead" if len(set(bits)) == 1 else bits
        chance[advantage] = chance.get(advantage, 0.0) + weight
    return chance


@given(st.floats(0, 1), st.integers(1, 8))
def test_update_bits_are_the_entropy_of_the_merged_patterns(p, k):
    chance = np.array([x for x in merged_patterns(p, k).values() if x > 0])
    assert group_normalised_information(p, k) == pytest.approx(-(chance * np.log2(chance)).sum() / k, abs=1e-12)
    assert dead_group_probability(p, k) == pytest.approx(merged_patterns(p, k)["dead"], abs=1e-12)


@given(st.floats(0, 1), st.integers(1, 5000))
def test_update_bits_lie_between_zero_and_the_outcome_bits(p, k):
    bits = group_normalised_information(p, k)
    assert -1e-12 <= bits <= binary_entropy(p) + 1e-12


def test_update_bits_agree_with_dit():
    dit = pytest.importorskip("dit")
    p, k = 0.3, 4
    names = {key: str(i) for i, key in enumerate(merged_patterns(p, k))}
    chance = patterns(p, k)
    rewards = ["".join(map(str, bits)) for bits in chance]
    advantages = [names["dead" if len(set(bits)) == 1 else bits].zfill(2) for bits in chance]
    joint = dit.Distribution(list(zip(rewards, advantages, strict=True)), list(chance.values()))
    assert group_normalised_information(p, k) == pytest.approx(dit.shannon.mutual_information(joint, [0], [1]) / k)


@pytest.mark.parametrize("k", [0, 2.5, np.nan])
def test_a_group_size_that_is_no_count_is_refused(k):
    with pytest.raises(InputError, match=rf"k = {k}; want whole numbers"):
        dead_group_probability(0.5, k)
