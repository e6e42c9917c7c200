"""Labels, guesses and finite tables, against enumeration of the options and against dit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitrate.errors import InputError
from bitrate.theory.entropy import binary_entropy
from bitrate.theory.labels import label_information, mutual_information, sampled_guess_information, surprisal

beliefs = st.floats(0, 1)
options = st.integers(1, 12)
seeds = st.integers(0, 2**32 - 1)


def belief(p, others):
    return np.array([p] + [(1 - p) / others] * others)


def random_table(rng, *shape):
    """Weights over many orders of magnitude, some of them 0."""
    table = rng.exponential(size=shape) ** 8 * (rng.random(shape) < 0.8)
    return table / table.sum() if table.any() else np.full(shape, 1 / table.size)


def entropy(table):
    mass = np.ravel(table)[np.ravel(table) > 0]
    return -(mass * np.log2(mass)).sum()


@given(beliefs, options)
def test_a_label_carries_the_entropy_of_the_belief(p, others):
    assert label_information(p, others) == pytest.approx(entropy(belief(p, others)), abs=1e-12)


@given(beliefs, options)
def test_a_sampled_guess_carries_what_its_outcome_tells_about_the_answer(p, others):
    prior = belief(p, others)
    # One column for each guess and outcome: P(answer, guess, right), the guess sampled from the belief.
    right = np.diag(prior * prior)
    wrong = np.outer(prior, prior) - right
    joint = np.hstack([right, wrong])
    bits = mutual_information(joint / joint.sum())
    assert sampled_guess_information(p, others) == pytest.approx(bits, abs=1e-12)


@given(beliefs, options)
def test_a_label_carries_at_least_as_much_as_right_or_wrong(p, others):
    """Claim S4.1: a label tells whether any guess is right."""
    label = label_information(p, others)
    assert sampled_guess_information(p, others) <= label + 1e-12
    assert binary_entropy(p) <= label + 1e-12


@given(beliefs)
def test_with_two_options_right_or_wrong_is_the_label(p):
    assert label_information(p, 1) == pytest.approx(binary_entropy(p), abs=1e-12)
    assert sampled_guess_information(p, 1) == pytest.approx(binary_entropy(p), abs=1e-12)


@given(beliefs, options)
def test_the_mean_surprisal_is_the_information_and_one_surprisal_is_not(p, others):
    """Claim S3.2: -log2 p is the label's information pointwise only."""
    prior = belief(p, others)
    seen = prior[prior > 0]
    assert seen @ surprisal(seen) == pytest.approx(label_information(p, others), abs=1e-12)
    assert surprisal(seen).max() >= label_information(p, others) - 1e-12


@pytest.mark.parametrize(
    ("value", "printed", "digits"),
    [
        (label_information(0.5, 3), 1.7925, 4),  # S4.2
        (sampled_guess_information(0.5, 3), 0.8250, 4),  # S4.2
        (mutual_information([[0.25, 0.25, 0], [0.25, 0, 0.25]]), 0.5, 12),  # S1.12, sets {1,2} and {1,3}
    ],
)
def test_published_numbers(value, printed, digits):
    assert value == pytest.approx(printed, abs=0.5 * 10**-digits)


def test_an_impossible_event_has_infinite_surprisal():
    assert surprisal([0, 1, 0.125]).tolist() == [np.inf, 0, 3]


@given(seeds, st.integers(1, 6), st.integers(1, 6))
def test_mutual_information_is_symmetric_and_lies_between_zero_and_either_entropy(seed, x, y):
    joint = random_table(np.random.default_rng(seed), x, y)
    bits = mutual_information(joint)
    assert bits == pytest.approx(entropy(joint.sum(0)) + entropy(joint.sum(1)) - entropy(joint), abs=1e-12)
    assert bits == pytest.approx(mutual_information(joint.T), abs=1e-13)
    assert -1e-15 <= bits <= min(entropy(joint.sum(0)), entropy(joint.sum(1))) + 1e-12


@given(seeds)
def test_a_reward_model_made_from_preferences_only_loses(seed):
    """Claim S2.1, data processing: S - preferences - reward model is a chain."""
    rng = np.random.default_rng(seed)
    joint = random_table(rng, 4, 5)
    channel = rng.dirichlet(np.full(3, 0.3), size=5)
    assert mutual_information(joint @ channel) <= mutual_information(joint) + 1e-12


@given(seeds)
def test_the_chain_rule(seed):
    joint = random_table(np.random.default_rng(seed), 3, 4, 2)
    first = joint.sum(2)
    second = sum(
        first[:, y].sum() * mutual_information(joint[:, y] / first[:, y].sum()) for y in range(4) if first[:, y].any()
    )
    assert mutual_information(joint.reshape(3, 8)) == pytest.approx(mutual_information(first) + second, abs=1e-12)


@given(seeds)
def test_independent_variables_carry_nothing(seed):
    rng = np.random.default_rng(seed)
    joint = np.outer(random_table(rng, 5), random_table(rng, 7))
    assert mutual_information(joint) == pytest.approx(0, abs=1e-15)


def test_probabilities_whose_product_underflows_keep_their_bits():
    tiny = 1e-200  # beside a cell of mass 1 - tiny, its own cell carries tiny * log2(1 / tiny), the other the rest of h
    bits = mutual_information([[1.0, 0], [0, tiny]])
    assert bits == pytest.approx(tiny * (np.log2(1 / tiny) + 1 / np.log(2)), rel=1e-12, abs=0)


def test_mutual_information_agrees_with_dit():
    dit = pytest.importorskip("dit")
    joint = random_table(np.random.default_rng(7), 3, 4)
    cells = [(f"{x}{y}", joint[x, y]) for x in range(3) for y in range(4)]
    names, mass = zip(*cells, strict=True)
    expected = dit.shannon.mutual_information(dit.Distribution(list(names), list(mass)), [0], [1])
    assert mutual_information(joint) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("others", [0, 1.5, -1, np.inf, np.nan])
def test_a_number_of_options_that_is_no_count_is_refused(others):
    with pytest.raises(InputError, match=rf"others = {others:g}; want whole numbers, 1 or more"):
        label_information(0.5, others)


@pytest.mark.parametrize("function", [label_information, sampled_guess_information])
def test_a_belief_outside_its_range_is_refused(function):
    with pytest.raises(InputError, match=r"p = 1\.5; want probabilities"):
        function([0.5, 1.5], 3)


@pytest.mark.parametrize(
    ("joint", "message"),
    [
        ([0.5, 0.5], "joint has 1 dimensions; want a table of two"),
        ([[0.5, 0.6]], "joint"),
        ([[1.5, -0.5]], "joint"),
        ([[np.nan, 1.0]], "joint"),
    ],
)
def test_a_table_that_is_no_distribution_is_refused(joint, message):
    with pytest.raises(InputError, match=message):
        mutual_information(joint)


@pytest.mark.parametrize("shape", [(2, 2), (3, 5), (6, 4)])
def test_mutual_information_against_dit(shape: tuple[int, int]) -> None:
    """A random joint table with zeros, by a library that knows nothing of ours."""
    dit = pytest.importorskip("dit")
    rng = np.random.default_rng(sum(shape))
    joint = rng.dirichlet(np.full(shape[0] * shape[1], 0.5))
    joint[joint.argmin()] = 0.0
    joint = (joint / joint.sum()).reshape(shape)
    cells = [(str(x), str(y)) for x in range(shape[0]) for y in range(shape[1])]
    found = dit.shannon.mutual_information(dit.Distribution(cells, joint.ravel().tolist()), [0], [1])
    assert mutual_information(joint) == pytest.approx(found, abs=1e-13)
