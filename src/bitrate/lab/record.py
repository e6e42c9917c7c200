"""Run claims side by side, and put what is known of each, said, measured and published, into one plain record."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bitrate
from bitrate import files
from bitrate.errors import EngineError, Interrupted
from bitrate.lab.cells import Runs, needed, train_all, versions
from bitrate.lab.claims import all_claims, find, published
from bitrate.lab.judge import judge, lacking
from bitrate.logs.workplace import workplace
from bitrate.types import Claim, Verdict

Record = dict[str, Any]
SAID = ("id", "statement", "source", "condition", "remark", "rival_name", "tolerance", "budget")


def published_claims() -> list[Record]:
    """Every claim with what we published of it, in the order of ids."""
    known = published()
    return [
        {"id": c.id, "statement": c.statement, "source": c.source, "published": known.get(c.id)} for c in all_claims()
    ]


def record(claim: Claim, verdict: Verdict) -> Record:
    """What is said, measured and published of a claim, as plain JSON values.

    ``standing`` is ``as published``, ``differs``, ``inconclusive``, ``not published`` or, for want of an extra,
    ``not measured here``.
    """
    known = published().get(claim.id)
    said = {name: getattr(claim, name) for name in SAID}
    return {
        **said,
        "against": list(claim.against),
        "versions": versions() if claim.arms else {},
        "published": known,
        "standing": standing(verdict.summary(), known),
        **{k: v for k, v in verdict.to_dict().items() if k != "claim"},
    }


def standing(found: dict[str, str], known: dict[str, str] | None) -> str:
    """How the three outcomes found compare with those published."""
    if known is None:
        return "not published"
    off = [found[k] for k in known if found[k] != known[k]]
    if not off:
        return "as published"
    if set(found.values()) == {"not measured"}:
        return "not measured here"
    return "inconclusive" if set(off) == {"inconclusive"} else "differs"


def run_claims(
    ids: Sequence[str], *, seed: int = 0, jobs: int | None = None,
    progress: Callable[[str, float], None] | None = None, full: bool = False, runs: Path | None = None,
) -> list[Record]:  # fmt: skip
    """Put claims to the test, several at a time, and return their records in the order asked for.

    First the training runs that they need, each once; then the claims. A run that is stopped, or killed, keeps what it
    finished; the same run, started again, goes on from there.

    Args:
        ids: which claims.
        seed: all randomness comes from it.
        jobs: processes; one a core, by default.
        progress: called with what was finished and the share done, of the training first, then of the claims.
        full: train all that the published verdicts rest on.
        runs: folder of training runs; one in the cache, by default.

    Raises:
        InputError: an id that no claim has.
        EngineError: a worker process was killed.
        Interrupted: Ctrl-C.
    """
    claims = [find(id) for id in ids]
    size = (full,) if full else ()
    key = hashlib.sha256(repr((_code(), seed, *size)).encode()).hexdigest()[:24]
    trained = Runs(runs or files.home("training"), seed)
    jobs = jobs or os.cpu_count() or 1
    done: dict[str, Record] = {}
    with workplace(key) as folder:
        for claim in claims:
            kept = folder / f"{claim.id}.json"
            if kept.exists():
                done[claim.id] = json.loads(kept.read_text("utf-8"))
        todo = [c.id for c in claims if c.id not in done]
        cells = needed([c for c in claims if c.id in set(todo) and not lacking(c)], full)
        if cells:
            train_all(cells, trained, jobs, _each, progress)
        asked = [(id, seed, full, trained) for id in todo]
        for number, found in enumerate(_each(_one, asked, jobs), 1):
            done[found["id"]] = found
            files.write(folder / f"{found['id']}.json", json.dumps(found), files.PRIVATE)
            if progress:
                progress(f"{found['id']} {found['outcome']}", (len(claims) - len(todo) + number) / len(claims))
    return [done[c.id] for c in claims]


def _each(work: Callable[[Any], Any], asked: Sequence[Any], jobs: int) -> Iterator[Any]:
    """What ``work`` makes of each, as it is finished."""
    if len(asked) <= 1 or jobs == 1:
        yield from map(work, asked)
        return
    with (
        _one_thread(),
        ProcessPoolExecutor(min(jobs, len(asked)), multiprocessing.get_context("spawn"), initializer=_quiet) as pool,
    ):
        try:
            for done in as_completed([pool.submit(work, one) for one in asked]):
                yield done.result()
        except BrokenProcessPool:
            hint = "was memory short? the same command goes on with what is left; try --jobs 1"
            raise EngineError("a worker process was killed", hint=hint) from None
        except KeyboardInterrupt:
            for worker in multiprocessing.active_children():
                worker.terminate()
            pool.shutdown(cancel_futures=True)
            raise Interrupted("stopped", hint="the same command goes on with what is left") from None


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


def _quiet() -> None:
    """Workers leave Ctrl-C to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _one(asked: tuple[str, int, bool, Runs]) -> Record:
    id, seed, full, runs = asked
    claim = find(id)
    return record(claim, judge(claim, seed, full=full, runs=runs))


def _code() -> str:
    """Changes with any file of the package: a verdict of other code is not taken over."""
    root = Path(bitrate.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")) + sorted(root.rglob("published.json")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
