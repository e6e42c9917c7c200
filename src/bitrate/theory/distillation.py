"""Distillation: what a teacher's distributions could carry, what the student gains, what they say about one answer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bitrate.errors import InputError
from bitrate.theory.checks import distribution, numbers, one, positive, whole
from bitrate.theory.divergence import divergence, shannon
from bitrate.types import Floats

#: At so many bits every float64 in [0, 1] is a whole number of steps, or below the first one.
FINEST = 1023


class SampledLabel(NamedTuple):
    """Mean bits of a token sampled from the teacher, as the student reads it: ``surprisal = gain + noise``."""

    surprisal: Floats
    gain: Floats
    noise: Floats


def distillation_capacity(vocabulary: ArrayLike, bits_per_logit: ArrayLike) -> Floats:
    """The most that one distribution can carry: ``V x bits per logit``.

    Args:
        vocabulary: V, whole numbers from 1.
        bits_per_logit: precision of a logit, above 0; broadcasts.

    Returns:
        Bits per token, the broadcast shape.

    Raises:
        InputError: ``vocabulary`` not a whole number from 1, or a precision that is not finite and positive.

    Reference: docs/theory.md#distillation, claim S4.5.

    >>> float(distillation_capacity(50_000, 16))
    800000.0
    """
    size, bits = whole("vocabulary", vocabulary), positive("bits_per_logit", bits_per_logit)
    with np.errstate(over="ignore"):  # inf says that no number holds it
        return np.asarray(size * bits)


def distillation_information(teacher: ArrayLike, student: ArrayLike) -> Floats:
    """Log-loss that the student has to gain: ``KL(teacher || student)``.

    Args:
        teacher: probabilities, last axis the vocabulary.
        student: probabilities, same last axis; broadcasts.

    Returns:
        Bits per token, the broadcast shape less the last axis; inf where the student excludes what the teacher says.

    Raises:
        InputError: rows that are no distributions, or last axes that differ.

    Reference: docs/theory.md#distillation; Cover and Thomas, eq. 2.26.

    >>> float(distillation_information([1.0, 0.0], [0.25, 0.75]))
    2.0
    """
    t, s = _pair(teacher, student)
    return divergence(t, s)


def top_k_information(teacher: ArrayLike, student: ArrayLike, k: int) -> Floats:
    """Log-loss to gain from a truncated teacher: ``KL(teacher_k || student)``.

    ``teacher_k`` keeps the k most likely tokens, divided by their mass. Of equals the first stay.

    Args:
        teacher: probabilities, last axis the vocabulary.
        student: probabilities, same last axis; broadcasts.
        k: tokens kept, a whole number from 1 to the size of the vocabulary.

    Returns:
        Bits per token, the broadcast shape less the last axis; the bits of the full teacher at ``k`` = V. Fewer tokens
        can make it larger: the truncated teacher is surer than the teacher.

    Raises:
        InputError: rows that are no distributions, last axes that differ, or ``k`` out of range.

    Reference: docs/theory.md#distillation.

    >>> float(top_k_information([0.5, 0.3, 0.2], [0.25, 0.5, 0.25], 1))
    2.0
    """
    t, s = _pair(teacher, student)
    size = int(one("k", whole("k", k)))
    if size > t.shape[-1]:
        raise InputError(f"k = {size}; want at most the {t.shape[-1]} tokens of teacher")
    kept = np.zeros_like(t)
    top = np.argsort(-t, axis=-1, kind="stable")[..., :size]
    np.put_along_axis(kept, top, np.take_along_axis(t, top, axis=-1), axis=-1)
    return divergence(kept / kept.sum(-1, keepdims=True), s)


def sampled_information(teacher: ArrayLike, student: ArrayLike) -> SampledLabel:
    """Mean bits of one token sampled from the teacher: surprisal ``-sum t log2 s = KL(t || s) + H(t)``.

    The gain is that of the full distribution; the teacher's entropy comes with it as noise that no student can lose.

    Args:
        teacher: probabilities, last axis the vocabulary.
        student: probabilities, same last axis; broadcasts.

    Returns:
        Bits per token, each the broadcast shape less the last axis: surprisal, gain ``KL(t || s)``, noise ``H(t)``.

    Raises:
        InputError: rows that are no distributions, or last axes that differ.

    Reference: docs/theory.md#distillation.

    >>> tuple(float(bits) for bits in sampled_information([0.5, 0.5], [0.5, 0.5]))
    (1.0, 0.0, 1.0)
    """
    t, s = _pair(teacher, student)
    gain, noise = divergence(t, s), shannon(t)
    return SampledLabel(gain + noise, gain, np.broadcast_to(noise, gain.shape))


def teacher_information(prior: ArrayLike, teachers: ArrayLike, bits: int | None = None) -> float:
    """Bits about the target in the teacher's distribution: ``I(S; row_S)``, the entropy of the classes of equal rows.

    A target decides its teacher's row, so the row says which class of equal rows the target is in, and no more.

    Args:
        prior: probability of each target, shape [S].
        teachers: the distribution sent for each target, shape [S, V].
        bits: precision: rows equal after rounding to multiples of ``2^-bits`` are one; None compares them exactly.

    Returns:
        Bits per message; at most ``H(S)``, which is at most ``log2 V`` where the targets are answers.

    Raises:
        InputError: ``prior`` or a row that is no distribution, shapes that do not fit, or ``bits`` not a whole number
            from 1.

    Reference: docs/theory.md#distillation, claim S4.5.

    >>> teacher_information([0.5, 0.25, 0.25], [[1.0, 0.0], [0.5, 0.5], [0.51, 0.49]])
    1.5
    >>> teacher_information([0.5, 0.25, 0.25], [[1.0, 0.0], [0.5, 0.5], [0.51, 0.49]], bits=4)
    1.0
    """
    q, rows = distribution("prior", prior), distribution("teachers", teachers)
    if q.ndim != 1 or rows.ndim != 2 or rows.shape[0] != q.size:
        raise InputError(f"prior has shape {q.shape}, teachers {rows.shape}; want [S] and [S, V]")
    rows = numbers("teachers", teachers)  # as they were sent: dividing rounding out could part two equal values
    if bits is not None:
        with np.errstate(over="ignore"):
            steps = np.ldexp(rows, int(min(one("bits", whole("bits", bits)), FINEST)))
        rows = np.rint(steps)
    which = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    return float(shannon(np.asarray(np.bincount(which, weights=q), dtype=np.float64)))


def _pair(teacher: ArrayLike, student: ArrayLike) -> tuple[Floats, Floats]:
    t, s = distribution("teacher", teacher), distribution("student", student)
    if t.shape[-1] != s.shape[-1]:
        raise InputError(f"student has {s.shape[-1]} tokens; want {t.shape[-1]}, as teacher has")
    return t, s
