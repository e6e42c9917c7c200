"""An audit as one HTML file that works offline and lets nothing from a log run, load or hide.

Text from a log is escaped by Jinja2, or sits in a JSON block and is set as ``textContent``. A content security policy
names the two scripts and the one style by hash and forbids everything else, the network included.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitrate import files
from bitrate.meter.audit import Audit
from bitrate.report import sentences, vega, words
from bitrate.report.charts import all_charts
from bitrate.report.ledger import ledger, too_long
from bitrate.report.marks import Spec
from bitrate.report.theme import PALETTE, theme

if TYPE_CHECKING:
    from markupsafe import Markup

EXCERPT = 160
COLUMNS = (
    "prompt_id",
    "prompt",
    "state",
    "pass_rate",
    "bits",
    "first",
    "last",
    "groups",
    "rollouts",
    "right",
    "tokens",
)
OPTION = re.compile(r"--[a-z]+(?:-[a-z]+)*")
UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def write_html(audit: Audit, path: str | Path) -> Path:
    """Write the report of an audit: one file, no network, readable at any width, light and dark.

    Args:
        audit: its figures.
        path: the file; replaced in one go, so that a reader never sees half of it.

    Returns:
        The path written.

    Raises:
        OutputError: the folder is not there or cannot be written.
    """
    files.write(path, render(audit))
    return Path(path)


def render(audit: Audit) -> str:
    """The report as HTML text."""
    import jinja2
    from markupsafe import Markup

    env = jinja2.Environment(
        loader=jinja2.PackageLoader("bitrate.report", "templates"), autoescape=True,
        trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    env.filters |= {
        name: getattr(words, name) for name in ("clean", "clip", "unit_words", "value_words", "interval_words")
    }
    env.filters |= {"difference": words.difference_words, "difference_span": words.difference_span}
    env.filters["prose"] = prose
    env.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    drawn = drawings(audit)
    style = env.get_template("report.css").render(palette=PALETTE)
    scripts = [vega.script(), env.get_template("report.js").render()]
    data = {
        "charts": {name: spec for name, spec in drawn.items() if not isinstance(spec, str)},
        "themes": {mode: theme(mode) for mode in PALETTE},
        "columns": COLUMNS,
        "prompts": _prompts(audit),
    }
    template = env.get_template("report.html.j2")
    return template.render(
        audit=audit,
        blocks=sentences.blocks(audit),
        said=sentences,
        rightful=sentences.kinds(audit) == sentences.RIGHT_OR_WRONG,
        long_reason=too_long,
        drawn=drawn,
        charts=all_charts(),
        style=Markup(style),
        scripts=[Markup(s) for s in scripts],
        data=Markup(safe_json(data)),
        policy=policy(scripts, [style]),
    )


def drawings(audit: Audit) -> dict[str, Spec | str]:
    """Every chart by name: its spec, as wide as its place in the page, or the reason why there is none."""
    place: Spec = {
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 0, "right": 4, "top": 4, "bottom": 4},
    }
    found: dict[str, Spec | str] = {f"ledger_{block}": ledger(audit, block) for block in sentences.blocks(audit)}
    found |= {chart.name: chart.draw(audit) for chart in all_charts()}
    return {name: spec if isinstance(spec, str) else spec | place for name, spec in found.items()}


def prose(text: object) -> Markup:
    """Text, escaped, in which the name of an option is never parted from its dashes.

    >>> str(prose("say --columns a=<b>"))
    'say <span class="option">--columns</span> a=&lt;b&gt;'
    """
    from markupsafe import Markup, escape

    return Markup(OPTION.sub(r'<span class="option">\g<0></span>', str(escape(words.clean(text)))))


def safe_json(data: object) -> str:
    r"""JSON that can stand inside a script element: no ``<``, ``>``, ``&``, U+2028 or U+2029 as themselves.

    >>> safe_json({"id": "</script>"})
    '{"id":"\\u003c/script\\u003e"}'
    """
    return json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":")).translate(UNSAFE)


def policy(scripts: list[str], styles: list[str]) -> str:
    """The content security policy: these scripts and styles by hash, pictures from the file itself, no more."""
    return (
        f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; style-src {' '.join(map(_hash, styles))}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _prompts(audit: Audit) -> list[list[Any]]:
    """The prompt table as rows; texts cut and cleaned."""
    text = {"prompt_id", "prompt", "state"}
    return [[_cell(getattr(row, key), key in text) for key in COLUMNS] for row in audit.series.prompts]


def _cell(value: Any, text: bool) -> Any:
    if value is None:
        return None
    return words.clip(value, EXCERPT) if text else float(f"{value:.5g}")
