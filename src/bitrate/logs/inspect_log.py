"""The samples of an inspect-ai log: one at a time, and of each only what a rollout needs."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bitrate.logs.formats import ANSWER_LENGTH, EXCERPT_LENGTH
from bitrate.logs.schema import SetAside

ZSTD = 93
MISSHAPEN = (AttributeError, TypeError, KeyError, IndexError)
UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, MemoryError, zlib.error, zipfile.BadZipFile)
#: What scorers write instead of numbers. Any other text is no score: null, never 0.
LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
CUT_OFF = {"max_tokens", "model_length"}


class Log:
    """One log file: its samples as rows, and what is to be said of it."""

    def __init__(self, path: Path, outcome: str | None, most: int) -> None:
        self.path = path
        self.outcome = outcome
        self.most = most
        self.notes: list[str] = []
        self.bad: dict[str, list[str]] = {}
        self.header: dict[str, Any] = {}
        self.samples = 0

    def rows(self) -> list[dict[str, Any]]:
        """A row for each sample, the score being that of the outcome asked for, or else of the first scorer."""
        rows = []
        for place, sample in self._zip() if zipfile.is_zipfile(self.path) else self._json():
            try:
                rows.append(self._row(place, sample))
                self.samples += 1
            except MISSHAPEN:
                self._leave("sample is not laid out as inspect-ai writes it", place)
            del sample  # a sample may be large, and is not held while the next is read
        scorers = list(dict.fromkeys(name for row in rows for name in row["_scores"]))
        chosen = self.outcome or next(iter(scorers), None)
        for row in rows:
            row["_score"], row["_answer"] = row["_scores"].get(chosen, (None, None))
            row["_why"] = None if row["_score"] is not None else self._why(row, chosen)
        if len(scorers) > 1 and not self.outcome:
            others = ", ".join(scorers[1:])
            self.notes.append(
                f"{self.path.name}: the outcome is the scorer {chosen}; choose another with --outcome: {others}."
            )
        if (status := self.header.get("status", "unknown")) != "success":
            self.notes.append(f"{self.path.name} ended with status {status}: samples that did not run are not in it.")
        return rows

    @property
    def set_aside(self) -> list[SetAside]:
        """What could not be read, by reason."""
        found = [
            SetAside(reason, len(at), "rows", tuple(f"{self.path}:{p}" for p in at[:3]))
            for reason, at in self.bad.items()
        ]
        return found or ([SetAside("log holds no sample", 1, "files", (str(self.path),))] if not self.samples else [])

    def _leave(self, reason: str, place: str) -> None:
        self.bad.setdefault(reason, []).append(place)

    def _zip(self) -> Iterator[tuple[str, dict[str, Any]]]:
        with zipfile.ZipFile(self.path) as archive:
            members = {i.filename: i for i in archive.infolist()}  # a sample written again comes later in the list
            for name in ("header.json", "_journal/start.json"):
                if not self.header and name in members:
                    self.header = self._parsed(members[name], archive) or {}
            for name, info in members.items():
                if name.startswith("samples/") and name.endswith(".json"):
                    sample = self._parsed(info, archive)
                    if sample:
                        yield name, sample
                    del sample

    def _json(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if self.path.stat().st_size > self.most:
            self._leave(
                f"{self._too_large}: `inspect log convert --to eval` makes a log that is read bit by bit", "log"
            )
            return
        try:
            self.header = _object(json.loads(self.path.read_text("utf-8")))
        except UNREADABLE as error:
            self._leave(f"log cannot be read ({type(error).__name__})", "log")
            return
        samples = self.header.pop("samples", None)
        for i, sample in enumerate(samples if isinstance(samples, list) else [], 1):
            if isinstance(sample, dict):
                yield f"sample {i}", sample
            else:
                self._leave("sample is not a JSON object", f"sample {i}")

    def _parsed(self, info: zipfile.ZipInfo, archive: zipfile.ZipFile) -> dict[str, Any] | None:
        """The JSON object in a member; one that cannot be read is set aside and not fatal."""
        if info.file_size > self.most:
            self._leave(self._too_large, info.filename)
            return None
        try:
            found = json.loads(member(self.path, archive, info))
            if isinstance(found, dict):
                return found
            reason = "member is not a JSON object"
        except UNREADABLE as error:
            reason = f"member cannot be read ({type(error).__name__})"
        self._leave(reason, info.filename)
        return None

    @property
    def _too_large(self) -> str:
        return f"larger than the {self.most >> 20} MB that --memory leaves for one sample"

    def _row(self, place: str, sample: dict[str, Any]) -> dict[str, Any]:
        """What a rollout needs of a sample, and no more: a sample's messages may be a hundred megabytes."""
        run = _object(self.header.get("eval"))
        uuid = sample.get("uuid")
        return {
            "_file": str(self.path),
            "_place": _clean(place),
            "_run": _clean(self.path.stem),
            "_key": uuid if isinstance(uuid, str) and uuid else f"{self.path}:{place}",
            "_prompt_id": _prompt_id(run.get("task", ""), sample.get("id")),
            "_epoch": _count(sample.get("epoch")),
            "_scores": dict(_scores(sample)),
            "_failed": bool(sample.get("error")),
            "_truncated": _cut_off(sample),
            "_prompt": _start(_text(sample.get("input"))),
            **_tokens(_object(sample.get("model_usage")), run.get("model")),
        }

    def _why(self, row: dict[str, Any], chosen: str | None) -> str:
        """Why a sample has no score."""
        if chosen in row["_scores"]:
            return f"score of {chosen} is not a number"
        return "sample ended in an error before it was scored" if row["_failed"] else "sample has no score"


