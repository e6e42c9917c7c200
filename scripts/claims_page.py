"""Run every claim, publish the verdicts, and write docs/claims.md with its figures.

``python scripts/claims_page.py``; with ``--page`` only the page is made, from ``results/claims.json`` as it is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bitrate import __version__
from bitrate.lab.claims import all_claims
from bitrate.lab.judge import lacking
from bitrate.lab.record import run_claims
from bitrate.report.claim_figure import save_claim_figures
from bitrate.report.claim_page import claims_page

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "claims.json"
PAGE = ROOT / "docs" / "claims.md"
FIGURES = ROOT / "docs" / "claims"
PUBLISHED = ROOT / "src" / "bitrate" / "lab" / "claims" / "published.json"
SEED = 0


def page() -> str:
    """The page as Markdown, from the published results."""
    return claims_page(json.loads(RESULTS.read_text("utf-8"))["claims"], "claims", "python scripts/claims_page.py")


def main() -> None:
    """Run, publish, draw, write."""
    if "--page" not in sys.argv:
        absent = {lacking(c) for c in all_claims() if c.needs} - {""}
        if absent:
            sys.exit(f"what cannot be measured here must not be published as not measured: {'; '.join(sorted(absent))}")
        ids = [c.id for c in all_claims()]
        records = run_claims(ids, seed=SEED, progress=lambda what, share: print(f"{share:4.0%} {what}", flush=True))
        for record in records:
            found = {k: record[f"{k}_outcome" if k != "outcome" else k] for k in ("outcome", "theory", "rival")}
            record |= {"published": found, "standing": "as published"}
        RESULTS.parent.mkdir(exist_ok=True)
        kept = {"version": __version__, "seed": SEED, "claims": records}
        RESULTS.write_text(json.dumps(kept, indent=1, allow_nan=False) + "\n", "utf-8")
        PUBLISHED.write_text(json.dumps({r["id"]: r["published"] for r in records}, indent=1) + "\n", "utf-8")
    records = json.loads(RESULTS.read_text("utf-8"))["claims"]
    for old in FIGURES.glob("*.svg"):
        old.unlink()
    save_claim_figures(records, FIGURES)
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
