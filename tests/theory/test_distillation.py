"""Distillation against plain sums, and the teacher's message against the joint table."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitrate.errors import InputError
from bitrate.theory.distillation import (
    distillation_capacity,
    distillation_information,
    sampled_information,
    teacher_information,
    top_k_information,
)

distributions = st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(any).map(lambda x: np.array(x) / sum(x))


def divergence(p, q):
    return sum(a * (math.log2(a / b) if b else math.inf) for a, b in zip(p, q, strict=True) if a)


@given(distributions, distributions)
def test_what_a_teacher_gives_in_plain_sums(teacher, student):
    gain = distillation_information(teacher, student)
    assert gain == pytest.approx(divergence(teacher, student), abs=1e-12)
    label = sampled_information(teacher, student)
    surprisal = sum(t * (-math.log2(s) if s else math.inf) for t, s in zip(teacher, student, strict=True) if t)
    assert label.surprisal == pytest.approx(surprisal, abs=1e-12)
    assert label.gain == gain
    assert label.noise == pytest.approx(-sum(t * math.log2(t) for t in teacher if t), abs=1e-12)


@given(distributions, distributions, st.integers(1, 4))
def test_a_truncated_teacher_keeps_its_most_likely_tokens(teacher, student, k):
    kept = sorted(range(4), key=lambda i: (-teacher[i], i))[:k]
    truncated = np.array([t if i in kept else 0.0 for i, t in enumerate(teacher)])
    expected = divergence(truncated / truncated.sum(), student)
    assert top_k_information(teacher, student, k) == pytest.approx(expected, abs=1e-12)


def test_rows_are_handled_each_by_itself():
    teacher, student = np.random.default_rng(0).dirichlet(np.ones(5), size=(2, 3))
    rows = [float(top_k_information(t, s, 2)) for t, s in zip(teacher, student, strict=True)]
    assert top_k_information(teacher, student, 2) == pytest.approx(rows)
    assert [part.shape for part in sampled_information(teacher[0], student)] == [(3,)] * 3


@given(distributions, st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_the_message_says_which_class_of_rows_the_target_is_in(prior, which):
    rows = np.random.default_rng(0).dirichlet(np.ones(6), size=3)
    classes = np.bincount(which, weights=prior)
    bits = teacher_information(prior, rows[which])
    assert bits == pytest.approx(-sum(p * math.log2(p) for p in classes if p), abs=1e-12)
    assert bits <= math.log2(4) + 1e-12  # claim S4.5: log2 V about one of V answers
    assert teacher_information(prior, rows[which], bits=1) <= bits + 1e-12  # rounding only merges rows


def test_claim_s4_5_a_capacity_linear_in_the_vocabulary_and_log2_v_about_an_answer():
    v = 64
    teachers = 0.5 * np.eye(v) + 0.5 / v
    assert distillation_capacity(v, 16) == 1024
    assert teacher_information(np.full(v, 1 / v), teachers) == pytest.approx(6, abs=1e-12)
    assert teacher_information(np.full(v, 1 / v), 0.01 * np.eye(v) + 0.99 / v, bits=3) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distillation_capacity(0, 16), "vocabulary = 0; want whole numbers"),
        (lambda: distillation_capacity(8, 0), "bits_per_logit = 0; want finite numbers above 0"),
        (lambda: distillation_information([0.5, 0.6], [0.5, 0.5]), "teacher"),
        (lambda: sampled_information([0.5, 0.5], [0.2, 0.3, 0.5]), "student has 3 tokens; want 2"),
        (lambda: top_k_information([0.5, 0.5], [0.5, 0.5], 3), "k = 3; want at most the 2 tokens"),
        (lambda: top_k_information([0.5, 0.5], [0.5, 0.5], 0), "k = 0; want whole numbers"),
        (lambda: teacher_information([0.5, 0.5], [[1.0]]), r"prior has shape \(2,\), teachers \(1, 1\); want"),
        (lambda: teacher_information([1.0], [[1.0]], bits=0), "bits = 0; want whole numbers"),
    ],
)
def test_input_that_does_not_fit_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
