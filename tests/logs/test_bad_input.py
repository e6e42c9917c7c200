"""What is wrong in a file, and what the user gets: an error to act on, a counted quarantine, or right handling.

Never a guess, never a silent drop, never a traceback. `docs/bad-input.md` is written from this table.
"""

from __future__ import annotations

import gzip
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from bitrate.errors import BitrateError, DataError, EngineError, FormatError, InputError, MissingInputError
from bitrate.logs.engines import duck
from bitrate.logs.options import ReadOptions
from bitrate.logs.read import open_source
from bitrate.logs.reduce import reduce

PAGE = Path(__file__).parents[2] / "docs" / "bad-input.md"
Row = dict[str, Any]


def row(reward: Any = 1, prompt: Any = "a", step: Any = 1) -> Row:
    """A sound row, or one with something wrong in it."""
    return {"step": step, "prompt_id": prompt, "reward": reward}


PAIR = [row(1), row(0)]
NOT_JSON = "line is not a JSON object with these columns"


def lines(*rows: Row | str, name: str = "rows.jsonl", end: str = "\n", start: bytes = b"") -> Callable[[Path], None]:
    """A JSONL file; a text is a raw line."""
    body = "".join((r if isinstance(r, str) else json.dumps(r)) + end for r in rows)
    return blob(start + body.encode(), name)


def blob(data: bytes, name: str) -> Callable[[Path], None]:
    """A file of these bytes."""
    return lambda folder: _put(folder / name, data)


def table(rows: list[Row], name: str = "rows.parquet", cut: int | None = None) -> Callable[[Path], None]:
    """A Parquet file, whole or cut short."""

    def build(folder: Path) -> None:
        pq.write_table(pa.Table.from_pylist(rows), folder / name)
        _put(folder / name, (folder / name).read_bytes()[:cut])

    return build


def huge(folder: Path) -> None:
    """A line of 65 MB, made only when it is needed."""
    lines(row(1), '{"x": "' + "y" * (65 << 20) + '"}')(folder)


def damaged(folder: Path) -> None:
    """A Parquet file whose footer is sound and whose rows are not."""
    table(PAIR * 1000)(folder)
    data = bytearray((folder / "rows.parquet").read_bytes())
    data[4:200] = b"\xff" * 196
    _put(folder / "rows.parquet", bytes(data))


