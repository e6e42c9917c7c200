"""Training runs: each repetition of an arm is trained once, kept as a folder of rollouts, and never half-written.

A repetition of an :class:`~bitrate.lab.claim.Arm` has randomness of its own. It is known by the name of the arm's
function and its settings, the seed, the code of the lab that trains it (:mod:`bitrate.lab.training.code_hash`) and the
versions of the libraries that it runs on: a killed run goes on with the repetitions that are left, and a run trained by
different code is not reused.

Settings are known by the names and values of their fields. A field at its default is left out: a setting can be added,
with a default, and other arms keep their randomness.

Randomness is drawn under the name and settings too, and under ``SEEDED_AS`` of the function's module where it has one.
The runs that verdicts were published of were seeded by the names of their modules; ``SEEDED_AS`` keeps those names, so
that a module can move and train to the same bits.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

from bitrate import files
from bitrate.costs import Cost
from bitrate.lab.claim import Arm, Case, Claim
from bitrate.lab.training.code_hash import code_hash
from bitrate.lab.workers import Failure, each

#: Beside the rollouts of a repetition: what it cost.
COST_FILE = "run.cost"
#: Folders of repetitions under way start so, then the process that trains.
UNFINISHED = ".unfinished-"
#: Libraries whose version may change a training run.
LIBRARIES = ("torch", "transformers", "trl", "peft", "numpy")


@dataclass(frozen=True)
class Store:
    """A folder of training runs: ``<arm>-<key>/<number>/rollouts-*.parquet``.

    Args:
        folder: made where it is not there.
        seed: all randomness of the runs comes from it.
    """

    folder: Path
    seed: int = 0

    def place(self, arm: Arm, number: int) -> Path:
        """Folder of a repetition, whether or not it is there."""
        said = (_known_by(arm), self.seed, code_hash(arm.train), tuple(versions().items()))
        key = hashlib.sha256(repr(said).encode()).hexdigest()[:12]
        return self.folder / f"{arm.name}-{key}" / f"{number:03d}"

    def cost(self, arm: Arm, number: int) -> Cost | None:
        """What a finished repetition cost; None for one that is not there."""
        file = self.place(arm, number) / COST_FILE
        return Cost(**json.loads(file.read_text("utf-8"))) if file.exists() else None

    def train(self, arm: Arm, number: int) -> Cost:
        """Train a repetition, or take over the finished one; what it cost when it was trained."""
        known = self.cost(arm, number)
        if known:
            return known
        place = self.place(arm, number)
        place.parent.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        # The folder that is trained into has its own name: rollouts are called after it.
        with tempfile.TemporaryDirectory(prefix=f"{UNFINISHED}{os.getpid()}-", dir=self.folder) as unfinished:
            work = Path(unfinished, place.name)
            work.mkdir()
            rng = np.random.default_rng([self.seed, zlib.crc32(_known_by(arm).encode()), number])
            cost = replace(arm.train(arm.settings, work, rng), seconds=time.monotonic() - began)
            files.write(work / COST_FILE, json.dumps(asdict(cost)))
            try:
                work.replace(place)
            except OSError:
                if not (place / COST_FILE).exists():
                    raise
                # Another process was faster; its repetition has the same bits.
        return cost

    def gather(self, arms: Sequence[Arm], into: Path, full: bool) -> None:
        """Lay out finished repetitions for a signal, ``into/<arm>/<number>``; those that are missing are trained."""
        for arm in arms:
            for number in repetitions(arm, full):
                self.train(arm, number)
                shutil.copytree(self.place(arm, number), into / arm.name / f"{number:03d}", copy_function=_linked)

    def total_cost(self, claim: Claim, full: bool) -> Cost:
        """What the claim's runs cost when they were trained."""
        costs = (self.cost(arm, number) for arm, number in needed([claim], full))
        return sum((c for c in costs if c), Cost())


def repetitions(arm: Arm, full: bool) -> range:
    """Numbers of the repetitions of a quick look, or of the published verdict."""
    return range(arm.full if full else arm.smoke)


def measured_cases(claim: Claim, full: bool) -> list[Case]:
    """The cases that are measured at this size."""
    return [c for c in claim.cases if full or not c.full]


def needed(claims: Iterable[Claim], full: bool) -> list[tuple[Arm, int]]:
    """The repetitions that these claims need, each once; number 0 of every arm first."""
    arms = [a for c in claims if c.arms for case in measured_cases(c, full) for a in c.arms(case)]
    found = {(number, a.name, a.train, _known_by(a)): (a, number) for a in arms for number in repetitions(a, full)}
    return [found[key] for key in sorted(found, key=lambda k: k[0])]


