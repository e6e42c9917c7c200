"""The joke model against plain enumeration of all 2^n good sets."""

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitrate.errors import InputError
from bitrate.theory.entropy import binary_entropy
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
from bitrate.theory.labels import mutual_information

chances = st.floats(0, 1)
some_chance = st.floats(1e-6, 1)
jokes = st.integers(1, 7)
seeds = st.integers(0, 2**32 - 1)


def random_sets(n, alpha, nonempty=False):
    """Every good set with its probability; with ``nonempty``, given that it is not the empty one."""
    sets = [s for s in product((0, 1), repeat=n) if any(s) or not nonempty]
    mass = np.array([np.prod([alpha if good else 1 - alpha for good in s]) for s in sets])
    return sets, mass / mass.sum()


def fixed_sets(n, size):
    sets = [tuple(int(t in chosen) for t in range(n)) for chosen in combinations(range(n), size)]
    return sets, np.full(len(sets), 1 / len(sets))


def observed(sets, mass, outcomes):
    """I(S; what is seen): ``outcomes(s)`` yields (probability, what is seen) for a good set."""
    columns = {}
    cells = []
    for row, s in enumerate(sets):
        for chance, seen in outcomes(s):
            cells.append((row, columns.setdefault(seen, len(columns)), chance * mass[row]))
    joint = np.zeros((len(sets), len(columns)))
    for row, column, chance in cells:
        joint[row, column] += chance
    return mutual_information(joint / joint.sum())


def positive_example(s):
    return [(1 / sum(s), t) for t, good in enumerate(s) if good]


@given(jokes, some_chance, st.booleans(), seeds)
@settings(max_examples=40)
def test_one_rollout_and_its_reward(n, alpha, nonempty, seed):
    policy = np.random.default_rng(seed).dirichlet(np.ones(n))
    bits = observed(*random_sets(n, alpha, nonempty), lambda s: [(policy[t], (t, s[t])) for t in range(n)])
    assert good_set_first_step(n, alpha, nonempty) == pytest.approx(bits, abs=1e-9)


@given(jokes, chances)
@settings(max_examples=40)
def test_an_advantage_of_zero_on_failure_merges_the_rejected_jokes(n, alpha):
    """The update is advantage * score and score = n e_t, so a zero advantage hides which joke was tried."""

    def update(baseline):
        return observed(
            *random_sets(n, alpha),
            lambda s: [(1 / n, (s[t] - baseline, t if s[t] != baseline else None)) for t in range(n)],
        )

    assert good_set_update_no_baseline(n, alpha) == pytest.approx(update(0), abs=1e-12)
    assert good_set_first_step(n, alpha) == pytest.approx(update(0.3), abs=1e-12)


@given(st.integers(1, 300), chances)
def test_the_first_update_carries_at_most_the_entropy_of_the_reward(n, alpha):
    """Claim S0.3, and alpha log2(1/alpha) below, which many jokes approach."""
    bits = good_set_update_no_baseline(n, alpha)
    assert bits <= good_set_first_step(n, alpha) + 1e-12
    assert bits >= rejection_sampling_information(alpha) - 1e-12
    # The gap is E KL(x || E x) <= Var(x) / (E x ln 2), with x = 1 - K/n.
    assert bits - rejection_sampling_information(alpha) <= alpha / (n * np.log(2)) + 1e-12


def test_a_known_nonempty_set_refutes_the_entropy_of_alpha_as_a_bound():
    """Claim S0.3: the bound needs the empty set among the possible ones."""
    assert good_set_first_step(2, 0.2, nonempty=True) > binary_entropy(0.2) + 0.26
    assert good_set_first_step(1000, 0.2, nonempty=True) == pytest.approx(binary_entropy(0.2), abs=1e-12)


@given(jokes, some_chance)
@settings(max_examples=40)
def test_one_positive_example(n, alpha):
    bits = observed(*random_sets(n, alpha, nonempty=True), positive_example)
    assert good_set_positive_example(n, alpha) == pytest.approx(bits, abs=1e-9)


@given(jokes, st.integers(1, 7))
def test_the_fixed_set(n, size):
    size = min(n, size)
    sets, mass = fixed_sets(n, size)
    rollout = observed(sets, mass, lambda s: [(1 / n, (t, s[t])) for t in range(n)])
    kept = observed(sets, mass, lambda s: [(1 / n, t if s[t] else None) for t in range(n)])
    example = observed(sets, mass, positive_example)
    assert fixed_set_rollout(n, size) == pytest.approx(rollout, abs=1e-12)
    assert rejection_sampling_information(size / n, keep_failures=True) == pytest.approx(rollout, abs=1e-12)
    assert rejection_sampling_information(size / n) == pytest.approx(kept, abs=1e-12)
    assert fixed_set_positive_example(n, size) == pytest.approx(example, abs=1e-12)


