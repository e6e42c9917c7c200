"""Vega, Vega-Lite and Vega-Embed as one script: what draws the charts of a page that loads nothing."""

from __future__ import annotations

import contextlib
import re
from functools import cache
from importlib.metadata import version

from bitrate import files


@cache
def script() -> str:
    """The script, made by vl-convert in some seconds, and kept for the next report in the user's cache."""
    import vl_convert

    kept = files.home("vega") / f"{version('vl-convert-python')}.js"
    with contextlib.suppress(OSError, UnicodeError):
        return kept.read_text("utf-8")
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    # What would end or open a script element inside one; a page has newlines as they are written here.
    made = re.sub(r"<(/script|!--|script)", r"\\x3c\1", bundle.replace("\r", ""), flags=re.IGNORECASE)
    with contextlib.suppress(OSError):
        files.write(kept, made)
    return made
