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
from bitrate.errors import EngineError, Interrupted
from bitrate.lab.claims import all_claims, find, published
from bitrate.lab.judge import judge
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
    ids: Sequence[str], *, seed: int = 0, jobs: int | None = None, progress: Callable[[str, float], None] | None = None
) -> list[Record]:
    """Put claims to the test, several at a time, and return their records in the order asked for.

    A run that is stopped keeps what it finished; the same run, started again, goes on from there.

    Args:
        ids: which claims.
        seed: all randomness comes from it.
        jobs: processes; one a core, by default.
        progress: called with what was finished and the share done.

    Raises:
        InputError: an id that no claim has.
        EngineError: a worker process was killed.
        Interrupted: Ctrl-C.
    """
    claims = [find(id) for id in ids]
    key = hashlib.sha256(repr((_code(), seed)).encode()).hexdigest()[:24]
    done: dict[str, Record] = {}
    with workplace(key) as folder:
        for claim in claims:
            kept = folder / f"{claim.id}.json"
            if kept.exists():
                done[claim.id] = json.loads(kept.read_text("utf-8"))
        todo = [c.id for c in claims if c.id not in done]
        for number, found in enumerate(_each(todo, seed, jobs or os.cpu_count() or 1), 1):
            done[found["id"]] = found
            part = folder / f"{found['id']}.part"
            part.write_text(json.dumps(found), "utf-8")
            part.replace(folder / f"{found['id']}.json")
            if progress:
                progress(f"{found['id']} {found['outcome']}", (len(claims) - len(todo) + number) / len(claims))
    return [done[c.id] for c in claims]


def _each(ids: Sequence[str], seed: int, jobs: int) -> Iterator[Record]:
    """Records as they are finished."""
    if len(ids) <= 1 or jobs == 1:
        yield from (_one((id, seed)) for id in ids)
        return
    with (
        _one_thread(),
        ProcessPoolExecutor(min(jobs, len(ids)), multiprocessing.get_context("spawn"), initializer=_quiet) as pool,
    ):
        try:
            for done in as_completed([pool.submit(_one, (id, seed)) for id in ids]):
                yield done.result()
        except BrokenProcessPool:
            hint = "was memory short? the same command goes on with the claims that are left; try --jobs 1"
            raise EngineError("a worker process was killed", hint=hint) from None
        except KeyboardInterrupt:
            for worker in multiprocessing.active_children():
                worker.terminate()
            pool.shutdown(cancel_futures=True)
            raise Interrupted("stopped", hint="the same command goes on with the claims that are left") from None


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


def _one(asked: tuple[str, int]) -> Record:
    claim = find(asked[0])
    return record(claim, judge(claim, asked[1]))


def _code() -> str:
    """Changes with any file of the package: a verdict of other code is not taken over."""
    root = Path(bitrate.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")) + sorted(root.rglob("published.json")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
