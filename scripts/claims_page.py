"""Run claims, publish the verdicts, and write docs/claims.md with its figures.

``python scripts/claims_page.py`` runs every claim that needs no training runs. With ids, ``T2 S1.17 --runs DIR``, it
runs those, in full, and puts them beside the verdicts that are published; training runs that DIR has are taken over.
``--missing`` measures of them the cases alone that no estimate is published of. ``--page`` only makes the page, from
``results/claims.json`` as it is; ``--judge`` first judges the published estimates again, of the claims named or of all,
by the claims and the judge as they are now. A new claim that took its cases from another has its estimates from there.

What is predicted must be committed before the run that judges it: files of claims with changes are refused, and the
verdict names the commit. A verdict of an estimate that is older than a formula it is held against names none.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bitrate import __version__
from bitrate.lab.claim import Claim, Verdict
from bitrate.lab.claims import all_claims, find
from bitrate.lab.judge import judge, judged, outcomes
from bitrate.lab.runner import SAID, lacking, record, run_claims
from bitrate.lab.training.store import Store
from bitrate.report.claim_figure import save_claim_figures
from bitrate.report.claim_page import claims_page
from bitrate.types import Estimate

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "claims.json"
PAGE = ROOT / "docs" / "claims.md"
FIGURES = ROOT / "docs" / "claims"
CLAIMS = ROOT / "src" / "bitrate" / "lab" / "claims"
PUBLISHED = CLAIMS / "published.json"
SEED = 0


def page() -> str:
    """The page as Markdown, from the published results; a source that is a page beside it is a link."""
    made = claims_page(json.loads(RESULTS.read_text("utf-8"))["claims"], "claims", "python scripts/claims_page.py")
    return re.sub(r"docs/(\w+\.md#[\w-]+)", r"[docs/\1](\1)", made)


def publish(ids: list[str], runs: Path | None, missing: bool) -> None:
    """Run claims and put their verdicts in the place of the published ones."""
    full = any(find(id).arms for id in ids)
    absent = {why for id in ids if find(id).needs and (why := lacking(find(id)))}
    if absent:
        sys.exit(f"what cannot be measured here must not be published as not measured: {'; '.join(sorted(absent))}")
    said = {id: predicted(id) for id in ids}

    def shown(what: str, share: float) -> None:
        print(f"{share:4.0%} {what}", flush=True)

    if missing:
        records = [measured_anew(find(id), runs) for id in ids]
    else:
        records = run_claims(ids, seed=SEED, full=full, runs=runs, progress=shown)
    save([r | {"predicted": said[r["id"]]} for r in records])


def predicted(id: str) -> str:
    """The commit in which a claim's predictions were written down last, and its day.

    It is the last that changed the claim's file or another of the claims that it takes cases from.
    """
    todo, seen = [CLAIMS / f"{id.lower().replace('.', '_')}.py"], set[Path]()
    while todo:
        file = todo.pop()
        seen.add(file)
        names = re.findall(r"^from bitrate\.lab\.claims\.(\w+) import", file.read_text("utf-8"), re.MULTILINE)
        todo += [other for name in names if (other := CLAIMS / f"{name}.py") not in seen]
    files = sorted(map(str, seen))
    changed = _git("status", "--porcelain", "--", *files)
    if changed:
        sys.exit(f"{id}: commit what is predicted before the run that judges it: {changed}")
    return _git("log", "-1", "--format=%h, %cs", "--", *files)


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def measured_anew(claim: Claim, runs: Path | None) -> dict[str, Any]:
    """A claim's record with the published estimates, and those that were missing measured now, in full."""
    [old] = [r for r in json.loads(RESULTS.read_text("utf-8"))["claims"] if r["id"] == claim.id] or [None]
    known = {p["case"] for p in old["points"]} if old else set()
    cases = tuple(c for c in claim.cases if c.name not in known)
    if not cases:
        sys.exit(f"{claim.id}: every case has a published estimate")
    if runs is None:
        sys.exit("--missing: want --runs, the folder of training runs")
    new = json.loads(json.dumps(record(claim, judge(replace(claim, cases=cases), SEED, full=True, runs=Store(runs)))))
    if old:
        new["points"] += old["points"]
        new["cost"] = old["cost"] and {k: v + old["cost"][k] for k, v in new["cost"].items()}
    return judged_again(new, claim)


