"""The documentation says what is true: pages that are made are up to date, examples run, commands exist."""

from __future__ import annotations

import doctest
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


def load(path: Path) -> object:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_formats_is_up_to_date() -> None:
    made = load(ROOT / "scripts" / "formats_page.py").page()  # type: ignore[attr-defined]
    assert (ROOT / "docs" / "formats.md").read_text("utf-8") == made, "run python scripts/formats_page.py"


def test_the_page_of_commands_is_up_to_date() -> None:
    made = load(ROOT / "scripts" / "command_page.py").page()  # type: ignore[attr-defined]
    assert (ROOT / "docs" / "command-line.md").read_text("utf-8") == made, "run python scripts/command_page.py"


def test_every_command_and_option_is_mentioned_by_somebody() -> None:
    """In README or on a page that somebody wrote; the page that is made of the commands would mention anything."""
    script = load(ROOT / "scripts" / "command_page.py")
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    text = "\n".join(p.read_text("utf-8") for p in pages if p != script.PAGE)  # type: ignore[attr-defined]
    known = dict(script.commands(script.typer.main.get_command(script.app)))  # type: ignore[attr-defined]
    assert {"bitrate audit", "bitrate claims run"} <= known.keys()
    words = {*known, *(o for command in known.values() for p in command.params for o in p.opts if o.startswith("-"))}
    assert {"--html", "-o", "--full"} <= words
    assert [w for w in sorted(words) if not re.search(rf"(?<![\w-]){re.escape(w)}(?![\w-])", text)] == []


def test_the_page_of_claims_is_up_to_date() -> None:
    script = load(ROOT / "scripts" / "claims_page.py")
    assert (ROOT / "docs" / "claims.md").read_text("utf-8") == script.page(), "run python scripts/claims_page.py --page"  # type: ignore[attr-defined]
    records = json.loads((ROOT / "results" / "claims.json").read_text("utf-8"))["claims"]
    published = json.loads((ROOT / "src/bitrate/lab/claims/published.json").read_text("utf-8"))
    assert {r["id"]: r["published"] for r in records} == published
    for name in re.findall(r"\((claims/.+?\.svg)\)", (ROOT / "docs" / "claims.md").read_text("utf-8")):
        assert (ROOT / "docs" / name).exists(), name


def test_the_page_of_the_flagship_is_up_to_date() -> None:
    script = load(ROOT / "scripts" / "flagship_page.py")
    assert (ROOT / "docs" / "flagship.md").read_text("utf-8") == script.page(), (
        "run python scripts/flagship_page.py --page"
    )  # type: ignore[attr-defined]


def test_a_published_figure_comes_out_again() -> None:
    """The figures of the page are those of the code as it is, from the same seed."""
    from bitrate.lab.claims import find
    from bitrate.lab.runner import check

    records = {r["id"]: r for r in json.loads((ROOT / "results" / "claims.json").read_text("utf-8"))["claims"]}
    for id in ("S0.12", "S1.5", "S3.1"):
        again = [p.estimate.value for p in check(find(id), records[id]["seed"]).points]
        assert again == pytest.approx([p["estimate"]["value"] for p in records[id]["points"]], rel=1e-9)


def test_the_table_of_lines_is_up_to_date() -> None:
    script = load(ROOT / "scripts" / "ledger_table.py")
    assert (ROOT / "docs" / "ledger.md").read_text("utf-8") == script.page(), "run python scripts/ledger_table.py"  # type: ignore[attr-defined]


def examples() -> dict[str, str]:
    """The files that docs/extending.md shows, by their path below src/."""
    text = (ROOT / "docs" / "extending.md").read_text("utf-8")
    return dict(re.findall(r"`src/(bitrate/\w[\w/]+\.py)`(?:(?!```).)*?```python\n(.*?)```", text, re.S))


