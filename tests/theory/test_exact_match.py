"""One right answer: against all 2^V sets of answers, against an independent library, and against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import entr

from bitrate.errors import InputError
from bitrate.theory import (
    best_policy_for_tries,
    binary_entropy,
    distinct_answers,
    expected_tries,
    group_bound,
    group_information,
    group_information_given_distinct,
    outcome_information,
    tries_without_replacement,
    update_information,
)
from bitrate.theory.contour import unseen_entropy

Floats = NDArray[np.float64]


def by_sets(prior: Floats, policy: Floats, k: int) -> float:
    """The group's bits over every set of answers that K rollouts can give, by inclusion and exclusion."""
    n = prior.size
    inside = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    chance = np.minimum(inside @ policy, 1.0) ** k  # every rollout in the set; then exactly the set:
    for i in range(n):
        lower = chance.reshape(-1, 2, 2**i)
        lower[:, 1] -= lower[:, 0]
    left = np.maximum(1 - inside @ prior, 0.0)
    left[left < 1e-15] = 0.0
    return float(chance @ (inside @ entr(prior) + entr(left)) / math.log(2))


def draw(rng: np.random.Generator, n: int) -> Floats:
    """A distribution, spread out or near a point mass, sometimes with zeros."""
    p = rng.dirichlet(np.full(n, 10 ** rng.uniform(-1.5, 1)))
    if n > 2 and rng.random() < 0.4:
        p[rng.integers(n)] = 0.0
    return np.asarray(p / p.sum()) if p.sum() > 0 else np.eye(n)[0]


def test_any_prior_and_policy_against_all_sets(rng: np.random.Generator) -> None:
    worst = 0.0
    for _ in range(500):
        n, k = int(rng.integers(2, 11)), int(rng.choice([1, 2, 3, 5, 8, 16, 64, 1024]))
        prior, policy = draw(rng, n), draw(rng, n)
        found = group_information(prior, policy, k)
        assert math.isfinite(found)
        worst = max(worst, abs(found - by_sets(prior, policy, k)))
    assert worst <= 1e-9


@pytest.mark.parametrize("k", [1, 2, 3, 17, 1024])
def test_corners_against_all_sets(k: int) -> None:
    point, near = np.array([1.0, 0, 0, 0]), np.array([1 - 3e-15, 1e-15, 1e-15, 1e-15])
    skew, none = np.array([0.7, 0.1, 0.1, 0.1]), np.array([0.0, 0.5, 0.5, 0.0])
    for prior in (point, near, skew, none):
        for policy in (point, near, skew, none):
            assert group_information(prior, policy, k) == pytest.approx(by_sets(prior, policy, k), abs=1e-9)


def test_the_uniform_case_against_both_roads(rng: np.random.Generator) -> None:
    for n, k in ((2, 3), (8, 4), (10, 40), (500, 64)):
        flat = np.full(n, 1 / n)
        exact = group_information(flat, flat, k)
        by_contour = (1 - (1 - 1 / n) ** k) * math.log2(n) + unseen_entropy(flat, flat, k)
        assert exact == pytest.approx(by_contour, abs=1e-10)
        if n <= 10:
            assert exact == pytest.approx(by_sets(flat, flat, k), abs=1e-13)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (2, 2), (3, 2), (4, 2), (3, 3), (4, 3), (5, 2)])
def test_the_uniform_case_against_dit(n: int, k: int) -> None:
    """I(rollouts and rewards; S) from the joint table, by a library that knows nothing of ours."""
    dit = pytest.importorskip("dit")
    from itertools import product

    outcomes, weights = [], []
    for target in range(n):
        for answers in product(range(n), repeat=k):
            rewards = tuple(int(a == target) for a in answers)
            outcomes.append((str(target), str((answers, rewards))))
            weights.append(n ** -(k + 1.0))
    found = dit.shannon.mutual_information(dit.Distribution(outcomes, weights), [0], [1])
    flat = np.full(n, 1 / n)
    assert group_information(flat, flat, k) == pytest.approx(found, abs=1e-13)


