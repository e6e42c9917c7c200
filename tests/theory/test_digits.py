"""Every digit: closed forms against the same sums in 80-digit decimals, where nothing cancels, and their bounds."""

import math
from decimal import Decimal, getcontext, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitrate import theory
from bitrate.theory.divergence import digamma_rise, divergence_term, excess_digamma, log_choose


@pytest.fixture(autouse=True)
def digits():
    with localcontext() as context:
        context.prec = 80
        yield


def ln(x):
    return Decimal(x).ln()


def bits(*chances):
    """Entropy of exact chances."""
    return sum((-p * p.ln() for p in chances if p > 0), Decimal(0)) / ln(2)


def h(p):
    return bits(p, 1 - p)


def same(value, truth, rel=1e-12):
    assert abs(Decimal(float(value)) - truth) <= Decimal(rel) * abs(truth), (float(value), float(truth))


def exact(p):
    """A float distribution as decimals that sum to 1 exactly: what the largest is short of."""
    found = [Decimal(float(x)) for x in p]
    top = max(range(len(found)), key=found.__getitem__)
    found[top] = 1 - sum(x for i, x in enumerate(found) if i != top)
    return found


#: Chances of any size, near 0 and near 1 too.
chances = st.one_of(
    st.floats(-30, -0.01).map(lambda x: 10.0**x), st.floats(-15, -0.5).map(lambda x: 1 - 10.0**x), st.floats(0.01, 0.99)
)
many = settings(deadline=None, max_examples=150)


@many
@given(chances)
def test_outcome_entropy(p):
    same(theory.binary_entropy(p), h(Decimal(p)))
    assert 0 <= theory.binary_entropy(p) <= 1


@many
@given(chances, st.one_of(chances, st.just(0.0), st.floats(1e-9, 0.1).map(lambda x: 0.5 + x)))
def test_what_passes_a_noisy_verifier(p, flip):
    q, f = Decimal(p), Decimal(flip)
    value = theory.noisy_outcome_information(p, flip)
    same(value, h(q * (1 - f) + (1 - q) * f) - h(f))
    assert 0 <= value <= theory.binary_entropy(p)


def test_the_case_that_lost_its_digits():
    # p times the divergence of the two verdicts, 0.8 log2 9, to first order in p.
    assert theory.noisy_outcome_information(1e-18, 0.1) == pytest.approx(1e-18 * 0.8 * math.log2(9), rel=1e-15, abs=0)
    assert theory.preference_information(1e-9) == pytest.approx(1e-18 / 8 / math.log(2), rel=1e-14, abs=0)


@pytest.mark.parametrize("std", [1e-150, 1e-9, 0.99e-4, 1.01e-4, 1e-3])
@pytest.mark.parametrize("p", [0.5, 0.2, 1e-9])
def test_a_narrow_skill_by_its_series(p, std):
    # h(E s) - E h(s) of s = sigma(c + std z), mean p: p(1-p) std^2 / 2 to the second order.
    assert theory.skill_information(p, std) == pytest.approx(
        p * (1 - p) * std**2 / 2 / math.log(2), rel=std**2 + 1e-14, abs=0
    )


@many
@given(chances.filter(lambda p: p > 1e-12), st.floats(1e-6, 1e40))
def test_skill_bits_grow_with_the_spread_up_to_the_outcome(p, std):
    narrow, wide = theory.skill_information(p, [std, 1.01 * std])
    assert 0 < narrow <= wide * (1 + 1e-11)
    assert wide <= theory.binary_entropy(p)


@many
@given(chances, st.sampled_from([1, 2, 3, 7, 64, 10**6]))
def test_groups(p, k):
    q = Decimal(p)
    right, wrong = q**k, (1 - q) ** k
    if right + wrong > Decimal("1e-290"):
        same(theory.dead_group_probability(p, k), right + wrong)
    if 1 < k <= 64:
        same(theory.group_normalised_information(p, k), h(q) - (right + wrong) * h(right / (right + wrong)) / k)


@many
@given(chances, st.sampled_from([1, 2, 5, 10**9]))
def test_labels_and_guesses(p, others):
    q = Decimal(p)
    label, guess = theory.label_information(p, others), theory.sampled_guess_information(p, others)
    same(label, h(q) + (1 - q) * ln(others) / ln(2))
    same(guess, q * h(q) + (1 - q) * h((1 - q) / others))
    assert 0 <= guess <= label <= np.log2(1 + others)


@many
@given(st.lists(chances, min_size=2, max_size=5), st.lists(st.floats(-3, 3), min_size=5, max_size=5), st.floats(-6, 0))
def test_distributions(weights, moves, size):
    p = np.array(weights) / sum(weights)
    q = p * np.exp(np.array(moves[: p.size]) * 10**size)
    q /= q.sum()
    x, y = exact(p), exact(q)
    same(theory.entropy(p), bits(*x))
    assert 0 <= theory.entropy(p) <= np.log2(p.size)
    truth = sum(a * (a / b).ln() for a, b in zip(x, y, strict=True)) / ln(2)
    value = theory.kl_divergence(p, q)
    assert value >= 0
    # The rounding of the two arguments themselves moves the answer by as much as it is near to 0.
    assert abs(Decimal(float(value)) - truth) <= Decimal("1e-12") * truth + Decimal("1e-15") * truth.sqrt()
    even = np.full(p.size, 1 / p.size)
    same(theory.outcome_information(p, even), sum(h(a) for a in x) / p.size)