def member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of a zip member; zstd is unpacked here, as zipfile learns it only in Python 3.14.

    Raises:
        ValueError: its checksum is wrong.
    """
    if info.compress_type != ZSTD:
        return archive.read(info)
    import zstandard

    with path.open("rb") as stream:
        stream.seek(info.header_offset + 26)
        lengths = stream.read(4)
        stream.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
        packed = stream.read(info.compress_size)
    try:
        with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
            data = reader.read(info.file_size + 1)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
    if zlib.crc32(data) != info.CRC:
        raise ValueError(f"{info.filename} has a wrong checksum")
    return data


def _scores(sample: dict[str, Any]) -> Iterator[tuple[str, tuple[float | None, str | None]]]:
    """Each scorer's value and the answer it read; a value with parts counts as several scorers."""
    single = sample.get("score")
    scores = sample.get("scores") or ({"score": single} if single else {})
    for scorer, score in scores.items():
        name, value, answer = _clean(scorer), score.get("value"), score.get("answer")
        answer = _key(answer) if isinstance(answer, str) else None
        if isinstance(value, dict):
            yield from ((_clean(f"{name}.{part}"), (_number(v), answer)) for part, v in value.items())
        else:
            yield name, (_number(value), answer)


def _number(value: Any) -> float | None:
    """A score as a number, or None.

    >>> [_number(v) for v in ("C", "I", "P", True, 0.25, "no answer", None)]
    [1.0, 0.0, 0.5, 1.0, 0.25, None, None]
    """
    if isinstance(value, str):
        value = LETTERS.get(value if len(value) == 1 else value.lower(), value)
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _tokens(usage: dict[str, Any], model: Any) -> dict[str, int | None]:
    """Tokens that the evaluated model read and wrote for a sample; unknown stays None."""
    found = usage.get(model) if isinstance(model, str) else None
    own = _object(found or (next(iter(usage.values())) if len(usage) == 1 else None))
    read = [_count(own.get(k)) for k in ("input_tokens", "input_tokens_cache_read", "input_tokens_cache_write")]
    prompt = sum(n for n in read if n) if read[0] is not None else None
    return {"_prompt_tokens": prompt, "_completion_tokens": _count(own.get("output_tokens"))}


def _prompt_id(task: Any, sample: Any) -> str | None:
    """A sample's id within its task; a sample whose id is no text and no number has none."""
    return _clean(f"{task}/{sample}") if isinstance(sample, str | int | float) else None


def _cut_off(sample: dict[str, Any]) -> bool | None:
    """Whether the answer ran into a limit; None where the sample does not say."""
    choices = _object(sample.get("output")).get("choices")
    first = _object(choices[0]) if isinstance(choices, list) and choices else {}
    reason = first.get("stop_reason")
    return reason in CUT_OFF if isinstance(reason, str) else None


def _object(value: Any) -> dict[str, Any]:
    """A JSON object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    """A whole number that fits, or None."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < 1 << 53 else None


def _clean(text: str) -> str:
    """Text that can be stored: half a surrogate pair, as a model may write it, becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _start(text: str | None) -> str | None:
    """The start of a text, to show; a copy, so that the whole can be forgotten."""
    return _clean(text[:EXCERPT_LENGTH]) if text else None


def _key(answer: str) -> str:
    """An answer to compare: itself where it is short, else a hash of it."""
    if len(answer) <= ANSWER_LENGTH:
        return _clean(answer)
    return f"hash:{hashlib.blake2b(answer.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"


def _text(given: Any) -> str | None:
    """The sample's input: a text, or the texts of its user messages."""
    if isinstance(given, str):
        return given
    messages = [m for m in given if isinstance(m, dict)] if isinstance(given, list) else []
    said = [m.get("content") for m in messages if m.get("role") == "user"]
    parts = [p.get("text") for c in said if isinstance(c, list) for p in c if isinstance(p, dict)]
    return "\n".join(c for c in [*said, *parts] if isinstance(c, str)) or None
