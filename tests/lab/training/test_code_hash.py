"""The hash of code that trains: what may be changed without training again, and what may not."""

from __future__ import annotations

import importlib
import itertools
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bitrate.errors import InputError
from bitrate.lab.claim import Claim
from bitrate.lab.claims import t2, t9
from bitrate.lab.training import planted
from bitrate.lab.training.code_hash import code_hash

TRAIN = '''
"""How to train."""

from __future__ import annotations

import numpy as np
from PACKAGE.tables import Table, scaled
from PACKAGE.unused import nothing

RATE = 0.5


def train(settings: dict, folder, rng):
    """Train a table."""
    import math

    table = Table(width=settings["width"])
    return [_step(x) for x in table.rows(rng)] + [math.sqrt(RATE), np.exp(0.0)]


def _step(x: float) -> float:
    return scaled(x, by=RATE) if x > 0 else -x
'''
TABLES = '''
"""Tables."""

from __future__ import annotations

from dataclasses import dataclass
from PACKAGE.numbers import PAIR


@dataclass
class Table:
    """Some rows."""

    width: int
    shift: float = 0.25

    def rows(self, rng):
        """All of them."""
        return rng.random(self.width) + self.shift + sum(PAIR)


def scaled(x, by):
    return x * by


def unreached(x):
    return x + 1
'''
NUMBERS = "PAIR = (1, 2)\n"
FILES = {"train.py": TRAIN, "tables.py": TABLES, "numbers.py": NUMBERS, "unused.py": "def nothing():\n    return 1\n"}
Hash = Callable[..., str]
_count = itertools.count()


@pytest.fixture
def hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hash]:
    """Hash of ``train`` in a package of these files, other than ``FILES`` where given; None takes a file away."""
    monkeypatch.syspath_prepend(tmp_path)

    def made(files: dict[str, str | None] | None = None, at: str = "train") -> str:
        package = f"hashed_{next(_count)}"
        for name, text in ({"__init__.py": ""} | FILES | (files or {})).items():
            path = tmp_path / package / name
            if text is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(textwrap.dedent(text).replace("PACKAGE", package))
        importlib.invalidate_caches()
        train = importlib.import_module(f"{package}.{at.replace('/', '.')}").train
        return code_hash(train, follow=package)

    yield made
    for name in [m for m in sys.modules if m.startswith("hashed_")]:
        del sys.modules[name]


def changed(old: str, new: str, file: str = "train.py") -> dict[str, str | None]:
    """A file with one place changed."""
    assert old in FILES[file], old
    return {file: FILES[file].replace(old, new)}


SAME: dict[str, dict[str, str | None]] = {
    "comment": changed("RATE = 0.5", "# how fast\nRATE = 0.5  # a lot"),
    "docstring": changed('"""Train a table."""', '"""Train a table, slowly.\n\n    And well.\n    """'),
    "no docstring": changed('    """Train a table."""\n', ""),
    "docstring of a class": changed('    """Some rows."""\n', "", "tables.py"),
    "annotations": changed("settings: dict, folder, rng)", "settings: object, folder: str, rng: object) -> list"),
    "no future": changed("from __future__ import annotations\n", ""),
    "type of a field": changed("width: int", "width: float", "tables.py"),
    "order of definitions": {"train.py": TRAIN.replace("RATE = 0.5\n", "") + "\n\nRATE = 0.5\n"},
    "alias": {"train.py": TRAIN.replace("Table, scaled", "Table as Rows, scaled").replace("Table(", "Rows(")},
    "import as a module": {
        "train.py": TRAIN.replace("from PACKAGE.tables import Table, scaled", "from PACKAGE import tables")
        .replace(" Table(", " tables.Table(").replace("scaled(", "tables.scaled(")
    },
    "relative import": changed("from PACKAGE.tables", "from .tables"),
    "import inside the function": {
        "train.py": TRAIN.replace("from PACKAGE.tables import Table, scaled", "from PACKAGE.tables import scaled")
        .replace("    import math\n", "    import math\n    from PACKAGE.tables import Table\n")
    },
    "a library by another name": {"train.py": TRAIN.replace("numpy as np", "numpy").replace("np.", "numpy.")},
    "what is not reached": changed("x + 1", "x + 2", "tables.py"),
    "a module that is not used": {"unused.py": "def nothing():\n    return 2\n"},
    "a helper by another name": {"train.py": TRAIN.replace("_step", "_visit")},
    "moved helper": {
        "tables.py": None,
        "worlds/__init__.py": "",
        "worlds/tables.py": TABLES,
        **changed("PACKAGE.tables", "PACKAGE.worlds.tables"),
    },
    "a name of another module's": {
        "tables.py": TABLES.replace("def scaled", "from PACKAGE.scale import scaled\n\n\ndef was_scaled"),
        "scale.py": "def scaled(x, by):\n    return x * by\n",
    },
}  # fmt: skip
OTHER: dict[str, dict[str, str | None]] = {
    "constant": changed("RATE = 0.5", "RATE = 0.6"),
    "type of a constant": changed("RATE = 0.5", "RATE = 1"),
    "operator": changed("x > 0", "x >= 0"),
    "library function": changed("np.exp", "np.expm1"),
    "order of statements": changed("[math.sqrt(RATE), np.exp(0.0)]", "[np.exp(0.0), math.sqrt(RATE)]"),
    "helper in another module": changed("x * by", "x / by", "tables.py"),
    "default of a field": changed("shift: float = 0.25", "shift: float = 0.5", "tables.py"),
    "a field more": changed("width: int\n", "width: int\n    height: int = 1\n", "tables.py"),
    "a field that is none": {
        "tables.py": TABLES.replace("shift: float", "shift: ClassVar[float]").replace(
            "import dataclass", "import dataclass\nfrom typing import ClassVar")
    },
    "decorator": changed("@dataclass\n", "@dataclass(frozen=True)\n", "tables.py"),
    "a constant two imports away": {"numbers.py": "PAIR = (1, 3)\n"},
    "another helper of the same name": {"tables.py": TABLES.replace("x * by", "x / by"),
                                        "old.py": "def scaled(x, by):\n    return x * by\n"},
    "a name that is bound twice": {"numbers.py": "PAIR = (1, 2)\nPAIR = (*PAIR, 3)\n"},
    "what runs at import": {"numbers.py": NUMBERS + "PAIR and print(end='')\n"},
    "an item that is set at import": {"numbers.py": NUMBERS + "SET = {}\nSET['a'] = 1\n"},
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_a_change_that_trains_the_same_keeps_the_hash(name: str, hashed: Hash) -> None:
    assert hashed(SAME[name]) == hashed()


@pytest.mark.parametrize("name", OTHER)
def test_a_change_of_the_code_changes_the_hash(name: str, hashed: Hash) -> None:
    assert hashed(OTHER[name]) != hashed()


def test_a_moved_training_module_and_a_reformatted_one_keep_the_hash(hashed: Hash) -> None:
    assert (
        hashed({"train.py": None, "training/__init__.py": "", "training/run.py": TRAIN}, at="training/run") == hashed()
    )
    loose = re.sub(r"\(rng\)", "(\n        rng,\n    )", TRAIN).replace("'", '"').replace("_step(x)", "(_step( x ))")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "-"],
        input=loose,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert TRAIN != loose != done.stdout
    assert hashed({"train.py": loose}) == hashed({"train.py": done.stdout}) == hashed()