@pytest.fixture
def copied(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python in a copy of the package to which files of docs/extending.md were added, and nothing else."""
    shutil.copytree(ROOT / "src" / "bitrate", tmp_path / "bitrate", ignore=shutil.ignore_patterns("__pycache__"))

    def run(*words: str, added: Sequence[str] = (), status: int = 0) -> subprocess.CompletedProcess[str]:
        for path in added:
            assert not (tmp_path / path).exists()
            (tmp_path / path).write_text(examples()[path], "utf-8")
        done = subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "200"},
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return done

    return run


def samples(folder: Path) -> None:
    """Files of the example's trainer: 12 epochs of 30 questions, 4 replies each, of a model that gets worse."""
    rng = np.random.default_rng(4)
    folder.mkdir()
    for epoch in range(12):
        lines = []
        for question in range(30):
            for right in rng.random(4) < 0.9 - 0.06 * epoch:
                reply = {"question": f"{question}+3=", "reply": str(question + 3 if right else 0), "n_generated": 5}
                lines.append(json.dumps(reply | {"verdict": "pass" if right else "fail"}) + "\n")
        (folder / f"epoch_{epoch}.samples.jsonl").write_text("".join(lines))


def test_a_line_a_warning_a_chart_and_a_format_are_one_file_each(copied: Any, tmp_path: Path) -> None:
    """Dropped into a copy of the package, each is found wherever it belongs, and nothing else was touched."""
    samples(tmp_path / "log")
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("claims"))
    (tmp_path / "scripts").mkdir()
    for name in ("ledger_table.py", "formats_page.py"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts" / name)
    audit = ("-m", "bitrate", "audit", "log", "--html", "log.html", "--json", "log.json")
    assert "log: no format reads these files" in copied(*audit, status=2).stderr

    kinds = (
        "logs/formats/samples",
        "meter/lines/collision",
        "meter/advice/falling",
        "report/charts/pass_rate_over_steps",
    )
    screen = copied(*audit, added=[f"bitrate/{kind}.py" for kind in kinds]).stdout
    figures, page = json.loads((tmp_path / "log.json").read_text()), (tmp_path / "log.html").read_text("utf-8")
    assert figures["format"] == "samples" and "samples, train split: 1,440 rollouts" in screen

    bits = figures["ledger"]["collision_bits"]
    assert list(figures["ledger"])[:3] == ["capacity_bits", "received_bits", "outcome_bits"]
    assert bits["low"] < bits["value"] < bits["high"] < figures["ledger"]["outcome_bits"]["high"]
    shown = f"{bits['value']:.3f}  {bits['low']:.3f} to {bits['high']:.3f}"
    assert re.search(rf"^  Collision +█+.? +{re.escape(shown)}$", screen, re.M)
    means = "How far two rollouts of a prompt are from always having the same outcome."
    assert f"<dt>Collision</dt>\n      <dd>{means}</dd>" in page
    charts = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])["charts"]  # type: ignore[index]
    drawn = charts["ledger_rollout"]["layer"]
    assert any(row.get("name") == "Collision" and row["value"] == bits["value"] for row in drawn[0]["data"]["values"])

    [warning] = [a for a in figures["advice"] if a["code"] == "falling"]
    assert warning["kind"] == "warning" and warning["figure"]["high"] < 0
    for text in (" ".join(screen.split()), page):
        assert warning["text"] in text

    assert page.count('data-chart="pass_rate_over_steps"') == 1
    first = charts["pass_rate_over_steps"]["layer"][0]["data"]["values"][0]
    assert first["value"] == figures["series"]["steps"][0]["pass_rate"]["value"]

    for script in ("ledger_table.py", "formats_page.py"):
        copied(str(tmp_path / "scripts" / script))
    assert f"| Collision | `collision_bits` | rollout | {means} | " in (tmp_path / "docs/ledger.md").read_text("utf-8")
    assert "- **Files:** `epoch_{N}.samples.jsonl`" in (tmp_path / "docs/formats.md").read_text("utf-8")

    compared = json.loads(copied("-m", "bitrate", "compare", "log", "log", "--json", "-").stdout)
    assert compared["differences"]["collision_bits"]["value"] == 0


def test_the_example_format_reads_the_example_lines(copied: Any, tmp_path: Path) -> None:
    [lines] = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "extending.md").read_text("utf-8"), re.S)
    (tmp_path / "log").mkdir()
    unsure = '{"question": "2+3=", "reply": "5", "verdict": "unsure"}\n'
    (tmp_path / "log" / "epoch_3.samples.jsonl").write_text(lines + unsure)
    added = ["bitrate/logs/formats/samples.py"]
    found = json.loads(copied("-m", "bitrate", "audit", "log", "--json", "-", added=added).stdout)
    assert found["format"] == "samples"
    assert found["counts"]["rollouts"]["value"] == 2
    assert [(q["count"], q["where"][0].rpartition(":")[2]) for q in found["quarantine"]] == [(1, "3")]
    assert found["series"]["steps"][0]["step_first"] == 3


