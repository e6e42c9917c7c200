"""Work in several processes: one that fails, or is killed, loses no other, and none outlives its parent.

Written here, and not joblib's pool or that of ``concurrent.futures``: there, a worker that is killed, say for want of
memory, ends the whole pool (``TerminatedWorkerError``, ``BrokenProcessPool``) and with it what the others are at, and
nothing says which piece of work it was.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import bitrate
from bitrate.errors import BitrateError, Interrupted

PACKAGE = Path(bitrate.__file__).parent
Work = Callable[[Any], Any]


@dataclass(frozen=True)
class Failure:
    """Why a piece of work has no result."""

    reason: str


def each(work: Work, asked: Sequence[Any], jobs: int, finished: Callable[[Any, Any], None]) -> None:
    """Do a piece of work for each of several arguments, side by side.

    Args:
        work: a function that another process can import.
        asked: its arguments.
        jobs: processes; one piece of work, or one job, is done in this process.
        finished: called with an argument and what came of it, a :class:`Failure` included, as it comes.

    Raises:
        Interrupted: Ctrl-C.
    """
    try:
        if len(asked) <= 1 or jobs == 1:
            for one in asked:
                finished(one, tried(work, one))
        else:
            with tempfile.TemporaryDirectory(prefix="bitrate-work-") as scratch, _one_thread():
                _side_by_side(work, asked, jobs, finished, scratch)
    except KeyboardInterrupt:
        raise Interrupted("stopped", hint="the same command goes on with what is left") from None


def tried(work: Work, one: Any) -> Any:
    """What comes of a piece of work; of one that raises, what it raised and where.

    >>> tried(float, "1.5"), tried(float, "one")
    (1.5, Failure(reason="ValueError: could not convert string to float: 'one'"))
    """
    try:
        return work(one)
    except Interrupted:
        raise
    except (Exception, SystemExit) as error:
        return Failure(_words(error))


def _words(error: BaseException) -> str:
    said = " ".join(f"{type(error).__name__}: {error}".replace("\n  hint:", "; hint:").split())
    if isinstance(error, BitrateError):
        return said
    ours = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(PACKAGE)]
    ours = [f for f in ours if f.filename != __file__]
    return f"{said} ({Path(ours[-1].filename).relative_to(PACKAGE).as_posix()}:{ours[-1].lineno})" if ours else said


class _Worker:
    """A process that does one piece of work after the other, and is known to have died when its line is cut."""

    def __init__(self, work: Work, scratch: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work, scratch), daemon=True)
        # A worker leaves Ctrl-C to its parent from its first instruction on: it inherits what is blocked here. The
        # tracker that comes with the first process unblocks, so it is started before.
        resource_tracker.ensure_running()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        theirs.close()
        self.asked: Any = None

    def ask(self, one: Any) -> None:
        self.asked = one
        try:
            self.line.send(one)
        except OSError:  # it died: the line says so when the answer is read
            return

    def answer(self) -> Any:
        try:
            return self.line.recv()
        except (EOFError, OSError):
            self.process.join()
            status = self.process.exitcode or 0
            how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
            return Failure(f"the worker process {how}; was memory short? try --jobs 1")

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.line.close()


def _side_by_side(
    work: Work, asked: Sequence[Any], jobs: int, finished: Callable[[Any, Any], None], scratch: str
) -> None:
    ahead = list(reversed(asked))
    workers: dict[Connection, _Worker] = {}

    def start() -> None:
        worker = _Worker(work, scratch)
        workers[worker.line] = worker
        worker.ask(ahead.pop())

    try:
        while ahead and len(workers) < jobs:
            start()
        while workers:
            for line in wait(list(workers)):
                worker = workers[line]  # type: ignore[index]
                one, found = worker.asked, worker.answer()
                if ahead and worker.process.exitcode is None:
                    worker.ask(ahead.pop())
                else:
                    workers.pop(worker.line).end()
                    if ahead:
                        start()
                finished(one, found)
    finally:
        for worker in workers.values():
            worker.end()


def _serve(line: Connection, work: Work, scratch: str) -> None:
    """A worker's life. What it leaves behind when it is killed lies where its parent clears up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tempfile.tempdir = scratch
    while True:
        try:
            one = line.recv()
        except EOFError:
            return
        line.send(tried(work, one))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent
    parent.join()
    os._exit(1)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Workers share the cores: threads of the linear algebra in each of them would only wait for each other."""
    added = [name for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS") if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
