"""Write docs/formats.md from the formats themselves: ``python scripts/formats_page.py``."""

from __future__ import annotations

import inspect
from pathlib import Path

from bitrate.logs.formats import all_formats

PAGE = Path(__file__).resolve().parents[1] / "docs" / "formats.md"


def page() -> str:
    """The page as Markdown."""
    parts = [
        "# Formats",
        "What `bitrate audit` reads, and what each format cannot tell. "
        "Made by `python scripts/formats_page.py` from the formats.",
        "Point it at a file or a folder; the format is found by the columns. Pickles are never loaded.",
    ]
    for form in all_formats():
        rows = [
            f"## {form.name}",
            inspect.getdoc(form) or "",
            f"- **Written by:** {form.trainer}\n- **Files:** `{form.files}`\n- **Prompts known by:** {form.prompt_id}; "
            f"**groups by:** {form.group_id}\n- **Groups dropped before writing:** {form.filtered}",
            *(f"- {caveat}" for caveat in form.caveats),
        ]
        parts += rows
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