@pytest.mark.parametrize(
    ("value", "printed", "digits"),
    [
        (good_set_first_step(2, 0.2, nonempty=True), 0.9911, 4),  # S0.3
        (good_set_first_step(2, 0.2), 0.7219, 4),  # S0.3
        (good_set_update_no_baseline(10, 0.5), 0.5383, 4),  # S0.3
        (good_set_positive_example(4, 0.5), 1.0440, 4),  # S0.5
        (rejection_sampling_information(np.exp(-1)), 0.531, 3),  # S0.12
        (good_set_distinct_rollouts(4, 0.3), 3.53, 2),  # S1.9
    ],
)
def test_published_numbers(value, printed, digits):
    assert value == pytest.approx(printed, abs=0.5 * 10**-digits)


@given(chances)
def test_rejection_sampling_carries_most_at_one_in_e(alpha):
    """Claim S0.12."""
    assert rejection_sampling_information(alpha) <= np.log2(np.e) / np.e + 1e-12


def test_a_set_of_random_size_refutes_the_surprisal_of_alpha_as_a_bound():
    """Claim S0.5: above log2(1/alpha) at n = 4, equal to it for a fixed size, and in the limit of many jokes."""
    assert good_set_positive_example(4, 0.5) > 1.04
    assert fixed_set_positive_example(4, 2) == 1
    assert good_set_positive_example(10**6, 0.5) == pytest.approx(1, abs=1e-6)


@given(st.integers(2, 1000), st.data())
def test_for_fixed_sets_rollouts_beat_examples_exactly_when_most_jokes_are_good(n, data):
    """Claims S0.6 and S3.4: log2(1/alpha) and h(alpha) cross at 1/2."""
    size = data.draw(st.integers(1, n - 1))
    difference = fixed_set_rollout(n, size) - fixed_set_positive_example(n, size)
    assert np.sign(difference.round(12)) == np.sign(2 * size - n)
    if 2 * size >= n:
        assert fixed_set_positive_example(n, size) <= 1


@given(st.integers(1, 1000), st.data())
def test_useful_and_nuisance_bits_add_up_to_the_surprisal_of_an_example(n, data):
    """Claim S0.8: the length of a joke appears nowhere."""
    size = data.draw(st.integers(1, n))
    assert fixed_set_positive_example(n, size) + np.log2(size) == pytest.approx(np.log2(n), abs=1e-12)


@given(st.integers(1, 6), st.integers(1, 6), chances)
@settings(max_examples=40)
def test_distinct_rollouts_add_up(n, m, alpha):
    """Claim S0.9."""
    m = min(n, m)
    bits = observed(*random_sets(n, alpha), lambda s: [(1.0, s[:m])])
    assert good_set_distinct_rollouts(m, alpha) == pytest.approx(bits, abs=1e-12)


@pytest.mark.parametrize("alpha", [0.01, 0.5, 0.9, 1.0])
def test_a_million_jokes_many_of_them_good(alpha):
    """Delta method: E ln K = ln(n alpha) - (1 - alpha) / (2 n alpha), to second order."""
    mean = 1e6 * alpha
    expected = np.log2(1 / alpha) + (1 - alpha) / (2 * mean * np.log(2))
    assert good_set_positive_example(10**6, alpha) == pytest.approx(expected, abs=2 / mean**2 + 1e-12)


@pytest.mark.parametrize("alpha", [1e-9, 1e-6])
def test_a_million_jokes_few_of_them_good(alpha):
    n, k = 10**6, np.arange(1, 40)
    log_mass = np.array([np.log(float(comb(n, int(x)))) for x in k]) + k * np.log(alpha) + (n - k) * np.log1p(-alpha)
    mass = np.exp(log_mass)
    expected = np.log2(n) - (mass * np.log2(k)).sum() / mass.sum()
    assert good_set_positive_example(n, alpha) == pytest.approx(expected, abs=1e-12)


def test_a_hopeless_alpha_leaves_sets_of_one_joke():
    assert good_set_positive_example(8, 1e-300) == pytest.approx(3, abs=1e-12)
    assert good_set_first_step(4, 1e-300, nonempty=True) == pytest.approx(binary_entropy(0.25), abs=1e-12)


def brute_belief(sets, mass, history):
    """Prior over the sets, those that the history refutes struck out."""
    alive = np.array([all(s[t] == good for t, good in history) for s in sets]) * mass
    return alive / alive.sum()


