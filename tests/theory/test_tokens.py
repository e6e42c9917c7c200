"""Token rewards against enumeration of all targets, and the place of the first error against its distribution."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitrate.errors import InputError
from bitrate.theory.entropy import binary_entropy
from bitrate.theory.tokens import first_error_information, terminal_information, token_capacity, token_information


def entropy_of(counts):
    chance = np.array([x for x in counts if x > 0], dtype=float)
    return -(chance * np.log2(chance)).sum()


@pytest.mark.parametrize(("alphabet", "length"), [(1, 3), (2, 1), (2, 5), (3, 4), (5, 3)])
def test_rewards_of_uniform_targets_by_enumeration(alphabet, length):
    rollout = np.random.default_rng(0).integers(alphabet, size=length)  # any will do
    by_token, terminal = {}, {}
    for target in product(range(alphabet), repeat=length):
        right = tuple(np.equal(target, rollout).tolist())
        by_token[right] = by_token.get(right, 0) + alphabet**-length
        terminal[all(right)] = terminal.get(all(right), 0) + alphabet**-length
    assert token_information(alphabet, length) == pytest.approx(entropy_of(by_token.values()), abs=1e-12)
    assert terminal_information(alphabet, length) == pytest.approx(entropy_of(terminal.values()), abs=1e-12)


@given(st.integers(1, 10**6), st.integers(1, 10**4))
def test_terminal_bits_at_most_token_bits_at_most_capacity(alphabet, length):
    token = token_information(alphabet, length)
    assert 0 <= terminal_information(alphabet, length) <= token + 1e-12
    assert token <= token_capacity(np.full(length, 2)) + 1e-9


def test_a_long_sequence_keeps_its_small_reward():
    # h(x) = x log2(1/x) + x/ln 2 - O(x^2)
    assert terminal_information(2, 60) == pytest.approx(2.0**-60 * (60 + 1 / np.log(2)), rel=1e-12, abs=0)


def test_capacity_is_the_size_of_the_reward_alphabet():
    assert token_capacity([[2, 3, 4], [1, 1, 1]]) == pytest.approx([np.log2(24), 0])


@given(st.floats(0, 1), st.integers(1, 60))
def test_first_error_bits_are_the_entropy_of_the_truncated_geometric(accuracy, steps):
    chance = [accuracy**i * (1 - accuracy) for i in range(steps)] + [accuracy**steps]
    bits = first_error_information(accuracy, steps)
    assert bits == pytest.approx(entropy_of(chance), abs=1e-10)
    assert bits <= np.log2(steps + 1) + 1e-12


@given(st.floats(0, 1))
def test_one_step_is_one_outcome(accuracy):
    assert first_error_information(accuracy, 1) == pytest.approx(binary_entropy(accuracy), rel=1e-9)


def test_the_number_of_claim_s3_12():
    assert first_error_information(0.9, 8) == pytest.approx(2.6711, abs=5e-5)
    assert first_error_information([0, 1], 8).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: token_information(0, 3), "alphabet = 0; want whole numbers"),
        (lambda: token_information(2, 1.5), "length = 1.5; want whole numbers"),
        (lambda: terminal_information(np.inf, 1), "alphabet = inf; want whole numbers"),
        (lambda: token_capacity([2, 0]), "alphabet_sizes = 0; want whole numbers"),
        (lambda: token_capacity(4), "alphabet_sizes = 4; want one size for each token"),
        (lambda: first_error_information(1.1, 3), r"accuracy = 1.1; want probabilities in \[0, 1\]"),
        (lambda: first_error_information(0.9, 0), "steps = 0; want whole numbers"),
    ],
)
def test_input_out_of_range_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