def unmerged(prior: Floats, policy: Floats, k: int) -> float:
    """Every symbol by itself."""
    from bitrate.theory import contour

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contour, "MOST_SYMBOLS", prior.size)
        return unseen_entropy(prior, policy, k)


@pytest.mark.parametrize("k", [32, 1024])
def test_many_answers_against_every_symbol_by_itself(k: int) -> None:
    """Merging light symbols in bins against none merged."""
    rng, n = np.random.default_rng(3), 5000
    prior = 1 / np.arange(1, n + 1)
    prior /= prior.sum()
    for policy in (rng.permutation(prior), rng.dirichlet(np.full(n, 0.5)), np.sqrt(prior) / np.sqrt(prior).sum()):
        assert unseen_entropy(prior, policy, k) == pytest.approx(unmerged(prior, policy, k), abs=1e-6)


def test_many_answers_alike_and_one_favourite() -> None:
    """All light symbols in one bin; against the exact value for a uniform prior, which needs the policy's set sizes."""
    n, k = 5000, 8
    prior, policy = np.full(n, 1 / n), np.full(n, 0.9 / (n - 1))
    policy[0] = 0.1
    assert group_information(prior, policy, k) == pytest.approx(
        (1 - (1 - policy) ** k) @ entr(prior) / math.log(2) + unmerged(prior, policy, k), abs=1e-9
    )
    half = np.where(np.arange(n) < n // 2, 2 / n, 0.0)
    seen = distinct_answers(n // 2, k)
    wanted = seen @ group_information_given_distinct(n, np.arange(seen.size))
    assert group_information(prior, half, k) == pytest.approx(float(wanted), abs=1e-9)


def test_a_hundred_thousand_answers_against_simulation(rng: np.random.Generator) -> None:
    n, k = 100_000, 1024
    prior = 1 / np.arange(1, n + 1)
    prior /= prior.sum()
    policy = prior**0.7 / (prior**0.7).sum()
    drawn = [np.unique(rng.choice(n, size=k, p=policy)) for _ in range(400)]
    bits = [float(entr(prior[d]).sum() + entr(1 - prior[d].sum())) / math.log(2) for d in drawn]
    assert group_information(prior, policy, k) == pytest.approx(np.mean(bits), abs=4 * np.std(bits) / 20)


def test_the_expectation_over_sequences_written_out(rng: np.random.Generator) -> None:
    """Every sequence of rollouts, V^K of them, against the sum over sets."""
    from itertools import product

    prior, policy = draw(rng, 4), draw(rng, 4)
    total = 0.0
    for answers in product(range(4), repeat=3):
        seen = sorted(set(answers))
        total += np.prod(policy[list(answers)]) * (entr(prior[seen]).sum() + entr(max(0.0, 1 - prior[seen].sum())))
    assert group_information(prior, policy, 3) == pytest.approx(total / math.log(2), abs=1e-10)


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        (group_information([0.5, 0.3, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4], 3), 1.2492),
        (group_information(np.full(8, 1 / 8), np.full(8, 1 / 8), 4), 1.6852),
        (outcome_information(np.full(16, 1 / 16), np.eye(16)[0]), 0.3373),
    ],
)
def test_numbers_of_the_theory(value: float, digits: float) -> None:
    assert value == pytest.approx(digits, abs=5e-5)


def test_figure_6() -> None:
    flat, seen = np.full(500, 1 / 500), distinct_answers(500, 64)
    assert group_information(flat, flat, 64) == pytest.approx(1.24, abs=5e-3)
    assert float(seen @ group_bound(np.arange(seen.size))) == pytest.approx(5.93, abs=5e-3)
    assert float(group_bound(64)) == pytest.approx(6.02, abs=5e-3)
    # Duplicates are not the reason: nearly all of the 64 answers are different.
    assert float(seen @ np.arange(seen.size)) > 60


