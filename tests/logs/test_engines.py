"""One text, three engines, the same digits; and what each engine does when it cannot run."""

from __future__ import annotations

import math
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bitrate.errors import EngineError, InputError
from bitrate.logs import sql
from bitrate.logs.engines import check, duck
from bitrate.logs.options import ReadOptions
from bitrate.logs.read import open_source
from bitrate.logs.reduce import reduce
from bitrate.logs.schema import Outcome

#: Two of these look alike and differ in their bytes.
ANSWERS = ["7", "sept", "七", "\u01ce", "a\u030c", "", " 7", "it's", "back\\slash", None]
GRADES = [0.0, 0.1, 0.25, 1 / 3, 0.7, 1.0, -0.3, 5e-7, None, math.nan, math.inf, -1e300]


def write_hard_rollouts(path: Path, rng: np.random.Generator, grades: list[float | None], rows: int = 3000) -> Path:
    """Ragged groups over two runs and two splits; nulls, NaN and infinities; answers and ids in several scripts."""

    def pick(values: list) -> list:
        return [values[i] for i in rng.integers(len(values), size=rows)]

    columns = {
        "run": pa.array(pick(["a", "b", "run 2"])),
        "split": pa.array(pick(["train", "train", "eval"])),
        "step": pa.array(pick([0, 1, 2, 3, -1, 10**12, None]), pa.int64()),
        "prompt_id": pa.array(pick(["p1", "p2", "π", "p'4", None])),
        "group_id": pa.array(pick(["g", "h", None])),
        "reward": pa.array(pick(grades), pa.float64()),
        "correct": pa.array(pick([0.0, 1.0, 1.0, None, math.nan]), pa.float64()),
        "answer": pa.array(pick(ANSWERS)),
        "prompt_tokens": pa.array(pick([10, 2**40, None]), pa.int64()),
        "completion_tokens": pa.array(pick([1, 2, 3]), pa.int64()),
        "truncated": pa.array(pick([True, False, None])),
        "advantage": pa.array(pick([-1.5, 0.1, math.nan, None]), pa.float64()),
    }
    pq.write_table(pa.table(columns), path, row_group_size=500)
    return path


def reduced(path: Path, engine: str, options: ReadOptions | None = None) -> dict[str, list[tuple]]:
    """Both tables of a reduction, in an order that does not depend on the engine."""
    source = open_source(duck.connect(), [path], options)
    with reduce(source, engine=engine) as groups:
        tables = {
            "groups": groups.con.sql("SELECT * FROM groups ORDER BY ALL").fetchall(),
            "said": [(groups.outcome, groups.rows)],
        }
        tables["set aside"] = [(s.reason, s.count) for s in groups.set_aside]
        tables["types"] = groups.con.sql("DESCRIBE groups").fetchall()
        if groups.outcome.levels and not groups.outcome.binary:
            tables["levels"] = groups.con.sql("SELECT * FROM levels ORDER BY ALL").fetchall()
        return tables


def hard_inputs(folder: Path, rng: np.random.Generator) -> list[Path]:
    """A right-or-wrong reward beside a graded one with a `correct` column, a graded one, and a continuous one."""
    both = write_hard_rollouts(folder / "both.parquet", rng, GRADES)
    graded, binary, thin = folder / "graded.parquet", folder / "binary.parquet", folder / "thin.parquet"
    table = pq.read_table(both)
    pq.write_table(table.drop_columns(["correct"]), graded)
    right = pa.array([-1.0 if i % 3 else 1.0 for i in range(len(table))])
    pq.write_table(table.drop_columns(["correct", "reward"]).append_column("reward", right), binary)
    pq.write_table(table.select(["prompt_id", "reward"]), thin)
    return [both, graded, binary, thin]


@pytest.mark.engine
@pytest.mark.parametrize(("engine", "package"), [("spark", "pyspark"), ("ray", "daft")])
def test_every_engine_gives_the_same_digits(
    engine: str, package: str, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(package, reason=f"{package} is not installed: pip install 'bitrate[{engine}]'")
    if engine == "spark" and not shutil.which("java"):
        pytest.skip("Spark needs Java")
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--master local[2] --driver-memory 1g pyspark-shell")
    for path in hard_inputs(tmp_path, rng):
        assert reduced(path, engine) == reduced(path, "duckdb"), path.name


def test_the_hard_inputs_are_what_they_say(tmp_path: Path, rng: np.random.Generator) -> None:
    both, graded, binary, thin = (reduced(p, "duckdb")["said"][0][0] for p in hard_inputs(tmp_path, rng))
    assert (both.column, both.threshold) == ("correct", 0.5)
    levels = [-0.3, 0.0, 0.1, 0.25, 0.333333, 0.7, 1.0]
    assert (sorted(graded.levels), graded.threshold) == (levels, None)
    assert (sorted(binary.levels), binary.threshold) == ([-1.0, 1.0], 0.0)
    assert (sorted(thin.levels), thin.threshold) == (levels, None)


@pytest.mark.parametrize(("engine", "package"), [("spark", "pyspark"), ("ray", "daft")])
def test_an_engine_that_is_not_installed_says_how_to_install_it(
    engine: str, package: str, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = [m for m in sys.modules if m.startswith(f"{package}.")]
    for module in (package, *loaded):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EngineError, match=f"not installed[\\s\\S]*pip install 'bitrate\\[{engine}\\]'"):
        reduced(write_hard_rollouts(tmp_path / "run.parquet", rng, [0.0, 1.0]), engine)


def test_an_engine_nobody_knows_is_refused() -> None:
    with pytest.raises(InputError, match="dask"):
        check("dask")


def test_one_text_is_ansi_and_short() -> None:
    """No function, cast or literal that only one engine knows."""
    text = sql.groups_sql(Outcome("reward", {0.0: 1, 0.5: 1, 1.0: 1}, None)) + sql.levels_sql(
        Outcome("reward", None, None)
    )
    known = "WITH AS SELECT FROM WHERE GROUP BY AND NOT NULL IS CASE WHEN THEN ELSE END"
    functions = "CAST BIGINT DOUBLE COUNT SUM MIN MAX ABS"
    assert set(re.findall(r"[A-Z]{2,}", text)) <= {*known.split(), *functions.split()}