@given(seeds, st.booleans())
@settings(max_examples=40)
def test_later_steps_are_bayes_rule_on_every_set(seed, fixed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    alpha, size = rng.random(), int(rng.integers(1, n + 1))
    sets, mass = fixed_sets(n, size) if fixed else random_sets(n, alpha)
    belief = GoodSetBelief(n, size=size) if fixed else GoodSetBelief(n, alpha)
    truth, history = sets[rng.choice(len(sets), p=mass)], []
    for joke in rng.integers(0, n, size=8):
        alive = brute_belief(sets, mass, history)
        policy = rng.dirichlet(np.ones(n))
        bits = observed(sets, alive, lambda s, policy=policy: [(policy[t], (t, s[t])) for t in range(n)])
        kept = alive[alive > 0]
        assert belief.probabilities == pytest.approx(alive @ np.array(sets), abs=1e-12)
        assert belief.entropy == pytest.approx(-(kept * np.log2(kept)).sum(), abs=1e-12)
        assert belief.information(policy) == pytest.approx(bits, abs=1e-12)
        assert belief.information(policy) <= 1 + 1e-12
        before = belief.entropy
        assert belief.observe(int(joke), bool(truth[joke])) == pytest.approx(before - belief.entropy, abs=1e-12)
        history.append((joke, truth[joke]))


@pytest.mark.parametrize(("n", "size"), [(6, None), (6, 1), (6, 3), (6, 6)])
def test_the_expected_bits_of_all_steps_add_up_to_the_entropy_of_the_set(n, size):
    """Claim S0.4: each step at most 1 bit given the history, the running total above it; by the chain rule."""
    sets, mass = random_sets(n, 0.5) if size is None else fixed_sets(n, size)
    total = 0.0
    for s, chance in zip(sets, mass, strict=True):
        belief = GoodSetBelief(n, 0.5) if size is None else GoodSetBelief(n, size=size)
        for joke in (2, 0, 5, 2, 1, 4, 3):
            step = belief.information(np.eye(n)[joke])
            assert 0 <= step <= 1
            total += chance * step
            belief.observe(joke, bool(s[joke]))
        assert belief.entropy == 0
    assert total == pytest.approx(n if size is None else np.log2(comb(n, size)), abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 6])
def test_draws_until_everything_was_drawn(n):
    """Claim S0.7, against the chain of how many jokes were drawn: each step adds one with probability (n-m)/n."""
    expected = sum(1 / ((n - m) / n) for m in range(n))
    assert coupon_collector(n) == pytest.approx(expected, rel=1e-12)


def test_one_good_joke_or_one_bad_joke_among_a_million():
    """Claim S0.7: an example names the one good joke; the one bad joke costs N rollouts or N ln N examples."""
    n = 10**6
    assert fixed_set_positive_example(n, 1) == pytest.approx(np.log2(n))
    assert expected_rollouts(1 / n) == pytest.approx(n)
    examples = coupon_collector(n - 1)
    assert n * np.log(n) < examples < 1.05 * n * np.log(n)


@given(st.integers(2, 1000), st.floats(1e-3, 1))
def test_a_guide_that_favours_good_jokes_needs_fewer_rollouts(n, share):
    """Claim S0.10: mix the uniform policy with one on the good joke."""
    uniform, guided = 1 / n, share + (1 - share) / n
    assert expected_rollouts(guided) < expected_rollouts(uniform)
    assert expected_rollouts(guided) <= 1 / share


def test_impossible_inputs_are_refused():
    with pytest.raises(InputError, match="alpha = 0; want above 0"):
        good_set_positive_example(4, 0)
    with pytest.raises(InputError, match="alpha = 0; want above 0"):
        good_set_first_step(4, [0.5, 0], nonempty=True)
    with pytest.raises(InputError, match="n = 0; want whole numbers"):
        good_set_first_step(0, 0.5)
    with pytest.raises(InputError, match=r"n = 2\.5; want whole numbers"):
        good_set_update_no_baseline(2.5, 0.5)
    with pytest.raises(InputError, match="size = 5; want at most n, 4"):
        fixed_set_rollout(4, [4, 5])
    with pytest.raises(InputError, match="mass = -1; want probabilities"):
        expected_rollouts(-1)


@pytest.mark.parametrize(("alpha", "size"), [(None, None), (0.5, 2)])
def test_a_belief_wants_one_model_of_the_set(alpha, size):
    with pytest.raises(InputError, match="want exactly one of them"):
        GoodSetBelief(4, alpha, size=size)


def test_a_reward_that_the_history_rules_out_is_refused():
    belief = GoodSetBelief(3, size=2)
    belief.observe(0, False)
    with pytest.raises(InputError, match="good = False for joke 1; want True"):
        belief.observe(1, False)
    with pytest.raises(InputError, match="good = True for joke 0; want False"):
        belief.observe(0, True)
    with pytest.raises(InputError, match="joke = 3; want a whole number from 0 to 2"):
        belief.observe(3, True)
    with pytest.raises(InputError, match=r"policy has shape \(2,\)"):
        belief.information([0.5, 0.5])
    assert belief.entropy == 0