def log(members: dict[str, bytes], cut: int | None = None) -> Callable[[Path], None]:
    """An inspect-ai log, whole or cut short."""

    def build(folder: Path) -> None:
        with zipfile.ZipFile(folder / "log.eval", "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        _put(folder / "log.eval", (folder / "log.eval").read_bytes()[:cut])

    return build


def all_of(*builders: Callable[[Path], None]) -> Callable[[Path], None]:
    """Several files."""
    return lambda folder: [b(folder) for b in builders] and None


def in_folder(name: str, build: Callable[[Path], None]) -> Callable[[Path], None]:
    """A file in a folder of this name."""

    def inside(folder: Path) -> None:
        (folder / name).mkdir()
        build(folder / name)

    return inside


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _tinker(trajectory: int, reward: float) -> Row:
    place = {"iteration": 0, "group_idx": 0, "traj_idx": trajectory}
    return place | {"total_reward": reward, "steps": [{"ob_len": 1, "ac_len": 1, "metrics": {}}]}


HEADER = json.dumps({"version": 2, "status": "success", "eval": {"task": "t", "model": "m"}, "plan": {}}).encode()
SAMPLE = json.dumps({"id": 1, "epoch": 1, "scores": {"s": {"value": "C"}}}).encode()
ODD_NAME = 'it\'s a [run] {x} *?, 100% "ü".jsonl'
CSV = b'prompt_id,prompt,reward\na,"one\ntwo, ""three""\nfour",1\n\na,x,0\na,"y\nz",bad\n'
LATIN = b'{"step": 1, "prompt_id": "\xff\xfe", "reward": 1}\n'
DEEP = '{"step": 1, "prompt_id": "a", "reward": ' + "[" * 5000 + "]" * 5000 + "}"
HALF = '{"step": 1, "prompt_id": "a", "reward": 0, "completion": "\\ud83d"}'
TWICE = '{"reward": 1, "step": 1, "prompt_id": "a", "reward": 0}'
TINKER = "iteration_000000/train_rollout_summaries.jsonl"


@dataclass(frozen=True)
class Case:
    """One wrong input; ``groups`` are (n, n_correct), ``at`` the ends of places, ``says`` a part of the message."""

    what: str
    build: Callable[[Path], None]
    groups: list[tuple[int, int | None]] | None = None
    aside: dict[str, int] = field(default_factory=dict)
    at: tuple[str, ...] = ()
    error: type[BitrateError] | None = None
    says: str = ""
    hint: str = ""
    note: str = ""
    gets: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    target: str = ""


CASES = [
    # lines
    Case("a corrupt JSON line", lines(row(1), '{"step": 1,, }', row(0)), [(2, 1)], {NOT_JSON: 1}, ("rows.jsonl:2",)),
    Case("a last line cut short", lines(*PAIR, '{"step": 1, "prompt_'), [(2, 1)], {NOT_JSON: 1}, ("rows.jsonl:3",)),
    Case("a bad line after blank lines", lines("", row(1), "", "  ", "nonsense", row(0)), [(2, 1)], {NOT_JSON: 1},
         ("rows.jsonl:5",)),
    Case("lines that are JSON but no objects", lines(*PAIR, "3", '"x"', "null", "[1]"), [(2, 1)], {NOT_JSON: 4},
         ("rows.jsonl:3", "rows.jsonl:4", "rows.jsonl:5")),
    Case("text that is not UTF-8", all_of(lines(*PAIR), blob(LATIN, "two.jsonl")), [(2, 1)], {NOT_JSON: 1},
         ("two.jsonl:1",)),
    Case("JSON nested thousands deep", lines(*PAIR, DEEP), [(2, 1)],
         {"reward is null or not a number": 1}, ("rows.jsonl:3",)),
    Case("zero bytes in the middle", lines(row(1), "\0\0\0\0", row(0)), [(2, 1)], {NOT_JSON: 1}, ("rows.jsonl:2",)),
    Case("a byte order mark at the start", lines(row(1), row(0), row(0), start=b"\xef\xbb\xbf"), [(3, 1)],
         gets="read as any other file"),
    Case("Windows line ends", lines(*PAIR, end="\r\n"), [(2, 1)], gets="read as any other file"),
    Case("a line of 65 MB", huge, error=EngineError, says="maximum_object_size", hint="too long to read"),
    # values
    Case("a reward of NaN", lines(*PAIR, row(float("nan"))), [(2, 1)], {"reward is NaN": 1}, ("rows.jsonl:3",)),
    Case("a null reward", lines(*PAIR, row(None)), [(2, 1)], {"reward is null or not a number": 1}, ("rows.jsonl:3",)),
    Case("a null reward with --unscored wrong", lines(*PAIR, row(None), row("perhaps")), [(3, 1)],
         {"reward is null or not a number: 'perhaps'": 1}, ("rows.jsonl:4",), note="1 rollout without a verdict",
         options={"unscored": "wrong"}),
    Case("rewards of -1 and +1 and a null, with --unscored wrong", lines(row(-1), row(1), row(None)), [(3, 1)],
         note="1 rollout without a verdict", options={"unscored": "wrong"}),
    Case("a line without its reward", lines(*PAIR, {"step": 1, "prompt_id": "a"}), [(2, 1)],
         {"reward is null or not a number": 1}, ("rows.jsonl:3",)),
    Case("an infinite reward", lines(*PAIR, row(float("inf")), row(-1e300)), [(2, 1)],
         {"reward is infinite or beyond 1e12": 2},
         ("rows.jsonl:3", "rows.jsonl:4")),
    Case("text in the reward column", lines(*PAIR, row("good"), row([1])), [(2, 1)],
         {"reward is null or not a number": 2},
         ("rows.jsonl:3", "rows.jsonl:4")),
    Case("true and false as rewards, or numbers in quotes", lines(row(True), row(False), row("1")), [(3, 2)],
         gets="true is 1, false is 0, \"1\" is 1"),
    Case("only null rewards", lines(row(None), row(None)), error=DataError,
         says="no rollout can be measured: reward is null"),
    Case("a null prompt_id", lines(*PAIR, row(1, None)), [(2, 1)], {"prompt_id is null": 1}, ("rows.jsonl:3",)),
    Case("the ids \"7\" and 7", lines(row(1, "7"), row(0, 7)), [(2, 1)], gets="one prompt"),
    Case("a step of 1.5", lines(*PAIR, row(1, step=1.5)), [(2, 1)], {"step is null or not a whole number": 1},
         ("rows.jsonl:3",)),
    Case("a step of 1e30", lines(*PAIR, row(1, step=1e30)), [(2, 1)], {"step is null or not a whole number": 1},
         ("rows.jsonl:3",)),
    Case("groups of several sizes", lines(*PAIR, row(0), row(1, "b")), [(3, 1), (1, 1)],
         gets="each group is measured at its own size"),
    Case("one rollout a group", lines(row(1, "a"), row(0, "b")), [(1, 1), (1, 0)], gets="read"),
    Case("graded rewards", lines(row(0), row(0.5), row(1)), [(3, None)],
         gets="no rollout is called right: there are more than two levels"),
    Case("rewards of -1 and +1", lines(row(-1), row(1)), [(2, 1)], gets="-1 is wrong, +1 is right"),
    Case("a float residue, as 0.1 + 0.2 for 0.3", lines(row(0.1 + 0.2), row(0.3), row(0)), [(3, 2)],
         gets="levels are rounded to 1e-6: one level"),
    Case("a float residue, as 1 - 1e-9 for 1", lines(row(1 - 1e-9), row(1), row(1e-9)), [(3, 2)],
         gets="levels are rounded to 1e-6: one level"),
    Case("half a surrogate pair in a text", lines(row(1), HALF), [(2, 1)], gets="read; the half becomes U+FFFD"),
    Case("half a surrogate pair in a JSON array", lines(f"[{HALF}]", name="rows.json"), [(1, 0)],
         gets="read; the half becomes U+FFFD"),
    Case("a key twice in an object", lines(row(1), TWICE), [(2, 1)], note="have a key twice: the last one counts"),
    Case("a key twice in a JSON array", lines(f"[{TWICE}]", name="rows.json"), [(1, 0)],
         note="have a key twice: the last one counts"),
    Case("words for right and wrong", lines(row("pass"), row("Failed"), row("C"), row("no"), row("correct")), [(5, 3)],
         gets="true, yes, pass, passed, correct, right, C are 1; false, no, fail, failed, incorrect, wrong, I are 0"),
    Case("True and False in a CSV file", blob(b"prompt_id,reward\na,True\na,false\n", "rows.csv"), [(2, 1)],
         gets="True is 1, False is 0"),
    Case("digits with an underscore", lines(*PAIR, row("1_000")), [(2, 1)],
         {"reward is null or not a number: '1_000'": 1}, ("rows.jsonl:3",)),
    Case("the ids 3 and 3.0", lines(row(1, 3), row(0, 3.0)), [(2, 1)], gets="one prompt"),
    Case("ids of NaN, null or nothing", lines(*PAIR, row(1, float("nan")), row(1, ""), row(1, "None")), [(2, 1)],
         {"prompt_id is null": 3}, ("rows.jsonl:3", "rows.jsonl:4", "rows.jsonl:5")),
    Case("a step in words", lines(row(1, step="checkpoint-100"), row(0, step="step 100")), [(2, 1)],
         gets="the only number in it"),
    Case("a step that is a date", lines(*PAIR, row(1, step="2026-01-31")), [(2, 1)],
         {"step is null or not a whole number: '2026-01-31'": 1}, ("rows.jsonl:3",)),
    Case("only null steps", lines(row(1, step=None), row(0, step=None)), [(2, 1)], note="The table has no step"),
    Case("only null steps in Parquet", table([row(1, step=None), row(0, step=None)]), [(2, 1)],
         note="The table has no step"),
    Case("only blank steps in a CSV file", blob(b"prompt_id,reward,step\na,1,\na,0,\n", "rows.csv"), [(2, 1)],
         note="The table has no step"),
    Case("a step first seen on line 101", lines(*[{"prompt_id": "a", "reward": 1}] * 100, row(0, step=3)), [(1, 0)],
         {"step is null or not a whole number": 100}, ("rows.jsonl:1", "rows.jsonl:2", "rows.jsonl:3")),
    Case("a row with a list of scores", lines({"prompt_id": "a", "reward": [True, False, 1]}, {"prompt_id": "b",
         "reward": [0, 0, "good"]}), [(3, 2), (2, 0)], {"reward is null or not a number: 'good'": 1},
         ("rows.jsonl:2",)),
    Case("a reward within an object", lines({"prompt_id": "a", "reward": {"correct": 1, "format": 0}}), error=DataError,
         says='"correct":1', hint="--columns reward=reward.correct"),
    Case("a reward within an object, named", lines({"prompt_id": "a", "reward": {"correct": 1, "format": 0}}), [(1, 1)],
         options={"columns": {"reward": "reward.correct"}}, gets="read"),
    Case("the same prompt, step and sample number twice", lines(row(1) | {"sample": 0}, row(0) | {"sample": 1},
         row(0) | {"sample": 0}), [(2, 0)], {"written again by a later row": 1}, ("rows.jsonl:1",)),
    # counts
    Case("counts with n_correct > n", lines({"prompt_id": "a", "n": 2, "n_correct": 1}, {"prompt_id": "b",
         "n": 2, "n_correct": 3}), [(2, 1)],
         {"n and n_correct are not counts": 1}, ("rows.jsonl:2",)),
    Case("negative counts", lines({"prompt_id": "a", "n": 2, "n_correct": 1}, {"prompt_id": "b",
         "n": 2, "n_correct": -1}), [(2, 1)],
         {"n and n_correct are not counts": 1}, ("rows.jsonl:2",)),
    Case("counts that are no whole numbers", lines({"prompt_id": "a", "n": 2, "n_correct": 1}, {"prompt_id": "b",
         "n": 2.5, "n_correct": 1}),
         [(2, 1)], {"n and n_correct are not counts": 1}, ("rows.jsonl:2",)),
    # files
    Case("an empty file", blob(b"", "rows.jsonl"), error=DataError, says="empty file", hint="cut short"),
    Case("an empty file beside a good one", all_of(lines(*PAIR), blob(b"", "two.jsonl")), [(2, 1)],
         {"empty file": 1}, ("two.jsonl",)),
    Case("a table without rows", blob(b"step,prompt_id,reward\n", "rows.csv"), error=DataError,
         says="the files hold no rows"),
    Case("an empty folder", lambda folder: None, error=MissingInputError, says="the folder is empty",
         hint="folder the trainer writes"),
    Case("a path that is not there", lambda folder: None, error=MissingInputError, says="no such file",
         hint="check the path", target="nothing.jsonl"),
    Case("a folder of other files", all_of(blob(b"hello", "notes.txt"), blob(b"\x89PNG", "plot.png")),
         error=FormatError, says="notes.txt: other",
         hint="folder that the trainer writes rollouts to"),
    Case("a table without prompt_id", lines({"question": "a", "score": 1}), error=FormatError,
         says="question, score", hint="--columns prompt_id="),
    Case("the same bytes under two names", all_of(lines(*PAIR), lines(*PAIR, name="copy.jsonl")), [(2, 1)],
         {"the same bytes as": 1}, ("copy.jsonl",)),
    Case("a step written twice", lines(_tinker(0, 1.0), _tinker(1, 1.0), _tinker(0, 0.0), name=TINKER), [(2, 1)],
         {"trajectory written again by a later line": 1}, (TINKER,)),
    Case("two formats in one folder", all_of(lines(*PAIR), lines(_tinker(0, 1.0), name=TINKER)), error=FormatError,
         says="more than one format",
         hint="--format"),
    Case("a JSON array with the ending .jsonl", lines("[" + json.dumps(PAIR[0]) + ",", json.dumps(PAIR[1]) + "]"),
         [(2, 1)], gets="read as the rows it holds"),
    Case("a JSON array", lines(json.dumps([*PAIR, row("good")]), name="rows.json"), [(2, 1)],
         {"reward is null or not a number: 'good'": 1}, ("rows.json:3",)),
    Case("a Parquet file cut short", table(PAIR, cut=300), error=DataError, says="not readable as parquet",
         hint="cut short"),
    Case("a Parquet file cut short beside a good one", all_of(table(PAIR), table(PAIR, "two.parquet", cut=300)),
         [(2, 1)],
         {"not readable as parquet": 1}, ("two.parquet",)),
    Case("a Parquet file with other columns", table([{"loss": 0.5, "epoch": 1}]), error=FormatError,
         says="loss, epoch", hint="--columns"),
    Case("a Parquet file with other columns beside a good one", all_of(table(PAIR), table([{"loss": 0.5}],
         "two.parquet")), [(2, 1)],
         note="1 other file was not read: two.parquet"),
    Case("a Parquet file whose rewards are text", table([row("1"), row("perhaps"), row("0")]), [(2, 1)],
         {"reward is null or not a number: 'perhaps'": 1},
         ("rows.parquet:2",)),
    Case("a Parquet file called .jsonl", table(PAIR, "rows.jsonl"), error=DataError, says="Parquet", hint="rename"),
    Case("gzip and zstd", all_of(blob(gzip.compress(json.dumps(row(1)).encode() + b"\n\nbad\n"), "rank_0.jsonl.gz"),
                                 blob(zstandard.compress(json.dumps(row(0)).encode() + b"\n"), "rank_1.jsonl.zst")),
         [(2, 1)],
         {NOT_JSON: 1}, ("rank_0.jsonl.gz:3",)),
    Case("a Parquet file with a damaged page", damaged, error=EngineError, gets="an error that names the file"),
    Case("gzip cut short", blob(gzip.compress(json.dumps(row(1)).encode() * 99)[:40], "rows.jsonl.gz"),
         error=DataError, says="not readable",
         hint="cut short"),
    Case("a CSV line with too few fields", blob(b"step,prompt_id,reward\n1,a,1\n1,a\n1,a,0\n", "rows.csv"), [(2, 1)],
         {"reward is null or not a number": 1}, ("rows.csv:3",)),
    Case("CSV text with line ends, quotes and commas in it", blob(CSV, "rows.csv"), [(2, 1)],
         {"reward is null or not a number": 1}, ("rows.csv:7",)),
    Case("a byte order mark in a CSV file", blob(b"\xef\xbb\xbfprompt_id,reward\na,1\na,0\n", "rows.csv"), [(2, 1)],
         gets="read as any other file"),
    Case("a CSV file with a field too many, beside a good one", all_of(blob(b"prompt_id,reward\na,1\n", "a.csv"),
         blob(b"prompt_id,reward\na,1,7\n", "b.csv")), error=EngineError, says="Expected Number of Columns"),
    Case("a CSV file that is not UTF-8", blob(b"prompt_id,reward\n\xe9,1\n", "rows.csv"), error=EngineError,
         says="not utf-8", hint="UTF-8"),
    Case("a CSV quote that is never closed", blob(b'prompt_id,reward\na,1\n"a,0\na,1\n', "rows.csv"), error=DataError,
         says="never closed (line 3)", hint="double quotes"),
    Case("a CSV quote that is never closed, far down", blob(b"prompt_id,reward\n" + b"a,1\n" * 50_000 + b'"a,0\na,1\n',
         "rows.csv"), error=DataError, says="never closed (line 50002)", hint="double quotes"),
    Case("a pickle", blob(pickle.dumps(PAIR), "rows.pkl"), error=FormatError, says="never loaded", hint="to_parquet"),
    Case("a pickle called .jsonl", blob(pickle.dumps(PAIR), "rows.jsonl"), error=DataError,
         says="a pickle by its first bytes", hint="never loaded"),
    Case("JSON lines called .json", lines(*PAIR, name="rows.json"), [(2, 1)], gets="read as JSON lines"),
    Case("an .eval log cut short", log({"header.json": HEADER, "samples/1_epoch_1.json": SAMPLE}, cut=200),
         error=DataError,
         says="not readable as eval"),
    Case("an .eval log with an empty member",
         log({"header.json": HEADER, "samples/1_epoch_1.json": SAMPLE, "samples/2_epoch_1.json": b""}),
         [(1, 1)], {"member cannot be read": 1}, ("log.eval:samples/2_epoch_1.json",)),
    Case("an .eval log with a member nested thousands deep",
         log({"header.json": HEADER, "samples/1_epoch_1.json": SAMPLE, "samples/2_epoch_1.json": b"[" * 99999}),
         [(1, 1)],
         {"member cannot be read": 1}, ("log.eval:samples/2_epoch_1.json",)),
    Case("quotes, brackets, stars and umlauts in a name", lines(*PAIR, name=ODD_NAME), [(2, 1)],
         gets="read as any other file"),
    Case("a link that leads back to its own folder", all_of(lines(*PAIR),
         lambda folder: (folder / "loop").symlink_to(folder)), [(2, 1)],
         gets="each file is read once"),
    Case("a folder called step=7, with a step in its files", lines(row(1), row(0), name="step=7/rows.jsonl"), [(2, 1)],
         gets="the file's own column counts"),
    Case("a folder called reward=1", in_folder("reward=1", table([row(0)])), [(1, 0)],
         gets="the file's own column counts"),
    Case("exp[1] beside exp1", all_of(lines(row(1), name="exp[1]/a.jsonl"), lines(row(0), name="exp1/a.jsonl")),
         [(1, 1)], target="exp[1]", gets="a name is no pattern"),
    Case("columns Reward and reward", blob(b"prompt_id,Reward,reward\na,0,1\na,0,0\n", "rows.csv"), [(2, 1)],
         gets="the name that is meant, letter for letter"),
    Case("a column called filename", table([row(1) | {"filename": "x"}, row(0) | {"filename": "y"}]), [(2, 1)],
         gets="read as any other file"),
    Case("JSON, CSV and Parquet in one folder", all_of(lines(row(1), name="part-0.jsonl"),
         table([row(0)], "part-1.parquet"), blob(b"prompt_id,reward,step\na,1,1\n", "part-2.csv")), [(3, 2)],
         note="hold rollouts of the same prompt at the same step"),
    Case("two folders", all_of(lines(*PAIR, name="run_a/rows.jsonl"), lines(row(0), row(0), name="run_b/rows.jsonl")),
         [(2, 1), (2, 0)], gets="two runs"),
    Case("step_1.jsonl and step_2.jsonl without a step", all_of(*(lines({"prompt_id": "a", "reward": r},
         name=f"step_{r}.jsonl") for r in (0, 1))), [(1, 0), (1, 1)], note="The step is the number in the names"),
    Case("tabs or semicolons between fields", all_of(blob(b"prompt_id\treward\na\t1\n", "part-0.tsv"),
         blob(b"prompt_id; reward\na; 0\n", "part-1.csv")), [(2, 1)]),
    Case("Parquet metadata called bitrate that is not ours", lambda folder: pq.write_table(
         pa.Table.from_pylist(PAIR).replace_schema_metadata({"bitrate": "{"}), folder / "rows.parquet"), [(2, 1)],
         note="is not bitrate's own"),
    # options
    Case("--columns for a column that bitrate does not have", lines(*PAIR),
         options={"columns": {"score": "reward"}}, error=InputError,
         says="no rollout column", hint="columns are"),
    Case("--columns with a column that is not in the file", lines(*PAIR), options={"columns": {"reward": "score"}},
         error=InputError,
         says="no column 'score'", hint="--columns"),
    Case("--columns with SQL in it", lines(*PAIR), options={"columns": {"reward": "1); DROP TABLE x; --"}},
         error=InputError, says="cannot use",
         hint="column name"),
    Case("--outcome with a column that is not in the file", lines(*PAIR), options={"outcome": "solved"},
         error=InputError, says="no column 'solved'"),
    Case("--outcome 'reward >= 1' with rewards of 0, 0.1, 1 and 1.1",
         lines(row(0), row(0.1), row(1.0), row(1.1)), [(4, 2)],
         options={"outcome": "reward >= 1"}, gets="2 of 4 are right"),
    Case("--outcome 'reward >= 1' and a reward of NaN", lines(row(0), row(1), row(float("nan"))),
         [(2, 1)], aside={"reward is NaN": 1}, at=("rows.jsonl:3",), options={"outcome": "reward >= 1"}),
    Case("--outcome with SQL in it", lines(*PAIR), options={"outcome": "reward >= 1); DROP TABLE x; --"},
         error=InputError, says="no column 'reward >= 1); DROP", hint="--outcome 'reward >= 1'"),
    Case("--outcome that compares with 1e13", lines(*PAIR), options={"outcome": "reward < 1e13"},
         error=InputError, says="compares with 1e+13"),
    Case("--format with an unknown name", lines(*PAIR), options={"format": "excel"}, error=InputError,
         says="no format is called 'excel'", hint="formats are"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.what)
def test_bad_input(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    case.build(folder)
    if case.error:
        with pytest.raises(BitrateError) as raised:
            _measure(folder / case.target, case)
        error = raised.value
        assert type(error) is case.error
        assert case.says in error.message
        assert case.hint in (error.hint or "")
        assert str(folder) in str(error) or case.error is InputError, "an error says where"
        return
    groups, aside, where, notes = _measure(folder / case.target, case)
    assert sorted(groups, key=str) == sorted(case.groups or [], key=str)
    assert len(aside) == len(case.aside), aside
    for reason, count in case.aside.items():
        [found] = [r for r in aside if reason in r]
        assert aside[found] == count
        assert [p.removeprefix(f"{folder}/") for p in where[found]] == list(case.at)
    assert any(case.note in n for n in notes) or not case.note


def _measure(path: Path, case: Case) -> tuple[list[Any], dict[str, int], dict[str, tuple[str, ...]], tuple[str, ...]]:
    con = duck.connect()
    source = open_source(con, [path], ReadOptions(**case.options))
    with reduce(source) as found:
        groups = con.sql("SELECT n, n_correct FROM groups").fetchall()
        aside, where = ({s.reason: getattr(s, f) for s in found.set_aside} for f in ("count", "where"))
        return groups, aside, where, found.provenance.caveats


def page() -> str:
    """The table as a page for users."""
    head = "# Bad input\n\nWhat is in the files, and what you get. Every line of this table is a test.\n\n"
    head += "*Set aside* means: counted, with the reason and the first three places; all else is measured. "
    head += "An error names the file or folder, unless it is about an option.\n\n| input | what you get |\n|---|---|\n"
    return head + "".join(f"| {_cell(c.what)} | {_cell(_gets(c))} |\n" for c in CASES)


def _gets(case: Case) -> str:
    if case.error:
        said = f"error: `{case.says}`" if case.says else case.gets
        return said + (f"; hint: `{case.hint}`" if case.hint else "")
    counted = "; ".join(f"{n} set aside: `{reason}`" for reason, n in case.aside.items())
    told = f"note: `{case.note}`" if case.note else case.gets
    return "; ".join(part for part in (counted, f"at `{'`, `'.join(case.at)}`" if case.at else "", told) if part)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def test_the_page_for_users_is_this_table() -> None:
    assert PAGE.read_text() == page(), "write it again: python tests/logs/test_bad_input.py"


def test_a_folder_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    lines(*PAIR)(closed)
    closed.chmod(0)
    try:
        if os.access(closed, os.R_OK):
            pytest.skip("this user may read everything")
        with pytest.raises(BitrateError):
            open_source(duck.connect(), [closed])
    finally:
        closed.chmod(0o700)


if __name__ == "__main__":
    PAGE.write_text(page())
