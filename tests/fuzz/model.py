"""A small run as hypothesis draws it, the files that hold it, and the count that an honest reader must come to.

Nothing here imports bitrate: the truth has an author of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

#: What models write, and what trips up readers of text.
TEXTS = ("so 4", "a, b", 'she said "4"', "two\nlines", "tab\tand ; and |", "日本 ümläut 🙂", "</script>", "\u2028",
         "null", "NaN", "[1]", '{"reward": 9}', "a" * 300, "'", "\\", "", "\x1b]0;x\x07", "%s {} $x")  # fmt: skip
LEVELS = {"binary": (0.0, 1.0), "signed": (-1.0, 1.0), "graded": (0.0, 0.25, 0.5, 1.0), "shifted": (0.1, 1.1)}


@dataclass(frozen=True)
class Rollout:
    """One answer to one prompt."""

    run: int
    split: str
    step: int
    prompt: int
    sample: int
    reward: float
    text: str
    tokens: int


@dataclass(frozen=True)
class World:
    """A run or two: every rollout there is, group by group."""

    rollouts: tuple[Rollout, ...]
    levels: str

    def values(self, name: str) -> list[Any]:
        """The distinct values of a field, in order."""
        return sorted({getattr(r, name) for r in self.rollouts})

    @property
    def binary(self) -> bool:
        """Whether rewards are 0 and 1."""
        return self.levels == "binary"


@st.composite
def worlds(draw: st.DrawFn, *, runs: int = 2, evals: bool = True, steps: int = 3, k: int | None = None) -> World:
    """At most this many runs and steps; groups of 1 to 5, or all of ``k``; a prompt once a step."""
    levels = draw(st.sampled_from(["binary", "binary", "binary", "graded", "signed", "shifted"]))
    pool = LEVELS[levels]
    found: list[Rollout] = []
    spacing = draw(st.sampled_from([1, 1, 10, 100]))
    splits = ["train", "eval"] if evals and draw(st.integers(0, 4)) == 4 else ["train"]
    for run in range(draw(st.integers(1, runs))):
        for split in splits:
            for step in range(1, draw(st.integers(1, steps)) + 1):
                for prompt in sorted(draw(st.sets(st.integers(0, 3), min_size=1, max_size=3))):
                    size = k or draw(st.integers(1, 5))
                    for sample, level in enumerate(draw(st.lists(st.sampled_from(pool), min_size=size, max_size=size))):
                        text = f"{draw(st.sampled_from(TEXTS))} {len(found)}"
                        found.append(Rollout(run, split, step * spacing, prompt, sample, level, text, 3 + len(found)))
    return World(tuple(found), levels)


@dataclass
class Row:
    """What one line, record or member holds, and what of it must be counted: ``truth``, or ``aside`` rows set aside.

    ``doubt`` is a row that may be counted or set aside, but not without a word; ``line`` is written as it stands.
    """

    raw: dict[str, Any]
    truth: tuple[Rollout, ...] = ()
    aside: int = 0
    doubt: tuple[Rollout, ...] = ()
    line: bytes | None = None


@dataclass
class Doc:
    """One file; ``dead`` where it must not be counted at all (a copy, a truncated file)."""

    path: str
    kind: str
    rows: list[Row]
    types: dict[str, Any] = field(default_factory=dict)
    delimiter: str = ","
    bom: bool = False
    newline: str = "\n"
    final_newline: bool = True
    pack: str = ""
    cut: float | None = None
    dead: bool = False
    doubled_key: str = ""
    metadata: dict[bytes, bytes] = field(default_factory=dict)
    head: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> bool:
        """Whether the file is made of lines."""
        return self.kind in {"jsonl", "csv"}


@dataclass(repr=False)
class Dataset:
    """A folder of files, how it is given to bitrate, and what is right.

    ``reward`` is the way of keys to a rollout's score; ``columns`` are the table's own names for id, step and sample
    (None where it has none); ``ident`` says which rollouts are one group: (run, split, step, prompt as shown or None).
    ``refusable`` allows an error that names a file; ``words``: one of them must be said, or something set aside;
    ``others`` are counts that are right as well.
    """

    format: str
    docs: list[Doc]
    ident: Callable[[Rollout], tuple[Any, ...]]
    reward: tuple[str | int, ...]
    columns: dict[str, str | None] = field(default_factory=dict)
    beside: dict[str, bytes] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=lambda: [""])
    root: str = "input"
    options: dict[str, Any] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    refusable: bool = False
    words: list[tuple[str, ...]] = field(default_factory=list)
    others: list[list[Rollout]] = field(default_factory=list)
    exact_aside: bool = True
    loose: bool = False
    binary: bool = True
    named: bool = False
    renamed: bool = False

    def __repr__(self) -> str:
        return f"<{'; '.join(self.story)}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What hypothesis prints of an example; the files are told below it."""
        printer.text(repr(self))

    @property
    def table(self) -> bool:
        """Whether this is a plain table, whose columns and file names are free."""
        return self.format == "table"

    @property
    def live(self) -> list[Doc]:
        """Files that are to be counted."""
        return [d for d in self.docs if not d.dead]

    @property
    def rollouts(self) -> list[Rollout]:
        """What must be counted."""
        return [r for d in self.live for row in d.rows for r in row.truth]

    @property
    def doubtful(self) -> list[Rollout]:
        """What may be counted or set aside."""
        return [r for d in self.live for row in d.rows for r in row.doubt]

    @property
    def aside(self) -> int:
        """How many rows must be set aside: a file without any sound row may also be left unread, which is said."""
        return sum(row.aside for d in self.live for row in d.rows if any(r.truth or r.doubt for r in d.rows))

    @property
    def unread(self) -> int:
        """How many rows stand in files without any sound row."""
        return sum(row.aside for d in self.live for row in d.rows) - self.aside

    @property
    def written(self) -> int:
        """Rollouts that stand in the files, copies included: no reader may count more."""
        return sum(max(1, len(row.truth), len(row.doubt)) for d in self.docs for row in d.rows)

    def rename(self, change: Callable[[Rollout], Rollout]) -> None:
        """Change every rollout of the truth."""
        for doc in self.docs:
            for row in doc.rows:
                row.truth = tuple(map(change, row.truth))


#: (split, step, prompt, n, sum of rewards, n_correct), how often
Groups = Counter[tuple[Any, ...]]


def count(rollouts: Iterable[Rollout], ident: Callable[[Rollout], tuple[Any, ...]]) -> Groups:
    """The groups of some rollouts; right and wrong are told apart where there are two levels of reward."""
    found: dict[tuple[Any, ...], list[float]] = {}
    for r in rollouts:
        found.setdefault((*ident(r), r.prompt), []).append(r.reward)
    levels = sorted({round(x, 6) for rewards in found.values() for x in rewards})
    bound = (levels[0] + levels[1]) / 2 if len(levels) == 2 else 0.5 if levels in ([0.0], [1.0], [-1.0]) else None
    groups: Groups = Counter()
    for (_, split, step, shown, _), rewards in found.items():
        right = None if bound is None else sum(x > bound for x in rewards)
        groups[split, step, shown, len(rewards), round(sum(rewards), 6), right] += 1
    return groups


def with_reward(rollout: Rollout, reward: float) -> Rollout:
    """The same rollout with another reward."""
    return replace(rollout, reward=reward)