def judge_again(ids: list[str]) -> None:
    """Hold the published estimates of claims against the formulas of today."""
    records = json.loads(RESULTS.read_text("utf-8"))["claims"]
    save([judged_again(r, find(r["id"])) for r in [*records, *parted(records)] if r["id"] in ids])


def parted(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records of trained claims that are new, and whose cases were published as another's; their cost is not known."""
    known = {r["id"] for r in records}
    trained = {p["case"]: (r, p) for r in records if find(r["id"]).arms for p in r["points"]}
    return [
        trained[claim.cases[0].name][0]
        | {"id": claim.id, "points": [trained[c.name][1] for c in claim.cases], "cost": None}
        for claim in all_claims()
        if claim.arms and claim.id not in known and all(c.name in trained for c in claim.cases)
    ]


def judged_again(published: dict[str, Any], claim: Claim) -> dict[str, Any]:
    """A record judged by the formulas of today; where one of them is younger than the run, no commit is named."""
    before = {p["case"]: p for p in published["points"]}
    if not before:
        return published
    unknown = [c.name for c in claim.cases if c.name not in before]
    if unknown:
        sys.exit(f"{claim.id}: no estimate is published of {unknown[0]!r}; measure it with --missing")
    points = tuple(judged(claim, case, Estimate.from_dict(before[case.name]["estimate"])) for case in claim.cases)
    verdict = Verdict(claim.id, *outcomes(claim, points), points, SEED, 0.0).to_dict()
    same = all(
        _bare(new[name]) == _bare(before[new["case"]][name])
        for new in verdict["points"] for name in ("prediction", "stated", "rival")
    )  # fmt: skip
    judged_now = published | {k: verdict[k] for k in ("outcome", "theory_outcome", "rival_outcome", "points")}
    judged_now |= {name: getattr(claim, name) for name in SAID} | {"against": list(claim.against)}
    if len(points) < len(before):
        judged_now["cost"] = None  # what these cases cost apart from the others is not known
    return judged_now | {"predicted": published.get("predicted", "") if same else ""}


def _bare(said: dict[str, Any] | None) -> tuple[Any, str] | None:
    """What a formula says, without its reason."""
    return said and (said["value"], said["kind"])


def save(records: Sequence[dict[str, Any]]) -> None:
    """Put records in the place of the published ones."""
    known = {r["id"]: r for r in json.loads(RESULTS.read_text("utf-8"))["claims"]} if RESULTS.exists() else {}
    for new in records:
        found = {k: new[f"{k}_outcome" if k != "outcome" else k] for k in ("outcome", "theory", "rival")}
        known[new["id"]] = new | {"published": found, "standing": "as published"}
    every = [known[c.id] for c in all_claims() if c.id in known]
    RESULTS.parent.mkdir(exist_ok=True)
    kept = {"version": __version__, "seed": SEED, "claims": every}
    RESULTS.write_text(json.dumps(kept, indent=1, allow_nan=False) + "\n", "utf-8")
    PUBLISHED.write_text(json.dumps({r["id"]: r["published"] for r in every}, indent=1) + "\n", "utf-8")


def main() -> None:
    """Run, publish, draw, write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("ids", nargs="*", help="claims to run or judge; by default all that need no training, or all")
    asked.add_argument("--runs", type=Path, help="folder of training runs")
    asked.add_argument("--missing", action="store_true", help="measure only cases without a published estimate")
    asked.add_argument("--page", action="store_true", help="make the page only")
    asked.add_argument("--judge", action="store_true", help="judge the published estimates again")
    given = asked.parse_args()
    if given.judge:
        judge_again(given.ids or [c.id for c in all_claims()])
    elif not given.page:
        publish(given.ids or [c.id for c in all_claims() if not c.arms], given.runs, given.missing)
    records = json.loads(RESULTS.read_text("utf-8"))["claims"]
    for old in FIGURES.glob("*.svg"):
        old.unlink()
    save_claim_figures(records, FIGURES)
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
