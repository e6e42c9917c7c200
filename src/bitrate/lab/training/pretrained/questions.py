"""Questions for a pretrained model: sums of two digits, the larger of two, or a code; some taught, some held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bitrate.errors import InputError
from bitrate.lab.training.codes import linear_code

Pair = tuple[int, int]

#: The split and the worked examples come from it, the same for every arm and every seed.
SPLIT_SEED = 3


@dataclass(frozen=True)
class Question:
    """A prompt with its right answer.

    Args:
        id: the question itself, e.g. ``"3+4="``.
        prompt: worked examples, one a line, and the question; never ends in a space.
        answer: without the newline that closes it.
        held_out: whether it is never trained on.
    """

    id: str
    prompt: str
    answer: str
    held_out: bool


@dataclass(frozen=True)
class _Task:
    """How to ask and answer a pair of digits.

    ``long`` of the ``shots`` examples have an answer of two digits, so that all prompts are of one length.
    """

    ask: Callable[[int, int], str]
    answer: Callable[[int, int], int]
    pairs: tuple[Pair, ...]
    shots: int
    long: int
    held_out: tuple[int, int]


_DIGITS = tuple((a, b) for a in range(10) for b in range(10))

#: ``held_out``: how many doubles (a, a), and how many pairs with their mirror images, are not trained on.
_TASKS = {
    "addition": _Task("{}+{}=".format, lambda a, b: a + b, _DIGITS, shots=3, long=1, held_out=(4, 16)),
    "larger": _Task("max({},{})=".format, max, tuple(p for p in _DIGITS if p[0] != p[1]), 2, long=0, held_out=(0, 17)),
}


#: The task whose answers are a code, its answers to a place, its rows and columns, and rows that are trained on.
CODE, ANSWERS, SIDE, TAUGHT = "code", 10, 4, 2


def questions(task: str, rng: np.random.Generator) -> list[Question]:
    """Every question of a task; the same list for every run, but for the answers of a code.

    A pair (a, b) and its mirror image (b, a) have one answer, so they are on the same side of the split. A question's
    worked examples are pairs that are trained on, other than itself and its mirror image: no prompt gives away an
    answer that is held out, or its own.

    Args:
        task: ``"addition"``: ``a+b=`` after 3 examples, 64 questions to train on and 36 held out; ``"larger"``:
            ``max(a,b)=``, a and b different, after 2 examples, 56 and 34; ``"code"``: ``(a,b)=`` without examples, 8
            and 8, whose answers are those of a :func:`linear_code`: sixteen of ten, with the entropy of seven digits.
        rng: draws the hidden digits of a code, and nothing else.

    Returns:
        First those to train on, then those held out. Digits are tokens: all prompts of a task are of one length.

    Raises:
        InputError: another task.

    >>> rng = np.random.default_rng(0)
    >>> asked = questions("addition", rng)
    >>> sum(not q.held_out for q in asked), sum(q.held_out for q in asked)
    (64, 36)
    >>> [q.answer for q in asked if q.id == "7+8="]
    ['15']
    >>> questions("larger", rng)[0].prompt.count("max")
    3
    >>> [q.id for q in questions("code", rng)][-1]
    '(3,3)='
    """
    if task == CODE:
        code = linear_code(1, SIDE, ANSWERS, rng)[0]
        asks = [(f"({a},{b})=", str(code[a, b]), a >= TAUGHT) for a in range(SIDE) for b in range(SIDE)]
        return [Question(ask, ask, answer, held_out) for ask, answer, held_out in asks]
    if task not in _TASKS:
        raise InputError(f"task = {task!r}; want one of {', '.join([*_TASKS, CODE])}")
    kind, rng = _TASKS[task], np.random.default_rng(SPLIT_SEED)
    doubles = [p for p in kind.pairs if p[0] == p[1]]
    ordered = [p for p in kind.pairs if p[0] < p[1]]
    out: set[Pair] = set()
    for some, n in ((doubles, kind.held_out[0]), (ordered, kind.held_out[1])):
        out |= {some[i] for i in rng.permutation(len(some))[:n]}
    out |= {(b, a) for a, b in out}
    trained = [p for p in kind.pairs if p not in out]
    return [_question(kind, p, trained, rng, False) for p in trained] + [
        _question(kind, p, trained, rng, True) for p in kind.pairs if p in out
    ]


def _question(kind: _Task, pair: Pair, examples: list[Pair], rng: np.random.Generator, held_out: bool) -> Question:
    """A pair behind worked examples drawn for it."""
    others = [p for p in examples if p not in (pair, pair[::-1])]
    long = [p for p in others if kind.answer(*p) > 9]
    short = [p for p in others if kind.answer(*p) <= 9]
    drawn = [long[i] for i in rng.permutation(len(long))[: kind.long]]
    drawn += [short[i] for i in rng.permutation(len(short))[: kind.shots - kind.long]]
    shots = [drawn[i] for i in rng.permutation(kind.shots)]
    lines = "".join(f"{kind.ask(*p)}{kind.answer(*p)}\n" for p in shots)
    asked = kind.ask(*pair)
    return Question(asked, lines + asked, str(kind.answer(*pair)), held_out)