@pytest.mark.parametrize(
    ("id", "outcomes", "cases"),
    [("E1", ("refuted", "holds", "refuted"), 3), ("E2", ("holds", "holds", "refuted"), 1)],
)
def test_an_example_claim_is_one_file(copied: Any, id: str, outcomes: tuple[str, ...], cases: int) -> None:
    """Dropped into a copy of the package, the claim is found, run and judged, and says so in its exit status."""
    added = [f"bitrate/lab/claims/{id.lower()}.py"]
    done = copied("-m", "bitrate", "claims", "run", id, "--json", "-", added=added, status=3)
    [found] = json.loads(done.stdout)["claims"]
    assert (found["outcome"], found["theory_outcome"], found["rival_outcome"]) == outcomes
    assert found["standing"] == "not published" and len(found["points"]) == cases


#: Prints the rewards that are read, and the rollouts of an audit.
READ_AND_AUDIT = """
import sys, bitrate
print(bitrate.read(sys.argv[1], first_step=2)["reward"].to_pylist())
print(bitrate.audit(sys.argv[1], first_step=2).to_dict()["counts"]["rollouts"]["value"])
print(bitrate.compare(sys.argv[1], sys.argv[1], first_step=3)["a"])
"""


def test_an_option_of_reading_is_one_field_and_what_it_does(copied: Any, tmp_path: Path) -> None:
    """In a copy of the package every function and every command that reads takes it, refuses and explains it."""
    text = (ROOT / "docs" / "extending.md").read_text("utf-8").partition("## An option of reading")[2]
    field, effect = re.findall(r"```python\n(.*?)```", text, re.S)[:2]
    logs = tmp_path / "bitrate" / "logs"
    options, read = logs / "options.py", logs / "read.py"
    kind, methods, rest = options.read_text("utf-8").partition("    def __post_init__")
    options.write_text(f"{kind}{field}\n{methods}{rest}", "utf-8")
    first, last = effect.splitlines(keepends=True)[:: effect.count("\n") - 1]
    plain = first + last
    assert plain in read.read_text("utf-8")
    read.write_text(read.read_text("utf-8").replace(plain, effect), "utf-8")
    rows = [f'{{"prompt_id": "q", "step": {step}, "reward": {step % 2}}}\n' for step in range(4) for _ in range(2)]
    (tmp_path / "rows.jsonl").write_text("".join(rows))

    done = copied("-c", READ_AND_AUDIT, "rows.jsonl")
    assert done.stdout.splitlines()[:2] == ["[0.0, 0.0, 1.0, 1.0]", "4.0"]
    for command in ("audit", "compare", "export"):
        explained = " ".join(copied("-m", "bitrate", command, "--help").stdout.split())
        assert "--first-step <int> Leave out the steps before this one." in explained, explained
    export = ("-m", "bitrate", "export", "rows.jsonl", "-o", "out.parquet", "--first-step")
    assert copied(*export, "-1", status=2).stderr == "error: first_step = -1; want 0 or more\n"
    assert copied(*export, "3").stderr.startswith("2 ro")


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/training.md"])
def test_every_command_shown_exists(page: str) -> None:
    shown = re.findall(r"^\$ bitrate (.+?)(?:\s{2,}#.*)?$", (ROOT / page).read_text("utf-8"), re.M)
    assert shown
    helps: dict[str, str] = {}
    for line in shown:
        command, *words = line.split()
        names = [command, *words[:1]] if command == "claims" else [command]
        command = " ".join(names)
        if command not in helps:
            run = subprocess.run(
                [sys.executable, "-m", "bitrate", *names, "--help"],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
                env={"COLUMNS": "200", "PATH": "/usr/bin:/bin"},
            )
            assert run.returncode == 0, run.stderr
            helps[command] = run.stdout
        for option in (w for w in words if w.startswith("-")):
            assert option in helps[command], (line, option)


