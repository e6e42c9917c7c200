"""Run claims, publish the verdicts, and write docs/claims.md with its figures.

``python scripts/claims_page.py`` runs every claim that needs no training runs. With ids, ``T2 S1.17 --runs DIR``, it
runs those, in full, and puts them beside the verdicts that are published; training runs that DIR has are taken over.
``--page`` only makes the page, from ``results/claims.json`` as it is; ``--judge`` first judges the published estimates
again, by the claims and the judge as they are now.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bitrate import __version__
from bitrate.lab.claim import Verdict
from bitrate.lab.claims import all_claims, find
from bitrate.lab.judge import judged, outcomes
from bitrate.lab.runner import SAID, lacking, run_claims
from bitrate.report.claim_figure import save_claim_figures
from bitrate.report.claim_page import claims_page
from bitrate.types import Estimate

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "claims.json"
PAGE = ROOT / "docs" / "claims.md"
FIGURES = ROOT / "docs" / "claims"
PUBLISHED = ROOT / "src" / "bitrate" / "lab" / "claims" / "published.json"
SEED = 0


def page() -> str:
    """The page as Markdown, from the published results; a source that is a page beside it is a link."""
    made = claims_page(json.loads(RESULTS.read_text("utf-8"))["claims"], "claims", "python scripts/claims_page.py")
    return re.sub(r"docs/(\w+\.md#[\w-]+)", r"[docs/\1](\1)", made)


def publish(ids: list[str], runs: Path | None) -> None:
    """Run claims and put their verdicts in the place of the published ones."""
    full = any(find(id).arms for id in ids)
    absent = {why for id in ids if find(id).needs and (why := lacking(find(id)))}
    if absent:
        sys.exit(f"what cannot be measured here must not be published as not measured: {'; '.join(sorted(absent))}")
    records = run_claims(
        ids, seed=SEED, full=full, runs=runs, progress=lambda what, share: print(f"{share:4.0%} {what}", flush=True)
    )
    save(records)


def judge_again() -> None:
    """Hold the published estimates against the formulas of today."""
    records = json.loads(RESULTS.read_text("utf-8"))["claims"]
    for record in records:
        claim, found = find(record["id"]), {p["case"]: Estimate.from_dict(p["estimate"]) for p in record["points"]}
        if found:
            points = tuple(judged(claim, case, found[case.name]) for case in claim.cases)
            verdict = Verdict(claim.id, *outcomes(claim, points), points, SEED, 0.0).to_dict()
            record |= {k: verdict[k] for k in ("outcome", "theory_outcome", "rival_outcome", "points")}
            record |= {name: getattr(claim, name) for name in SAID}
    save(records)


def save(records: Sequence[dict[str, Any]]) -> None:
    """Put records in the place of the published ones."""
    known = {r["id"]: r for r in json.loads(RESULTS.read_text("utf-8"))["claims"]} if RESULTS.exists() else {}
    for record in records:
        found = {k: record[f"{k}_outcome" if k != "outcome" else k] for k in ("outcome", "theory", "rival")}
        known[record["id"]] = record | {"published": found, "standing": "as published"}
    every = [known[c.id] for c in all_claims() if c.id in known]
    RESULTS.parent.mkdir(exist_ok=True)
    kept = {"version": __version__, "seed": SEED, "claims": every}
    RESULTS.write_text(json.dumps(kept, indent=1, allow_nan=False) + "\n", "utf-8")
    PUBLISHED.write_text(json.dumps({r["id"]: r["published"] for r in every}, indent=1) + "\n", "utf-8")


def main() -> None:
    """Run, publish, draw, write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("ids", nargs="*", help="claims to run; by default all that need no training")
    asked.add_argument("--runs", type=Path, help="folder of training runs")
    asked.add_argument("--page", action="store_true", help="make the page only")
    asked.add_argument("--judge", action="store_true", help="judge the published estimates again")
    given = asked.parse_args()
    if given.judge:
        judge_again()
    elif not given.page:
        publish(given.ids or [c.id for c in all_claims() if not c.arms], given.runs)
    records = json.loads(RESULTS.read_text("utf-8"))["claims"]
    for old in FIGURES.glob("*.svg"):
        old.unlink()
    save_claim_figures(records, FIGURES)
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