class Pace:
    """How much of a training is done, by the seconds that repetitions of the same arm took.

    An arm of which no repetition is finished is taken to be as slow as the mean of the others.

    Args:
        todo: every repetition, the finished ones too.
        runs: where they are.
        jobs: how many are trained at a time.
    """

    def __init__(self, todo: Sequence[tuple[Arm, int]], runs: Store, jobs: int) -> None:
        self.jobs, self.left, self.spent = jobs, [a.name for a, _ in todo], dict[str, list[float]]()
        for arm, number in todo:
            cost = runs.cost(arm, number)
            if cost:
                self.finished(arm, cost)

    def finished(self, arm: Arm, cost: Cost) -> None:
        """One more repetition is done."""
        self.left.remove(arm.name)
        self.spent.setdefault(arm.name, []).append(cost.seconds)

    def share(self) -> float:
        """The share of the work that is done, in [0, 1]."""
        done = sum(map(sum, self.spent.values()))
        ahead = self.seconds_left()
        return 1.0 if not self.left else 0.0 if ahead is None else done / (done + ahead * self.jobs)

    def seconds_left(self) -> float | None:
        """How long the rest will take; None while no repetition is finished."""
        if not self.spent:
            return None
        every = [s for seconds in self.spent.values() for s in seconds]
        mean = {name: sum(s) / len(s) for name, s in self.spent.items()}
        return sum(mean.get(name, sum(every) / len(every)) for name in self.left) / self.jobs

    def words(self) -> str:
        """The same for a person."""
        done, ahead = sum(map(len, self.spent.values())), self.seconds_left()
        count = f"{done} of {done + len(self.left)} training runs"
        return count if ahead is None or not self.left else f"{count}, about {_duration(ahead)} left"


def _duration(seconds: float) -> str:
    """A length of time in words.

    >>> _duration(50), _duration(150), _duration(9000)
    ('1 min', '2 min', '2 h 30 min')
    """
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def train_all(
    todo: Sequence[tuple[Arm, int]], runs: Store, jobs: int, progress: Callable[[str, float], None] | None = None
) -> dict[Path, str]:
    """Train the repetitions that are not there yet, several at a time.

    Args:
        todo: from :func:`needed`.
        runs: where they are kept.
        jobs: processes.
        progress: called with what was done and the share.

    Returns:
        Why a repetition is still not there, by its place, for those that failed.
    """
    runs.folder.mkdir(parents=True, exist_ok=True)
    _sweep(runs.folder)
    pace, lost = Pace(todo, runs, jobs), dict[Path, str]()
    left = [(arm, number, runs) for arm, number in todo if runs.cost(arm, number) is None]
    if progress and todo:
        progress(pace.words(), pace.share())

    def finished(asked: tuple[Arm, int, Store], found: Cost | Failure) -> None:
        arm, number, _ = asked
        if isinstance(found, Failure):
            lost[runs.place(arm, number)] = found.reason
            pace.left.remove(arm.name)
            said = f"{arm.name}, run {number} failed: {found.reason}"
        else:
            pace.finished(arm, found)
            said = f"{arm.name}: {pace.words()}"
        if progress:
            progress(said, pace.share())

    each(train_one, left, jobs, finished)
    return lost


def train_one(asked: tuple[Arm, int, Store]) -> Cost:
    """One repetition, on one thread: threads would wait for each other, and change the last digit of sums."""
    arm, number, runs = asked
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(1)
    return runs.train(arm, number)


@cache
def versions() -> dict[str, str]:
    """Versions of the libraries that a training run may depend on, those that are installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _known_by(arm: Arm) -> str:
    """What arms of the same code differ by, and what their randomness is drawn under."""
    seeded_as = getattr(sys.modules.get(arm.train.__module__), "SEEDED_AS", "")
    default = {f.name: f.default for f in fields(arm.settings)}
    said = {name: value for name, value in asdict(arm.settings).items() if value != default[name]}
    return json.dumps([seeded_as, arm.train.__qualname__, said], sort_keys=True)


def _sweep(folder: Path) -> None:
    """Remove what processes left behind that were killed."""
    for work in folder.glob(f"{UNFINISHED}*"):
        owner = work.name.removeprefix(UNFINISHED).partition("-")[0]
        try:
            os.kill(int(owner), 0)
        except ProcessLookupError:
            shutil.rmtree(work, ignore_errors=True)
        except (PermissionError, ValueError):
            continue


def _linked(source: str, target: str) -> None:
    """Files of a repetition are read and never written: a link is enough where the file system has links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
