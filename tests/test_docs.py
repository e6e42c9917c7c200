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
from pathlib import Path

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


def test_the_example_format_reads_the_example_lines(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "extending.md").read_text("utf-8")
    [lines] = re.findall(r"```json\n(.*?)```", text, re.S)
    code = re.findall(r"```python\n(.*?)```", text, re.S)[0]
    (tmp_path / "epoch_3.samples.jsonl").write_text(lines + '{"question": "2+3=", "reply": "5", "verdict": "unsure"}\n')
    program = code + (
        "\nimport json, sys, bitrate\n"
        "print(json.dumps(bitrate.audit(sys.argv[1]).to_dict()))\n"
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    found = json.loads(done.stdout)
    assert found["format"] == "samples"
    assert found["counts"]["rollouts"]["value"] == 2
    assert [(q["count"], q["where"][0].rpartition(":")[2]) for q in found["quarantine"]] == [(1, "3")]
    assert found["series"]["steps"][0]["step_first"] == 3


@pytest.mark.parametrize(
    ("number", "id", "outcomes", "cases"),
    [(1, "E1", ("refuted", "holds", "refuted"), 3), (2, "E2", ("holds", "holds", "refuted"), 1)],
)
def test_an_example_claim_is_one_file(
    number: int, id: str, outcomes: tuple[str, ...], cases: int, tmp_path: Path
) -> None:
    """Dropped into a copy of the package, the claim is found, run and judged, and says so in its exit status."""
    text = (ROOT / "docs" / "extending.md").read_text("utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.S)[number]
    shutil.copytree(ROOT / "src" / "bitrate", tmp_path / "bitrate", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "bitrate" / "lab" / "claims" / f"{id.lower()}.py").write_text(code, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "bitrate", "claims", "run", id, "--json", "-"],
        capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
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


def test_an_option_of_reading_is_one_field_and_what_it_does(tmp_path: Path) -> None:
    """In a copy of the package every function and every command that reads takes it, refuses and explains it."""
    text = (ROOT / "docs" / "extending.md").read_text("utf-8").partition("## An option of reading")[2]
    field, effect = re.findall(r"```python\n(.*?)```", text, re.S)[:2]
    shutil.copytree(ROOT / "src" / "bitrate", tmp_path / "bitrate", ignore=shutil.ignore_patterns("__pycache__"))
    logs = tmp_path / "bitrate" / "logs"
    options, read = logs / "options.py", logs / "read.py"
    kind, methods, rest = options.read_text("utf-8").partition("    def __post_init__")
    options.write_text(f"{kind}{field}\n{methods}{rest}", "utf-8")
    plain = "        return self.format.chosen(self.format.select(self.con, files))\n"
    assert plain in read.read_text("utf-8")
    read.write_text(read.read_text("utf-8").replace(plain, effect), "utf-8")
    rows = [f'{{"prompt_id": "q", "step": {step}, "reward": {step % 2}}}\n' for step in range(4) for _ in range(2)]
    (tmp_path / "rows.jsonl").write_text("".join(rows))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "200"}
        command = [sys.executable, *words]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path, env=env
        )  # fmt: skip

    done = run("-c", READ_AND_AUDIT, "rows.jsonl")
    assert done.stdout.splitlines()[:2] == ["[0.0, 0.0, 1.0, 1.0]", "4.0"], done.stderr
    assert done.returncode == 0, done.stderr
    for command in ("audit", "compare", "export"):
        explained = " ".join(run("-m", "bitrate", command, "--help").stdout.split())
        assert "--first-step <int> Leave out the steps before this one." in explained, explained
    refused = run("-m", "bitrate", "export", "rows.jsonl", "-o", "out.parquet", "--first-step", "-1")
    assert (refused.returncode, refused.stderr) == (2, "error: first_step = -1; want 0 or more\n")
    assert run("-m", "bitrate", "export", "rows.jsonl", "-o", "out.parquet", "--first-step", "3").stderr.startswith(
        "2 ro"
    )


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
    assert {*bitrate.stats.__all__} - {"cluster_bootstrap"} <= named
    linked = set(re.findall(r"\(claims\.md#([\w-]+)\)", theory))
    assert {c.id.lower().replace(".", "-") for c in all_claims()} <= linked