@many
@given(st.lists(chances, min_size=6, max_size=6))
def test_tables(weights):
    table = (np.array(weights) / sum(weights)).reshape(2, 3)
    cells = np.array(exact(table.ravel()), dtype=object).reshape(2, 3)
    truth = bits(*cells.sum(0)) + bits(*cells.sum(1)) - bits(*cells.ravel())
    value = theory.mutual_information(table)
    assert 0 <= value <= min(theory.entropy(table.sum(0)), theory.entropy(table.sum(1))) * (1 + 1e-12)
    assert abs(Decimal(float(value)) - truth) <= Decimal("1e-12") * truth + Decimal("1e-15") * abs(truth).sqrt()


def psi(x):
    """Digamma by 60 steps up and its asymptotic series, in decimals."""
    x, total = Decimal(x), Decimal(0)
    for _ in range(60):
        total, x = total - 1 / x, x + 1
    tail = [(1, 12), (-1, 120), (1, 252), (-1, 240), (1, 132), (-691, 32760), (1, 12), (-3617, 8160)]
    return total + ln(x) - 1 / (2 * x) - sum(Decimal(a) / b / x ** (2 * i) for i, (a, b) in enumerate(tail, start=1))


shapes = st.floats(-10, 9).map(lambda x: 10.0**x)


@many
@given(shapes, shapes)
def test_beta_means(a, b):
    # The series above is good to 30 digits: sizes are such that a difference of it keeps 12 of them.
    x, y = Decimal(a), Decimal(b)
    s = x + y
    mean = (psi(s + 1) - x / s * psi(x + 1) - y / s * psi(y + 1)) / ln(2)
    same(theory.beta_mean_entropy(a, b), mean)
    assert 0 <= theory.beta_mean_entropy(a, b) <= 1
    same(digamma_rise(a + 1, b), psi(Decimal(a + 1) + y) - psi(a + 1))
    same(excess_digamma(a), psi(x + 1) - x.ln())


@many
@given(shapes, shapes, st.sampled_from([1, 2, 5, 30]))
def test_pass_rates(a, b, k):
    x, y = Decimal(a), Decimal(b)
    s, truth = x + y, Decimal(0)
    for n in range(k + 1):
        order = Decimal(1)
        for i in range(k):
            order *= (x + i if i < n else y + i - n) / (s + i)
        truth -= math.comb(k, n) * order * order.ln() / ln(2)
    mean = (psi(s + 1) - x / s * psi(x + 1) - y / s * psi(y + 1)) / ln(2)
    value = theory.group_entropy(a, b, k)
    same(value, truth)
    assert 0 <= value <= k
    same(theory.pass_rate_information(a, b, k), truth - k * mean)


@many
@given(st.sampled_from([1, 2, 3, 10, 1000]), chances)
def test_good_sets(n, alpha):
    a = Decimal(alpha)
    good = a / (1 - (1 - a) ** n)
    same(theory.good_set_first_step(n, alpha, nonempty=True), h(good) if n > 1 else Decimal(0))
    if n <= 10:
        weight = [math.comb(n, k) * a**k * (1 - a) ** (n - k) for k in range(n + 1)]
        left = [Decimal(n - k) / n for k in range(n)]
        truth = h(a) + sum(w * x * x.ln() for w, x in zip(weight, left, strict=False)) / ln(2)
        same(theory.good_set_update_no_baseline(n, alpha), truth)
        said = -sum(weight[k] * (Decimal(k) / n).ln() for k in range(1, n + 1)) / ln(2) / (1 - weight[0])
        same(theory.good_set_positive_example(n, alpha), said)
        tests = theory.unit_test_information(n, alpha)
        same(tests.passes, bits(*weight))
        if a**n > Decimal("1e-60"):
            same(tests.all_pass, h(a**n))
        assert tests.all_pass <= tests.passes <= tests.vector