def test_a_plain_install_runs_what_the_readme_shows() -> None:
    """``make core`` runs it; here: nothing that is shown is left out, and no exception outlives its command."""
    script = load(ROOT / "scripts" / "readme.py")
    text = "```console\n$ bitrate new --to 'a b'   # what it is\n  output\n```\n`bitrate.x(1)`\n```python\nx = 1\n```\n"
    assert script.commands(text) == ["bitrate new --to 'a b'"]  # type: ignore[attr-defined]
    assert script.programs(text) == ["x = 1\n", "import bitrate\nprint(bitrate.x(1))"]  # type: ignore[attr-defined]
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = script.commands(readme)  # type: ignore[attr-defined]
    assert len(shown) == len(re.findall(r"^\$ ", readme, re.M)) > 10
    assert set(script.NOT_RUN) <= set(shown)  # type: ignore[attr-defined]
    assert all(script.NOT_RUN.values())  # type: ignore[attr-defined]


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), (page.name, target)


def anchors(page: Path) -> set[str]:
    """The sections of a page, by the name in their heading or the one that mkdocs makes of it."""
    found, text = set(), re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.S | re.M)
    for heading in re.findall(r"^#+ (.+)$", text, re.M):
        named = re.search(r"\{: #(\S+) \}$", heading)
        found.add(named[1] if named else re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()))
    return found


def test_links_to_sections_open_one() -> None:
    opened = 0
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target, section in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text("utf-8")):
            assert section in anchors(page.parent / target if target else page), (page.name, target, section)
            opened += 1
    assert opened > 100


@pytest.mark.parametrize("page", ["theory.md", "estimators.md"])
def test_the_examples_of_a_page_give_what_it_says(page: str) -> None:
    blocks = re.findall(r"^```python\n(>>> .*?)^```$", (ROOT / "docs" / page).read_text("utf-8"), re.S | re.M)
    assert len(blocks) >= 3
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page, page, 0)
    assert doctest.DocTestRunner().run(test).failed == 0


def test_theory_and_estimators_leave_nothing_out() -> None:
    """Each public function has its place there, and the theory names each claim."""
    import bitrate.stats
    import bitrate.theory
    from bitrate.lab.claims import all_claims

    theory, estimators = ((ROOT / "docs" / name).read_text("utf-8") for name in ("theory.md", "estimators.md"))
    named = set(re.findall(r"\w+", theory + estimators))
    assert {name for name in bitrate.theory.__all__ if name[0].islower()} <= named
    assert {*bitrate.stats.__all__} <= named
    linked = set(re.findall(r"\(claims\.md#([\w-]+)\)", theory))
    assert {c.id.lower().replace(".", "-") for c in all_claims()} <= linked


CLAIM = r"[SBT]\d+(?:\.\d+)?\b"


def test_references_open_a_section() -> None:
    """What source, tests and pages refer to is there, and nothing refers to notes that are no part of the project."""
    notes = "|".join(("THEORY", "ESTIMATORS", "DESIGN", "ENGINE", "TRAINING", "SAMPLING", "FORMATS", "STYLE"))
    pages = {page.name: page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md")}
    sections = {
        (name, part.split(" }\n")[0] if part is not text else ""): part
        for name, text in pages.items()
        for part in re.split(r"^#+ [^\n]*\{: #", text, flags=re.M)
    }
    opened = claims = 0
    folders = [ROOT / name for name in ("src", "tests", "docs", "benchmarks", "scripts", "results")]
    for path in [p for f in folders for kind in ("py", "md", "json") for p in f.rglob(f"*.{kind}")]:
        text = path.read_text("utf-8", errors="replace")
        assert not re.search(rf"\b({notes})\.md\b", text), path
        for page, section, about in re.findall(
            rf"docs/(\w[\w-]+\.md)#([\w-]+)((?:,? (?:claims?|and)? ?{CLAIM})*)", text
        ):
            assert (page, section) in sections, (path, page, section)
            for claim in re.findall(CLAIM, about):
                assert re.search(rf"\b{re.escape(claim)}\b", sections[page, section]), (path, page, section, claim)
                claims += 1
            opened += 1
    assert opened > 100
    assert claims > 100