distributions = st.integers(2, 6).flatmap(
    lambda n: st.tuples(*[st.lists(st.floats(0, 1), min_size=n, max_size=n).filter(lambda x: sum(x) > 0.1)] * 2)
)


@settings(max_examples=60, deadline=None)
@given(distributions, st.integers(1, 40))
def test_inequalities(pair: tuple[list[float], list[float]], k: int) -> None:
    prior, policy = (np.array(x) / np.sum(x) for x in pair)
    bits = group_information(prior, policy, k)
    assert -1e-9 <= bits <= min(k, float(entr(prior).sum() / math.log(2))) + 1e-9
    assert bits <= group_information(prior, policy, k + 1) + 1e-9
    assert bits <= k * outcome_information(prior, policy) + 1e-9  # later rollouts say less than the first
    seen = distinct_answers(prior.size, k)
    flat = np.full(prior.size, 1 / prior.size)
    bound = float(seen @ group_bound(np.arange(seen.size)))
    assert group_information(flat, flat, k) <= bound + 1e-9 <= math.log2(k + 1) + 2e-9


def test_a_policy_that_gives_one_answer_says_whether_it_is_right() -> None:
    """Whatever K: nothing where that answer is known to be right, and one bit of an even chance."""
    for k in range(1, 80):
        assert group_information([1.0, 0.0], [1.0, 0.0], k) == pytest.approx(0, abs=1e-12)
        assert group_information([0.5, 0.3, 0.2], [1.0, 0.0, 0.0], k) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("k", [1, 3])
def test_an_update_holds_no_more_than_the_feedback(k: int, rng: np.random.Generator) -> None:
    prior, policy = draw(rng, 5), draw(rng, 5)
    for advantage in ("grpo", 0.0, 0.3):
        assert update_information(prior, policy, k, advantage) <= group_information(prior, policy, k) + 1e-9


def test_distinct_answers_sum_to_one_and_have_the_known_mean() -> None:
    for n, k in ((1, 5), (7, 3), (100_000, 1024)):
        p = distinct_answers(n, k)
        assert p.sum() == pytest.approx(1, abs=1e-12)
        assert p @ np.arange(p.size) == pytest.approx(
            n * -math.expm1(k * math.log1p(-1 / n)) if n > 1 else 1, rel=1e-10
        )


def test_given_distinct_keeps_its_digits_where_few_of_many_were_tried() -> None:
    v, m = 1e12, 3.0
    exact = (m * math.log(v) + m - m * m / (2 * v)) / v / math.log(2)
    assert float(group_information_given_distinct(v, m)) == pytest.approx(exact, rel=1e-12)


def test_the_general_bound_counts_patterns() -> None:
    """Against the patterns of all sets of at most d right answers."""
    for m in range(7):
        for d in range(8):
            sets = [s for s in range(2**m) if s.bit_count() <= d]
            assert float(group_bound(m, d)) == pytest.approx(math.log2(len(sets)))
        assert float(group_bound(m, math.inf)) == m
    assert 4 * float(binary_entropy(0.3)) > float(group_bound(4))  # 3.53 > 2.32: S1.9 refuted for sets


@pytest.mark.parametrize("levels", [2, 3, 4])
def test_the_graded_bound_counts_patterns(levels: int) -> None:
    """Against the patterns of rewards in which at most d answers are above the lowest level."""
    from itertools import product

    for m in range(5):
        patterns = list(product(range(levels), repeat=m))
        for d in range(6):
            count = sum(np.count_nonzero(pattern) <= d for pattern in patterns)
            assert float(group_bound(m, d, levels)) == pytest.approx(math.log2(count), abs=1e-12)
        assert float(group_bound(m, math.inf, levels)) == pytest.approx(m * math.log2(levels))