def test_a_local_name_hides_a_definition_and_no_more(hashed: Hash) -> None:
    """``scaled`` is a parameter here; the function of that name is reached in one place only."""
    hidden = {"train.py": "def train(scaled):\n    return [scaled for _ in scaled]\n"}
    imported = {"train.py": "from PACKAGE.tables import scaled\n\n\n" + hidden["train.py"]}
    assert hashed(hidden) == hashed(imported) == hashed({**imported, **changed("x * by", "x / by", "tables.py")})
    used = "from PACKAGE.tables import scaled\n\n\ndef train(x):\n    [x for scaled in x]\n    return scaled\n"
    assert hashed({"train.py": used}) != hashed({"train.py": used, **changed("x * by", "x / by", "tables.py")})


def test_a_module_that_is_used_as_a_whole_counts_with_all_in_it(hashed: Hash) -> None:
    whole = {"train.py": "from PACKAGE import tables\n\n\ndef train(name):\n    return getattr(tables, name)\n"}
    assert hashed(whole) != hashed({**whole, **changed("x + 1", "x + 2", "tables.py")})


def test_functions_that_call_each_other_have_a_hash(hashed: Hash) -> None:
    both = "def train(n):\n    return back(n - 1) if n else 0\n\n\ndef back(n):\n    return train(n)\n"
    assert hashed({"train.py": both}) != hashed({"train.py": both.replace("return train(n)", "return train(n + 1)")})


def test_a_function_without_a_source_is_refused() -> None:
    with pytest.raises(InputError, match=r"no source of builtins\.len is found"):
        code_hash(len)
    written_here: dict[str, Callable[..., object]] = {}
    exec("def train(): ...", written_here)
    with pytest.raises(InputError, match="want a function that stands in a file"):
        code_hash(written_here["train"])


def test_runs_of_the_lab_reach_networks_and_log() -> None:
    """The real trainers: one that reached too little would keep stale runs."""
    from bitrate.lab.training import code_hash as module

    def trained(claim: Claim) -> Callable[..., object]:
        assert claim.arms
        return claim.arms(claim.cases[0])[0].train

    for train, wanted in (
        (planted.train, {"initial", "logits", "Shape", "advantages", "SimulatedRun", "train", "BATCH"}),
        (trained(t9.CLAIM), {"Policy", "Notes", "questions", "teach_rollouts", "load_pretrained"}),
        (trained(t2.CLAIM), {"initial", "logits"}),
    ):
        reader = module._Reader(train.__module__, module.LAB)
        reader.read(train.__module__, "train")
        assert wanted <= {d.name for d in reader.numbers}
