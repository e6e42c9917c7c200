"""What a label, a sampled guess or any finite table of two variables says about the right answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bitrate.errors import InputError
from bitrate.theory.checks import distribution, numbers, probability, whole
from bitrate.theory.divergence import divergence, shannon
from bitrate.theory.entropy import binary_entropy
from bitrate.types import Floats


def label_information(p: ArrayLike, others: ArrayLike) -> Floats:
    """Expected bits of the right label: ``h(p) + (1-p) log2 others``.

    The learner believes one option with probability ``p`` and spreads the rest evenly over the other options.

    Args:
        p: belief in the top option, each in [0, 1].
        others: how many other options there are, whole numbers from 1; broadcasts with ``p``.

    Returns:
        Bits per label, the broadcast shape; ``log2(1 + others)`` at ``p = 1 / (1 + others)``.

    Raises:
        InputError: ``p`` outside [0, 1], or ``others`` not a whole number from 1.

    Reference: docs/theory.md#labels, claim S4.2.

    >>> float(label_information(0.25, 3))
    2.0
    >>> round(float(label_information(0.5, 3)), 4)
    1.7925
    """
    x, rest = probability("p", p), whole("others", others)
    # At the cap, where all options are alike, rounding can exceed it by a unit in the last place.
    return np.asarray(np.minimum(binary_entropy(x) + (1 - x) * np.log2(rest), np.log2(1 + rest)))


def sampled_guess_information(p: ArrayLike, others: ArrayLike) -> Floats:
    """Expected bits of "right" or "wrong" on a guess sampled from the belief: ``p h(p) + (1-p) h((1-p)/others)``.

    The belief is that of :func:`label_information`. A guess that is always the top option gives ``h(p)`` instead.

    Args:
        p: belief in the top option, each in [0, 1].
        others: how many other options there are, whole numbers from 1; broadcasts with ``p``.

    Returns:
        Bits per guess, the broadcast shape; never above :func:`label_information`.

    Raises:
        InputError: ``p`` outside [0, 1], or ``others`` not a whole number from 1.

    Reference: docs/theory.md#outcome, claim S3.3; docs/theory.md#labels, claim S4.2.

    >>> float(sampled_guess_information(0.5, 1))
    1.0
    >>> f"{sampled_guess_information(0.5, 3):.4f}"
    '0.8250'
    """
    x, rest = probability("p", p), whole("others", others)
    one_other = np.minimum(1 - x, rest - 1 + x) / rest  # or the chance of any but that one, if it is less
    bits = x * binary_entropy(x) + (1 - x) * binary_entropy(one_other)
    # Equal at p = 1/2 and one other option, but for rounding.
    return np.asarray(np.minimum(bits, label_information(x, rest)))


def surprisal(p: ArrayLike) -> Floats:
    """Bits of one event that did happen: ``-log2 p``. Its mean over all events, not this value, is an information.

    Args:
        p: probabilities given to the event before it happened, any shape, each in [0, 1].

    Returns:
        Bits, shape of ``p``; ``inf`` where ``p`` is 0.

    Raises:
        InputError: an element of ``p`` outside [0, 1], or NaN.

    Reference: docs/theory.md#outcome, claim S1.3; docs/theory.md#labels, claim S3.2.

    >>> surprisal([1, 0.25, 0]).tolist()
    [0.0, 2.0, inf]
    """
    x = probability("p", p)
    with np.errstate(divide="ignore"):
        return np.asarray(0.0 - np.log2(x))


def mutual_information(joint: ArrayLike) -> Floats:
    """Bits that two variables tell about each other: ``I(X;Y) = sum_xy P(x,y) log2(P(x,y) / (P(x) P(y)))``.

    Args:
        joint: the table P(x, y), one row for each x, one column for each y; all its elements sum to 1.

    Returns:
        Bits, no shape.

    Raises:
        InputError: ``joint`` is not a table of two dimensions, has a negative element, or does not sum to 1.

    Reference: Cover and Thomas, Elements of Information Theory, eq. 2.28.

    >>> float(mutual_information([[0.5, 0], [0, 0.5]]))
    1.0
    >>> float(mutual_information([[0.25, 0.25], [0.25, 0.25]]))
    0.0
    """
    table = numbers("joint", joint)
    if table.ndim != 2:
        raise InputError(f"joint has {table.ndim} dimensions; want a table of two, rows x and columns y")
    table = distribution("joint", table.ravel()).reshape(table.shape)
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    seen = rows > 0
    # Mean divergence of the rows from the column totals. P(x) P(y) is not formed: it can underflow though P(x, y) > 0.
    bits = rows[seen] @ divergence(table[seen] / rows[seen, None], columns)
    # Rounding can exceed the entropy of the rows or of the columns by a few units in the last place.
    return np.asarray(np.minimum(bits, np.minimum(shannon(rows), shannon(columns))))
