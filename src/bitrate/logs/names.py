"""What the names of files and folders tell of a table that does not say it in a column: step, split, run.

Words are looked for in the path below what the user named. A word for a part of one run (rank, shard, step, split)
makes no run of its own; any other folder does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bitrate.logs.peek import Peek

#: Words that a step's number follows, the surest first.
STEPS = ("global step|globalstep|step|steps", "iter|iteration|iters", "checkpoint|ckpt", "epoch|epochs")
TRAIN = {"train", "training", "trn"}
EVAL = {"val", "valid", "validation", "eval", "evals", "evaluation", "test", "testing", "dev", "heldout"}
#: Parts of one run, which follow from how it was written.
PARTS = {
    "rank", "shard", "part", "parts", "worker", "gpu", "proc", "process", "node", "host", "replica", "actor", "dp",
    "chunk", "batch", "file", "split", "data", "rollouts", "rollout", "of",
}  # fmt: skip
#: Words whose number tells one run from another.
RUNS = {"run", "seed", "exp", "experiment", "trial", "model", "version", "v", "k", "job", "config", "lr", "arm"}
WORD = re.compile(r"[A-Za-z]+|\d+")
STEP_WORDS = {w for words in STEPS for name in words.split("|") for w in name.split()}


def step_in_name(file: Peek) -> int | None:
    """The step that a file's name or one of its folders gives: ``step_100.jsonl``, ``checkpoint-100/rows.csv``.

    >>> from pathlib import Path
    >>> [step_in_name(Peek(Path(n), n)) for n in ("step_100.jsonl", "a/global-step-7/rank_3.csv", "rows_100.jsonl")]
    [100, 7, None]
    """
    parts = [_stem(file), *reversed(_folders(file))]
    for words in STEPS:
        for part in parts:
            spaced = re.sub(r"[^A-Za-z0-9]+", " ", part)
            found = re.search(rf"(?:^|[^A-Za-z])(?:{words}) ?0*(\d{{1,15}})(?![\dA-Za-z])", spaced, re.IGNORECASE)
            if found:
                return int(found[1])
    return None


def split_in_name(file: Peek) -> str | None:
    """``"train"`` or ``"eval"`` where the file's name begins or ends with such a word, or a folder is called so.

    >>> from pathlib import Path
    >>> [split_in_name(Peek(Path(n), n)) for n in ("train-00000-of-00001.parquet", "x/val/1.csv", "contest.jsonl")]
    ['train', 'eval', None]
    """
    words = [w.lower() for w in re.findall("[A-Za-z]+", _stem(file))]
    for word in [*(words[:1] + words[-1:]), *(f.lower() for f in reversed(_folders(file)))]:
        if word in TRAIN | EVAL:
            return "train" if word in TRAIN else "eval"
    return None


def split_of(value: str) -> str:
    """SQL for the text of a split column as ``train`` or ``eval``; other texts stay what they are."""
    cases = " ".join(
        f"WHEN lower(trim({value})) IN ({', '.join(repr(w) for w in sorted(words))}) THEN '{name}'"
        for name, words in (("train", TRAIN), ("eval", EVAL))
    )
    return f"CASE {cases} ELSE {value} END"


def home(file: Peek) -> str:
    """The folder that makes a run, relative to what the user named: without those of steps, splits and ranks."""
    return "/".join(f for f in file.inside.split("/")[:-1] if _telling(f))


def kind_of_name(file: Peek) -> str:
    """What is left of a file's name without what tells a step, a split, a rank or a shard.

    >>> from pathlib import Path
    >>> [kind_of_name(Peek(Path(n), n)) for n in ("part-0.csv", "rank_12_step_3.jsonl", "seed1.jsonl", "grpo_2.csv")]
    ['', '', 'seed 1', 'grpo']
    """
    return _telling(_stem(file))


def _telling(name: str) -> str:
    """The words of a name that may tell one run from another."""
    kept: list[str] = []
    before = ""
    for word in (w.lower() for w in WORD.findall(name)):
        if word.isdigit():
            kept += [word] if before in RUNS else []
        elif word not in PARTS | STEP_WORDS | TRAIN | EVAL:
            kept.append(word)
        before = word
    return " ".join(kept)


def _stem(file: Peek) -> str:
    return file.inside.rpartition("/")[2].split(".", 1)[0]


def _folders(file: Peek) -> Sequence[str]:
    """Folders below what the user named; where there is none, the one that the file lies in."""
    return file.inside.split("/")[:-1] or [file.path.absolute().parent.name]
