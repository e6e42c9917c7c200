"""What claims predict, where the formula is the claim's own and not the theory's, against everything enumerated."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest
from scipy.special import entr

from bitrate.lab.claims import find
from bitrate.lab.claims.s0_13 import agreement
from bitrate.lab.claims.s1_19 import graded_bits
from bitrate.lab.claims.s3_14 import length, something
from bitrate.lab.claims.s3_15 import NETWORKS, fitted
from bitrate.lab.claims.s3_16 import best_of, majority
from bitrate.types import Floats


def predicted(claim: str, case: str) -> float:
    """The value that a claim predicts of a case."""
    said = find(claim)
    [found] = [c for c in said.cases if c.name == case]
    return said.formulas(found)[0].value


def entropy(chances: list[float]) -> float:
    """Bits."""
    return float(entr(np.array(chances)).sum() / np.log(2))


@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_a_majority_is_right_as_often_as_over_all_votes(n: int) -> None:
    for p in (0.1, 0.35, 0.8):
        total = 0.0
        for votes in product(range(4), repeat=n):
            count = Counter(votes)
            first = [a for a in count if count[a] == max(count.values())]
            total += np.prod([p if v == 0 else (1 - p) / 3 for v in votes]) * (0 in first) / len(first)
        assert majority(n, p) == pytest.approx(float(total))


def test_the_best_of_some_is_right_unless_all_are_wrong() -> None:
    outcomes = list(product((True, False), repeat=5))
    total = sum(np.prod([0.1 if r else 0.9 for r in right]) for right in outcomes if any(right))
    assert best_of(5, 0.1) == pytest.approx(float(total))


@pytest.mark.parametrize("examples", [1, 2, 3])
def test_two_rollouts_of_the_fit_to_a_few_examples(examples: int) -> None:
    """Every non-empty set of 4 jokes, alike, and every sequence of examples of it."""
    sets = [s for k in range(1, 5) for s in combinations(range(4), k)]
    agree = [
        np.mean([sum((np.bincount(shown, minlength=4) / examples) ** 2) for shown in product(s, repeat=examples)])
        for s in sets
    ]
    even = agreement((0.25,) * 4)
    assert even == pytest.approx(np.mean([1 / len(s) for s in sets]))
    assert even + (1 - even) / examples == pytest.approx(float(np.mean(agree)))


def test_batches_that_have_a_gradient() -> None:
    """Every batch of 4 rollouts of one right answer and three wrong ones."""
    p, policy = 0.15, np.array([0.15, *[0.85 / 3] * 3])
    batches = np.array(list(product(range(4), repeat=4)))
    chance = np.prod(policy[batches], axis=1)
    gradients = ((batches == 0)[:, :, None] * (np.eye(4)[batches] - policy)).mean(axis=1)
    size = np.linalg.norm(gradients, axis=1)
    moved = float(chance[size > 0].sum())
    assert float(something(p, 4)) == pytest.approx(moved)
    mean = float(chance @ size) / moved
    assert mean / np.linalg.norm(chance @ gradients) == pytest.approx(1 / moved)
    shared = np.sqrt(1 + 1 / 3)  # |e_right - pi| is (1-p) times this, whatever p
    assert length(p, 4) * shared == pytest.approx(mean)


def test_graded_groups() -> None:
    """Every target and grade that five answers can hide, with four of them tried; then sampled, and in pairs."""

    def bits(targets: list[tuple[int, ...]], tried: tuple[int, ...]) -> float:
        heard = Counter(tuple(t[a] for a in tried) for t in targets)
        return entropy([n / len(targets) for n in heard.values()])

    def one(answers: int, levels: int) -> list[tuple[int, ...]]:
        return [tuple(g * (a == s) for a in range(answers)) for s in range(answers) for g in range(1, levels)]

    for levels in (3, 9):
        exact = bits(one(5, levels), (0, 1, 2, 3))
        assert graded_bits(5, levels) == pytest.approx(exact)
        assert predicted("S1.19", f"one right answer of 5, 4 distinct, {levels} levels") == pytest.approx(exact)
    sampled = np.mean([bits(one(5, 5), tried) for tried in product(range(5), repeat=3)])
    assert predicted("S1.19", "one right answer of 5, K=3 sampled, 5 levels") == pytest.approx(float(sampled))
    pairs = [
        tuple(dict(zip(two, grades, strict=True)).get(a, 0) for a in range(6))
        for two in combinations(range(6), 2)
        for grades in product((1, 2), repeat=2)
    ]
    name = "two answers above the lowest level of 3, of 6 answers, 4 distinct"
    assert predicted("S1.19", name) == pytest.approx(bits(pairs, (0, 1, 2, 3)))


def test_what_an_example_leaves_open_and_what_is_thrown_away() -> None:
    """Every set of 8 jokes of a size, every example and every guess."""
    for good in (3, 6):
        sets, joint = list(combinations(range(8), good)), Counter[tuple[int, int, bool]]()
        for s, guess in product(sets, range(8)):
            for shown in s:
                joint[shown, guess, guess in s] += 1
        total = sum(joint.values())
        seen = Counter[tuple[int, int]]()
        for (shown, guess, _), n in joint.items():
            seen[shown, guess] += n
        open_bits = entropy([n / total for n in joint.values()]) - entropy([n / total for n in seen.values()])
        assert predicted("S4.9", f"reward of a guess, given an example, {good} of 8 good") == pytest.approx(open_bits)
    for good in (1, 4):
        # Feedback is (joke, reward); the kept update says which joke was a success, or that there was none.
        share = good / 8
        kept = entropy([share / 8] * 8 + [1 - share]) - entropy([1 / good] * good) * share - entropy([share, 1 - share])
        assert predicted("S4.9", f"rollouts less their successes, {good} of 8 good") == pytest.approx(
            entropy([share, 1 - share]) - kept
        )


def test_a_soft_label_and_a_run() -> None:
    """All targets of three prompts, searched by three tries each, which tell them."""
    targets = list(product(range(4), repeat=3))
    heard = Counter(tuple(t == s for s in target for t in range(3)) for target in targets)
    run = entropy([n / len(targets) for n in heard.values()])
    name = "about right answers, V=4, a run that finds three of them"
    assert predicted("S4.8", name) == pytest.approx(np.log2(4) - run)
    heard = Counter(tuple(t == s for t in range(4)) for s in range(16))
    name = "about right answers, V=16, a run of 4 tries"
    assert predicted("S4.8", name) == pytest.approx(4 - entropy([n / 16 for n in heard.values()]))


@pytest.mark.parametrize("batch", [1, 4])
def test_the_excess_that_constant_steps_leave(batch: int) -> None:
    """rate (1 - |q|^2) / (4B) nats to first order in the rate, which is .3 here: within a fifth."""
    labels: Floats = np.array([0.6, 0.2, 0.1, 0.1])
    log_policy = np.concatenate(
        [fitted(((batch, 3.0, 1.0),), labels, np.random.default_rng(seed)) for seed in range(2)]
    )
    assert len(log_policy) == 2 * NETWORKS
    excess = float((labels * (np.log2(labels) - log_policy)).sum(axis=1).mean() * np.log(2))
    assert excess == pytest.approx(0.3 * (1 - labels @ labels) / (4 * batch), rel=0.2)