def pseudo_dimension(patterns: NDArray[np.int64]) -> int:
    """The most answers for which some thresholds part the patterns in every way, above or not, by trying all."""
    from itertools import combinations, product

    answers = patterns.shape[1]
    for d in range(answers, 0, -1):
        for some in combinations(range(answers), d):
            for above in product(range(1, int(patterns.max()) + 1), repeat=d):
                if len({tuple(row) for row in patterns[:, some] >= np.array(above)}) == 2**d:
                    return d
    return 0


def test_the_graded_bound_holds_for_any_class_of_verifiers() -> None:
    """Random classes of graded verifiers, as many patterns as they have against their pseudo-dimension."""
    from itertools import product

    rng, seen, tight = np.random.default_rng(5), set(), 0
    for _ in range(400):
        levels, answers = int(rng.integers(2, 5)), int(rng.integers(1, 4))
        every = np.array(list(product(range(levels), repeat=answers)))
        some = every[rng.random(len(every)) < rng.uniform(0.05, 1)]
        if not some.size:
            continue
        d = pseudo_dimension(some)
        bound = float(group_bound(answers, d, levels))
        assert math.log2(len(some)) <= bound + 1e-12
        seen.add(d)
        tight += bound - math.log2(len(some)) < 1e-9
    assert seen >= {0, 1, 2, 3} and tight > 10


def test_a_reward_by_distance_fills_the_graded_bound_of_one_answer() -> None:
    """Targets 0..8 on a line, graded by how near: the answer at the end tells all, 9 patterns of 9 levels."""
    near = 8 - np.abs(np.arange(9)[:, None] - np.array([0]))
    assert pseudo_dimension(near) == 1
    assert float(group_bound(1, levels=9)) == math.log2(len(np.unique(near, axis=0)))


@pytest.mark.parametrize("levels", [2, 3, 17, 1001])
@pytest.mark.parametrize("m", [1001, 5000])
def test_the_graded_bound_of_many_answers_against_whole_numbers(m: int, levels: int) -> None:
    """Above the size at which patterns are counted one by one."""
    w = levels - 1
    mean, total, exact = m * w // levels, 0, {}
    for i in range(m):
        total += math.comb(m, i) * w**i
        if i in {0, 1, 3, 40, m // 3, mean - 60, mean - 1, mean, m - 2, m - 1}:
            exact[i] = math.log2(total)
    for d, wanted in exact.items():
        assert float(group_bound(m, d, levels)) == pytest.approx(wanted, rel=1e-12), d


def test_tries(rng: np.random.Generator) -> None:
    prior = draw(rng, 6)
    best = best_policy_for_tries(prior)
    least = expected_tries(prior, best)
    assert least == pytest.approx(np.sqrt(prior).sum() ** 2)
    for _ in range(50):
        assert expected_tries(prior, rng.dirichlet(np.ones(6))) >= least - 1e-9
    assert math.isinf(expected_tries([0.5, 0.5], [1.0, 0.0]))
    flat = np.full(9, 1 / 9)
    assert expected_tries(flat, flat) == pytest.approx(9)
    assert float(tries_without_replacement(9)) == pytest.approx(np.arange(1, 10).mean())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: group_information([0.5, 0.4], [0.5, 0.5], 2), "prior sums to 0.9"),
        (lambda: group_information([0.5, 0.5], [1.0], 2), "one probability each per answer"),
        (lambda: group_information([0.5, 0.5], [0.5, 0.5], 0), "k = 0"),
        (lambda: group_information([0.5, 0.5], [0.5, 0.5], [2, 3]), "k has shape"),  # type: ignore[arg-type]
        (lambda: outcome_information([1.5, -0.5], [0.5, 0.5]), "not negative"),
        (lambda: group_information_given_distinct(3, 4), "at most all"),
        (lambda: group_bound(2.5), "distinct = 2.5"),
        (lambda: group_bound(2, 1, 1), "levels = 1"),
        (lambda: distinct_answers(0, 3), "n_answers = 0"),
    ],
)
def test_bad_arguments(call: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()  # type: ignore[operator]