@pytest.mark.parametrize(("n", "size"), [(10**12, 10**12 - 1), (10**12, 1), (10, 10), (3, 2), (10**9, 10**9 // 3)])
def test_fixed_sets(n, size):
    share = Decimal(size) / n
    same(theory.fixed_set_positive_example(n, size), -share.ln() / ln(2))
    same(theory.fixed_set_rollout(n, size), h(share))
    left = Decimal(n - size)
    truth = ln(n) / ln(2) - (left / n * left.ln() / ln(2) if left else 0)
    same(theory.group_information_given_distinct(n, size), truth)


@pytest.mark.parametrize(
    ("m", "d"),
    [(0, 0), (5, 2), (1000, 400), (1001, 400), (3000, 0), (3000, 1400), (3000, 1499), (3000, 2500), (9000, 2)],
)
def test_patterns_of_many_answers(m, d):
    term = total = 1
    for i in range(1, d + 1):
        term = term * (m - i + 1) // i
        total += term
    same(theory.group_bound(m, d), ln(total) / ln(2))


def test_the_bound_of_any_size_returns():
    assert theory.group_bound([1e5, 1e300], math.inf).tolist() == [1e5, 1e300]
    assert theory.group_bound(1e5, 5e4) == pytest.approx(
        99999.00363551716, rel=1e-14
    )  # 1 - log2(1 + C(1e5, 5e4) / 2^1e5)
    assert theory.group_bound(1e300, 1) == pytest.approx(300 * math.log2(10), rel=1e-14)
    assert theory.group_bound(1e9, 5e8) == pytest.approx(1e9 - 1, rel=1e-12)


@pytest.mark.parametrize("dimension", [-math.inf, math.nan, -1, 1.5, True, "inf", [1]])
def test_a_dimension_that_is_none_is_refused(dimension):
    with pytest.raises(theory.exact_match.InputError, match="dimension"):
        theory.group_bound(3, dimension)


@many
@given(st.integers(0, 10**9), st.integers(0, 400))
def test_binomials(n, k):
    if k <= n:
        same(log_choose(n, k), ln(math.comb(n, k)))


@many
@given(st.floats(1e-300, 1e300), st.floats(-1, 1e6))
def test_a_term_of_a_divergence(b, u):
    getcontext().prec = 800  # b has hundreds of digits
    delta = b * u
    y, d = Decimal(b), max(Decimal(delta), -Decimal(b))
    truth = ((y + d) * ((y + d) / y).ln() if d > -y else 0) - d
    if truth > Decimal("1e-290"):
        same(divergence_term(b, float(d)), truth)


@many
@given(chances, st.one_of(chances, st.floats(-12, -3)))
def test_times_and_costs(p, other):
    q = other if other > 0 else p * (1 + 10**other)
    x, y = Decimal(p), Decimal(q)
    if not 0 < q < 1:
        return
    truth = 1 / (1 - y) - 1 / y + 2 * (y / (1 - y)).ln() - (1 / (1 - x) - 1 / x + 2 * (x / (1 - x)).ln())
    same(theory.policy_gradient_time(p, q), truth)


def test_a_decade_of_two_costs_that_are_nearly_equal_or_too_large():
    x = Decimal("1e-300")
    costs = [(Decimal("0.01") * (5 / -p.ln()).ln()).exp() for p in (x, 10 * x)]
    same(theory.decade_cost(1e-300, 100.0, 5.0), costs[1] - costs[0], rel=1e-11)
    assert theory.decade_cost(0.01, 1e-3, 100.0) == math.inf


@pytest.mark.parametrize("baseline", [1e15, -1e300, 1e-15, 1 - 1e-15, 4.1])
def test_a_baseline_of_any_size_keeps_what_tells_the_rewards_apart(baseline):
    prior, policy = [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]
    feedback = theory.group_information(prior, policy, 2)
    assert theory.update_information(prior, policy, 2, baseline) == pytest.approx(feedback, rel=1e-11)


@pytest.mark.parametrize("snr", [1e-20, 1e-6, 0.5, np.nextafter(1, 0), 1.0])
def test_a_weak_reward_of_one_bit_and_the_join_of_two_forms(snr):
    value = theory.quantised_gaussian_information(snr, 1)
    if snr < 1e-5:  # 1 - E h(Phi(sqrt(snr) z)) to the first order
        assert value == pytest.approx(snr / math.pi / math.log(2), rel=10 * snr + 1e-14, abs=0)
    assert 0 < value <= min(1, theory.gaussian_reward_information(snr))
    assert theory.quantised_gaussian_information(1.0, 5) == pytest.approx(
        theory.quantised_gaussian_information(np.nextafter(1, 0), 5), rel=1e-13
    )


@many
@given(st.lists(chances, min_size=2, max_size=6), st.sampled_from([1, 2, 5, 64, 4096, 10**6, 10**15]))
def test_a_group_says_no_less_than_a_rollout_and_no_more_than_there_is(weights, k):
    q = np.array(weights) / sum(weights)
    try:
        value = theory.group_information(q, np.roll(q, 1), k)
    except theory.exact_match.InputError:
        return
    assert theory.outcome_information(q, np.roll(q, 1)) * (1 - 1e-15) <= value <= theory.entropy(q)


def test_gradients_of_a_rare_success_and_a_huge_baseline():
    assert theory.gradient_snr(1e-200) == pytest.approx(1e-200, rel=1e-14, abs=0)
    p, b = Fraction(0.3), Fraction(10**15)
    truth = p**2 * (1 - p) / (p * (1 - p - b) ** 2 + b**2 * Fraction(2, 4))
    assert theory.gradient_snr(0.3, 1e15, 3) == pytest.approx(float(truth), rel=1e-12, abs=0)
    assert theory.label_gradient_snr([1.0, 1e-20], [0.5, 0.5]) == pytest.approx(0.5 / 2e-20, rel=1e-12)
